import { isToken } from '../syntax/http.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import { PARSED_METHODS } from '../syntax/methods.ts'
import type { ContractWarning } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { faultAt } from './fault.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'
import { pathItem } from './path-item.ts'
import type { Located } from './reference.ts'

/** One operation of a contract where it stands, with what its path says of it. */
export interface DeclaredOperation {
  readonly template: string
  /** As it stands in a request: `GET`, `QUERY`, `COPY`. */
  readonly method: string
  readonly value: JsonRecord
  readonly pointer: string
  /** All that its path says; `pointer`: of the object that holds the path's own parameters. */
  readonly item: { readonly value: JsonRecord; readonly pointer: string }
}

export interface DeclaredPath {
  readonly template: string
  readonly fields: ReadonlyMap<string, Located>
  readonly operations: readonly DeclaredOperation[]
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const
const FIXED = new Set([...METHODS.map((method) => method.toUpperCase()), 'QUERY'])
const MAX_METHOD = 32

/**
 * The paths of a contract with their operations, in document order.
 * @throws {SallyportError} `contract-invalid` where a path or operation is none.
 */
export function* declaredPaths(
  document: OpenApiDocument,
  warn: (warning: ContractWarning) => void,
): Generator<DeclaredPath> {
  const paths = own(document.root, 'paths')
  if (paths === undefined) return
  if (!isRecord(paths)) throw faultAt(document, '/paths', 'an object is expected here')
  for (const [template, member] of Object.entries(paths)) {
    if (template.startsWith('x-')) continue
    const pointer = `/paths/${escapePointer(template)}`
    if (!template.startsWith('/')) throw faultAt(document, pointer, 'a path begins with /')
    const fields = pathItem(document, member, pointer, warn)
    const shared = fields.get('parameters')
    const item = {
      value: Object.fromEntries([...fields].map(([name, field]) => [name, field.value])),
      pointer: shared?.pointer.slice(0, -'/parameters'.length) ?? pointer,
    }
    const operations = [...operationsOf(document, fields, warn)].map(([method, at]): DeclaredOperation => {
      if (!isRecord(at.value)) throw faultAt(document, at.pointer, 'an operation is expected here')
      return { template, method, value: at.value, pointer: at.pointer, item }
    })
    yield { template, fields, operations }
  }
}

function* operationsOf(
  document: OpenApiDocument,
  fields: ReadonlyMap<string, Located>,
  warn: (warning: ContractWarning) => void,
): Generator<readonly [method: string, at: Located]> {
  for (const method of METHODS) {
    const at = fields.get(method)
    if (at !== undefined) yield [method.toUpperCase(), at]
  }
  const query = fields.get('query')
  const more = fields.get('additionalOperations')
  if (document.release !== '3.2') {
    for (const at of [query, more]) {
      const message = 'this is an operation from OpenAPI 3.2 on and is not read: no call reaches it'
      if (at !== undefined) warn({ code: 'path-item', pointer: at.pointer, message })
    }
    return
  }
  if (query !== undefined) yield ['QUERY', query]
  if (more === undefined) return
  if (!isRecord(more.value)) throw faultAt(document, more.pointer, 'an object is expected here')
  for (const [method, value] of Object.entries(more.value)) {
    const pointer = `${more.pointer}/${escapePointer(method)}`
    requireMethod(document, method, pointer)
    yield [method, { value, pointer }]
  }
}

/** OpenAPI 3.2 §4.9.1: methods have fields of their own, or are tokens as they are sent (RFC 9110 §9.1). */
function requireMethod(document: OpenApiDocument, method: string, pointer: string): void {
  const shown = method.slice(0, 40).toWellFormed()
  if (!isToken(method) || method.length > MAX_METHOD) {
    throw faultAt(document, pointer, `${shown} is no method: a token of at most ${MAX_METHOD} characters is`)
  }
  if (FIXED.has(method.toUpperCase())) {
    const message = `${shown} has a field of its own: move it out of additionalOperations to ${method.toLowerCase()}`
    throw faultAt(document, pointer, message)
  }
}

/** Why no call with this method ever reaches an operation; null where calls do. */
export function whyUncallable(method: string): string | null {
  // The gate refuses both in every mode (hygiene).
  if (method === 'TRACE' || method === 'CONNECT') return `the gate refuses ${method}`
  return PARSED_METHODS.has(method) ? null : `HTTP/1.1 calls with the method ${method} cannot be read`
}
