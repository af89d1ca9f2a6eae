import type { Effect } from '../model/decision.ts'
import type { ExchangeRecord } from '../model/record.ts'
import type { Subject } from '../model/subject.ts'

/** What `audit query` asks for; every member given must hold. Times in wall milliseconds, `to` excluded. */
export interface RecordFilter {
  readonly id?: string
  /** `iss` narrows; a record whose subject was erased is nobody's. */
  readonly subject?: { readonly iss?: string; readonly sub: string }
  /** A subject as it is displayed: its sub alone, `<issuer's name>/<sub>` or `<iss>/<sub>`. */
  readonly caller?: string
  readonly api?: string
  readonly operation?: string
  /** The concrete path with its base path, without query. It is personal: where it was erased, nothing matches. */
  readonly path?: string
  /** The outcome's effect; of an exchange still open, its last decision's. */
  readonly effect?: Effect
  readonly wouldDeny?: boolean
  /** A reason's code in any decision, only observed ones included. */
  readonly reason?: string
  readonly from?: number
  readonly to?: number
  readonly limit?: number
}

/** What an intent's clear members alone can rule out, before anything is unsealed. */
export function mayMatch(
  filter: RecordFilter,
  intent: Pick<ExchangeRecord['intent'], 'id' | 'api' | 'operation' | 'at'>,
): boolean {
  return (
    (filter.id === undefined || intent.id === filter.id) &&
    (filter.api === undefined || intent.api === filter.api) &&
    (filter.operation === undefined || intent.operation === filter.operation) &&
    (filter.from === undefined || intent.at.wallMs >= filter.from) &&
    (filter.to === undefined || intent.at.wallMs < filter.to)
  )
}

export function matches(filter: RecordFilter, record: ExchangeRecord): boolean {
  const { subject, personal } = record.intent
  return (
    mayMatch(filter, record.intent) &&
    (filter.subject === undefined ||
      (subject !== null &&
        subject.id === filter.subject.sub &&
        (filter.subject.iss === undefined || subject.iss === filter.subject.iss))) &&
    (filter.caller === undefined || (subject !== null && namesOf(subject).includes(filter.caller))) &&
    (filter.path === undefined || personal?.path === filter.path) &&
    (filter.effect === undefined || effectOf(record) === filter.effect) &&
    (filter.wouldDeny === undefined || wouldDeny(record) === filter.wouldDeny) &&
    (filter.reason === undefined || hasReason(record, filter.reason))
  )
}

/** All that a person may call a subject. */
export function namesOf({ id, issuer, iss }: Subject): readonly string[] {
  return [id, `${issuer}/${id}`, `${iss}/${id}`, `${iss.replace(/\/$/, '')}/${id}`]
}

function effectOf(record: ExchangeRecord): Effect | undefined {
  const { outcome } = record
  return outcome === null || outcome === 'unknown' ? record.intent.decisions.at(-1)?.effect : outcome.effect
}

function wouldDeny(record: ExchangeRecord): boolean {
  const { outcome } = record
  return outcome !== null && outcome !== 'unknown' && outcome.wouldDeny
}

function hasReason(record: ExchangeRecord, code: string): boolean {
  const { outcome } = record
  const later = outcome === null || outcome === 'unknown' ? [] : outcome.decisions
  return [...record.intent.decisions, ...later].some(({ reasons, observed = [] }) =>
    [...reasons, ...observed].some((reason) => reason.code === code),
  )
}
