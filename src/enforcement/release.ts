import { NOTHING_STATED } from '../contract/instantiate.ts'
import { checkScopes } from '../decision/floor.ts'
import type { DecisionInput } from '../model/decision.ts'
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
import type { Bench, Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { listFields } from './list-fields.ts'
import { filtersItems, type JudgedItems, judgeItems } from './list-items.ts'
import { objectFacts } from './object-facts.ts'
import type { ReadAnswer } from './read-answer.ts'
import { isAnswerHeld, isRefused, readAnswer } from './read-answer.ts'
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
  const whole = await readAnswer(call, answer, journal, gate)
  journal.shadow?.answered(answer, whole)
  const { verdict, items } = judgeAnswer(call, answer, whole, journal)
  if (verdict.stops) return { ok: false, verdict }

  const read = items === null ? whole : filtered(call, whole, items)
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

/** Decides at the response; `journal`: where the judgement is made. */
export function judgeAnswer(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  read: ReadAnswer,
  journal: Bench,
): { readonly verdict: Verdict; readonly items: JudgedItems | null } {
  const { operation, subject, api } = call
  const carried = call.verdict.opposed ? call.verdict.findings : []
  const findings = [...carried, ...read.findings]
  if (operation === null || call.input === null) {
    const verdict = judge(journal, 'response', findings, {
      operation: null,
      subject,
      scopes: null,
      input: null,
      engine: api.policies,
      last: true,
    })
    return { verdict, items: null }
  }
  const object = operation.plan.object
  let input = atCheckpoint(call.input, 'response')
  let items: JudgedItems | null = null
  if (object !== undefined) {
    const { pending, effect } = call.verdict.decision
    const unstated = unstatedBy(answer.status, pending, object.hideAbsent)
    if (unstated !== null) findings.push(unstated)
    else if (object.items !== undefined) {
      // Who is allowed whoever owns them sees all of them, but for those that policies name. An error lists none.
      const names = effect === 'allow' && answer.status < 400 && filtersItems(object, input, api.policies)
      const judged = pending || names ? itemsOf(call, read, input, journal) : null
      if (judged !== null && 'kind' in judged) findings.push(judged)
      else items = judged
    } else if (input.resource.unknown.length > 0) {
      const { stated } = read.check ?? { stated: NOTHING_STATED }
      input = withObject(input, 'response', objectFacts(object, subject, call.stated, stated))
    }
    // An answer that cannot be read is refused like one about somebody else's object, whoever owns it.
    if (pending && object.hideAbsent && isAnswerHeld(api.plan) && isRefused(read))
      findings.unshift(finding(reason('owner-unknowable', 'object', { status: answer.status })))
  }
  const scopes = checkScopes(operation.plan.security, subject, api.plan.credential)
  const verdict = judge(journal, 'response', findings, {
    operation: operation.plan,
    subject,
    scopes,
    input,
    engine: api.policies,
    last: true,
    before: call.verdict,
    ...(items === null ? {} : { items }),
  })
  return { verdict, items: verdict.decision.items === undefined ? null : items }
}

/** Each item of the list judged; a failure denies the whole of it. */
function itemsOf(
  call: AdmittedCall,
  read: ReadAnswer,
  input: DecisionInput,
  journal: Bench,
): JudgedItems | Finding | null {
  const object = call.operation?.plan.object
  if (object === undefined) return null
  try {
    const { policies: engine } = call.api
    const kept = call.snapshot.head.auditAttributes
    const { subject, stated: request } = call
    return judgeItems(read.check?.items ?? null, { object, subject, request, input, engine, kept })
  } catch (error) {
    journal.fault('policy', error)
    return finding(reason('stage-failed', 'stage', { stage: 'policy' }))
  }
}

/** The answer without the items the caller may not have. Observing changes no byte. */
function filtered(
  call: AdmittedCall,
  read: ReadAnswer,
  { removed, decisions: { released } }: JudgedItems,
): ReadAnswer {
  const { mode, observeStages } = call.api.plan
  const items = read.check?.items ?? null
  if (items === null || mode === 'observe' || observeStages?.includes('policy') === true) return read
  const body = items.without(removed)
  const counts = call.operation?.plan.object?.items?.countFields ?? []
  const fields = listFields(read.fields, counts, released, removed.size > 0)
  return body === read.check?.body ? { ...read, fields } : { ...read, body, fields, changed: true }
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
