import type { IncomingMessage, ServerResponse } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { Reply } from '../../model/exchange.ts'
import type { Upstream } from '../../model/ports.ts'
import { HttpReply } from './http-reply.ts'
import { DEFAULT_LISTENER_LIMITS } from './listener.ts'
import type { Middleware } from './middleware.ts'
import { takeAnswer } from './middleware-answer.ts'
import { AppLookups, type Dispatch } from './middleware-lookup.ts'
import { showJudged } from './middleware-request.ts'
import { Turns } from './turns.ts'

/** How a framework goes on with a request. */
export interface NodeHost {
  /** Target as it came on the wire, before anything was mounted on a part of it. */
  readonly target: string
  /** Goes on. A promise it gives back settles the application's part, and rejects where it failed. */
  goOn(): unknown
  /** Goes on where the judged target is written otherwise than the one the framework found its route by. */
  reroute?(): unknown
}

export class NodeMiddleware {
  readonly #middleware: Middleware
  readonly #turns = new WeakMap<object, Turns>()
  readonly #lookups = new WeakMap<Dispatch, Upstream>()

  constructor(middleware: Middleware) {
    this.#middleware = middleware
  }

  /** Settles when the answer is out. Never rejects. */
  play(
    request: IncomingMessage,
    response: ServerResponse,
    host: NodeHost,
    dispatch: Dispatch,
  ): Promise<void> {
    if (this.#middleware.callOf(request) !== undefined) {
      host.goOn()
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      // What is sent ahead on a connection waits: no answer is made that could not go out yet.
      const turn = (): Promise<void> => this.#play(request, response, host, dispatch).then(resolve, resolve)
      if (!this.#turnsOf(request).take(turn)) request.socket.destroy()
    })
  }

  #turnsOf({ socket }: IncomingMessage): Turns {
    let turns = this.#turns.get(socket)
    if (turns === undefined) {
      const made = new Turns()
      turns = made
      this.#turns.set(socket, made)
      socket.once('close', () => made.drop())
    }
    return turns
  }

  async #play(
    request: IncomingMessage,
    response: ServerResponse,
    host: NodeHost,
    dispatch: Dispatch,
  ): Promise<void> {
    const middleware = this.#middleware
    const { exchange, body } = middleware.open(request, host.target)
    if (middleware.isUnclaimed(exchange)) {
      middleware.mark(request, null)
      return void host.goOn()
    }
    if (body !== null && request.readableEnded)
      middleware.fault(
        exchange.id,
        new SallyportError('not-carried', 'a body parser is mounted before the gate: mount the gate first'),
      )
    const taken = takeAnswer(response, request.method === 'HEAD')
    const { stallMs, lingerMs } = DEFAULT_LISTENER_LIMITS
    const reply: Reply = new HttpReply(taken.answering, stallMs, () => false)
    try {
      if (request.httpVersionMajor !== 1) return await middleware.refuseVersion(exchange, reply)
      await middleware.play(
        exchange,
        reply,
        (judged, seen, times, { body: bytes, bodyChanged }) => {
          const rerouted = judged.target !== request.url
          showJudged(request, judged)
          if (bodyChanged && bytes !== null) body?.replace(bytes)
          middleware.mark(request, seen)
          taken.begin(times)
          const broken = (message: string, data: { readonly abandoned?: boolean }, cause?: unknown): void =>
            taken.abandon(new SallyportError('upstream-broken', message, { ...data }, cause))
          reply.onGone(() => broken('the caller left, so the call was given up', { abandoned: true }))
          const failed = (error: unknown): void => {
            middleware.fault(exchange.id, error)
            broken('the application failed', {}, error)
          }
          try {
            const going = rerouted && host.reroute !== undefined ? host.reroute() : host.goOn()
            if (going instanceof Promise) going.catch(failed)
          } catch (error) {
            failed(error)
          }
          return taken.head
        },
        this.#lookupsBy(dispatch),
      )
    } catch (error) {
      middleware.fault(exchange.id, error)
    }
    if (!taken.answering.writableFinished && !response.destroyed) response.destroy()
    if (body === null || request.complete) return
    body.cancel()
    setTimeout(() => {
      if (!request.complete) request.socket.destroy()
    }, lingerMs).unref()
  }

  #lookupsBy(dispatch: Dispatch): Upstream {
    let lookups = this.#lookups.get(dispatch)
    if (lookups === undefined) {
      lookups = new AppLookups(this.#middleware, dispatch)
      this.#lookups.set(dispatch, lookups)
    }
    return lookups
  }
}
