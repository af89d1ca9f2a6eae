import { smallestChange } from '../decision/smallest-change.ts'
import type { Decision } from '../model/decision.ts'
import type { Reason } from '../model/reason.ts'
import { opposes } from '../model/reason.ts'
import type { ExchangeRecord, OutcomeEntry, RecordedInput } from '../model/record.ts'
import { principalId } from '../model/subject.ts'
import { type Hints, NO_HINTS } from './hints.ts'

/** How a record reads in one word; `would-deny` is an observed call that enforcing would have refused. */
export type Ending = 'allow' | 'deny' | 'challenge' | 'would-deny' | 'failed' | 'unknown' | 'open'

/** Null while the exchange is open or where recovery closed it. */
export function outcomeOf({ outcome }: ExchangeRecord): OutcomeEntry | null {
  return outcome === null || outcome === 'unknown' ? null : outcome
}

export function endingOf(record: ExchangeRecord): Ending {
  if (record.outcome === null) return 'open'
  if (record.outcome === 'unknown') return 'unknown'
  const { effect, wouldDeny, action } = record.outcome
  if (action === 'failed') return wouldDeny ? 'would-deny' : 'failed'
  if (effect !== 'allow') return effect
  return wouldDeny ? 'would-deny' : 'allow'
}

/** Every checkpoint's decision, in the order they were made. */
export function decisionsOf(record: ExchangeRecord): readonly Decision[] {
  return [...record.intent.decisions, ...(outcomeOf(record)?.decisions ?? [])]
}

/** The attributes the last decision was made of; null where no policy was asked, or the subject was erased. */
export function attributesOf(record: ExchangeRecord): RecordedInput | null {
  return outcomeOf(record)?.attributes ?? record.intent.attributes
}

/** Enforcing would have refused the call, as far as it got: also said of calls whose outcome is not known. */
export function wouldRefuse(record: ExchangeRecord): boolean {
  if (record.intent.mode !== 'observe' && !isPartlyObserved(record)) return false
  const outcome = outcomeOf(record)
  return outcome === null ? denialOf(record) !== null : outcome.wouldDeny
}

/** An enforced call against which an observed stage or policy had something to say. */
export function isPartlyObserved(record: ExchangeRecord): boolean {
  return decisionsOf(record).some(({ observed }) => observed !== undefined)
}

export interface Denial {
  readonly decision: Decision
  /** The first reason that speaks against the call: what a refusal names. */
  readonly reason: Reason
}

/**
 * The first checkpoint that denied, which is where an enforced call ends; where none did, the first at which something
 * that is only observed would have. Null where nothing spoke against the call.
 */
export function denialOf(record: ExchangeRecord): Denial | null {
  const all = decisionsOf(record)
  const decision =
    all.find(({ effect }) => effect !== 'allow') ?? all.map(asEnforced).find((one) => one !== null)
  if (decision === undefined || decision === null) return null
  return { decision, reason: decision.reasons.find(({ code }) => opposes(code)) ?? decision.reasons[0] }
}

/** The decision as it would have been, had everything that is only observed its effect; null: as it was. */
function asEnforced(decision: Decision): Decision | null {
  const [first, ...rest] = decision.observed ?? []
  return first === undefined ? null : { ...decision, effect: 'deny', reasons: [first, ...rest] }
}

/** The smallest change that would have allowed the call; empty for an allowed one. */
export function changeFor(record: ExchangeRecord, { issuers, withoutIdentity }: Hints = NO_HINTS): string {
  const denial = denialOf(record)
  if (denial === null) return ''
  const { api, operation, subject, template, personal } = record.intent
  return smallestChange(denial.decision, {
    api,
    operation,
    subject,
    template,
    issuers,
    identity: !withoutIdentity.has(api),
    ...(personal === null ? {} : { path: personal.path }),
  })
}

/** Who called, as policies name them: `corp/ana`, `anonymous`, or `(erased)`. */
export function callerOf({ intent: { subject } }: ExchangeRecord): string {
  return subject === null ? '(erased)' : principalId(subject)
}

/** `shop.getOrder`, else what is known of the call: the method and the API. */
export function operationOf({ intent: { operation, method, api } }: ExchangeRecord): string {
  return operation === '' ? `${method} ${api === '' ? '(no API)' : `${api}, no operation`}` : operation
}

/** What decided, in few words: the codes of the denying checkpoint that speak against, else those of the last. */
export function reasonCodes(record: ExchangeRecord): readonly string[] {
  const denial = denialOf(record)
  const reasons = denial?.decision.reasons ?? decisionsOf(record).at(-1)?.reasons ?? []
  const codes = reasons.map(({ code }) => code)
  return denial === null ? codes : codes.filter(opposes)
}

/** Tells callers apart: by whom their token names, anonymous ones by address. */
export function callerKey({ intent: { subject, personal } }: ExchangeRecord): string {
  if (subject === null) return 'erased'
  return subject.kind === 'anonymous'
    ? `address:${personal?.address ?? ''}`
    : `${subject.iss.length}:${subject.iss}${subject.id}`
}

/** By code units: the same order on every machine. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
