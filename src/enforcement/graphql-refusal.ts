import type { Answer, ExchangeId, RawFields } from '../model/exchange.ts'
import { REASONS, type Reason } from '../model/reason.ts'
import { fieldValues, listMembers } from '../syntax/http.ts'
import { parseMediaType } from '../syntax/media-type.ts'

const RESPONSE = 'application/graphql-response+json'
const JSON_TYPE = 'application/json'
const ANY: ReadonlySet<string> = new Set(['*/*', 'application/*', JSON_TYPE])

/**
 * The media type of GraphQL over HTTP (§6.2) that the caller takes; null where it takes none, and a problem document
 * has to do.
 */
export function graphqlMediaType(fields: RawFields): string | null {
  const accept = fieldValues(fields, 'accept').flatMap(listMembers)
  if (accept.length === 0) return JSON_TYPE
  let taken: string | null = null
  for (const text of accept) {
    const media = parseMediaType(text)
    if (media === null || /^0(?:\.0*)?$/.test(media.parameters.get('q') ?? '')) continue
    if (media.essence === RESPONSE) return RESPONSE
    if (ANY.has(media.essence)) taken = JSON_TYPE
  }
  return taken
}

/** A refusal as a GraphQL client reads it: one error, and no `data` (GraphQL over HTTP §6.4). */
export function asGraphql(refusal: Answer, id: ExchangeId, decisive: Reason, mediaType: string): Answer {
  const { title } = REASONS[decisive.code]
  const message = decisive.forCaller === undefined ? title : `${title} (${decisive.forCaller})`
  const errors = [{ message, extensions: { code: decisive.code, exchange: id } }]
  const body = Buffer.from(`${JSON.stringify({ errors })}\n`)
  const fields: string[] = []
  for (let at = 0; at + 1 < refusal.fields.length; at += 2) {
    const name = refusal.fields[at] ?? ''
    const lower = name.toLowerCase()
    const value = refusal.fields[at + 1] ?? ''
    if (lower === 'content-type') fields.push(name, `${mediaType}; charset=utf-8`)
    else fields.push(name, lower === 'content-length' ? String(body.byteLength) : value)
  }
  return { ...refusal, fields, body }
}
