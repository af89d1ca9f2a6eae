import type { Acted, FieldsHidden, Replayed } from '../decision/replay/replayed.ts'
import type { ReasonCode } from '../model/reason.ts'
import { opposes } from '../model/reason.ts'

/** Decisions of one caller on one operation that would change alike. */
export interface ChangeRow {
  readonly operation: string
  readonly caller: string
  readonly from: Acted
  readonly to: Acted
  /** What the new decision would say: the first reason against, else the first. */
  readonly reason: ReasonCode
  readonly policies: readonly string[]
  /** Acts the recorded calls did not get to, which may still refuse them. */
  readonly unplayed: readonly string[]
  readonly count: number
  /** Items that lists would no longer release, and would release now, in all. */
  readonly lost: number
  readonly gained: number
  /** Fields of the answer that would be hidden otherwise, as `mask /email`; left out where none would. */
  readonly fields?: FieldsHidden
  /** The latest such exchange. */
  readonly example: string
}

export interface UndecidableRow {
  readonly operation: string
  /** What the record does not tell: `resource.owner`, `contract`. */
  readonly missing: string
  readonly count: number
  readonly example: string
}

export interface ReplayReport {
  readonly records: number
  readonly same: number
  readonly changed: number
  readonly undecidable: number
  readonly rows: readonly ChangeRow[]
  readonly undecided: readonly UndecidableRow[]
  /** Changed or undecidable calls beyond the rows that are kept. */
  readonly uncounted: number
}

const MAX_ROWS = 20_000
const NO_ITEMS = { lost: 0, gained: 0 } as const

interface Counted<Row> {
  row: Row
  at: number
}

/** Counts record by record; memory is bounded by kinds, not by calls. Tallies of several readers merge. */
export class ReplayTally {
  #records = 0
  #same = 0
  #changed = 0
  #undecidable = 0
  #uncounted = 0
  readonly #rows = new Map<string, Counted<ChangeRow>>()
  readonly #undecided = new Map<string, Counted<UndecidableRow>>()

  add(call: { operation: string; caller: string; id: string; at: number }, replayed: Replayed): void {
    this.#records++
    const { operation, caller, id, at } = call
    if (replayed.kind === 'same') {
      this.#same++
      return
    }
    if (replayed.kind === 'undecidable') {
      this.#undecidable++
      const missing = replayed.missing.join(', ')
      const row: UndecidableRow = { operation, missing, count: 1, example: id }
      this.#count(this.#undecided, `${operation}\n${missing}`, { row, at })
      return
    }
    this.#changed++
    const { from, to, reasons, policies, unplayed, items, fields } = replayed
    const reason = (reasons.find(({ code }) => opposes(code)) ?? reasons[0])?.code ?? 'policy-missing'
    const { lost, gained } = items ?? NO_ITEMS
    const row: ChangeRow = {
      operation,
      caller,
      from,
      to,
      reason,
      policies,
      unplayed,
      count: 1,
      lost,
      gained,
      ...(fields === undefined ? {} : { fields }),
      example: id,
    }
    const key = [
      operation,
      caller,
      from,
      to,
      reason,
      policies.join(),
      unplayed.join(),
      lost > 0,
      gained > 0,
      JSON.stringify(fields ?? null),
    ]
    this.#count(this.#rows, key.join('\n'), { row, at })
  }

  #count<Row extends { count: number; example: string; lost?: number; gained?: number }>(
    rows: Map<string, Counted<Row>>,
    key: string,
    { row, at }: Counted<Row>,
  ): void {
    const known = rows.get(key)
    if (known === undefined) {
      if (rows.size >= MAX_ROWS) this.#uncounted += row.count
      else rows.set(key, { row, at })
      return
    }
    const { lost, gained } = known.row
    const items =
      lost === undefined || gained === undefined
        ? {}
        : { lost: lost + (row.lost ?? 0), gained: gained + (row.gained ?? 0) }
    const example = at >= known.at ? row.example : known.row.example
    known.row = { ...known.row, ...items, count: known.row.count + row.count, example }
    known.at = Math.max(at, known.at)
  }

  /** As plain data, to cross between threads. */
  state(): TallyState {
    return {
      counts: [this.#records, this.#same, this.#changed, this.#undecidable, this.#uncounted],
      rows: [...this.#rows],
      undecided: [...this.#undecided],
    }
  }

  merge({ counts, rows, undecided }: TallyState): void {
    this.#records += counts[0]
    this.#same += counts[1]
    this.#changed += counts[2]
    this.#undecidable += counts[3]
    this.#uncounted += counts[4]
    for (const [key, counted] of rows) this.#count(this.#rows, key, counted)
    for (const [key, counted] of undecided) this.#count(this.#undecided, key, counted)
  }

  report(): ReplayReport {
    const most = (one: { count: number }, other: { count: number }): number => other.count - one.count
    return {
      records: this.#records,
      same: this.#same,
      changed: this.#changed,
      undecidable: this.#undecidable,
      rows: [...this.#rows.values()].map(({ row }) => row).sort(most),
      undecided: [...this.#undecided.values()].map(({ row }) => row).sort(most),
      uncounted: this.#uncounted,
    }
  }
}

export interface TallyState {
  readonly counts: readonly [number, number, number, number, number]
  readonly rows: readonly (readonly [string, Counted<ChangeRow>])[]
  readonly undecided: readonly (readonly [string, Counted<UndecidableRow>])[]
}
