/**
 * The newest `limit` of a stream that comes in any order, oldest first, and how many there were. Memory is bounded
 * by twice the limit.
 */
export class Newest<T> {
  readonly #limit: number
  readonly #timeOf: (item: T) => number
  #kept: T[] = []
  #seen = 0

  constructor(limit: number, timeOf: (item: T) => number) {
    this.#limit = limit
    this.#timeOf = timeOf
  }

  add(item: T): void {
    this.#seen++
    this.#kept.push(item)
    if (this.#kept.length >= this.#limit * 2 + 1) this.#cut()
  }

  get seen(): number {
    return this.#seen
  }

  items(): readonly T[] {
    this.#cut()
    return this.#kept
  }

  #cut(): void {
    this.#kept.sort((a, b) => this.#timeOf(a) - this.#timeOf(b))
    this.#kept = this.#limit === 0 ? [] : this.#kept.slice(-this.#limit)
  }
}
