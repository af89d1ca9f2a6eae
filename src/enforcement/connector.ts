import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { Pool } from 'undici'
import { SallyportError } from '../model/errors.ts'
import type { Body, Source } from '../model/exchange.ts'
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../model/ports.ts'
import { PulledBody, type Tap } from './pulled-body.ts'

/** Resolves a host name without the libuv pool: from the table control hands over. */
export interface AddressBook {
  /** Addresses of the host in the order to try; null while control has not resolved it. */
  addresses(host: string): readonly { readonly address: string; readonly family: 4 | 6 }[] | null
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * The real upstream: HTTP/1.1 over kept-alive connections, one pool an origin. Answer bodies are pulled:
 * a caller that reads slowly stops the upstream's socket, not the gate's memory.
 */
export class Connector implements Upstream {
  readonly #pools = new Map<string, Pool>()
  readonly #book: AddressBook
  readonly #connections: number

  constructor(book: AddressBook, connections = 128) {
    this.#book = book
    this.#connections = connections
  }

  async call(request: UpstreamRequest): Promise<UpstreamAnswer> {
    try {
      return await this.#dispatch(request)
    } catch (error) {
      // A kept-alive connection the upstream closed while idle: nothing was answered, so an idempotent call
      // without a streamed body goes once more (RFC 9110 §9.2.2).
      const again = error instanceof SallyportError && error.data['stale'] === true
      if (!again || !IDEMPOTENT.has(request.method) || isSource(request.body)) throw error
      return this.#dispatch(request)
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.allSettled(pools.map((pool) => pool.destroy()))
  }

  #dispatch(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const pool = this.#pool(request.target.origin, request.connectTimeoutMs)
    return new Promise((resolve, reject) => {
      const answering = new Answering(request, resolve, reject)
      pool.dispatch(
        {
          path: request.path,
          method: request.method as Dispatcher.HttpMethod,
          headers: request.fields as string[],
          body: isSource(request.body) ? Readable.from(chunks(request.body)) : (request.body ?? null),
          headersTimeout: request.headTimeoutMs,
          bodyTimeout: request.bodyTimeoutMs,
        },
        answering,
      )
    })
  }

  #pool(origin: string, connectTimeoutMs: number): Pool {
    const existing = this.#pools.get(origin)
    if (existing) return existing
    const pool = new Pool(origin, {
      connections: this.#connections,
      pipelining: 1,
      keepAliveTimeout: 4_000,
      connect: {
        timeout: connectTimeoutMs,
        // Upstream names were resolved by control; a name it does not know is unreachable, not looked up here.
        lookup: (host, options, done) => {
          const found = this.#book.addresses(host) ?? []
          if (found.length === 0) {
            const unknown = new Error(`no address is known for ${host}`)
            return done(Object.assign(unknown, { code: 'ENOTFOUND' }), '', 4)
          }
          if (options.all)
            return done(
              null,
              found.map(({ address, family }) => ({ address, family })),
            )
          const first = found[0]
          return done(null, first?.address ?? '', first?.family ?? 4)
        },
      },
    })
    this.#pools.set(origin, pool)
    return pool
  }
}

export function isSource(body: Body | null): body is Source {
  return body !== null && !(body instanceof Uint8Array)
}

async function* chunks(source: Source): AsyncGenerator<Uint8Array> {
  for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) yield chunk
}

/** One dispatched request: undici's pushes become the pulls of a Source. */
class Answering implements Dispatcher.DispatchHandler, Tap {
  readonly #request: UpstreamRequest
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #reject: (error: unknown) => void
  readonly #pulled = new PulledBody(this)
  #controller: Dispatcher.DispatchController | null = null
  #headSeen = false
  #abandoned = false

  constructor(
    request: UpstreamRequest,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#request.onAbandon?.(() => {
      this.#abandoned = true
      controller.abort(new Error('nobody waits any more'))
    })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const fields = rawFields(controller.rawHeaders)
    if (status < 200) {
      this.#request.inform?.(status, fields)
      return
    }
    this.#headSeen = true
    this.#resolve({ status, fields, body: this.#pulled })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#pulled.push(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#pulled.end(rawFields(controller.rawTrailers))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const fault = upstreamFault(error, this.#headSeen, this.#abandoned)
    if (this.#headSeen) this.#pulled.fail(fault)
    else this.#reject(fault)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  stop(why: string): void {
    this.#controller?.abort(new Error(why))
  }
}

function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  // Field values are octets (RFC 9110 §5.5): latin1 keeps them one to one.
  return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')))
}

/** Codes of a connection that never came about; with every other one the upstream was there and failed. */
const NO_CONNECTION =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/

function upstreamFault(error: Error, headSeen: boolean, abandoned: boolean): SallyportError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (abandoned)
    return new SallyportError('upstream-broken', 'the caller left, so the call was given up', { abandoned })
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return new SallyportError('upstream-timeout', 'the upstream did not answer in time', { code }, error)
  if (!headSeen && NO_CONNECTION.test(code))
    return new SallyportError('upstream-unreachable', 'the upstream cannot be reached', { code }, error)
  const stale = !headSeen && (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
  return new SallyportError(
    'upstream-broken',
    'the upstream broke off or sent what is not HTTP',
    { code, stale },
    error,
  )
}
