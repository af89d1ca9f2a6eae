import type { SignalPlan } from '../model/bundle.ts'
import type { Mode } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { opposes, reason } from '../model/reason.ts'
import type { CandidateVerdict } from '../model/record.ts'
import { fieldValue, fieldValues } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { type Approach, approach, type RoutedCall, routeCall } from './approach.ts'
import { announcedTooLarge } from './body.ts'
import { checkContent } from './content.ts'
import { atCheckpoint, withObject } from './decision-input.ts'
import type { Gate } from './gate.ts'
import { type CleanHead, checkHead } from './hygiene.ts'
import { identifyNow } from './identify.ts'
import type { Journal } from './journal.ts'
import { type Bench, judge, type Verdict } from './judge.ts'
import { filtersItems } from './list-items.ts'
import type { LookedUp } from './object.ts'
import { objectFacts, withBody } from './object-facts.ts'
import type { Pin } from './pinned.ts'
import type { ReadAnswer } from './read-answer.ts'
import { judgeAnswer } from './release.ts'
import { FULL_SIGHT, type Sight, unseenAnswer, waitsForAnswer } from './sight.ts'
import type { Snapshot } from './snapshot.ts'

/** Where a candidate is staged, the call is judged by it too, as far as its entrance shows it. */
export function watchBeside(journal: Journal, pin: Pin | null, gate: Gate, sight: Sight = FULL_SIGHT): void {
  const candidate = pin?.candidate
  if (candidate !== undefined)
    journal.beside(candidate, new Shadow(journal.exchange, candidate.snapshot, gate, sight))
}

/** How the call ended under the bundle in force. */
export interface LiveEnding {
  readonly stopped: boolean
  readonly opposed: boolean
  readonly mode: Mode
}

/** What the candidate came to at its last checkpoint that could be played on the facts of the call. */
interface Judgement {
  readonly verdict: Verdict
  readonly mode: Mode
  /** A later checkpoint would say more. */
  readonly undecided: boolean
}

/**
 * The candidate's view of one call, on the facts the call itself brought out: collected while it is played, judged at
 * its end, all at once. It reads nothing of its own, asks no upstream, waits for nothing, and has no effect: whatever
 * goes wrong in it is counted and forgotten.
 */
export class Shadow {
  readonly #exchange: Exchange
  readonly #snapshot: Snapshot
  readonly #gate: Gate
  readonly #sight: Sight
  #head: CleanHead | null = null
  #body: Uint8Array | null = null
  #looked: { readonly looked: LookedUp; readonly object: ObjectPlan } | null = null
  #answered: { readonly answer: UpstreamAnswer; readonly read: ReadAnswer } | null = null

  #signalled: { readonly sources: string; readonly said: readonly Finding[] } | null = null

  constructor(exchange: Exchange, snapshot: Snapshot, gate: Gate, sight: Sight) {
    this.#sight = sight
    this.#exchange = exchange
    this.#snapshot = snapshot
    this.#gate = gate
  }

  headRead(head: CleanHead): void {
    this.#head = head
  }

  /** What the decision sources of the bundle in force said. */
  signalled(sources: readonly SignalPlan[], said: readonly Finding[]): void {
    this.#signalled = { sources: JSON.stringify(sources), said }
  }

  bodyRead(body: Uint8Array): void {
    this.#body = body
  }

  /** `object`: the rule that the bundle in force read the object by. */
  lookedUp(looked: LookedUp, object: ObjectPlan): void {
    this.#looked = { looked, object }
  }

  /** `read` as the bundle in force sees the answer, before items are taken out of it. */
  answered(answer: UpstreamAnswer, read: ReadAnswer): void {
    this.#answered = { answer, read }
  }

  /** Undefined where the call ended before anything a bundle says: its framing is refused under any. */
  verdict(live: LiveEnding): CandidateVerdict | undefined {
    const head = this.#head
    if (head === null) return undefined
    try {
      const judged = this.#judge(head)
      const said = compared(judged, live, this.#snapshot.bundle)
      this.#gate.count('sallyport_candidate_total', 1, outcomeOf(said))
      return said
    } catch (error) {
      this.#gate.fault('candidate', this.#exchange.id, error)
      this.#gate.count('sallyport_candidate_total', 1, 'failed')
      return undefined
    }
  }

  #judge(head: CleanHead): Judgement {
    const exchange = this.#exchange
    const snapshot = this.#snapshot
    const hygiene = checkHead(exchange.head, snapshot.head.limits)
    if (!hygiene.ok)
      return settled(judge(this.#bench('enforce', undefined), 'head', [hygiene.finding]), 'enforce')
    const route = routeCall(exchange, head, snapshot)
    if (route.kind !== 'api') {
      const seat = this.#bench('enforce', undefined)
      return settled(judge(seat, 'head', [finding(reason(route.kind, 'route'), true)]), 'enforce')
    }
    const { mode, observeStages } = route.api.plan
    const seat = this.#bench(mode, observeStages)
    const identified = identifyNow(head, route, snapshot, this.#gate.candidateTokens ?? this.#gate.tokens)
    const own = approach(exchange, head, snapshot, route, identified)
    const { signals } = route.api.plan
    // Sources of its own are not asked on the side; what others said of the call says nothing for them.
    const heard = this.#signalled?.sources === JSON.stringify(signals) ? this.#signalled?.said : undefined
    const seen = { ...own, findings: [...own.findings, ...(heard ?? [])] }
    const atHead = judge(seat, 'head', seen.findings, { ...seen.facts, input: seen.input, last: false })
    if (atHead.stops) return settled(atHead, mode)
    if (signals !== undefined && heard === undefined) return { verdict: atHead, mode, undecided: true }
    if (exchange.body !== null && this.#body === null) return { verdict: atHead, mode, undecided: true }
    return this.#judgeBody(head, route, seen, atHead, seat)
  }

  #judgeBody(head: CleanHead, route: RoutedCall, seen: Approach, atHead: Verdict, seat: Bench): Judgement {
    const { api, operation, params } = route
    const { mode } = api.plan
    const body = this.#body
    const tooLarge = announcedTooLarge(body?.byteLength, api.plan.maxRequestBytes)
    if (tooLarge !== null) return settled(judge(seat, 'body', [tooLarge]), mode)
    const checked = checkContent(
      this.#exchange,
      head,
      api.plan,
      operation,
      params,
      body,
      NOTES_NOTHING,
      this.#gate,
      this.#sight,
    )
    const { findings: content, judged } = checked
    const object = operation?.plan.object
    const pending = atHead.decision.pending || filtersItems(object, seen.input, api.policies)
    const unanswered = waitsForAnswer(object, pending, this.#sight)
    if (unanswered && object?.lookup === undefined) content.push(unseenAnswer())
    let stated = seen.stated
    let known = seen.input === null ? null : atCheckpoint(seen.input, 'body')
    if (known !== null && operation !== null && object !== undefined) {
      stated = withBody(stated, object, operation, checked.stated, this.#sight)
      if (stated !== seen.stated)
        known = withObject(known, 'body', objectFacts(object, seen.facts.subject, stated, null))
    }
    // Read by another rule, the object says nothing of what this one asks.
    const looked = sameRule(this.#looked?.object, object) ? (this.#looked?.looked ?? null) : null
    if (looked !== null && known !== null && object?.lookup !== undefined) {
      if (looked.finding !== null) content.push(looked.finding)
      known = withObject(known, 'body', looked.facts)
    }
    const findings: readonly Finding[] = [...atHead.findings, ...content]
    const lookupDue = object?.lookup !== undefined && (unanswered || object.ownerKnownAt === 'body')
    const waits =
      (object?.ownerKnownAt === 'response' && this.#sight.answer) || (lookupDue && looked === null)
    const verdict = judge(seat, 'body', findings, {
      ...seen.facts,
      input: known,
      last: !waits,
      before: atHead,
      asked: checked.asked?.reading.fields,
    })
    if (verdict.stops || this.#answered === null)
      return { verdict, mode, undecided: !verdict.stops && verdict.decision.pending }
    // A look-up that was not made is not made up for by an answer.
    if (verdict.decision.pending && object?.ownerKnownAt !== 'response')
      return { verdict, mode, undecided: true }
    const { answer, read } = this.#answered
    const call = {
      exchange: this.#exchange,
      snapshot: this.#snapshot,
      api,
      head,
      operation: checked.asked?.operation ?? operation,
      subject: seen.facts.subject,
      stated,
      input: known,
      body: judged,
      bodyChanged: judged !== body,
      verdict,
    }
    const own = answerUnder(call, answer, read)
    return settled(judgeAnswer(call, answer, own, seat).verdict, mode)
  }

  #bench(mode: Mode, observe: Bench['observe']): Bench {
    return {
      mode,
      observe,
      bundle: this.#snapshot.bundle,
      fault: (_stage, error) => {
        throw error
      },
      decided: () => undefined,
    }
  }
}

const NOTES_NOTHING = { requestShape: () => undefined }

function sameRule(one: ObjectPlan | undefined, other: ObjectPlan | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}

function settled(verdict: Verdict, mode: Mode): Judgement {
  return { verdict, mode, undecided: false }
}

/** The answer held against the candidate's contract, where its bytes are as they came; else as it was seen. */
function answerUnder(
  { operation }: Pick<AdmittedCall, 'operation'>,
  answer: UpstreamAnswer,
  read: ReadAnswer,
): ReadAnswer {
  const { body, check } = read
  const readable = check?.checked === true && !check.dropped.includes('/')
  if (operation === null || !readable || !(body instanceof Uint8Array)) return read
  if (fieldValues(answer.fields, 'content-encoding').length > 0) return read
  const own = operation.checkAnswer(answer.status, fieldValue(answer.fields, 'content-type'), body)
  return { ...read, check: own, findings: own.findings }
}

/** What the caller would meet, beside what it met; between two that only observe, what each would refuse. */
function compared(
  { verdict, mode, undecided }: Judgement,
  live: LiveEnding,
  bundle: string,
): CandidateVerdict {
  const { decision, stops, opposed } = verdict
  const watches = mode === 'observe' && live.mode === 'observe' && !stops && !live.stopped
  const speaksAgainst = opposed || decision.observed !== undefined
  const denies = watches ? speaksAgainst : stops
  const changed = denies !== (watches ? live.opposed : live.stopped)
  const against = decision.reasons.filter(({ code }) => opposes(code))
  return {
    bundle,
    effect: denies && decision.effect === 'challenge' ? 'challenge' : denies ? 'deny' : 'allow',
    changed,
    ...(undecided ? { undecided } : {}),
    reasons: denies && against.length > 0 ? against : decision.reasons,
    policies: decision.policies,
  }
}

function outcomeOf({ changed, undecided, effect }: CandidateVerdict): string {
  if (undecided) return 'undecided'
  if (!changed) return 'same'
  return effect === 'allow' ? 'changed-allow' : 'changed-deny'
}
