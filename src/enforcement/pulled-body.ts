import type { SallyportError } from '../model/errors.ts'
import type { RawFields, Source } from '../model/exchange.ts'

/** Whoever pushes: told to wait, to go on, or that nobody takes any more. */
export interface Tap {
  pause(): void
  resume(): void
  stop(why: string): void
}

/** Held back beyond this many bytes, the sender's socket is paused. */
const HIGH_WATER = 256 * 1024

/** A sender's pushes become the pulls of a Source: a slow reader stops the sender, not the gate's memory. */
export class PulledBody implements Source {
  trailers: RawFields = []
  readonly #tap: Tap
  readonly #queue: Uint8Array[] = []
  #queued = 0
  #paused = false
  #ended = false
  #failure: SallyportError | null = null
  #waiting: { resolve: (chunk: Uint8Array | null) => void; reject: (error: unknown) => void } | null = null

  constructor(tap: Tap) {
    this.#tap = tap
  }

  read(): Promise<Uint8Array | null> {
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.#queued -= next.byteLength
      if (this.#paused && this.#queued < HIGH_WATER) {
        this.#paused = false
        this.#tap.resume()
      }
      return Promise.resolve(next)
    }
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  cancel(why: string): void {
    this.#queue.length = 0
    this.#queued = 0
    if (this.#ended) return
    this.#ended = true
    this.#tap.stop(why)
    this.#waiting?.resolve(null)
    this.#waiting = null
  }

  push(chunk: Uint8Array): void {
    if (this.#ended) return
    const waiting = this.#waiting
    if (waiting) {
      this.#waiting = null
      waiting.resolve(chunk)
      return
    }
    this.#queue.push(chunk)
    this.#queued += chunk.byteLength
    if (this.#paused || this.#queued < HIGH_WATER) return
    this.#paused = true
    this.#tap.pause()
  }

  end(trailers: RawFields): void {
    if (this.#ended || this.#failure) return
    this.trailers = trailers
    this.#ended = true
    this.#waiting?.resolve(null)
    this.#waiting = null
  }

  /** What was pushed before is still given out; then reads reject. */
  fail(fault: SallyportError): void {
    if (this.#ended || this.#failure) return
    this.#failure = fault
    this.#waiting?.reject(fault)
    this.#waiting = null
  }
}
