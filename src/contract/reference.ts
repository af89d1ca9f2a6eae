import { escapePointer, parsePointer } from '../syntax/json-pointer.ts'
import { faultAt, type OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'

/** A value of the contract with the JSON pointer where it stands. */
export interface Located {
  readonly value: unknown
  readonly pointer: string
}

/** How many references may lead to references; more is a circle that names nothing. */
const MAX_HOPS = 50

/**
 * Resolves `$ref` inside the document only: nothing is fetched and no file is opened, whatever a reference names.
 * @throws {SallyportError} `contract-invalid` where it leaves the document or points to nothing.
 */
export function resolveReference(document: OpenApiDocument, ref: unknown, at: string): Located {
  const here = `${at}/$ref`
  if (typeof ref !== 'string') throw faultAt(document, here, '$ref is not a string')
  const shown = ref.length > 120 ? `${ref.slice(0, 119)}…` : ref
  if (!ref.startsWith('#')) {
    throw faultAt(document, here, `$ref ${shown} leaves the contract: put what it names under components`)
  }
  let tokens: readonly string[]
  try {
    tokens = parsePointer(decodeURIComponent(ref.slice(1)))
  } catch {
    throw faultAt(document, here, `$ref ${shown} is not a JSON pointer`)
  }
  let value: unknown = document.root
  for (const token of tokens) {
    value = Array.isArray(value) ? value[indexOf(token)] : isRecord(value) ? own(value, token) : undefined
    if (value === undefined) throw faultAt(document, here, `$ref ${shown} points to nothing`)
  }
  return { value, pointer: tokens.map((token) => `/${escapePointer(token)}`).join('') }
}

const indexOf = (token: string): number => (/^(?:0|[1-9][0-9]{0,8})$/.test(token) ? Number(token) : -1)

/** Follows a Reference Object (parameter, body, response, path item) to the object that is none. */
export function follow(
  document: OpenApiDocument,
  value: unknown,
  pointer: string,
): { value: JsonRecord; pointer: string } {
  let at: Located = { value, pointer }
  for (let hop = 0; isRecord(at.value) && own(at.value, '$ref') !== undefined; hop++) {
    if (hop === MAX_HOPS) throw faultAt(document, pointer, '$ref leads to itself')
    at = resolveReference(document, at.value['$ref'], at.pointer)
  }
  if (!isRecord(at.value)) throw faultAt(document, at.pointer, 'an object is expected here')
  return { value: at.value, pointer: at.pointer }
}
