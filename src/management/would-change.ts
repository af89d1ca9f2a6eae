import type { ReasonCode } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { byCodeUnits, callerOf, operationOf, outcomeOf } from './record-view.ts'

/** What a candidate would do otherwise, for one caller of one operation. */
export interface WouldChangeRow {
  readonly caller: string
  readonly operation: string
  /** `undecided`: it would have let the call go on beyond where it ended, and nothing says what then. */
  readonly change: 'allow' | 'deny' | 'undecided'
  /** Why the candidate denies; the empty string where it allows. */
  readonly reason: ReasonCode | ''
  readonly count: number
  /** The latest such exchange. */
  readonly example: string
}

export interface WouldChangeReport {
  /** Hash of the candidate; empty where no record speaks of one. */
  readonly bundle: string
  /** Calls judged by it beside the bundle in force. */
  readonly judged: number
  readonly same: number
  readonly changedAllow: number
  readonly changedDeny: number
  readonly undecided: number
  /** Calls of its share: judged by it, and nothing beside. */
  readonly enforced: number
  readonly rows: readonly WouldChangeRow[]
  /** Changes that found no row, because there are more kinds than are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000

/** Counts what records say of one candidate, in any order; memory is bounded by kinds, not by calls. */
export class WouldChange {
  readonly #bundle: string
  readonly #rows = new Map<
    string,
    { row: Omit<WouldChangeRow, 'count' | 'example'>; count: number; latest: ExchangeRecord }
  >()
  #judged = 0
  #same = 0
  #allow = 0
  #deny = 0
  #undecided = 0
  #enforced = 0
  #uncounted = 0

  constructor(bundle: string) {
    this.#bundle = bundle
  }

  add(record: ExchangeRecord): void {
    if (record.intent.bundle === this.#bundle) this.#enforced++
    const candidate = outcomeOf(record)?.candidate
    if (candidate?.bundle !== this.#bundle) return
    this.#judged++
    const { changed, undecided, effect, reasons } = candidate
    if (undecided !== true && !changed) {
      this.#same++
      return
    }
    const change = undecided === true ? 'undecided' : effect === 'allow' ? 'allow' : 'deny'
    if (change === 'undecided') this.#undecided++
    else if (change === 'allow') this.#allow++
    else this.#deny++
    const reason = change === 'deny' ? (reasons[0]?.code ?? '') : ''
    const caller = callerOf(record)
    const operation = operationOf(record)
    const key = JSON.stringify([caller, operation, change, reason])
    const known = this.#rows.get(key)
    if (known === undefined) {
      if (this.#rows.size >= MAX_ROWS) this.#uncounted++
      else this.#rows.set(key, { row: { caller, operation, change, reason }, count: 1, latest: record })
      return
    }
    known.count++
    if (record.intent.at.wallMs >= known.latest.intent.at.wallMs) known.latest = record
  }

  /** By operation, then the most frequent first. */
  report(): WouldChangeReport {
    const rows = [...this.#rows.values()]
      .map(({ row, count, latest }) => ({ ...row, count, example: latest.intent.id as string }))
      .sort(
        (a, b) =>
          byCodeUnits(a.operation, b.operation) ||
          b.count - a.count ||
          byCodeUnits(a.caller, b.caller) ||
          byCodeUnits(a.change, b.change) ||
          byCodeUnits(a.reason, b.reason),
      )
    return {
      bundle: this.#bundle,
      judged: this.#judged,
      same: this.#same,
      changedAllow: this.#allow,
      changedDeny: this.#deny,
      undecided: this.#undecided,
      enforced: this.#enforced,
      rows,
      uncounted: this.#uncounted,
    }
  }
}
