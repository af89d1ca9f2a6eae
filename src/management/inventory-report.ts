import type { DriftCount } from '../inventory/drift.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { outcomeOf } from './record-view.ts'

/** What an operation's fields hold: by its contract, and by what sampled answers showed. */
export interface InventoryOperation {
  readonly operation: string
  readonly method: string
  /** With its base path. */
  readonly template: string
  readonly request: readonly DeclaredField[]
  readonly answer: readonly DeclaredField[]
  readonly detected: readonly DetectedField[]
  /** Ways in which recorded calls differed from its contract (inventory/drift.ts). */
  readonly drift: number
}

export interface DeclaredField {
  /** Place in the contract, `#/components/…`, or a JSON pointer of the file beside it. */
  readonly at: string
  readonly class: string
  /** Stated, or told by the field's name or format. */
  readonly origin: 'annotation' | 'name' | 'format'
}

/** A class that values told at a place to which the contract gives none. */
export interface DetectedField {
  readonly pointer: string
  readonly class: string
  /** Answers in which it was. */
  readonly count: number
  /** The latest such exchange. */
  readonly example: string
}

export interface InventoryReport {
  readonly operations: readonly InventoryOperation[]
  /** Records read. */
  readonly records: number
  /** Findings beyond those that are kept. */
  readonly uncounted: number
}

type DeclaredOperation = Omit<InventoryOperation, 'detected' | 'drift'>

const MAX_FOUND = 20_000

/** Adds what the log says to what contracts state; memory is bounded by places, not by calls. */
export class InventoryTally {
  readonly #declared: readonly DeclaredOperation[]
  readonly #drift: DriftCount
  readonly #found = new Map<
    string,
    { operation: string; pointer: string; class: string; count: number; example: string }
  >()
  #records = 0
  #uncounted = 0

  constructor(declared: readonly DeclaredOperation[], drift: DriftCount) {
    this.#drift = drift
    this.#declared = declared
  }

  add(record: ExchangeRecord): void {
    this.#records++
    this.#drift.add(record)
    const { operation, id } = record.intent
    for (const { class: name, pointer } of outcomeOf(record)?.released.detected ?? []) {
      const key = `${operation}\n${name}\n${pointer}`
      const known = this.#found.get(key)
      if (known !== undefined) {
        known.count++
        if (id > known.example) known.example = id
      } else if (this.#found.size < MAX_FOUND)
        this.#found.set(key, { operation, pointer, class: name, count: 1, example: id })
      else this.#uncounted++
    }
  }

  report(): InventoryReport {
    const byOperation = new Map<string, DetectedField[]>()
    for (const { operation, ...field } of this.#found.values()) {
      const known = byOperation.get(operation)
      if (known === undefined) byOperation.set(operation, [field])
      else known.push(field)
    }
    const drift = new Map<string, number>()
    for (const { operation } of this.#drift.report().rows)
      drift.set(operation, (drift.get(operation) ?? 0) + 1)
    const driftOf = (operation: string): number => {
      const ways = drift.get(operation) ?? 0
      drift.delete(operation)
      return ways
    }
    const most = (one: DetectedField, other: DetectedField): number => other.count - one.count
    const operations = this.#declared.map((each) => {
      const detected = (byOperation.get(each.operation) ?? []).sort(most)
      byOperation.delete(each.operation)
      return { ...each, detected, drift: driftOf(each.operation) }
    })
    // Operations that records name and the contract no longer has.
    for (const operation of new Set([...byOperation.keys(), ...drift.keys()]))
      operations.push({
        operation,
        method: '',
        template: '',
        request: [],
        answer: [],
        detected: (byOperation.get(operation) ?? []).sort(most),
        drift: driftOf(operation),
      })
    return { operations, records: this.#records, uncounted: this.#uncounted }
  }
}
