import type { Finding } from '../../model/fact.ts'
import { type JsonLimits, scanJson } from '../../syntax/json.ts'
import { isUtf8, parseMediaType } from '../../syntax/media-type.ts'
import { isRawNumber, parseExact } from '../exact-json.ts'
import { contractFinding } from '../findings.ts'
import { isRecord, type JsonRecord } from '../json-value.ts'

/** GraphQL over HTTP §5: what a request may consist of, and nothing else. */

/** One request as its sender states it, its document not yet read. */
export interface StatedRequest {
  /** Null where the document is named by its id alone. */
  readonly query: string | null
  readonly operationName: string | null
  readonly variables: JsonRecord
  /** Id of a registered document: `documentId`, or `extensions.persistedQuery.sha256Hash`. */
  readonly documentId: string | null
  readonly extensions: JsonRecord
}

export type Form =
  | { readonly ok: true; readonly requests: readonly StatedRequest[]; readonly batched: boolean }
  | { readonly ok: false; readonly finding: Finding }

const MEMBERS: ReadonlySet<string> = new Set([
  'query',
  'operationName',
  'variables',
  'extensions',
  'documentId',
])
const EMPTY: JsonRecord = Object.freeze({})
const MAX_ID = 256
const MAX_NAME = 256

class FormFault extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super('not a GraphQL request')
    this.finding = finding
  }
}

/** A body of `application/json` (§5.4); nothing a browser sends to another site without asking it first. */
export function readBody(
  contentType: string | undefined,
  bytes: Uint8Array | null,
  query: readonly (readonly [string, string])[],
  limits: JsonLimits,
  maxBatch: number,
): Form {
  // What a server takes of query and body at once is its own affair, so there is no query beside a body.
  if (query.length > 0) return malformed('query-string', 'a POST request has no query string')
  const media = contentType === undefined ? null : parseMediaType(contentType)
  if (media === null || media.essence !== 'application/json' || !isUtf8(media)) {
    const declared = 'application/json'
    return { ok: false, finding: contractFinding('media-type-unsupported', { declared }, declared) }
  }
  if (bytes === null || bytes.length === 0) return { ok: false, finding: contractFinding('body-missing', {}) }
  const scan = scanJson(bytes, limits)
  if (!scan.ok) {
    const { rule, pointer, offset } = scan.fault
    const said = `${pointer === '' ? '/' : pointer}: ${rule}`
    return { ok: false, finding: contractFinding('body-malformed', { rule, pointer, offset }, said) }
  }
  // Numbers that a double does not hold stay what they are, and are no integers.
  const value: unknown = scan.exact ? scan.value : parseExact(bytes)
  return taken(() => {
    if (!Array.isArray(value)) return { requests: [readRequest(value, '')], batched: false }
    if (maxBatch < 2 || value.length === 0)
      throw new FormFault(contractFinding('graphql-malformed', { rule: 'batch' }, 'no batches are taken'))
    if (value.length > maxBatch) throw new FormFault(limit('batch', value.length, maxBatch))
    return { requests: value.map((each, index) => readRequest(each, `/${index}`)), batched: true }
  })
}

/** §5.3: the same as parameters of a GET, each once. */
export function readQuery(query: readonly (readonly [string, string])[], limits: JsonLimits): Form {
  return taken(() => {
    const members: Record<string, unknown> = Object.create(null)
    for (const [name, text] of query) {
      if (!MEMBERS.has(name)) throw fault('parameter', 'a parameter that is none of GraphQL’s')
      if (Object.hasOwn(members, name)) throw fault('parameter-repeated', `/${name}`)
      members[name] = name === 'variables' || name === 'extensions' ? readParameter(name, text, limits) : text
    }
    return { requests: [readRequest({ ...members }, '')], batched: false }
  })
}

export function limit(name: string, value: number, max: number): Finding {
  return contractFinding('graphql-limit', { limit: name, value, max }, `${name}: ${max} at most`)
}

function readParameter(name: string, text: string, limits: JsonLimits): unknown {
  const bytes = Buffer.from(text)
  const scan = scanJson(bytes, limits)
  if (!scan.ok) throw fault(scan.fault.rule, `/${name}: ${scan.fault.rule}`)
  return scan.exact ? scan.value : parseExact(bytes)
}

function taken(read: () => { requests: readonly StatedRequest[]; batched: boolean }): Form {
  try {
    return { ok: true, ...read() }
  } catch (error) {
    if (error instanceof FormFault) return { ok: false, finding: error.finding }
    throw error
  }
}

function malformed(rule: string, said: string): Form {
  return { ok: false, finding: fault(rule, said).finding }
}

function fault(rule: string, said: string): FormFault {
  return new FormFault(contractFinding('graphql-malformed', { rule }, said))
}

function readRequest(value: unknown, at: string): StatedRequest {
  if (!isRecord(value)) throw fault('object', `${at === '' ? '/' : at}: an object is expected`)
  for (const name of Object.keys(value))
    if (!MEMBERS.has(name)) throw fault('member', `${at}: a member that is none of GraphQL’s`)
  const { query = null, operationName = null } = value
  if (query !== null && typeof query !== 'string') throw fault('query', `${at}/query: a string is expected`)
  if (operationName !== null && (typeof operationName !== 'string' || operationName.length > MAX_NAME))
    throw fault('operationName', `${at}/operationName: a name is expected`)
  const extensions = mapAt(value, 'extensions', at)
  const documentId = documentIdOf(value, extensions, at)
  if (query === null && documentId === null) throw fault('query', `${at}/query: a document is expected`)
  return { query, operationName, variables: mapAt(value, 'variables', at), documentId, extensions }
}

function mapAt(value: JsonRecord, name: string, at: string): JsonRecord {
  const map = Object.hasOwn(value, name) ? value[name] : null
  if (map === null) return EMPTY
  if (!isRecord(map) || isRawNumber(map)) throw fault(name, `${at}/${name}: a map is expected`)
  return map
}

/** Both ways of naming a registered document; where both are used they name the same one. */
function documentIdOf(value: JsonRecord, extensions: JsonRecord, at: string): string | null {
  const { documentId = null } = value
  if (
    documentId !== null &&
    (typeof documentId !== 'string' || documentId === '' || documentId.length > MAX_ID)
  )
    throw fault('documentId', `${at}/documentId: an id is expected`)
  const persisted = Object.hasOwn(extensions, 'persistedQuery') ? extensions['persistedQuery'] : null
  if (persisted === null) return documentId
  const hash = isRecord(persisted) ? persisted['sha256Hash'] : null
  if (
    !isRecord(persisted) ||
    persisted['version'] !== 1 ||
    typeof hash !== 'string' ||
    !/^[0-9a-f]{64}$/.test(hash)
  )
    throw fault('persistedQuery', `${at}/extensions/persistedQuery: version 1 and a sha256Hash are expected`)
  const id = `sha256:${hash}`
  if (documentId !== null && documentId !== id) throw fault('documentId', `${at}: two documents are named`)
  return id
}
