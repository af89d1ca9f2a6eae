import type { Reason, ReasonCode } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { byCodeUnits, callerKey, decisionsOf } from './record-view.ts'

/** What became of a request that had the field. */
export type UnknownFieldFate = 'rejected' | 'stripped' | 'observed'

/** One field or query parameter that callers of an operation send and its contract does not declare. */
export interface UnknownFieldRow {
  readonly api: string
  readonly operation: string
  /** A JSON pointer into the body, array indexes as `*`, or `query NAME`. */
  readonly place: string
  /** The contract declares it, for answers alone. */
  readonly readOnly: boolean
  readonly calls: number
  readonly fates: Readonly<Record<UnknownFieldFate, number>>
  /** Distinct ones; anonymous callers are told apart by address. */
  readonly callers: number
  /** More callers than are counted. */
  readonly callersAtLeast: boolean
  /** ISO 8601, UTC. */
  readonly firstSeen: string
  readonly lastSeen: string
  /** The latest such exchange. */
  readonly example: string
}

export interface UnknownFieldsReport {
  /** Calls that had at least one. */
  readonly calls: number
  readonly rows: readonly UnknownFieldRow[]
  /** Fields that found no row, because there are more of them than are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000
const MAX_CALLERS = 10_000

interface Row {
  readonly api: string
  readonly operation: string
  readonly place: string
  readonly readOnly: boolean
  readonly fates: Record<UnknownFieldFate, number>
  readonly callers: Set<string>
  full: boolean
  first: ExchangeRecord
  latest: ExchangeRecord
}

const CODES: ReadonlySet<ReasonCode> = new Set([
  'field-undeclared',
  'field-read-only',
  'parameter-undeclared',
  'request-field-dropped',
])

/** Counts recorded traffic, record by record in any order; memory is bounded by kinds, not by calls. */
export class UnknownFieldsCount {
  readonly #rows = new Map<string, Row>()
  #calls = 0
  #uncounted = 0

  add(record: ExchangeRecord): void {
    const seen = new Map<string, { readonly fate: UnknownFieldFate; readonly readOnly: boolean }>()
    const observing = record.intent.mode === 'observe'
    for (const { reasons, observed = [] } of decisionsOf(record)) {
      for (const each of reasons) note(each, observing ? 'observed' : 'rejected', seen)
      for (const each of observed) note(each, 'observed', seen)
    }
    if (seen.size === 0) return
    this.#calls++
    for (const [place, { fate, readOnly }] of seen) this.#count(record, place, fate, readOnly)
  }

  #count(record: ExchangeRecord, place: string, fate: UnknownFieldFate, readOnly: boolean): void {
    const { api, operation, at } = record.intent
    const key = JSON.stringify([api, operation, place])
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) {
        this.#uncounted++
        return
      }
      row = {
        api,
        operation,
        place,
        readOnly,
        fates: { rejected: 0, stripped: 0, observed: 0 },
        callers: new Set(),
        full: false,
        first: record,
        latest: record,
      }
      this.#rows.set(key, row)
    }
    row.fates[fate]++
    const caller = callerKey(record)
    if (row.callers.size < MAX_CALLERS) row.callers.add(caller)
    else if (!row.callers.has(caller)) row.full = true
    if (at.wallMs < row.first.intent.at.wallMs) row.first = record
    if (at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** Rows by API and operation, the most frequent field first. */
  report(): UnknownFieldsReport {
    const rows = [...this.#rows.values()].map(
      ({ api, operation, place, readOnly, fates, callers, full, first, latest }) => ({
        api,
        operation,
        place,
        readOnly,
        calls: fates.rejected + fates.stripped + fates.observed,
        fates: { ...fates },
        callers: callers.size,
        callersAtLeast: full,
        firstSeen: new Date(first.intent.at.wallMs).toISOString(),
        lastSeen: new Date(latest.intent.at.wallMs).toISOString(),
        example: latest.intent.id,
      }),
    )
    rows.sort(
      (a, b) =>
        byCodeUnits(a.api, b.api) ||
        byCodeUnits(a.operation, b.operation) ||
        b.calls - a.calls ||
        byCodeUnits(a.place, b.place),
    )
    return { calls: this.#calls, rows, uncounted: this.#uncounted }
  }
}

function note(
  { code, evidence }: Reason,
  fate: UnknownFieldFate,
  seen: Map<string, { readonly fate: UnknownFieldFate; readonly readOnly: boolean }>,
): void {
  if (!CODES.has(code)) return
  const inQuery = evidence['in'] === 'query'
  if (code === 'request-field-dropped') {
    const { fields } = evidence
    if (!Array.isArray(fields)) return
    const own = fate === 'observed' ? 'observed' : 'stripped'
    for (const field of fields)
      seen.set(inQuery ? `query ${field}` : String(field), { fate: own, readOnly: false })
    return
  }
  const place = inQuery ? `query ${String(evidence['name'])}` : anyIndex(String(evidence['pointer']))
  seen.set(place, { fate, readOnly: code === 'field-read-only' })
}

/** One row for all items of an array. */
const anyIndex = (pointer: string): string => pointer.replace(/\/(?:0|[1-9][0-9]*)(?=\/|$)/g, '/*')
