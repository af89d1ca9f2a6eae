import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContractWarning } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { faultAt } from './fault.ts'
import { isRecord, own } from './json-value.ts'
import { type Located, resolveReference } from './reference.ts'

const MAX_HOPS = 50

/**
 * The fields of a Path Item with those that its `$ref` names, each where it stands. OpenAPI leaves open which of two
 * equal fields holds (3.1 §4.8.9.1): that beside the `$ref` does, with a warning.
 */
export function pathItem(
  document: OpenApiDocument,
  member: unknown,
  pointer: string,
  warn: (warning: ContractWarning) => void,
): ReadonlyMap<string, Located> {
  const fields = new Map<string, Located>()
  let at: Located = { value: member, pointer }
  for (let hop = 0; ; hop++) {
    if (!isRecord(at.value)) throw faultAt(document, at.pointer, 'an object is expected here')
    if (hop === MAX_HOPS) throw faultAt(document, pointer, '$ref leads to itself')
    for (const [name, value] of Object.entries(at.value)) {
      if (name === '$ref') continue
      const place = `${at.pointer}/${escapePointer(name)}`
      const other = fields.get(name)
      if (other === undefined) fields.set(name, { value, pointer: place })
      else if (!TEXTS.has(name)) {
        const message = `${name} is stated beside the path’s $ref and in what it names: that beside it holds`
        warn({ code: 'path-item', pointer: place, message })
      }
    }
    const ref = own(at.value, '$ref')
    if (ref === undefined) return fields
    at = resolveReference(document, ref, at.pointer)
  }
}

/** They say nothing about what is let through. */
const TEXTS = new Set(['summary', 'description'])
