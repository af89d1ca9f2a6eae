import type { ReasonCode } from '../model/reason.ts'
import { REASONS } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { changeFor, denialOf, outcomeOf, wouldRefuse } from './record-view.ts'

/** What enforcing would refuse of one operation for one reason. */
export interface WouldDenyRow {
  readonly api: string
  /** Empty: paths the contract does not know. */
  readonly operation: string
  readonly reason: ReasonCode
  readonly title: string
  readonly count: number
  /** Distinct ones; anonymous callers are told apart by address. */
  readonly callers: number
  /** More callers than are counted. */
  readonly callersAtLeast: boolean
  /** The latest such exchange. */
  readonly example: string
  /** The smallest change that would allow the example; empty where its subject was erased or none is known. */
  readonly change: string
}

export interface WouldDenyReport {
  readonly observed: number
  readonly wouldRefuse: number
  /** Observed calls that were refused all the same: framing, size and time caps hold in every mode. */
  readonly refusedAlready: number
  /** Calls of APIs in enforce mode in the same time, which this report does not speak of. */
  readonly enforced: number
  readonly rows: readonly WouldDenyRow[]
  /** Refusals that found no row, because there are more kinds than are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000
const MAX_CALLERS = 10_000

interface Row {
  readonly api: string
  readonly operation: string
  readonly reason: ReasonCode
  count: number
  readonly callers: Set<string>
  full: boolean
  latest: ExchangeRecord
}

/** Counts recorded traffic, record by record in any order; memory is bounded by kinds, not by calls. */
export class WouldDeny {
  readonly #rows = new Map<string, Row>()
  #observed = 0
  #wouldRefuse = 0
  #refusedAlready = 0
  #enforced = 0
  #uncounted = 0

  add(record: ExchangeRecord): void {
    if (record.intent.mode !== 'observe') {
      this.#enforced++
      return
    }
    this.#observed++
    if (outcomeOf(record)?.effect === 'deny') {
      this.#refusedAlready++
      return
    }
    const denial = wouldRefuse(record) ? denialOf(record) : null
    if (denial === null) return
    this.#wouldRefuse++
    const { api, operation } = record.intent
    const key = `${api}\n${operation}\n${denial.reason.code}`
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) {
        this.#uncounted++
        return
      }
      row = {
        api,
        operation,
        reason: denial.reason.code,
        count: 0,
        callers: new Set(),
        full: false,
        latest: record,
      }
      this.#rows.set(key, row)
    }
    row.count++
    const caller = callerKey(record)
    if (row.callers.size < MAX_CALLERS) row.callers.add(caller)
    else if (!row.callers.has(caller)) row.full = true
    if (record.intent.at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** Rows by API and operation, the most frequent reason first. */
  report(): WouldDenyReport {
    const rows = [...this.#rows.values()]
      .sort(
        (a, b) =>
          compare(a.api, b.api) ||
          compare(a.operation, b.operation) ||
          b.count - a.count ||
          compare(a.reason, b.reason),
      )
      .map(({ api, operation, reason, count, callers, full, latest }) => ({
        api,
        operation,
        reason,
        title: REASONS[reason].title,
        count,
        callers: callers.size,
        callersAtLeast: full,
        example: latest.intent.id,
        change: changeFor(latest),
      }))
    return {
      observed: this.#observed,
      wouldRefuse: this.#wouldRefuse,
      refusedAlready: this.#refusedAlready,
      enforced: this.#enforced,
      rows,
      uncounted: this.#uncounted,
    }
  }
}

function callerKey({ intent: { subject, personal } }: ExchangeRecord): string {
  if (subject === null) return 'erased'
  return subject.kind === 'anonymous'
    ? `address:${personal?.address ?? ''}`
    : `${subject.iss.length}:${subject.iss}${subject.id}`
}

/** By code units: the same order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
