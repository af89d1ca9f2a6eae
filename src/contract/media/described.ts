import type { OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt } from '../json-value.ts'
import type { Located } from '../reference.ts'
import { referredSchemas } from '../schema-resources.ts'

/** What the contract writes at one place of a value, through references and combinators: annotations, not validity. */
export interface Described {
  /** All schema objects that describe the place, the nearest first. */
  readonly stated: readonly { readonly value: JsonRecord; readonly pointer: string }[]
  readonly members: ReadonlyMap<string, readonly Located[]>
  readonly items: readonly Located[]
}

/** Schemas at one place; contracts have a handful. */
const MAX_SCHEMAS = 200

export function described(document: OpenApiDocument, places: readonly Located[]): Described {
  const stated: { value: JsonRecord; pointer: string }[] = []
  const members = new Map<string, Located[]>()
  const items: Located[] = []
  const seen = new Set<unknown>()
  const pending = [...places]
  for (let at = pending.shift(); at !== undefined && stated.length < MAX_SCHEMAS; at = pending.shift()) {
    const { value, pointer } = at
    if (!isRecord(value) || seen.has(value)) continue
    seen.add(value)
    stated.push({ value, pointer })
    pending.push(...referredSchemas(document, value, pointer))
    for (const [name, member] of Object.entries(recordAt(value, 'properties'))) {
      const known = members.get(name) ?? []
      known.push({ value: member, pointer: `${pointer}/properties/${name}` })
      members.set(name, known)
    }
    if (own(value, 'items') !== undefined) items.push({ value: value['items'], pointer: `${pointer}/items` })
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      listAt(value, keyword).forEach((member, index) => {
        pending.push({ value: member, pointer: `${pointer}/${keyword}/${index}` })
      })
    }
  }
  return { stated, members, items }
}

/** The first member of the name that any of the schemas states. */
export function firstStated({ stated }: Described, name: string): unknown {
  for (const { value } of stated) {
    const found = own(value, name)
    if (found !== undefined) return found
  }
  return undefined
}
