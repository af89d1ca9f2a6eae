import type { IncomingMessage, ServerResponse } from 'node:http'
import { SallyportError } from '../../model/errors.ts'
import type { Dispatch } from './middleware-lookup.ts'
import type { NodeMiddleware } from './middleware-node.ts'

/** The shapes of the frameworks that the gate stands in, as far as it needs them: none is imported. */

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown

export type ExpressMiddleware = (
  request: IncomingMessage & { readonly originalUrl?: string; readonly app?: unknown },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

export interface FastifyHost {
  addHook(
    name: 'onRequest',
    hook: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; hijack(): unknown },
      done: () => void,
    ) => void,
  ): unknown
  decorateRequest(
    name: 'sallyport',
    getter: { getter(this: { readonly raw: IncomingMessage }): unknown },
  ): unknown
  routing(request: IncomingMessage, response: ServerResponse): void
}

export type FastifyPlugin = (instance: FastifyHost, options: unknown, done: () => void) => void

/** In front of a listener of node's own. */
export function aroundListener(node: NodeMiddleware, listener: NodeListener): NodeListener {
  return (request, response) => {
    const goOn = (): unknown => listener(request, response)
    void node.play(request, response, { target: request.url ?? '', goOn }, listener)
  }
}

/** First of all that an application uses, at its root. */
export function forExpress(node: NodeMiddleware): ExpressMiddleware {
  const dispatches = new WeakMap<object, Dispatch>()
  const dispatchOf = (app: unknown): Dispatch => {
    if (typeof app !== 'function') return notDispatched
    let dispatch = dispatches.get(app)
    if (dispatch === undefined) {
      dispatch = (request, response) => void Reflect.apply(app, undefined, [request, response])
      dispatches.set(app, dispatch)
    }
    return dispatch
  }
  return (request, response, next) => {
    const target = request.originalUrl ?? request.url ?? ''
    // Below a path, the application would route by another target than was judged.
    if (target !== request.url)
      return next(
        new SallyportError('not-carried', 'the gate is to be mounted at the root: app.use(gate.express())'),
      )
    void node.play(request, response, { target, goOn: () => next() }, dispatchOf(request.app))
  }
}

/** A plugin for the root instance, registered before anything else. */
export function forFastify(node: NodeMiddleware): FastifyPlugin {
  const plugin: FastifyPlugin = (instance, _options, done) => {
    const dispatch: Dispatch = (request, response) => instance.routing(request, response)
    instance.decorateRequest('sallyport', {
      getter() {
        return 'sallyport' in this.raw ? this.raw.sallyport : undefined
      },
    })
    instance.addHook('onRequest', ({ raw: request }, reply, goOn) => {
      const target = request.url ?? ''
      let went = false
      const reroute = (): void => {
        // The router has chosen by the target as it came: it chooses again, by the one that was judged.
        went = true
        reply.hijack()
        instance.routing(request, reply.raw)
      }
      const passed = (): void => {
        went = true
        goOn()
      }
      void node.play(request, reply.raw, { target, goOn: passed, reroute }, dispatch).then(() => {
        if (!went) reply.hijack()
      })
    })
    done()
  }
  // Without a scope of its own: what it hooks into is the whole application.
  Object.defineProperty(plugin, Symbol.for('skip-override'), { value: true })
  Object.defineProperty(plugin, Symbol.for('fastify.display-name'), { value: 'sallyport' })
  return plugin
}

function notDispatched(): never {
  throw new SallyportError('not-carried', 'here the gate cannot ask the application whose an object is')
}
