import type { ExchangeRecord } from '../model/record.ts'
import { decisionsOf } from './record-view.ts'

/** Errors of one operation whose body enforcing would replace: callers would get their status alone. */
export interface WouldReplaceRow {
  readonly api: string
  readonly operation: string
  readonly answers: number
  /** Ascending. */
  readonly statuses: readonly number[]
  /** The latest such exchange. */
  readonly example: string
}

interface Row {
  readonly api: string
  readonly operation: string
  answers: number
  readonly statuses: Set<number>
  latest: ExchangeRecord
}

const MAX_ROWS = 20_000

/** Counts errors that the contract does not promise, or that tell of the inside, in calls that were let through. */
export class WouldReplace {
  readonly #rows = new Map<string, Row>()

  add(record: ExchangeRecord): void {
    const status = replacedStatus(record)
    if (status === null) return
    const { api, operation, at } = record.intent
    const key = `${api}\n${operation}`
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) return
      row = { api, operation, answers: 0, statuses: new Set(), latest: record }
      this.#rows.set(key, row)
    }
    row.answers++
    // Statuses have three digits, so there are no more than 600.
    row.statuses.add(status)
    if (at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** By API and operation. */
  rows(): readonly WouldReplaceRow[] {
    return [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { api, operation, answers, statuses, latest }]) => ({
        api,
        operation,
        answers,
        statuses: [...statuses].sort((a, b) => a - b),
        example: latest.intent.id,
      }))
  }
}

/** The upstream's status; null: no error was to be replaced. */
function replacedStatus(record: ExchangeRecord): number | null {
  const { outcome } = record
  const is = decisionsOf(record).some(({ reasons }) =>
    reasons.some(({ code }) => code === 'response-error-replaced'),
  )
  if (!is || outcome === null || outcome === 'unknown') return null
  return outcome.status
}
