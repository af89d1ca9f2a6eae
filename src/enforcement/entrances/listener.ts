import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Caller, Exchange, ExchangeId, RequestHead, Source } from '../../model/exchange.ts'
import type { Random } from '../../model/ports.ts'
import { parseIp } from '../../syntax/ip.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import type { Gate } from '../gate.ts'
import { play } from '../pipeline.ts'
import { refuseUnparsed } from '../unparsed.ts'
import { HttpReply, RawReply } from './http-reply.ts'
import { RequestBody } from './request-body.ts'
import { Turns } from './turns.ts'

export interface ListenerLimits {
  /** Bytes of the whole head; node refuses more with HPE_HEADER_OVERFLOW. */
  readonly headBytes: number
  readonly headMs: number
  /** From the head's first byte to the body's last: above what any API allows, which is kept where bodies are read. */
  readonly requestMs: number
  readonly idleMs: number
  /** How long bytes nobody wants may still come in after an answer, before the connection is cut. */
  readonly lingerMs: number
  /** How long a caller may leave an answer unread. */
  readonly stallMs: number
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  headBytes: 32_768,
  headMs: 10_000,
  requestMs: 660_000,
  idleMs: 5_000,
  lingerMs: 2_000,
  stallMs: 30_000,
}

/** While draining, in ms: for callers to let go; no newcomer for so long means an empty queue; at most so long for that. */
const LINGER_MS = 250
const QUIET_MS = 20
const QUEUE_MS = 500

/** The HTTP/1.1 entrance: turns node's messages into exchanges and answers into node's messages, nothing else. */
export class Listener {
  readonly #server: Server
  readonly #gate: Gate
  readonly #random: Random
  readonly #limits: ListenerLimits
  readonly #turns = new WeakMap<Duplex, Turns>()
  #underWay = 0
  #connections = 0
  #draining = false
  #lastAccept = 0

  constructor(gate: Gate, random: Random, limits: ListenerLimits = DEFAULT_LISTENER_LIMITS) {
    this.#gate = gate
    this.#random = random
    this.#limits = limits
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
    this.#server.on('connection', (socket: Socket) => {
      this.#lastAccept = performance.now()
      this.#connections += 1
      closeGently(socket, this.#turnsOf(socket), this.#limits.lingerMs)
      socket.once('close', () => {
        this.#connections -= 1
        this.#turnsOf(socket).drop()
      })
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
   * Ends without refusing anyone, in at most `withinMs`. First every answer says for a moment that it is its
   * connection's last, so that callers let go by themselves. Then the queue is emptied, as far as newcomers let it:
   * closing one of several SO_REUSEPORT listeners resets the connections that wait in it. Then calls under way end.
   */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true
    const began = performance.now()
    const deadline = began + withinMs
    if (this.#underWay > 0 || this.#connections > 0) await pause(Math.min(LINGER_MS, withinMs))
    const emptied = Math.min(began + LINGER_MS + QUEUE_MS, deadline)
    while (performance.now() - this.#lastAccept < QUIET_MS && performance.now() < emptied) await pause(5)
    // Closes what is idle too.
    this.#server.close()
    while (this.#underWay > 0 && performance.now() < deadline) await pause(10)
    this.#server.closeAllConnections()
  }

  #turnsOf(socket: Duplex): Turns {
    let turns = this.#turns.get(socket)
    if (turns === undefined) {
      turns = new Turns()
      this.#turns.set(socket, turns)
    }
    return turns
  }

  #exchange(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const turns = this.#turnsOf(socket)
    const body = hasBody(request) ? new RequestBody(request) : null
    turns.reading = body
    if (!turns.take(() => this.#play(request, response, body, turns))) socket.destroy()
  }

  async #play(
    request: IncomingMessage,
    response: ServerResponse,
    body: RequestBody | null,
    turns: Turns,
  ): Promise<void> {
    const { socket } = request
    // The answer before this call's turn ended the connection: the call was never taken up.
    if (!socket.writable) return
    this.#underWay += 1
    const exchange = this.#open(socket, requestHead(request), body)
    // Node reads nothing sensible behind an Upgrade that was not taken.
    const upgrades = request.headers.upgrade !== undefined
    const reply = new HttpReply(
      response,
      this.#limits.stallMs,
      () => this.#draining || upgrades || (turns.broken && turns.reading === body && body !== null),
    )
    try {
      const { httpVersion } = request
      if (httpVersion === '1.1' || httpVersion === '1.0') await play(exchange, reply, this.#gate)
      else await refuseUnparsed(exchange, 'HPE_INVALID_VERSION', reply, this.#gate)
    } catch (error) {
      this.#gate.fault('exchange', exchange.id, error)
    }
    this.#underWay -= 1
    if (!response.writableEnded) response.destroy()
    if (body === null || request.complete) return
    body.unwanted = true
    setTimeout(() => {
      if (!request.complete) socket.destroy()
    }, this.#limits.lingerMs).unref()
  }

  #open(socket: Socket, head: RequestHead, body: Source | null): Exchange {
    const received = this.#gate.clock.now()
    const turns = this.#turnsOf(socket)
    turns.caller ??= callerOf(socket)
    const { caller } = turns
    return {
      id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId,
      entrance: 'http',
      received,
      caller,
      head,
      body,
    }
  }

  /** CONNECT comes with a bare socket: it is refused by the same stages as any other method. */
  #tunnel(request: IncomingMessage, socket: Duplex): void {
    // Node took its own listener away: without one, a caller's reset would end the whole thread.
    socket.on('error', () => undefined)
    this.#refuse(socket, (reply) =>
      play(this.#open(socket as Socket, requestHead(request), null), reply, this.#gate),
    )
  }

  /** What the parser refused has no head to judge, yet gets its record and a problem document. */
  #unparsed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const turns = this.#turnsOf(socket)
    // What follows on a broken connection is thrown away until it closes.
    if (turns.broken && socket.writable) return
    turns.broken = true
    const reading = turns.reading?.complete === false ? turns.reading : null
    if (error.code === 'ECONNRESET' || reading?.unwanted === true) {
      socket.destroy()
    } else if (reading !== null) {
      // A call under way, or about to be: it answers for its own body.
      reading.broken(error)
    } else {
      const head: RequestHead = { method: '', target: '', httpVersion: '1.1', fields: [], secure: false }
      this.#refuse(socket, (reply) =>
        refuseUnparsed(this.#open(socket as Socket, head, null), error.code ?? '', reply, this.#gate),
      )
    }
  }

  #refuse(socket: Duplex, refusal: (reply: RawReply) => Promise<void>): void {
    const turn = async (): Promise<void> => {
      if (!socket.writable) return void socket.destroy()
      try {
        await refusal(new RawReply(socket, this.#limits.lingerMs))
      } catch (error) {
        this.#gate.fault('exchange', '', error)
        socket.destroy()
      }
    }
    if (!this.#turnsOf(socket).take(turn)) socket.destroy()
  }
}

/**
 * RFC 9112 §9.6: closed at once with bytes of a body still coming in, the reset would overtake the answer. So where
 * node ends the connection with an answer, our side is ended first, and what comes is thrown away for a while.
 */
function closeGently(socket: Socket, turns: Turns, lingerMs: number): void {
  const close = socket.destroySoon
  socket.destroySoon = () => {
    if (turns.reading?.complete !== false) return close.call(socket)
    socket.end()
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
}

export function requestHead(request: IncomingMessage): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion === '1.0' ? '1.0' : '1.1',
    fields: request.rawHeaders,
    secure: 'encrypted' in request.socket,
  }
}

export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

const UNKNOWN_CALLER: Caller = { bytes: new Uint8Array(16), text: '::', port: 0 }

export function callerOf(socket: Socket): Caller {
  const ip = parseIp(socket.remoteAddress ?? '')
  return ip === null ? UNKNOWN_CALLER : { bytes: ip.bytes, text: ip.text, port: socket.remotePort ?? 0 }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
