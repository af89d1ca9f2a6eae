import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { createServer } from 'node:http2'
import type { DecisionPointSettings } from '../../model/channel.ts'
import type { ExchangeId } from '../../model/exchange.ts'
import { readCheckRequest } from '../../syntax/ext-authz.ts'
import {
  GRPC,
  type GrpcCode,
  PREFIX_BYTES,
  readMessage,
  readTimeout,
  writeMessage,
} from '../../syntax/grpc.ts'
import { noteUnheard } from '../admission.ts'
import { advise } from './asked.ts'
import { type DecisionPoint, type DecisionPorts, DecisionServer } from './decision-server.ts'
import { readCheck, writeCheck } from './ext-authz-call.ts'

export type ExtAuthzSettings = Extract<DecisionPointSettings, { kind: 'ext-authz' }>

const CHECK = '/envoy.service.auth.v3.Authorization/Check'
const HEALTH = '/grpc.health.v1.Health/Check'
/** HealthCheckResponse with status SERVING (1). */
const SERVING = Uint8Array.of(0x08, 0x01)

/** Askings under way on one connection; what comes beyond waits at the sender. */
const MAX_STREAMS = 256
/** Fields of an asking itself: gRPC's few. */
const MAX_HEAD_BYTES = 16_384
/** An asking without a deadline has this one, in ms; a longer one is cut to it. */
const MAX_DEADLINE_MS = 30_000

/**
 * Envoy's external authorization over gRPC: `envoy.service.auth.v3.Authorization/Check`, unary over cleartext HTTP/2.
 * What is no such request is answered with a gRPC error, which Envoy takes for a refusal; nothing but an allowed call
 * is answered OK.
 */
export class ExtAuthz implements DecisionPoint {
  readonly #settings: ExtAuthzSettings
  readonly #ports: DecisionPorts
  readonly #common: DecisionServer
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  constructor(settings: ExtAuthzSettings, ports: DecisionPorts) {
    this.#settings = settings
    this.#ports = ports
    this.#common = new DecisionServer(settings.key, settings.peers, ports.gate)
    this.#server = createServer({
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEAD_BYTES, enablePush: false },
    })
    this.#common.guard(this.#server)
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('error', () => undefined)
      session.once('close', () => this.#sessions.delete(session))
    })
    this.#server.on('sessionError', () => undefined)
    this.#server.on('stream', (stream, headers) => new Asking(this, stream, headers).begin())
  }

  get settings(): ExtAuthzSettings {
    return this.#settings
  }

  get ports(): DecisionPorts {
    return this.#ports
  }

  /** One asking has begun (1) or ended (-1). */
  count(by: 1 | -1): void {
    this.#common.underWay += by
  }

  listen(shared: boolean): Promise<void> {
    return this.#common.listen(this.#server, this.#settings.host, this.#settings.port, shared)
  }

  drain(withinMs: number): Promise<void> {
    return this.#common.drain(this.#server, withinMs, {
      // GOAWAY: what is under way ends, new askings go elsewhere.
      letGo: () => {
        for (const session of this.#sessions) session.close()
      },
      cut: () => {
        for (const session of this.#sessions) session.destroy()
      },
    })
  }
}

/** One unary request from its head to its trailers. */
class Asking {
  readonly #point: ExtAuthz
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #parts: Uint8Array[] = []
  #bytes = 0
  #answered = false
  #deadline: NodeJS.Timeout | undefined
  #exchange: ExchangeId | null = null

  constructor(point: ExtAuthz, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#point = point
    this.#stream = stream
    this.#headers = headers
  }

  begin(): void {
    const stream = this.#stream
    stream.on('error', () => undefined)
    this.#point.count(1)
    stream.once('close', () => {
      clearTimeout(this.#deadline)
      this.#point.count(-1)
    })
    const headers = this.#headers
    if (headers[':method'] !== 'POST') return this.#notGrpc(405)
    if (!/^application\/grpc(?:\+proto)?(?:;|$)/i.test(headers['content-type'] ?? ''))
      return this.#notGrpc(415)
    const path = headers[':path']
    if (path !== CHECK && path !== HEALTH) return this.#fail(GRPC.unimplemented, 'no such method')
    const encoding = headers['grpc-encoding']
    if (encoding !== undefined && encoding !== 'identity')
      return this.#fail(GRPC.unimplemented, 'compressed messages are not taken')
    const asked = headers['grpc-timeout']
    const timeout = asked === undefined ? MAX_DEADLINE_MS : readTimeout(String(asked))
    if (timeout === null) return this.#fail(GRPC.invalidArgument, 'grpc-timeout is not a duration')
    this.#deadline = setTimeout(
      () => this.#fail(GRPC.deadlineExceeded, 'not answered in time'),
      Math.min(timeout, MAX_DEADLINE_MS),
    )
    stream.on('data', (part: Uint8Array) => this.#take(part))
    stream.on('end', () => void this.#answer())
  }

  #take(part: Uint8Array): void {
    if (this.#answered) return
    this.#bytes += part.byteLength
    const { maxMessageBytes } = this.#point.settings
    if (this.#bytes > maxMessageBytes + PREFIX_BYTES)
      return this.#fail(GRPC.resourceExhausted, `the message is larger than ${maxMessageBytes} bytes`)
    this.#parts.push(part)
  }

  async #answer(): Promise<void> {
    if (this.#answered) return
    const { settings, ports } = this.#point
    const framed = readMessage(Buffer.concat(this.#parts, this.#bytes), settings.maxMessageBytes)
    this.#parts.length = 0
    if (!framed.ok) return this.#fail(framed.code, framed.why)
    if (this.#headers[':path'] === HEALTH) return this.#send(SERVING)
    const request = readCheckRequest(framed.message)
    if (request === null) return this.#fail(GRPC.invalidArgument, 'the message is no CheckRequest')
    try {
      const reading = readCheck(request, settings)
      const { id, advice } = advise(ports.gate, ports.random, 'ext-authz', reading)
      this.#exchange = id
      const response = writeCheck(await advice, request.fields)
      // Too late for who asked, or gone: the record says that nobody heard.
      if (this.#answered || this.#stream.destroyed) noteUnheard(ports.gate, id, 'the proxy left')
      else this.#send(response)
    } catch (error) {
      ports.gate.fault('ext-authz', this.#exchange ?? '', error)
      this.#fail(GRPC.internal, 'the call could not be judged')
    }
  }

  #send(message: Uint8Array): void {
    const stream = this.#stream
    if (this.#answered || stream.destroyed) return
    this.#answered = true
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(GRPC.ok) }))
    stream.end(writeMessage(message))
  }

  /** Trailers-Only; `why` is plain text of ours. */
  #fail(code: GrpcCode, why: string): void {
    this.#end({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': why.replaceAll('%', '%25'),
    })
  }

  #notGrpc(status: 405 | 415): void {
    this.#end({ ':status': status })
  }

  #end(head: Readonly<Record<string, string | number>>): void {
    const stream = this.#stream
    if (this.#answered || stream.destroyed) return
    this.#answered = true
    this.#parts.length = 0
    stream.respond({ ...head }, { endStream: true })
    // What still comes is not wanted.
    stream.resume()
    stream.close()
  }
}
