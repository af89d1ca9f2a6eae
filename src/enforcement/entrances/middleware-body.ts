import type { IncomingMessage } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { RawFields, Source } from '../../model/exchange.ts'

/**
 * A request's body that is read to be judged and then put back, so that whoever parses it reads exactly the bytes
 * that were judged: whole, once, as if nobody had read it before.
 */
export class PutBackBody implements Source {
  readonly #request: IncomingMessage
  #read: Uint8Array[] = []
  #state: 'reading' | 'back' | 'cancelled' = 'reading'
  #wake: (() => void) | null = null
  #listens = false

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  get trailers(): RawFields {
    return this.#request.rawTrailers
  }

  async read(): Promise<Uint8Array | null> {
    const request = this.#request
    for (;;) {
      if (this.#state !== 'reading') return null
      if (request.readableLength > 0) {
        const chunk: unknown = request.read()
        if (!(chunk instanceof Uint8Array)) throw brokenOff('somebody decodes the body already')
        this.#read.push(chunk)
        this.#putBackAtEnd()
        return chunk
      }
      this.#putBackAtEnd()
      if (this.#state !== 'reading') return null
      if (request.readableEnded) throw brokenOff('somebody read the body already')
      if (request.destroyed || request.errored) throw brokenOff('the body ended before its announced end')
      await this.#more()
    }
  }

  cancel(): void {
    if (this.#state !== 'reading') return
    this.#state = 'cancelled'
    this.#read = []
    this.#deaf()
    // What still comes is thrown away: the entrance says for how long.
    this.#request.resume()
    this.#wake?.()
  }

  /**
   * At once when the last byte was read: node ends the stream in the next tick, unless there is something in it
   * again by then.
   */
  #putBackAtEnd(): void {
    const request = this.#request
    if (!request.complete || request.readableLength > 0) return
    this.#state = 'back'
    this.#deaf()
    const read = this.#read
    this.#read = []
    const bytes = read.length === 1 ? read[0] : Buffer.concat(read)
    if (bytes === undefined || bytes.byteLength === 0) return tellLate(request)
    putBack(request, bytes)
  }

  /** Other bytes were judged than came: decoded ones, or without what was taken out. Whoever parses reads those. */
  replace(bytes: Uint8Array): void {
    const request = this.#request
    if (this.#state !== 'back') return
    // In one go: node ends a stream that it finds empty in the next tick.
    while (request.readableLength > 0) request.read()
    putBack(request, bytes)
  }

  #more(): Promise<void> {
    if (!this.#listens) {
      this.#listens = true
      for (const event of EVENTS) this.#request.on(event, this.#stirred)
    }
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  readonly #stirred = (): void => {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #deaf(): void {
    if (!this.#listens) return
    this.#listens = false
    for (const event of EVENTS) this.#request.off(event, this.#stirred)
  }
}

function putBack(request: IncomingMessage, bytes: Uint8Array): void {
  request.unshift(bytes)
  // Those who ask whether somebody has read of it mean after this.
  Object.defineProperty(request, 'readableDidRead', {
    get: () => request.readableLength < bytes.byteLength,
    configurable: true,
  })
}

const EVENTS = ['readable', 'end', 'error', 'close'] as const

/** A stream without a byte has ended by the time a parser comes to listen; one that waits for the end is told. */
function tellLate(request: IncomingMessage): void {
  request.on('newListener', (event: string, listener: () => void) => {
    if (event === 'end' && request.readableEnded) process.nextTick(listener)
  })
}

function brokenOff(message: string): SallyportError {
  return new SallyportError('body-broken-off', message)
}
