import { parseFileReference } from '../syntax/file-reference.ts'
import { escapePointer, parsePointer } from '../syntax/json-pointer.ts'
import type { OpenApiDocument } from './document.ts'
import { faultAt } from './fault.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'
import { joinPlace, splitPlace } from './place.ts'

/** A value of the contract with the place where it stands: see `splitPlace`. */
export interface Located {
  readonly value: unknown
  readonly pointer: string
}

/** How many references may lead to references; more is a circle that names nothing. */
const MAX_HOPS = 50
const WAY_OUT = 'only files in the contract’s own folder are read: copy there what it names'

/**
 * Resolves `$ref` inside the contract and the files read with it: nothing is fetched and no file is opened, whatever a
 * reference names.
 * @throws {SallyportError} `contract-invalid` where it leaves the contract's folder or points to nothing.
 */
export function resolveReference(document: OpenApiDocument, ref: unknown, at: string): Located {
  const here = `${at}/$ref`
  if (typeof ref !== 'string') throw faultAt(document, here, '$ref is not a string')
  const shown = ref.length > 120 ? `${ref.slice(0, 119).toWellFormed()}…` : ref
  const { part, fragment } = target(document, ref, at, (why) =>
    faultAt(document, here, `$ref ${shown} ${why}`),
  )
  let tokens: readonly string[]
  try {
    tokens = parsePointer(fragment)
  } catch {
    throw faultAt(document, here, `$ref ${shown} is not a JSON pointer`)
  }
  let value: unknown = part === '' ? document.root : document.parts.rootOf(part)
  for (const token of tokens) {
    value = Array.isArray(value) ? value[indexOf(token)] : isRecord(value) ? own(value, token) : undefined
    if (value === undefined) throw faultAt(document, here, `$ref ${shown} points to nothing`)
  }
  const pointer = tokens.map((token) => `/${escapePointer(token)}`).join('')
  return { value, pointer: joinPlace(part, pointer) }
}

/** Which file is meant, empty for the contract itself, and where in it. */
function target(
  document: OpenApiDocument,
  ref: string,
  at: string,
  fault: (why: string) => Error,
): { readonly part: string; readonly fragment: string } {
  const { part } = splitPlace(at)
  const named = part === '' ? ownName(document, ref) : ref
  const read = parseFileReference(named, part === '' ? document.parts.main : part)
  if (!read.ok) throw fault(`${read.why}: ${WAY_OUT}`)
  const { path, fragment } = read
  if (path === '') return { part, fragment }
  if (path === document.parts.main) return { part: '', fragment }
  const why = document.parts.whyNot(path)
  if (why !== null) throw fault(`cannot be followed: ${document.parts.fileOf(path)} ${why}`)
  return { part: path, fragment }
}

/** OpenAPI 3.2 §4.1.2.2: `$self` names the contract, so that a reference to this name stays inside. */
function ownName(document: OpenApiDocument, ref: string): string {
  const self = document.release === '3.2' ? own(document.root, '$self') : undefined
  if (typeof self !== 'string' || ref.startsWith('#')) return ref
  const base = URL.parse(self, 'self://contract/')
  const full = base === null ? null : URL.parse(ref, base.href)
  if (base === null || full === null) return ref
  const { hash } = full
  base.hash = ''
  full.hash = ''
  return full.href === base.href ? hash || '#' : ref
}

const indexOf = (token: string): number => (/^(?:0|[1-9][0-9]{0,8})$/.test(token) ? Number(token) : -1)

/** Follows a Reference Object (parameter, body, response, media type) to the object that is none. */
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
