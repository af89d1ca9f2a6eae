/**
 * The calls that brought an unknown key wait here, and no others: for one shared fetch, and for a bounded time. What
 * they may conclude afterwards is the ring's business.
 */
import type { Clock } from '../model/ports.ts'
import type { KeyRing } from './key-ring.ts'
import type { Schedule } from './key-source.ts'

export interface KeyWaitPorts {
  readonly clock: Clock
  readonly schedule: Schedule
  readonly ring: KeyRing
  /** Sends `key-wanted` to control; answered by a key notice. */
  ask(issuer: string, kid: string): void
}

/** Waiting calls hold a connection each: beyond this many, the next one gets its 503 at once. */
export const MAX_WAITING = 1_000

interface Waiter {
  readonly cancel: () => void
  readonly settle: (noticed: boolean) => void
}

export class KeyWait {
  readonly #ports: KeyWaitPorts
  readonly #max: number
  readonly #waiting = new Map<string, Set<Waiter>>()
  #count = 0

  constructor(ports: KeyWaitPorts, max: number = MAX_WAITING) {
    this.#ports = ports
    this.#max = max
  }

  /** After the ring applied a notice: those who wait for this issuer look again. */
  noticed(issuer: string): void {
    const waiters = this.#waiting.get(issuer)
    if (waiters === undefined) return
    this.#waiting.delete(issuer)
    for (const waiter of waiters) {
      waiter.cancel()
      waiter.settle(true)
    }
  }

  /**
   * Settles once verifying again makes sense: the key came, or control asked the issuer, or `ms` milliseconds are over,
   * or too many wait. A notice of a fetch that had begun before the call came settles nothing, and control is asked
   * again. Never rejects.
   */
  async wait(issuer: string, kid: string, ms: number): Promise<void> {
    const { clock, ring } = this.#ports
    const deadline = clock.now().monoMs + ms
    for (;;) {
      const left = deadline - clock.now().monoMs
      if (left <= 0 || !(await this.#notice(issuer, kid, left))) return
      if (ring.has(issuer, kid) || ring.missing(issuer, clock.now()) !== 'unknown-ask') return
    }
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#count
  }

  /** True at the next notice of the issuer; false when time ran out or too many wait already. */
  #notice(issuer: string, kid: string, ms: number): Promise<boolean> {
    if (this.#count >= this.#max) return Promise.resolve(false)
    this.#count++
    return new Promise((resolve) => {
      const present = this.#waiting.get(issuer)
      const waiters = present ?? new Set<Waiter>()
      const waiter: Waiter = {
        cancel: this.#ports.schedule(ms, () => {
          waiters.delete(waiter)
          if (waiters.size === 0 && this.#waiting.get(issuer) === waiters) this.#waiting.delete(issuer)
          waiter.settle(false)
        }),
        settle: (noticed) => {
          this.#count--
          resolve(noticed)
        },
      }
      waiters.add(waiter)
      if (present !== undefined) return
      // The first to wait asks for all; it is listed before, because the answer may come at once.
      this.#waiting.set(issuer, waiters)
      this.#ports.ask(issuer, kid)
    })
  }
}
