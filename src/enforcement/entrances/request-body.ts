import type { IncomingMessage } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { RawFields, Source } from '../../model/exchange.ts'
import { PulledBody, type Tap } from '../pulled-body.ts'

/** A request's body, read from the first `read` on: until then the caller's bytes wait in its socket. */
export class RequestBody implements Source, Tap {
  readonly #request: IncomingMessage
  readonly #pulled = new PulledBody(this)
  /** The call was answered without it: what still comes is thrown away. */
  unwanted = false
  #begun = false

  constructor(request: IncomingMessage) {
    this.#request = request
  }

  get complete(): boolean {
    return this.#request.complete
  }

  get trailers(): RawFields {
    return this.#request.rawTrailers
  }

  read(): Promise<Uint8Array | null> {
    if (!this.#begun) this.#begin()
    return this.#pulled.read()
  }

  cancel(why: string): void {
    this.#pulled.cancel(why)
  }

  /** The parser refused what came: nothing follows. */
  broken(cause: unknown): void {
    this.#pulled.fail(
      new SallyportError('body-broken-off', 'the body ended before its announced end', {}, cause),
    )
  }

  pause(): void {
    this.#request.pause()
  }

  resume(): void {
    this.#request.resume()
  }

  /** What still comes is thrown away: the entrance says for how long. */
  stop(): void {
    this.#request.resume()
  }

  #begin(): void {
    this.#begun = true
    const request = this.#request
    if (request.destroyed && !request.complete) return this.broken(undefined)
    request.on('data', (chunk: Uint8Array) => this.#pulled.push(chunk))
    request.on('end', () => this.#pulled.end(request.rawTrailers))
    request.on('error', (error) => this.broken(error))
    // Comes after every whole body too, where an error would be made for nobody.
    request.on('close', () => {
      if (!request.complete) this.broken(undefined)
    })
  }
}
