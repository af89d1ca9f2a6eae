import type { GatedCall } from './enforcement/entrances/middleware.ts'
import {
  aroundListener,
  type ExpressMiddleware,
  type FastifyPlugin,
  forExpress,
  forFastify,
  type NodeListener,
} from './enforcement/entrances/middleware-frameworks.ts'
import { forHono, type HonoApp, type HonoMiddleware } from './enforcement/entrances/middleware-hono.ts'
import { NodeMiddleware } from './enforcement/entrances/middleware-node.ts'
import { Embedded, type EmbeddedStats } from './roles/embedded.ts'
import { say } from './roles/system.ts'

export type { GatedCall, GatedSubject } from './enforcement/entrances/middleware.ts'
export type {
  ExpressMiddleware,
  FastifyPlugin,
  NodeListener,
} from './enforcement/entrances/middleware-frameworks.ts'
export type { HonoMiddleware } from './enforcement/entrances/middleware-hono.ts'
export { SallyportError } from './model/errors.ts'

export interface OpenGateOptions {
  /** Path of the configuration; `./sallyport.yaml` unless told. */
  readonly config?: string
  /**
   * A call whose path begins like no API's: `deny` refuses and records it; `next` passes it on unjudged and
   * unrecorded, such as health probes and static files.
   */
  readonly unmatched?: 'deny' | 'next'
  /** Reload when the configuration's files change; true unless told. */
  readonly watch?: boolean
  /** Gets the gate's own log, a line each; stderr unless told. Never a value of a call. */
  readonly log?: (line: string) => void
}

/** The gate inside this process: identity, contract, policies and record before and after your own handlers. */
export interface EmbeddedGate {
  /** `app.use(gate.express())` before everything else. */
  express(): ExpressMiddleware
  /** `await app.register(gate.fastify())` before everything else. */
  fastify(): FastifyPlugin
  /** `app.use(gate.hono(app))` before everything else; served by `@hono/node-server`. */
  hono(app?: HonoApp): HonoMiddleware
  /** `createServer(gate.handler(listener))`. */
  handler(listener: NodeListener): NodeListener
  /** Who calls, for what, and what was decided; null where no API claims the path, undefined where the gate was not asked. */
  callOf(request: object): GatedCall | null | undefined
  /** Compiles the configuration anew and puts it in force; rejects, and leaves the last good one, where it is wrong. */
  reload(): Promise<{ readonly bundle: string; readonly operations: number }>
  /** Lets calls under way end, closes the record and gives the store back. Calls that come later are refused. */
  close(): Promise<void>
  readonly stats: EmbeddedStats
}

/**
 * Opens the gate of a configuration in this process. It holds the configuration's store as a running gate does, so one
 * store serves one process.
 *
 * @throws SallyportError `config-*`, `contract-invalid`, `policy-*`, `store-in-use` and others that keep a gate from
 *   starting; see docs/reference/errors.md
 */
export async function openGate(options: OpenGateOptions = {}): Promise<EmbeddedGate> {
  const { config = './sallyport.yaml', unmatched = 'deny', watch = true, log = say } = options
  const embedded = await Embedded.open({ config, unmatched, watch, say: log })
  const { middleware } = embedded
  const node = new NodeMiddleware(middleware)
  return {
    express: () => forExpress(node),
    fastify: () => forFastify(node),
    hono: (app) => forHono(middleware, app),
    handler: (listener) => aroundListener(node, listener),
    callOf: (request) => middleware.callOf(request),
    reload: async () => {
      const { hash, operations } = await embedded.reload('program')
      return { bundle: hash, operations }
    },
    close: () => embedded.close(),
    get stats() {
      return embedded.stats
    },
  }
}
