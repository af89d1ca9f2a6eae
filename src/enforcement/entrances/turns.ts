import type { Caller } from '../../model/exchange.ts'
import type { RequestBody } from './request-body.ts'

/** Sent ahead without waiting for answers; who sends more wants to fill memory. */
const MAX_AHEAD = 64

/**
 * The calls of one connection, one after the other: their answers stand in the order asked (RFC 9112 §9.3.2), a call
 * never overtakes the one before it, and one connection never has more than one call under way.
 */
export class Turns {
  /** Who is at the other end, read once. */
  caller: Caller | null = null
  /** The body of the latest request: what the parser cannot read from now on belongs to it, while it lasts. */
  reading: RequestBody | null = null
  /** The parser gave up: nothing that follows on the connection means anything. */
  broken = false
  readonly #ahead: (() => Promise<void>)[] = []
  #busy = false

  /** False where too much was sent ahead: the connection is to be ended. */
  take(turn: () => Promise<void>): boolean {
    if (this.#busy) return this.#ahead.push(turn) <= MAX_AHEAD
    this.#busy = true
    this.#run(turn)
    return true
  }

  /** Those not yet begun never will: the connection has ended. */
  drop(): void {
    this.#ahead.length = 0
  }

  #run(turn: () => Promise<void>): void {
    const goOn = (): void => {
      const next = this.#ahead.shift()
      if (next === undefined) this.#busy = false
      else this.#run(next)
    }
    turn().then(goOn, goOn)
  }
}
