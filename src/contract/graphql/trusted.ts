import { hash } from 'node:crypto'
import { scanJson } from '../../syntax/json.ts'
import { isRecord } from '../json-value.ts'
import { FILE_LIMITS, invalid } from './schema.ts'

const MAX_DOCUMENTS = 20_000
const MAX_ID = 256
/**
 * Registered documents by id: `{ "<id>": "<document>" }` (Relay and others), or Apollo's manifest of `operations`. Ids
 * that are SHA-256 (hex, with or without `sha256:`) have to be that of their document, and stand as `sha256:<hex>`;
 * every document can be asked for by its own.
 */
export function readManifest(text: string, file: string): ReadonlyMap<string, string> {
  const scan = scanJson(Buffer.from(text), FILE_LIMITS)
  if (!scan.ok) throw invalid(file, `not a manifest: ${scan.fault.rule} at byte ${scan.fault.offset}`)
  if (!isRecord(scan.value)) throw invalid(file, 'not a manifest: an object is expected')
  const stated =
    isRecord(scan.value) && Array.isArray(scan.value['operations'])
      ? listed(scan.value['operations'])
      : Object.entries(scan.value)
  if (stated.length > MAX_DOCUMENTS) throw invalid(file, `more than ${MAX_DOCUMENTS} documents`)
  const documents = new Map<string, string>()
  for (const [id, document] of stated) {
    if (typeof document !== 'string') throw invalid(file, `${id.slice(0, 80)}: a document is expected`)
    if (id === '' || id.length > MAX_ID)
      throw invalid(file, `${id.slice(0, 80)}: an id has 1 to ${MAX_ID} characters`)
    const digest = digestOf(document)
    const hex = /^(?:sha256:)?([0-9a-f]{64})$/.exec(id)?.[1]
    if (hex !== undefined && `sha256:${hex}` !== digest)
      throw invalid(file, `${id.slice(0, 80)}: is not the SHA-256 of its document`)
    documents.set(digest, document)
    if (hex === undefined) documents.set(id, document)
  }
  return documents
}

export function digestOf(document: string): string {
  return `sha256:${hash('sha256', document, 'hex')}`
}

function listed(operations: readonly unknown[]): readonly (readonly [string, unknown])[] {
  return operations.flatMap((each) =>
    isRecord(each) && typeof each['id'] === 'string' ? [[each['id'], each['body']] as const] : [],
  )
}
