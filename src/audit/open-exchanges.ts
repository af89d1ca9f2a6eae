import type { ExchangeId } from '../model/exchange.ts'
import type { IntentEntry } from '../model/record.ts'

/** Intents a thread awaits the outcome of; past it the oldest are let go, and recovery closes them. */
export const MAX_OPEN = 100_000

/**
 * Which exchanges have an intent and no outcome yet, and in which segment the oldest of them stands: recovery
 * then reads from there, not from the chain's beginning.
 */
export class OpenExchanges {
  /** In the order of segments; all but the last hold what was still open when their segment ended. */
  readonly #bySegment: { readonly segment: number; readonly intents: Map<ExchangeId, IntentEntry> }[] = []
  #size = 0

  add(segment: number, entry: IntentEntry): void {
    let last = this.#bySegment.at(-1)
    if (last === undefined || last.segment !== segment) {
      this.#dropEmpty()
      last = { segment, intents: new Map() }
      this.#bySegment.push(last)
    }
    if (this.#size >= MAX_OPEN) this.#dropOldest()
    if (!last.intents.has(entry.id)) this.#size++
    last.intents.set(entry.id, entry)
  }

  find(id: ExchangeId): IntentEntry | undefined {
    for (let i = this.#bySegment.length - 1; i >= 0; i--) {
      const found = this.#bySegment[i]?.intents.get(id)
      if (found !== undefined) return found
    }
    return undefined
  }

  remove(id: ExchangeId): void {
    for (let i = this.#bySegment.length - 1; i >= 0; i--) {
      if (this.#bySegment[i]?.intents.delete(id)) {
        this.#size--
        return
      }
    }
  }

  /** The segment of the oldest open intent, or `otherwise`. */
  oldest(otherwise: number): number {
    this.#dropEmpty()
    return this.#bySegment[0]?.segment ?? otherwise
  }

  #dropEmpty(): void {
    while (this.#bySegment[0]?.intents.size === 0) this.#bySegment.shift()
  }

  #dropOldest(): void {
    this.#dropEmpty()
    const first = this.#bySegment[0]?.intents
    const oldest = first?.keys().next().value
    if (oldest !== undefined && first?.delete(oldest)) this.#size--
  }
}
