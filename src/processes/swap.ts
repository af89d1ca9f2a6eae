/**
 * The two-phase swap of a bundle, seen from the one who asks for it: every member has instantiated and reported,
 * then all commit; one failure abandons it everywhere and the last good bundle stays.
 */
export class Swap {
  readonly epoch: number
  readonly #waiting: Set<number>
  readonly #done: (result: SwapResult) => void
  #longestStepMs = 0
  #totalMs = 0

  constructor(epoch: number, members: Iterable<number>, done: (result: SwapResult) => void) {
    this.epoch = epoch
    this.#waiting = new Set(members)
    this.#done = done
  }

  prepared(member: number, longestStepMs: number, totalMs: number): void {
    this.#longestStepMs = Math.max(this.#longestStepMs, longestStepMs)
    this.#totalMs = Math.max(this.#totalMs, totalMs)
    this.#waiting.delete(member)
    this.#settle()
  }

  /** `code`: of the fault a member met. */
  failed(message: string, code?: string): void {
    this.#waiting.clear()
    this.#done({ ok: false, message, ...(code === undefined ? {} : { code }) })
  }

  /** A member that died while it instantiated may have died of the bundle: then its replacement would, too. */
  left(member: number): void {
    if (this.#waiting.has(member)) this.failed(`gate thread ${member} ended while it instantiated the bundle`)
  }

  #settle(): void {
    if (this.#waiting.size === 0) {
      this.#done({ ok: true, longestStepMs: this.#longestStepMs, totalMs: this.#totalMs })
    }
  }
}

export type SwapResult =
  | { readonly ok: true; readonly longestStepMs: number; readonly totalMs: number }
  | { readonly ok: false; readonly message: string; readonly code?: string }
