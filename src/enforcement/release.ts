import { NOTHING_STATED } from '../contract/instantiate.ts'
import { checkScopes } from '../decision/floor.ts'
import { SallyportError } from '../model/errors.ts'
import type { Answer } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { reason } from '../model/reason.ts'
import type { OutcomeEntry } from '../model/record.ts'
import { fieldValue } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { heldBack } from './body.ts'
import { atCheckpoint, withObject } from './decision-input.ts'
import { callerFields } from './forward.ts'
import type { Gate } from './gate.ts'
import type { Ending, Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import type { Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { objectFacts } from './object.ts'
import type { ReadAnswer } from './read-answer.ts'
import { isRefused, readAnswer } from './read-answer.ts'
import { jsonShape } from './shape.ts'
import { upstreamFinding } from './upstream-call.ts'

export type Released =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly verdict: Verdict }

/**
 * The answer within its plan: contract findings, the owner it states, decide(response), outcome, release. The
 * outcome stands in the log before the last byte goes out.
 */
export async function release(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<Released> {
  let released: Released
  try {
    released = await judgeAndRecord(call, answer, journal, gate)
  } catch (error) {
    const failed = upstreamFinding(error, call.exchange.id, gate)
    released = { ok: false, verdict: judge(journal, 'response', [failed]) }
  }
  if (!released.ok) answer.body.cancel('not released')
  return released
}

async function judgeAndRecord(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<Released> {
  const { exchange } = call
  const { status } = answer
  const read = await readAnswer(call, answer, journal, gate)
  const verdict = judgeAnswer(call, answer, read, journal)
  if (verdict.stops) return { ok: false, verdict }

  const { body } = read
  const mediaType = mediaTypeOf(fieldValue(read.fields, 'content-type'))
  if (body === null || body instanceof Uint8Array) {
    const dropped = read.check?.dropped ?? []
    const released = { ...shape(mediaType, body, gate), dropped, ...learned(call, answer, body) }
    const unwritten = await journal.outcome({ action: 'forwarded', status, released })
    if (unwritten !== null) return { ok: false, verdict: judge(journal, 'response', [unwritten]) }
    const length = body?.byteLength ?? (status === 204 ? 'none' : null)
    const fields = callerFields(read.fields, exchange.id, length, read.changed)
    return { ok: true, answer: { status, fields, body } }
  }
  journal.notPlayed('response-contract')
  const released: OutcomeEntry['released'] = { bytes: 0, mediaType, digest: '', query: [], dropped: [] }
  const ending: Ending = { action: 'forwarded', status, released }
  journal.streams(ending)
  const streamed = heldBack(body, async (bytes) => {
    const unwritten = await journal.outcome({ ...ending, released: { ...released, bytes } })
    if (unwritten !== null)
      throw new SallyportError('audit-write-failed', 'the outcome could not be recorded')
  })
  const fields = callerFields(read.fields, exchange.id, null, false)
  return { ok: true, answer: { status, fields, body: streamed } }
}

function judgeAnswer(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  read: ReadAnswer,
  journal: Journal,
): Verdict {
  const { operation, subject, api } = call
  const carried = call.verdict.opposed ? call.verdict.findings : []
  const findings = [...carried, ...read.findings]
  if (operation === null || call.input === null) {
    return judge(journal, 'response', findings, {
      operation: null,
      subject,
      scopes: null,
      input: null,
      engine: api.policies,
      last: true,
    })
  }
  const object = operation.plan.object
  let input = atCheckpoint(call.input, 'response')
  if (object !== undefined) {
    const { pending } = call.verdict.decision
    const unstated = unstatedBy(answer.status, pending, object.hideAbsent)
    if (unstated !== null) findings.push(unstated)
    else if (input.resource.unknown.length > 0)
      input = withObject(input, 'response', objectFacts(object, read.check?.stated ?? NOTHING_STATED))
    // An answer that cannot be read is refused like one about somebody else's object, whoever owns it.
    if (pending && object.hideAbsent && isRefused(read))
      findings.unshift(finding(reason('owner-unknowable', 'object', { status: answer.status })))
  }
  const scopes = checkScopes(operation.plan.security, subject, api.plan.credential)
  return judge(journal, 'response', findings, {
    operation: operation.plan,
    subject,
    scopes,
    input,
    engine: api.policies,
    last: true,
    before: call.verdict,
  })
}

/**
 * What an error says of an object instead of its owner. Where the owner decides (`pending`), none is passed on; who
 * is allowed anyway sees it, but for an absence that is to look like any other.
 */
function unstatedBy(status: number, pending: boolean, hideAbsent: boolean): Finding | null {
  if (status === 404 && (pending || hideAbsent)) return finding(reason('object-absent', 'object'))
  if (status < 400 || !pending) return null
  // The upstream's own trouble is told as such: a caller must not take it for an object that is gone.
  return finding(reason('upstream-failed', status >= 500 ? 'upstream' : 'object', { status }))
}

function shape(
  mediaType: string,
  body: Uint8Array | null,
  gate: Gate,
): Omit<OutcomeEntry['released'], 'dropped'> {
  if (body === null) return { bytes: 0, mediaType, digest: '', query: [] }
  return { bytes: body.byteLength, mediaType, digest: gate.digest(body), query: [] }
}

function learned(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  body: Uint8Array | null,
): { readonly fields?: readonly string[] } {
  if (call.operation !== null || body === null) return {}
  const fields = jsonShape(fieldValue(answer.fields, 'content-type'), body)
  return fields === undefined ? {} : { fields }
}
