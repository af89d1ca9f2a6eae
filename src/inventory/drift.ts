import type { Reason } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'

/** How live traffic differs from a contract. */
export type DriftKind =
  | 'request-field'
  | 'request-type'
  | 'request-media-type'
  | 'parameter'
  | 'parameter-type'
  | 'answer-field'
  | 'answer-type'
  | 'answer-status'
  | 'answer-media-type'

/** One difference between an operation's contract and what was seen of it. */
export interface DriftRow {
  readonly api: string
  readonly operation: string
  readonly kind: DriftKind
  /**
   * Fields: a JSON pointer, array indexes as `*`; parameters: `query limit`; media types and statuses: the text itself.
   */
  readonly place: string
  /** Status the field, type or media type was seen with; 0 in requests. */
  readonly status: number
  /** JSON type as seen, `string:date-time` where its format shows; empty where it was not told. */
  readonly type: string
  /** Media type of the body it stood in; empty for parameters and statuses. */
  readonly mediaType: string
  readonly calls: number
  /** ISO 8601, UTC. */
  readonly firstSeen: string
  readonly lastSeen: string
  /** The latest such exchange. */
  readonly example: string
}

export interface DriftReport {
  /** Calls that differed in something. */
  readonly calls: number
  readonly rows: readonly DriftRow[]
  /** Differences that found no row, because there are more of them than are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000

type Seen = Pick<DriftRow, 'kind' | 'place' | 'status' | 'type' | 'mediaType'>

interface Row extends Seen {
  readonly api: string
  readonly operation: string
  /** JSON type by how often it was seen. */
  readonly types: Map<string, number>
  calls: number
  first: ExchangeRecord
  latest: ExchangeRecord
}

/** Counts recorded traffic, record by record in any order; memory is bounded by kinds of difference, not by calls. */
export class DriftCount {
  readonly #rows = new Map<string, Row>()
  #calls = 0
  #uncounted = 0

  add(record: ExchangeRecord): void {
    if (record.intent.operation === '') return
    const seen = new Map<string, Seen>()
    for (const each of differences(record)) seen.set(`${each.kind} ${each.status} ${each.place}`, each)
    if (seen.size > 0) this.#calls++
    for (const each of seen.values()) this.#count(record, each)
  }

  #count(record: ExchangeRecord, seen: Seen): void {
    const { api, operation, at } = record.intent
    const key = JSON.stringify([api, operation, seen.kind, seen.status, seen.place])
    let row = this.#rows.get(key)
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) {
        this.#uncounted++
        return
      }
      row = { ...seen, api, operation, types: new Map(), calls: 0, first: record, latest: record }
      this.#rows.set(key, row)
    }
    row.calls++
    if (seen.type !== '') row.types.set(seen.type, (row.types.get(seen.type) ?? 0) + 1)
    if (at.wallMs < row.first.intent.at.wallMs) row.first = record
    if (at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** Rows by API and operation, the most frequent difference first. */
  report(): DriftReport {
    const rows = [...this.#rows.values()].map(({ types, first, latest, ...row }) => ({
      ...row,
      type: [...types].sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))[0]?.[0] ?? row.type,
      firstSeen: new Date(first.intent.at.wallMs).toISOString(),
      lastSeen: new Date(latest.intent.at.wallMs).toISOString(),
      example: latest.intent.id,
    }))
    rows.sort(
      (a, b) =>
        compare(a.api, b.api) ||
        compare(a.operation, b.operation) ||
        b.calls - a.calls ||
        compare(a.kind, b.kind) ||
        compare(a.place, b.place),
    )
    return { calls: this.#calls, rows, uncounted: this.#uncounted }
  }
}

function* differences(record: ExchangeRecord): Generator<Seen> {
  const { intent, outcome } = record
  const answered = outcome === null || outcome === 'unknown' ? null : outcome
  const status = answered?.upstreamStatus ?? 0
  const { mediaType } = intent.request
  for (const { reasons, observed = [] } of [...intent.decisions, ...(answered?.decisions ?? [])])
    for (const each of [...reasons, ...observed])
      yield* ofReason(each, status, mediaType, answered?.released.mediaType ?? '')
}

function* ofReason(
  { code, evidence }: Reason,
  status: number,
  requestType: string,
  answerType: string,
): Generator<Seen> {
  const text = (name: string): string => (typeof evidence[name] === 'string' ? evidence[name] : '')
  const request = { status: 0, mediaType: requestType }
  const answer = { status, mediaType: answerType }
  switch (code) {
    case 'field-undeclared':
      yield { kind: 'request-field', place: anyIndex(text('pointer')), type: text('type'), ...request }
      return
    case 'request-field-dropped':
      if (evidence['in'] === 'query')
        for (const name of names(evidence['fields']))
          yield { kind: 'parameter', place: `query ${name}`, type: '', status: 0, mediaType: '' }
      else
        for (const [place, type] of typed(evidence)) yield { kind: 'request-field', place, type, ...request }
      return
    case 'body-invalid':
      if (text('rule') !== 'type') return
      yield { kind: 'request-type', place: anyIndex(text('pointer')), type: text('type'), ...request }
      return
    case 'media-type-unsupported':
      yield { kind: 'request-media-type', place: requestType, type: '', ...request }
      return
    case 'parameter-undeclared':
      yield { kind: 'parameter', place: `${text('in')} ${text('name')}`, type: '', status: 0, mediaType: '' }
      return
    case 'parameter-invalid':
      if (text('rule') !== 'type') return
      yield {
        kind: 'parameter-type',
        place: `${text('in')} ${text('name')}`,
        type: '',
        status: 0,
        mediaType: '',
      }
      return
    case 'response-field-dropped':
    case 'response-field-undeclared':
      for (const [place, type] of typed(evidence)) yield { kind: 'answer-field', place, type, ...answer }
      return
    case 'response-invalid':
      if (text('rule') !== 'type') return
      yield { kind: 'answer-type', place: anyIndex(text('pointer')), type: text('type'), ...answer }
      return
    case 'response-undeclared':
      if (text('rule') === 'media type')
        yield { kind: 'answer-media-type', place: text('mediaType') || answerType, type: '', ...answer }
      else if (text('rule') === '')
        yield { kind: 'answer-status', place: String(status), type: '', ...answer }
      return
    default:
  }
}

/** Fields with their types, as far as the record tells them: `fields` and `types` are in the same order. */
function typed(evidence: Reason['evidence']): readonly (readonly [string, string])[] {
  const types = names(evidence['types'])
  return names(evidence['fields'])
    .map((field, index) => [anyIndex(field), types[index] ?? ''] as const)
    .filter(([field]) => field !== '/' && field !== '')
}

const names = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []

/** One row for all items of an array. */
const anyIndex = (pointer: string): string => pointer.replace(/\/(?:0|[1-9][0-9]*)(?=\/|$)/g, '/*')

/** By code units: the same order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
