import { NOTHING_STATED } from '../contract/instantiate.ts'
import { checkScopes } from '../decision/floor.ts'
import type { DecisionInput } from '../model/decision.ts'
import type { Answer, Source } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { reason } from '../model/reason.ts'
import type { OutcomeEntry } from '../model/record.ts'
import { fieldValue } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { atCheckpoint, withObject } from './decision-input.ts'
import { callerFields } from './forward.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import type { Bench, Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { filtersItems, ItemJudge, type JudgedItems, judgeItems, type ListCall } from './list-items.ts'
import { objectFacts } from './object-facts.ts'
import type { ReadAnswer } from './read-answer.ts'
import { isAnswerHeld, isRefused, readAnswer } from './read-answer.ts'
import { releaseStream } from './release-stream.ts'
import { sampled } from './sampling.ts'
import { jsonShape } from './shape.ts'
import { shownTo, streamedFields } from './shown-fields.ts'
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
  if (isStream(whole)) return judgeStream(call, answer, whole, journal, gate)
  const { verdict, items } = judgeAnswer(call, answer, whole, journal)
  if (verdict.stops) return { ok: false, verdict }

  const detected = sampled(call.api.plan, exchange.id, whole)
  const shown = shownTo(call.api.plan, call.operation, whole, items, verdict.decision)
  if ('kind' in shown) return { ok: false, verdict: judge(journal, 'response', [shown]) }
  const { read, hidden } = shown
  const body = read.body instanceof Uint8Array ? read.body : null
  const mediaType = mediaTypeOf(fieldValue(read.fields, 'content-type'))
  const dropped = read.check?.dropped ?? []
  const types = read.check?.types ?? []
  const onlyObserved = call.api.plan.mode === 'enforce' && !isAnswerHeld(call.api.plan)
  const redacted = {
    ...(onlyObserved && read.findings.length > 0 ? { kept: true as const } : {}),
    // A decision that denies says why, and not what else was found.
    ...(verdict.decision.effect === 'deny' && types.length === dropped.length && types.length > 0
      ? { droppedTypes: types }
      : {}),
    ...(hidden.length === 0 ? {} : { redacted: hidden }),
    ...(detected.length === 0 ? {} : { detected }),
  }
  for (const { class: name } of detected)
    gate.count('sallyport_detected_classes_total', 1, call.api.plan.name, name)
  const released = { ...shape(mediaType, body, gate), dropped, ...redacted, ...learned(call, answer, body) }
  const original =
    whole.original === undefined ? {} : { original: Buffer.from(whole.original).toString('utf8') }
  const unwritten = await journal.outcome({ action: 'forwarded', status, released, ...original })
  if (unwritten !== null) return { ok: false, verdict: judge(journal, 'response', [unwritten]) }
  const length = body?.byteLength ?? (status === 204 ? 'none' : null)
  const fields = callerFields(read.fields, exchange.id, length, read.changed)
  return { ok: true, answer: { status, fields, body } }
}

/** A stream is judged by its head first, and then once more, for the record, with what was found on the way. */
function judgeStream(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  read: StreamedAnswer,
  journal: Journal,
  gate: Gate,
): Released {
  if (read.items === undefined) {
    const { verdict } = judgeAnswer(call, answer, read, journal)
    if (verdict.stops) return { ok: false, verdict }
    // Nothing can be hidden in what is not read.
    const shown = shownTo(call.api.plan, call.operation, read, null, verdict.decision)
    if ('kind' in shown) return { ok: false, verdict: judge(journal, 'response', [shown]) }
    const conclude = (found: readonly Finding[]): void =>
      void judgeAnswer(call, answer, { ...read, findings: [...read.findings, ...found] }, journal)
    return {
      ok: true,
      answer: releaseStream({ call, answer, read, judge: null, fields: null, conclude }, journal, gate),
    }
  }
  const itemJudge = judgeOfStream(call, answer, journal)
  const judged = itemJudge === null ? read : { ...read, judge: itemJudge }
  const { mode, bundle, observe } = journal
  const fault: Bench['fault'] = (stage, error) => journal.fault(stage, error)
  const first = judgeAnswer(call, answer, judged, { mode, bundle, observe, fault, decided: () => undefined })
  if (first.verdict.stops) {
    const { verdict } = judgeAnswer(call, answer, judged, journal)
    return { ok: false, verdict }
  }
  const fields = streamedFields(
    call.api.plan,
    call.operation,
    answer.status,
    first.verdict.decision,
    itemJudge !== null,
  )
  const conclude = (found: readonly Finding[]): void =>
    void judgeAnswer(call, answer, { ...judged, findings: [...read.findings, ...found] }, journal)
  return {
    ok: true,
    answer: releaseStream({ call, answer, read, judge: itemJudge, fields, conclude }, journal, gate),
  }
}

/** Of a list whose items stand at the top, each of them is judged as it comes, where the list alone does not decide. */
function judgeOfStream(call: AdmittedCall, answer: UpstreamAnswer, journal: Bench): ItemJudge | null {
  const object = call.operation?.plan.object
  if (object?.items === undefined || object.items.at.length > 0 || call.input === null) return null
  const { pending, effect } = call.verdict.decision
  const input = atCheckpoint(call.input, 'response')
  const names = effect === 'allow' && answer.status < 400 && filtersItems(object, input, call.api.policies)
  if (!pending && !names) return null
  try {
    return new ItemJudge(listCall(call, object, input))
  } catch (error) {
    journal.fault('policy', error)
    return null
  }
}

type StreamedAnswer = ReadAnswer & { readonly body: Source }

function isStream(read: ReadAnswer): read is StreamedAnswer {
  return read.body !== null && !(read.body instanceof Uint8Array)
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
    asked: call.verdict.asked,
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
    if (read.judge !== undefined) return read.judge.judged()
    // Beside the call: its items are not known here, and are not what it stands or falls by.
    if (read.items !== undefined && object.items?.at.length === 0)
      return new ItemJudge(listCall(call, object, input)).judged()
    return judgeItems(read.check?.items ?? null, listCall(call, object, input))
  } catch (error) {
    journal.fault('policy', error)
    return finding(reason('stage-failed', 'stage', { stage: 'policy' }))
  }
}

function listCall(call: AdmittedCall, object: ObjectPlan, input: DecisionInput): ListCall {
  const { subject, stated: request, api, snapshot } = call
  return { object, subject, request, input, engine: api.policies, kept: snapshot.head.auditAttributes }
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
