import type { ExchangeRecord } from '../model/record.ts'
import {
  joinSights,
  readSight,
  redactedExample,
  type Sight,
  sightText,
  UNSEEN,
} from '../syntax/value-sight.ts'
import { type Difference, type DriftKind, differences } from './differences.ts'

/** One difference between an operation's contract and what was seen of it. */
export interface DriftRow {
  readonly api: string
  readonly operation: string
  readonly kind: DriftKind
  /**
   * Fields: a JSON pointer, array indexes as `*`; parameters: `query limit`; headers: the name; media types and
   * statuses: the text itself.
   */
  readonly place: string
  /** Status the field, type or media type was seen with; 0 in requests. */
  readonly status: number
  /** What was seen there: `integer`, `string:date-time|null`, `object{id:string}`; empty where records do not tell. */
  readonly type: string
  /** The same with length classes and what detectors took texts for (syntax/value-sight.ts). */
  readonly sight: string
  /** Media type of the body it stood in; empty for parameters, and where it was not told. */
  readonly mediaType: string
  readonly calls: number
  /** Of them: those that were refused, for this or for something else. */
  readonly refused: number
  /** ISO 8601, UTC. */
  readonly firstSeen: string
  readonly lastSeen: string
  /** Made of place and type alone; no value of a call is in it. */
  readonly example: unknown
  /** The latest such exchange, for `sallyport explain`. */
  readonly exchange: string
}

export interface DriftReport {
  /** Records read. */
  readonly records: number
  /** Calls that differed in something. */
  readonly calls: number
  readonly rows: readonly DriftRow[]
  /** Differences that found no row, because there are more of them than are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000
/** Characters of what one row tells of types: a caller may send other names in every call. */
const MAX_SIGHT = 4_096

interface Row extends Difference {
  readonly api: string
  readonly operation: string
  joined: Sight
  text: string
  calls: number
  refused: number
  first: ExchangeRecord
  latest: ExchangeRecord
}

/** Counts recorded traffic, record by record in any order; memory is bounded by kinds of difference, not by calls. */
export class DriftCount {
  readonly #rows = new Map<string, Row>()
  #records = 0
  #calls = 0
  #uncounted = 0

  add(record: ExchangeRecord): void {
    this.#records++
    if (record.intent.operation === '') return
    const seen = differences(record)
    if (seen.length > 0) this.#calls++
    for (const each of seen) this.#count(record, each)
  }

  #count(record: ExchangeRecord, seen: Difference): void {
    const { api, operation, at } = record.intent
    const key = JSON.stringify([api, operation, seen.kind, seen.status, seen.place])
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) {
        this.#uncounted++
        return
      }
      row = {
        ...seen,
        api,
        operation,
        joined: UNSEEN,
        text: '',
        calls: 0,
        refused: 0,
        first: record,
        latest: record,
      }
      this.#rows.set(key, row)
    }
    row.calls++
    if (isRefused(record)) row.refused++
    for (const type of seen.types) learn(row, type)
    if (at.wallMs < row.first.intent.at.wallMs) row.first = record
    if (at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** Rows by API and operation, the most frequent difference first. */
  report(): DriftReport {
    const rows = [...this.#rows.values()].map(
      ({
        api,
        operation,
        kind,
        place,
        status,
        mediaType,
        calls,
        refused,
        joined,
        text,
        first,
        latest,
      }): DriftRow => ({
        api,
        operation,
        kind,
        place,
        status,
        type: sightText(joined, false),
        sight: text,
        mediaType,
        calls,
        refused,
        firstSeen: new Date(first.intent.at.wallMs).toISOString(),
        lastSeen: new Date(latest.intent.at.wallMs).toISOString(),
        example: exampleOf(kind, place, joined),
        exchange: latest.intent.id,
      }),
    )
    rows.sort(
      (a, b) =>
        compare(a.api, b.api) ||
        compare(a.operation, b.operation) ||
        b.calls - a.calls ||
        compare(a.kind, b.kind) ||
        compare(a.place, b.place),
    )
    return { records: this.#records, calls: this.#calls, rows, uncounted: this.#uncounted }
  }
}

/** What is not of the form that records have, or would grow without end, tells nothing. */
function learn(row: Row, type: string): void {
  if (type === row.text) return
  const sight = readSight(type)
  if (sight === null) return
  const joined = joinSights(row.joined, sight)
  const text = sightText(joined)
  if (text.length > MAX_SIGHT) return
  row.joined = joined
  row.text = text
}

/** The place with a stand-in at its end: `{"items":[{"nickname":"‹string of up to 8›"}]}`. */
function exampleOf(kind: DriftKind, place: string, sight: Sight): unknown {
  const end = sight.types.length === 0 && kind.endsWith('-media-type') ? place : redactedExample(sight)
  if (kind === 'parameter' || kind === 'parameter-type') {
    const name = place.slice(place.indexOf(' ') + 1)
    return Object.fromEntries([[name, end]])
  }
  if (kind === 'answer-header') return Object.fromEntries([[place, end]])
  if (kind === 'answer-status') return sight.types.length === 0 ? Number(place) : end
  if (!place.startsWith('/')) return end
  const segments = place.split('/').slice(1)
  return segments.reduceRight<unknown>((below, segment) => {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    return segment === '*' ? [below] : Object.fromEntries([[name, below]])
  }, end)
}

/** By code units: the same order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const isRefused = ({ outcome }: ExchangeRecord): boolean =>
  outcome !== null && outcome !== 'unknown' && outcome.action === 'refused'
