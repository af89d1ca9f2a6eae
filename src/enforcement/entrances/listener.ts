import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SallyportError } from '../../model/errors.ts'
import type {
  Answer,
  Caller,
  Delivery,
  Exchange,
  ExchangeId,
  RawFields,
  Reply,
  RequestHead,
  Source,
} from '../../model/exchange.ts'
import type { Random } from '../../model/ports.ts'
import { parseIp } from '../../syntax/ip.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import type { Gate } from '../gate.ts'
import { play } from '../pipeline.ts'
import { refuseUnparsed } from '../unparsed.ts'

export interface ListenerLimits {
  /** Bytes of the whole head; node refuses more with HPE_HEADER_OVERFLOW. */
  readonly headBytes: number
  readonly headMs: number
  /** From the head's first byte to the body's last. */
  readonly requestMs: number
  readonly idleMs: number
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  headBytes: 32_768,
  headMs: 10_000,
  requestMs: 30_000,
  idleMs: 5_000,
}

/** The HTTP/1.1 entrance: turns node's messages into exchanges and answers into node's messages, nothing else. */
export class Listener {
  readonly #server: Server
  readonly #gate: Gate
  readonly #random: Random
  #underWay = 0
  #draining = false
  #lastAccept = 0

  constructor(gate: Gate, random: Random, limits: ListenerLimits = DEFAULT_LISTENER_LIMITS) {
    this.#gate = gate
    this.#random = random
    this.#server = createServer({
      // Answers to what the parser would refuse by itself are ours, so that each has a record.
      requireHostHeader: false,
      insecureHTTPParser: false,
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    })
    // Node drops fields beyond this count silently: the hygiene stage counts them instead.
    this.#server.maxHeadersCount = 0
    this.#server.on('request', (request, response) => this.#exchange(request, response))
    this.#server.on('checkContinue', (request, response) => this.#exchange(request, response))
    this.#server.on('checkExpectation', (request, response) => this.#exchange(request, response))
    this.#server.on('connect', (request, socket) => this.#tunnel(request, socket))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unparsed(error, socket))
    this.#server.on('connection', () => {
      this.#lastAccept = performance.now()
    })
  }

  /** Resolves with the port; rejects with node's EADDRINUSE or EACCES. */
  listen(host: string, port: number, shared: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, reusePort: shared, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /**
   * Ends without refusing anyone: closing one of several SO_REUSEPORT listeners resets the connections that wait
   * in its queue, so the queue is emptied first, then calls under way end, at most for `withinMs`.
   */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true
    const deadline = performance.now() + withinMs
    while (performance.now() - this.#lastAccept < 20 && performance.now() < deadline) await pause(5)
    this.#server.close()
    this.#server.closeIdleConnections()
    while (this.#underWay > 0 && performance.now() < deadline) await pause(10)
    this.#server.closeAllConnections()
  }

  #exchange(request: IncomingMessage, response: ServerResponse): void {
    this.#underWay += 1
    const exchange = this.#open(
      request,
      requestHead(request),
      hasBody(request) ? new RequestBody(request) : null,
    )
    const reply = new HttpReply(response, this.#draining)
    play(exchange, reply, this.#gate)
      .catch((error: unknown) => {
        this.#gate.fault('exchange', exchange.id, error)
        response.destroy()
      })
      .finally(() => {
        this.#underWay -= 1
      })
  }

  #open(request: IncomingMessage, head: RequestHead, body: Source | null): Exchange {
    const received = this.#gate.clock.now()
    return {
      id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId,
      entrance: 'http',
      received,
      caller: callerOf(request.socket),
      head,
      body,
    }
  }

  /** CONNECT comes with a bare socket: it is refused by the same stages as any other method. */
  #tunnel(request: IncomingMessage, socket: Duplex): void {
    const exchange = this.#open(request, requestHead(request), null)
    play(exchange, new RawReply(socket), this.#gate).catch((error: unknown) =>
      this.#gate.fault('exchange', exchange.id, error),
    )
  }

  /** What the parser refused has no head to judge, yet gets its record and a problem document. */
  #unparsed(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    // After an answer has begun a second one would be read as the next call's (response splitting).
    if ('_httpMessage' in socket && socket['_httpMessage'] !== null && socket['_httpMessage'] !== undefined) {
      socket.destroy()
      return
    }
    const received = this.#gate.clock.now()
    const exchange: Exchange = {
      id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId,
      entrance: 'http',
      received,
      caller: callerOf(socket as Socket),
      head: { method: '', target: '', httpVersion: '1.1', fields: [], secure: false },
      body: null,
    }
    refuseUnparsed(exchange, error.code ?? '', new RawReply(socket), this.#gate).catch((fault: unknown) =>
      this.#gate.fault('exchange', exchange.id, fault),
    )
  }
}

function requestHead(request: IncomingMessage): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion === '1.0' ? '1.0' : '1.1',
    fields: request.rawHeaders,
    secure: 'encrypted' in request.socket,
  }
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

const UNKNOWN_CALLER: Caller = { bytes: new Uint8Array(16), text: '::', port: 0 }

function callerOf(socket: Socket): Caller {
  const ip = parseIp(socket.remoteAddress ?? '')
  return ip === null ? UNKNOWN_CALLER : { bytes: ip.bytes, text: ip.text, port: socket.remotePort ?? 0 }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

class RequestBody implements Source {
  readonly #request: IncomingMessage
  readonly #chunks: AsyncIterator<Uint8Array>

  constructor(request: IncomingMessage) {
    this.#request = request
    this.#chunks = request.iterator({ destroyOnReturn: false })
  }

  get trailers(): RawFields {
    return this.#request.rawTrailers
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const { value, done } = await this.#chunks.next()
      return done === true ? null : value
    } catch (error) {
      throw new SallyportError('body-broken-off', 'the body ended before its announced end', {}, error)
    }
  }

  /** The rest is thrown away by node once the answer is out, within the request's time. */
  cancel(): void {
    this.#request.resume()
  }
}

class HttpReply implements Reply {
  readonly #response: ServerResponse
  readonly #last: boolean
  #taken = 0

  constructor(response: ServerResponse, last: boolean) {
    this.#response = response
    this.#last = last
  }

  get gone(): boolean {
    return this.#response.destroyed
  }

  onGone(listener: () => void): void {
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
    if (response.destroyed) return { complete: false, bytes: 0, why: 'the caller left' }
    const fields = this.#last ? [...answer.fields, 'Connection', 'close'] : (answer.fields as string[])
    const finished = new Promise<Delivery>((resolve) => {
      response.once('close', () =>
        resolve(
          response.writableFinished
            ? { complete: true }
            : { complete: false, bytes: this.#taken, why: 'the caller left' },
        ),
      )
      response.once('finish', () => resolve({ complete: true }))
    })
    // A head and its small body go out in one write.
    response.writeHead(answer.status, fields)
    if (answer.body === null) response.end()
    else if (answer.body instanceof Uint8Array) response.end(answer.body)
    else await this.#stream(answer.body)
    return finished
  }

  async #stream(body: Source): Promise<void> {
    const response = this.#response
    try {
      for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
        if (response.destroyed) return body.cancel('the caller left')
        this.#taken += chunk.byteLength
        if (!response.write(chunk)) await drained(response)
      }
      response.end()
    } catch {
      // The head is out: breaking off is the only honest end (RFC 9112 §8).
      response.destroy()
    }
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}

/** For sockets node gave up on: one answer, then close. */
class RawReply implements Reply {
  readonly #socket: Duplex

  constructor(socket: Duplex) {
    this.#socket = socket
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  onGone(listener: () => void): void {
    this.#socket.once('close', listener)
  }

  inform(): void {}

  send(answer: Answer): Promise<Delivery> {
    if (this.#socket.destroyed || !(answer.body instanceof Uint8Array)) {
      this.#socket.destroy()
      return Promise.resolve({ complete: false, bytes: 0, why: 'the caller left' })
    }
    const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
    for (let i = 0; i + 1 < answer.fields.length; i += 2)
      lines.push(`${answer.fields[i]}: ${answer.fields[i + 1]}`)
    lines.push('Connection: close', '', '')
    this.#socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), answer.body]))
    return Promise.resolve({ complete: true })
  }
}
