import type { CounterDeltas } from '../processes/messages.ts'

/** A thread's counts since its last report. */
export class Counters {
  #deltas = new Map<string, number>()

  /** Bound, so that it can be passed on as a port. */
  readonly add = (name: string, by: number, ...labels: readonly string[]): void => {
    const key = labels.length === 0 ? name : `${name}|${labels.join('|')}`
    this.#deltas.set(key, (this.#deltas.get(key) ?? 0) + by)
  }

  take(): CounterDeltas {
    const taken = this.#deltas
    this.#deltas = new Map()
    return Object.fromEntries(taken)
  }
}
