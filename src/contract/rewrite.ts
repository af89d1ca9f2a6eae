import { parseExact, stringifyExact } from './exact-json.ts'
import { dropUndeclared, type LinkedShape } from './sealed-walk.ts'

const MAX_DROPPED = 100
const NOTHING_DROPPED: readonly string[] = Object.freeze([])

/** Changes a parsed value and gives it back, or another in its place; numbers may be opaque literals (exact-json.ts). */
export type Edit = (value: unknown) => unknown

/**
 * The one way from a validated value to the bytes that are released: as they came where nothing was taken out or
 * changed, else written anew from the value that was checked, numbers by their digits.
 */
export class Rewrite {
  /** Without what the contract does not declare: what is held against its schema. */
  readonly value: unknown
  /** JSON pointers, array indexes as `*`, without duplicates, at most 100. */
  readonly dropped: readonly string[]
  /** What stood at each of them, as sights in the same order. */
  readonly types: readonly string[]
  readonly #source: Uint8Array
  readonly #shape: LinkedShape | null
  readonly #exact: boolean
  readonly #edits: Edit[] = []

  /** `scanned`: what the strict scan of `source` gave, which this takes over; `exact`: all its numbers are doubles. */
  constructor(source: Uint8Array, scanned: unknown, exact: boolean, shape: LinkedShape | null) {
    this.#source = source
    this.#shape = shape
    this.#exact = exact
    const stripped = shape === null ? null : dropUndeclared(scanned, shape, MAX_DROPPED, true)
    this.value = stripped === null ? scanned : stripped.value
    this.dropped = stripped?.dropped ? [...stripped.dropped] : NOTHING_DROPPED
    this.types = stripped === null ? NOTHING_DROPPED : stripped.types
  }

  /** The checked value by the digits of its numbers; undefined where each is a double. */
  get digits(): unknown {
    return this.#exact ? undefined : this.#exactly()
  }

  /** One more change, after those before it; made when the bytes are written. */
  edit(edit: Edit): void {
    this.#edits.push(edit)
  }

  /** To be called once after the last edit: edits may change the value itself. */
  bytes(): Uint8Array {
    if (this.dropped.length === 0 && this.#edits.length === 0) return this.#source
    let value = this.#exact ? this.value : this.#exactly()
    for (const edit of this.#edits) value = edit(value)
    return Buffer.from(stringifyExact(value))
  }

  /** A double does not hold every number the upstream wrote: those are kept by their digits. */
  #exactly(): unknown {
    const value = parseExact(this.#source)
    return this.#shape === null ? value : dropUndeclared(value, this.#shape, MAX_DROPPED).value
  }
}
