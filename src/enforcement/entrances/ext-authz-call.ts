import type { DecisionPointSettings } from '../../model/channel.ts'
import type { RawFields } from '../../model/exchange.ts'
import { type CheckRequest, writeDenied, writeOk } from '../../syntax/ext-authz.ts'
import { fieldValue, fieldValues } from '../../syntax/http.ts'
import type { Advice } from '../admission.ts'
import type { Sight } from '../sight.ts'
import { type Asked, callerAt, type Reading, unclear } from './asked.ts'

/** Envoy's word on the body it sends, in the fields of the asking only; on another entrance it means nothing. */
export const PARTIAL_BODY = 'x-envoy-auth-partial-body'

/**
 * `Connection` ended at Envoy, which does not take out what it names: all of that goes on, so all of it is read.
 */
const NOT_OF_THE_CALL: ReadonlySet<string> = new Set([PARTIAL_BODY, 'connection'])

/** Envoy takes out fields, writes the target anew, and carries the answer past the gate. */
export const ENVOYS_SIGHT: Omit<Sight, 'body' | 'bodies'> = {
  answer: false,
  strips: 'gate',
  retargets: true,
  rewrites: false,
}

/** The call that a CheckRequest states; the caller's address is that of `source`. */
export function readCheck(
  request: CheckRequest,
  {
    bodies,
    maxRequestBytes,
  }: Pick<DecisionPointSettings, 'bodies'> & { readonly maxRequestBytes?: number | undefined },
): Reading {
  const caller = callerAt(request.address, request.port)
  if (caller === null) return unclear('source.address')
  const fields: string[] = ['Host', request.host]
  for (let i = 0; i + 1 < request.fields.length; i += 2) {
    const name = request.fields[i] ?? ''
    if (name.startsWith(':') || NOT_OF_THE_CALL.has(name.toLowerCase())) continue
    fields.push(name, request.fields[i + 1] ?? '')
  }
  const sight = bodySight(request, maxRequestBytes)
  const asked: Asked = {
    head: {
      method: request.method,
      target: request.path,
      httpVersion: versionOf(request.protocol),
      fields,
      secure: request.scheme === 'https',
    },
    caller,
    body: request.body.byteLength === 0 ? null : request.body,
    sight: { ...ENVOYS_SIGHT, body: sight, bodies },
  }
  return { ok: true, asked }
}

function versionOf(protocol: string): '1.0' | '1.1' | '2' {
  if (protocol === 'HTTP/1.0') return '1.0'
  return protocol === 'HTTP/1.1' ? '1.1' : '2'
}

/**
 * Whether Envoy's word that a body was not cut can be taken. It puts the mark beside every body it sends, in place of
 * a caller's; but where it asks as soon as its buffer is exactly full, it marks what it cut as whole. So only what is
 * shorter than the buffer counts, and nothing where its size is not known.
 */
export function isUncut(fields: RawFields, sent: number, maxRequestBytes: number | undefined): boolean {
  const marks = fieldValues(fields, PARTIAL_BODY)
  return marks.length === 1 && marks[0] === 'false' && maxRequestBytes !== undefined && sent < maxRequestBytes
}

/** How much of the body Envoy sent. A body of the announced length is whole, whatever the mark says. */
function bodySight(
  { fields, body, asText, protocol }: CheckRequest,
  maxRequestBytes: number | undefined,
): Sight['body'] {
  const marks = fieldValues(fields, PARTIAL_BODY)
  // Other bytes than were sent are no more the body than some of them.
  if (marks.includes('true') || asText) return 'partial'
  const announced = fieldValue(fields, 'content-length')
  const sent = body.byteLength
  if (sent > 0) {
    if (announced !== undefined) return Number(announced) === sent ? 'whole' : 'partial'
    return isUncut(fields, sent, maxRequestBytes) ? 'whole' : 'partial'
  }
  if (announced !== undefined) return announced === '0' ? 'whole' : 'unseen'
  // Envoy takes Transfer-Encoding out before it asks, so no field tells a chunked body from none (RFC 9112 §6.3 would);
  // only where it is known to send bodies does an HTTP/1 call of which none came have none.
  const ends = protocol.startsWith('HTTP/1.') && fieldValue(fields, 'transfer-encoding') === undefined
  return ends && maxRequestBytes !== undefined ? 'whole' : 'unseen'
}

/** The CheckResponse of an advice; `own`: Authorization as the call has it. */
export function writeCheck(advice: Advice, fields: RawFields): Uint8Array {
  if (advice.kind === 'refuse') {
    const { status, body } = advice.answer
    return writeDenied({ status, body, fields: withoutLength(advice.answer.fields) })
  }
  const own = fieldValue(fields, 'authorization')
  const { authorization, target, id } = advice
  const remove = [...advice.remove]
  if (authorization === null && own !== undefined) remove.push('authorization')
  const set: string[] = []
  if (authorization !== null && authorization !== own) set.push('authorization', authorization)
  if (target !== null) set.push(':path', target)
  return writeOk({ set, remove, answerFields: ['sallyport-exchange', id] })
}

/** The proxy measures the body itself. */
function withoutLength(fields: RawFields): string[] {
  const out: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.toLowerCase() !== 'content-length') out.push(name.toLowerCase(), fields[i + 1] ?? '')
  }
  return out
}
