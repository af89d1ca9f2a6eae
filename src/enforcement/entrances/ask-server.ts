import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { DecisionPointSettings } from '../../model/channel.ts'
import type { EntranceName, RawFields } from '../../model/exchange.ts'
import { finding } from '../../model/fact.ts'
import { reason } from '../../model/reason.ts'
import { type Advice, noteUnheard, type Refusal } from '../admission.ts'
import { advise, type Reading } from './asked.ts'
import { type DecisionPoint, type DecisionPorts, DecisionServer } from './decision-server.ts'

/** How one kind of proxy asks over HTTP/1.1 and is answered. */
export interface Manner {
  readonly entrance: EntranceName
  /** Of the asking's own body, which some proxies fill with the call's; 0: it is not read. */
  readonly maxBodyBytes: number
  read(asking: Asking): Reading
  answer(advice: Advice, asking: Asking): Refusal
}

export interface Asking {
  readonly method: string
  readonly target: string
  readonly fields: RawFields
  readonly body: Uint8Array
}

/** From the head's first byte to the asking's last, in ms. */
const HEAD_MS = 10_000
const ASKING_MS = 30_000

/** Decisions asked for over HTTP/1.1, one request each. */
export class AskServer implements DecisionPoint {
  readonly #settings: DecisionPointSettings
  readonly #ports: DecisionPorts
  readonly #manner: Manner
  readonly #common: DecisionServer
  readonly #server: Server

  constructor(settings: DecisionPointSettings, manner: Manner, ports: DecisionPorts, headBytes: number) {
    this.#settings = settings
    this.#ports = ports
    this.#manner = manner
    this.#common = new DecisionServer(settings.key, settings.peers, ports.gate)
    this.#server = createServer({
      requireHostHeader: false,
      insecureHTTPParser: false,
      maxHeaderSize: headBytes,
      headersTimeout: HEAD_MS,
      requestTimeout: ASKING_MS,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
    })
    // Node drops fields beyond this count silently: the hygiene stage counts them instead.
    this.#server.maxHeadersCount = 0
    this.#common.guard(this.#server)
    const take = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#take(request, response)
    this.#server.on('request', take)
    this.#server.on('checkContinue', take)
    this.#server.on('checkExpectation', take)
  }

  listen(shared: boolean): Promise<void> {
    return this.#common.listen(this.#server, this.#settings.host, this.#settings.port, shared)
  }

  drain(withinMs: number): Promise<void> {
    return this.#common.drain(this.#server, withinMs, {
      letGo: () => this.#server.closeIdleConnections(),
      cut: () => this.#server.closeAllConnections(),
    })
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { gate, random } = this.#ports
    this.#common.underWay += 1
    try {
      const body = await readAll(request, this.#manner.maxBodyBytes)
      const { method = '', url: target = '', rawHeaders: fields } = request
      const asking: Asking = { method, target, fields, body: body ?? new Uint8Array(0) }
      const reading = body === null ? TOO_LARGE : this.#manner.read(asking)
      const { id, advice } = advise(gate, random, this.#manner.entrance, reading)
      const answer = this.#manner.answer(await advice, asking)
      if (response.destroyed) noteUnheard(gate, id, 'the proxy left')
      else this.#send(answer, request, response)
    } catch (error) {
      gate.fault(this.#manner.entrance, '', error)
      if (!response.headersSent) response.writeHead(500, { 'Content-Length': '0', Connection: 'close' })
      response.end()
    }
    this.#common.underWay -= 1
  }

  #send({ status, fields, body }: Refusal, request: IncomingMessage, response: ServerResponse): void {
    // What was not read would be taken for the next asking.
    const last = this.#common.draining || !request.complete
    response.writeHead(status, last ? [...fields, 'Connection', 'close'] : [...fields])
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

const TOO_LARGE: Reading = {
  ok: false,
  finding: finding(reason('body-too-large', 'hygiene', { asking: true }), true),
}

/** Null where there is more than `limit`; nothing is read where that is 0. Rejects where the sender breaks off. */
export function readAll(request: IncomingMessage, limit: number): Promise<Uint8Array | null> {
  if (limit === 0) return Promise.resolve(new Uint8Array(0))
  const parts: Uint8Array[] = []
  let total = 0
  return new Promise((resolve, reject) => {
    request.on('data', (part: Uint8Array) => {
      total += part.byteLength
      if (total <= limit) parts.push(part)
      else {
        request.pause()
        resolve(null)
      }
    })
    request.on('end', () => resolve(Buffer.concat(parts, total)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the proxy left')))
  })
}
