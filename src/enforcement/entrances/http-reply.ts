import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { SallyportError } from '../../model/errors.ts'
import type { Answer, Delivery, RawFields, Reply, Source } from '../../model/exchange.ts'

const CALLER_LEFT = 'the caller left'

/** What is used of node's message to answer by it. */
export type Answering = Pick<
  ServerResponse,
  | 'destroyed'
  | 'destroy'
  | 'writableFinished'
  | 'writableLength'
  | 'socket'
  | 'once'
  | 'off'
  | 'writeContinue'
  | 'writeHead'
  | 'write'
  | 'end'
>

/** An answer through node's own message, on the connection whose turn it is. */
export class HttpReply implements Reply {
  readonly #response: Answering
  readonly #stallMs: number
  readonly #isLast: () => boolean
  #taken = 0
  #why = CALLER_LEFT

  /** `isLast`, asked when the answer begins: the connection ends with it. `stallMs`: how long a caller may not read. */
  constructor(response: Answering, stallMs: number, isLast: () => boolean) {
    this.#response = response
    this.#stallMs = stallMs
    this.#isLast = isLast
  }

  get gone(): boolean {
    return this.#response.destroyed
  }

  onGone(listener: () => void): void {
    if (this.#response.destroyed) return listener()
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) listener()
    })
  }

  inform(status: number, fields: RawFields): void {
    if (status === 100) this.#response.writeContinue()
    else if (status === 103)
      throw new SallyportError('not-carried', 'early hints are not carried', { fields: fields.length })
  }

  async send(answer: Answer): Promise<Delivery> {
    const response = this.#response
    if (response.destroyed) return { complete: false, bytes: 0, why: CALLER_LEFT }
    const finished = new Promise<Delivery>((resolve) => {
      response.once('finish', () => resolve({ complete: true }))
      // Comes last: where nothing finished before it, the answer did not get through.
      response.once('close', () => resolve({ complete: false, bytes: this.#taken, why: this.#why }))
    })
    // A head and its small body go out in one write.
    const fields = this.#isLast() ? [...answer.fields, 'Connection', 'close'] : (answer.fields as string[])
    response.writeHead(answer.status, fields)
    if (answer.body === null) response.end()
    else if (answer.body instanceof Uint8Array) response.end(answer.body)
    else await this.#stream(answer.body)
    // Node destroys a socket that stands still for this long, and takes the time back when the answer is out.
    if (response.writableLength > 0) response.socket?.setTimeout(this.#stallMs)
    return finished
  }

  async #stream(body: Source): Promise<void> {
    const response = this.#response
    try {
      for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
        if (response.destroyed) return body.cancel(CALLER_LEFT)
        this.#taken += chunk.byteLength
        if (!response.write(chunk)) await this.#drained()
      }
      response.end()
    } catch {
      // The head is out: breaking off is the only honest end (RFC 9112 §8).
      if (!response.destroyed) this.#why = 'the answer broke off'
      response.destroy()
    }
  }

  #drained(): Promise<void> {
    const response = this.#response
    const { socket } = response
    if (response.destroyed || socket === null) return Promise.resolve()
    socket.setTimeout(this.#stallMs)
    return new Promise((resolve) => {
      const done = (): void => {
        response.off('drain', done)
        response.off('close', done)
        socket.setTimeout(0)
        resolve()
      }
      response.once('drain', done)
      response.once('close', done)
    })
  }
}

/** For sockets node gave up on, and tunnels: one answer, then close. */
export class RawReply implements Reply {
  readonly #socket: Duplex
  readonly #lingerMs: number

  constructor(socket: Duplex, lingerMs: number) {
    this.#socket = socket
    this.#lingerMs = lingerMs
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  onGone(listener: () => void): void {
    if (this.#socket.destroyed) listener()
    else this.#socket.once('close', listener)
  }

  inform(): void {}

  send(answer: Answer): Promise<Delivery> {
    const socket = this.#socket
    if (!socket.writable || !(answer.body instanceof Uint8Array)) {
      socket.destroy()
      return Promise.resolve({ complete: false, bytes: 0, why: CALLER_LEFT })
    }
    const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
    for (let i = 0; i + 1 < answer.fields.length; i += 2)
      lines.push(`${answer.fields[i]}: ${answer.fields[i + 1]}`)
    lines.push('Connection: close', '', '')
    socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), answer.body]))
    // RFC 9112 §9.6: closed at once with bytes still coming in, the reset would overtake the answer; and a caller
    // that never closes must not keep the socket.
    socket.resume()
    setTimeout(() => socket.destroy(), this.#lingerMs).unref()
    return Promise.resolve({ complete: true })
  }
}
