import type { IncomingMessage, ServerResponse } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { Answer, Delivery, RawFields, Reply, Source } from '../../model/exchange.ts'
import { finding } from '../../model/fact.ts'
import type { Upstream, UpstreamAnswer, UpstreamRequest } from '../../model/ports.ts'
import { reason } from '../../model/reason.ts'
import { parseTarget } from '../../syntax/uri.ts'
import { type AnswerTimes, type Middleware, NO_LOOKUPS } from './middleware.ts'
import { lookupSeen } from './middleware-lookup.ts'
import { type JudgedRequest, showJudged } from './middleware-request.ts'

/** Hono's shapes, as far as the gate needs them. */
export interface HonoContext {
  readonly env: unknown
  readonly req: { readonly raw: Request }
  res: Response | undefined
  readonly error?: unknown
  set(key: string, value: unknown): void
}

export type HonoMiddleware = (
  context: HonoContext,
  next: () => Promise<void>,
) => Promise<undefined | Response>

export interface HonoApp {
  fetch(request: Request, env?: object): Response | Promise<Response>
}

interface Bindings {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/**
 * The gate in a Hono application that `@hono/node-server` serves: what came is read from node's own message, whose
 * head is as it was on the wire. `app`: where look-ups are asked.
 */
export function forHono(middleware: Middleware, app?: HonoApp): HonoMiddleware {
  const lookups = app === undefined ? NO_LOOKUPS : new HonoLookups(middleware, app)
  return async (context, next) => {
    const bindings = bindingsOf(context.env)
    const asked = lookupOf(context.env)
    if (asked !== null && middleware.callOf(asked) !== undefined) {
      context.set('sallyport', middleware.callOf(asked))
      await next()
      return
    }
    if (bindings === null)
      throw new SallyportError(
        'not-carried',
        'the gate needs node’s own messages: serve by @hono/node-server',
      )
    const { incoming, outgoing } = bindings
    const known = middleware.callOf(incoming)
    if (known !== undefined) {
      await next()
      return
    }
    const { exchange, body } = middleware.open(incoming, incoming.url ?? '')
    if (middleware.isUnclaimed(exchange)) {
      middleware.mark(incoming, null)
      context.set('sallyport', null)
      await next()
      return
    }
    const target = parseTarget(incoming.url ?? '')
    if (target.ok && target.path !== pathOf(incoming.url ?? '')) {
      // Hono has chosen its handlers by the path as it came, and cannot choose again.
      const found = finding(
        reason('target-invalid', 'hygiene', { rule: 'not-canonical' }, 'the path is escaped'),
        true,
      )
      const { status, fields, body: problem } = await middleware.refuse(exchange, found)
      body?.cancel()
      return new Response(new Uint8Array(problem), { status, headers: headersOf(fields) })
    }
    const reply = new HonoReply(outgoing)
    const played = middleware.play(
      exchange,
      reply,
      (judged, seen, times, { body: bytes }) => {
        if (pathOf(judged.target) !== pathOf(incoming.url ?? ''))
          throw new SallyportError(
            'not-carried',
            'Hono has chosen by another path than the one that was judged',
          )
        if (queryOf(judged.target) !== queryOf(incoming.url ?? '').replaceAll(';', '%3B'))
          throw new SallyportError(
            'not-carried',
            'Hono reads the query as it came, and some of it was taken out',
          )
        showJudged(incoming, { target: incoming.url ?? '', fields: judged.fields })
        showHeaders(context.req.raw.headers, judged)
        // Read by Hono's server in the stream's stead: the judged bytes.
        if (bytes !== null) Object.defineProperty(incoming, 'rawBody', { value: Buffer.from(bytes) })
        middleware.mark(incoming, seen)
        context.set('sallyport', seen)
        return answerOf(context, next, times, reply)
      },
      lookups,
    )
    played.catch((error: unknown) => {
      middleware.fault(exchange.id, error)
      reply.fail(error)
    })
    const response = await reply.response
    void played.finally(() => {
      if (body === null || incoming.complete) return
      body.cancel()
    })
    // Hono would add the fields of an answer that is there to the one put in its place.
    context.res = undefined
    context.res = response
    return undefined
  }
}

async function answerOf(
  context: HonoContext,
  next: () => Promise<void>,
  times: AnswerTimes,
  reply: HonoReply,
): Promise<UpstreamAnswer> {
  await within(next(), times.headMs, reply)
  const { res } = context
  if (res === undefined) throw new SallyportError('upstream-broken', 'the application gave no answer')
  return upstreamAnswer(res, times.bodyMs)
}

/** Rejects once it takes too long, or nobody waits any more. */
async function within<T>(work: Promise<T>, ms: number, reply: Pick<Reply, 'onGone'>): Promise<T> {
  let timer: NodeJS.Timeout | null = null
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new SallyportError('upstream-timeout', 'the application did not answer in time')),
      ms,
    )
    reply.onGone(() =>
      reject(
        new SallyportError('upstream-broken', 'the caller left, so the call was given up', {
          abandoned: true,
        }),
      ),
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    if (timer !== null) clearTimeout(timer)
  }
}

function upstreamAnswer(response: Response, bodyMs: number): UpstreamAnswer {
  const fields: string[] = []
  for (const [name, value] of response.headers) fields.push(name, value)
  return { status: response.status, fields, body: new ResponseSource(response, bodyMs) }
}

class ResponseSource implements Source {
  readonly trailers = []
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null
  readonly #ms: number
  #cancelled = false

  constructor(response: Response, ms: number) {
    this.#reader = response.body === null ? null : response.body.getReader()
    this.#ms = ms
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#reader === null || this.#cancelled) return null
    try {
      const { done, value } = await within(this.#reader.read(), this.#ms, { onGone: () => undefined })
      return done ? null : value
    } catch (error) {
      if (this.#cancelled) return null
      if (error instanceof SallyportError) throw error
      throw new SallyportError('upstream-broken', 'the application broke off', {}, error)
    }
  }

  cancel(why: string): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#reader?.cancel(why).catch(() => undefined)
  }
}

/** The answer as a Response, which Hono gives to its server; whether it got through, node's message says. */
class HonoReply implements Reply {
  readonly response: Promise<Response>
  readonly #outgoing: ServerResponse
  #resolve: (response: Response) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #taken = 0

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get gone(): boolean {
    return this.#outgoing.destroyed
  }

  onGone(listener: () => void): void {
    if (this.#outgoing.destroyed) return listener()
    this.#outgoing.once('close', () => {
      if (!this.#outgoing.writableFinished) listener()
    })
  }

  inform(): void {}

  fail(error: unknown): void {
    this.#reject(error)
  }

  send({ status, fields, body }: Answer): Promise<Delivery> {
    const outgoing = this.#outgoing
    const delivered = new Promise<Delivery>((resolve) => {
      outgoing.once('finish', () => resolve({ complete: true }))
      outgoing.once('close', () => resolve({ complete: false, bytes: this.#taken, why: 'the caller left' }))
      if (outgoing.destroyed) resolve({ complete: false, bytes: 0, why: 'the caller left' })
    })
    const headers = headersOf(fields)
    const content =
      body instanceof Uint8Array ? new Uint8Array(body) : body === null ? null : this.#stream(body)
    this.#resolve(new Response(status === 204 || status === 304 ? null : content, { status, headers }))
    return delivered
  }

  #stream(source: Source): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const chunk = await source.read()
        if (chunk === null) return controller.close()
        this.#taken += chunk.byteLength
        controller.enqueue(new Uint8Array(chunk))
      },
      cancel: () => source.cancel('the caller left'),
    })
  }
}

/** Look-ups through the application's own `fetch`, marked as the gate's. */
class HonoLookups implements Upstream {
  readonly #middleware: Middleware
  readonly #app: HonoApp

  constructor(middleware: Middleware, app: HonoApp) {
    this.#middleware = middleware
    this.#app = app
  }

  async call({ path, headTimeoutMs, bodyTimeoutMs }: UpstreamRequest): Promise<UpstreamAnswer> {
    const request = new Request(`http://sallyport.invalid${path}`, {
      headers: { Accept: 'application/json' },
    })
    const env: LookupBindings = { sallyportLookup: {} }
    this.#middleware.mark(env.sallyportLookup, lookupSeen())
    const answer = Promise.resolve(this.#app.fetch(request, env))
    return upstreamAnswer(await within(answer, headTimeoutMs, { onGone: () => undefined }), bodyTimeoutMs)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface LookupBindings {
  readonly sallyportLookup: object
}

function lookupOf(env: unknown): object | null {
  if (typeof env !== 'object' || env === null || !('sallyportLookup' in env)) return null
  const { sallyportLookup } = env
  return typeof sallyportLookup === 'object' ? sallyportLookup : null
}

function bindingsOf(env: unknown): Bindings | null {
  if (typeof env !== 'object' || env === null || !('incoming' in env) || !('outgoing' in env)) return null
  return env as Bindings
}

function headersOf(fields: RawFields): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < fields.length; i += 2) headers.append(fields[i] ?? '', fields[i + 1] ?? '')
  return headers
}

function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end < 0 ? target : target.slice(0, end)
}

const queryOf = (target: string): string => target.slice(pathOf(target).length)

/** The request's fields as Hono holds them, which may be a copy. */
function showHeaders(headers: Headers, { fields }: JudgedRequest): void {
  const judged = headersOf(fields)
  for (const name of [...headers.keys()]) if (!judged.has(name)) headers.delete(name)
  for (const name of ['content-length', 'accept-encoding']) {
    const value = judged.get(name)
    if (value !== null) headers.set(name, value)
  }
}
