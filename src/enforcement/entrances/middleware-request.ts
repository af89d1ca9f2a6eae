import type { IncomingMessage } from 'node:http'
import type { RawFields } from '../../model/exchange.ts'
import { HOP_BY_HOP } from '../../syntax/http.ts'
import type { AdmittedCall } from '../admitted-call.ts'
import { NONE, OF_THE_BYTES, upstreamPath } from '../forward.ts'
import { isStripped } from '../identity-fields.ts'
import { withheldFrom } from '../upstream-call.ts'

/** The call as the application is to see it: exactly what was judged, and nothing that passes for the gate's word. */
export interface JudgedRequest {
  readonly target: string
  /** Names and values in turn; the body's length is the judged body's. */
  readonly fields: RawFields
}

/**
 * As an upstream gets it (forward.ts), but for what the gate would state of itself: between it and the application
 * there is no connection to speak of. The caller's credential goes on only where the API checks it itself.
 */
export function judgedRequest(call: AdmittedCall): JudgedRequest {
  const { head, api, operation, body, bodyChanged } = call
  const declared = operation?.headers ?? NONE
  const withheld = withheldFrom(call)
  const passes = api.plan.mode === 'observe' || api.plan.credential === 'pass'
  const { fields: sent } = head
  const fields: string[] = []
  for (let i = 0; i + 1 < sent.length; i += 2) {
    const name = sent[i] ?? ''
    const lower = name.toLowerCase()
    if (lower === 'content-length' || lower === 'accept-encoding' || lower === 'expect') continue
    if (HOP_BY_HOP.has(lower) || withheld.has(lower) || isStripped(lower, api.plan, declared)) continue
    if (lower === 'authorization' && !passes) continue
    if (bodyChanged && OF_THE_BYTES.has(lower)) continue
    fields.push(name, sent[i + 1] ?? '')
  }
  if (body !== null) fields.push('Content-Length', String(body.byteLength))
  // What cannot be read cannot be checked: answers are asked for unencoded.
  fields.push('Accept-Encoding', 'identity')
  return { target: upstreamPath(api.plan, head), fields }
}

/** Node's message becomes the judged request: whoever holds it already sees it too. */
export function showJudged(request: IncomingMessage, { target, fields }: JudgedRequest): void {
  request.url = target
  keepOnly(request.headers, request.headersDistinct, fields)
  request.rawHeaders = [...fields]
  // Never judged, and no server behind a gate would get them.
  request.trailers = {}
  request.trailersDistinct = {}
  request.rawTrailers = []
}

function keepOnly(
  headers: IncomingMessage['headers'],
  distinct: IncomingMessage['headersDistinct'],
  fields: RawFields,
): void {
  const kept = new Set<string>()
  for (let i = 0; i + 1 < fields.length; i += 2) kept.add((fields[i] ?? '').toLowerCase())
  for (const name of Object.keys(headers)) if (!kept.has(name)) delete headers[name]
  for (const name of Object.keys(distinct)) if (!kept.has(name)) delete distinct[name]
  for (const name of ['content-length', 'accept-encoding'] as const) {
    const at = fields.findIndex((field, index) => index % 2 === 0 && field.toLowerCase() === name)
    if (at < 0) continue
    headers[name] = fields[at + 1] ?? ''
    distinct[name] = [fields[at + 1] ?? '']
  }
}
