import type { Reason, ReasonCode } from '../model/reason.ts'
import { REASONS } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { type Hints, NO_HINTS } from './hints.ts'
import {
  byCodeUnits,
  callerKey,
  changeFor,
  decisionsOf,
  denialOf,
  isPartlyObserved,
  outcomeOf,
  wouldRefuse,
} from './record-view.ts'
import { WouldReplace, type WouldReplaceRow } from './would-replace.ts'

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
  /** Where in messages it was, `/price: type`, `202`; sorted, and empty for reasons without a place. */
  readonly places: readonly string[]
  /** More places than are kept. */
  readonly placesAtLeast: boolean
}

/** What enforcing would take out of the answers of one operation: fields that its contract does not declare. */
export interface WouldDropRow {
  readonly api: string
  readonly operation: string
  readonly answers: number
  /** JSON pointers, sorted. */
  readonly fields: readonly string[]
  /** More fields than are kept. */
  readonly fieldsAtLeast: boolean
  /** The latest such exchange. */
  readonly example: string
}

export interface WouldDenyReport {
  readonly observed: number
  readonly wouldRefuse: number
  /** Observed calls that were refused all the same: framing, size and time caps hold in every mode. */
  readonly refusedAlready: number
  /** Calls in the same time that were enforced in all they met, which this report does not speak of. */
  readonly enforced: number
  readonly rows: readonly WouldDenyRow[]
  /** Refusals that found no row, because there are more kinds than are kept. */
  readonly uncounted: number
  /** Of calls that would not be refused. */
  readonly dropped: readonly WouldDropRow[]
  /** Of calls that would not be refused: errors whose body callers would no longer get. */
  readonly replaced: readonly WouldReplaceRow[]
}

const MAX_ROWS = 20_000
const MAX_CALLERS = 10_000
const MAX_FIELDS = 200
const MAX_PLACES = 50

interface Row {
  readonly api: string
  readonly operation: string
  readonly reason: ReasonCode
  count: number
  readonly callers: Set<string>
  full: boolean
  readonly places: Set<string>
  placesFull: boolean
  latest: ExchangeRecord
}

interface DropRow {
  readonly api: string
  readonly operation: string
  answers: number
  readonly fields: Set<string>
  full: boolean
  latest: ExchangeRecord
}

/** Counts recorded traffic, record by record in any order; memory is bounded by kinds, not by calls. */
export class WouldDeny {
  readonly #hints: Hints
  readonly #rows = new Map<string, Row>()
  readonly #dropped = new Map<string, DropRow>()
  readonly #replaced = new WouldReplace()
  #observed = 0
  #wouldRefuse = 0
  #refusedAlready = 0
  #enforced = 0
  #uncounted = 0

  constructor(hints: Hints = NO_HINTS) {
    this.#hints = hints
  }

  add(record: ExchangeRecord): void {
    const refused = outcomeOf(record)?.action === 'refused'
    if (record.intent.mode !== 'observe' && (refused || !(isPartlyObserved(record) || isKept(record)))) {
      this.#enforced++
      return
    }
    this.#observed++
    if (refused) {
      this.#refusedAlready++
      return
    }
    const denial = wouldRefuse(record) ? denialOf(record) : null
    if (denial === null) {
      this.#addDropped(record)
      this.#replaced.add(record)
      return
    }
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
        places: new Set(),
        placesFull: false,
        latest: record,
      }
      this.#rows.set(key, row)
    }
    row.count++
    const caller = callerKey(record)
    if (row.callers.size < MAX_CALLERS) row.callers.add(caller)
    else if (!row.callers.has(caller)) row.full = true
    const place = placeOf(denial.reason)
    if (place !== '' && row.places.size < MAX_PLACES) row.places.add(place)
    else if (place !== '' && !row.places.has(place)) row.placesFull = true
    if (record.intent.at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  #addDropped(record: ExchangeRecord): void {
    const fields = undeclaredFields(record)
    if (fields.length === 0) return
    const { api, operation } = record.intent
    const key = `${api}\n${operation}`
    let row = this.#dropped.get(key)
    if (row === undefined) {
      if (this.#dropped.size >= MAX_ROWS) return
      row = { api, operation, answers: 0, fields: new Set(), full: false, latest: record }
      this.#dropped.set(key, row)
    }
    row.answers++
    for (const field of fields) {
      if (row.fields.size < MAX_FIELDS) row.fields.add(field)
      else if (!row.fields.has(field)) row.full = true
    }
    if (record.intent.at.wallMs >= row.latest.intent.at.wallMs) row.latest = record
  }

  /** Rows by API and operation, the most frequent reason first. */
  report(): WouldDenyReport {
    const rows = [...this.#rows.values()]
      .sort(
        (a, b) =>
          byCodeUnits(a.api, b.api) ||
          byCodeUnits(a.operation, b.operation) ||
          b.count - a.count ||
          byCodeUnits(a.reason, b.reason),
      )
      .map(({ api, operation, reason, count, callers, full, places, placesFull, latest }) => ({
        api,
        operation,
        reason,
        title: REASONS[reason].title,
        count,
        callers: callers.size,
        callersAtLeast: full,
        example: latest.intent.id,
        change: changeFor(latest, this.#hints),
        places: [...places].sort(byCodeUnits),
        placesAtLeast: placesFull,
      }))
    return {
      observed: this.#observed,
      wouldRefuse: this.#wouldRefuse,
      refusedAlready: this.#refusedAlready,
      enforced: this.#enforced,
      rows,
      uncounted: this.#uncounted,
      dropped: [...this.#dropped.values()]
        .sort((a, b) => byCodeUnits(a.api, b.api) || byCodeUnits(a.operation, b.operation))
        .map(({ api, operation, answers, fields, full, latest }) => ({
          api,
          operation,
          answers,
          fields: [...fields].sort(byCodeUnits),
          fieldsAtLeast: full,
          example: latest.intent.id,
        })),
      replaced: this.#replaced.rows(),
    }
  }
}

/** As callers are told it; of an answer nobody is told, its status and media type. */
function placeOf({ code, evidence, forCaller }: Reason): string {
  if (code !== 'response-undeclared') return forCaller ?? ''
  const { status, mediaType } = evidence
  return [status, mediaType].filter((each) => typeof each === 'number' || typeof each === 'string').join(' ')
}

/** As the contract's check found them; an observed answer keeps them. */
function undeclaredFields(record: ExchangeRecord): readonly string[] {
  return decisionsOf(record)
    .flatMap(({ reasons }) => reasons)
    .filter(({ code }) => code === 'response-field-dropped')
    .flatMap(({ evidence }) => {
      const fields = evidence['fields']
      return Array.isArray(fields) ? fields.map(String) : []
    })
}

/** Enforced, but for its answer. */
function isKept(record: ExchangeRecord): boolean {
  return outcomeOf(record)?.released.kept === true
}
