import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { EmbeddedGate, GatedCall } from '../../src/middleware.ts'

// One small API, written in the way of each framework: it trusts whoever calls, and says more than its contract.

export interface Seen {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly forged: string | undefined
  readonly body: unknown
  readonly call: GatedCall | null | undefined
}

export interface RunningApp {
  readonly url: string
  readonly seen: Seen[]
  stop(): Promise<void>
}

const ORDERS: Readonly<Record<string, { id: string; customerId: string; secret: string }>> = {
  o1: { id: 'o1', customerId: 'alice', secret: 's1' },
  o2: { id: 'o2', customerId: 'ben', secret: 's2' },
}

export const ROWS = 2_000

function* rows(): Generator<string> {
  for (let i = 0; i < ROWS; i++) yield `row ${i},${'x'.repeat(100)}\n`
}

type Part = readonly [status: number, body: unknown]

function order(id: string): Part {
  const found = ORDERS[id]
  return found === undefined ? [404, { error: 'none' }] : [200, found]
}

const listed = (): Part => [200, { orders: Object.values(ORDERS), total: 2 }]
const made = (body: unknown): Part => [201, { id: 'o3', customerId: 'alice', secret: 's3', ...Object(body) }]

function parse(chunks: readonly Buffer[]): unknown {
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : JSON.parse(text)
}

export type Framework = 'node:http' | 'express' | 'fastify' | 'fastify, by its server' | 'hono'

/** `gate` null: nothing stands before it. */
export async function startApp(framework: Framework, gate: EmbeddedGate | null): Promise<RunningApp> {
  const seen: Seen[] = []
  const note = (request: IncomingMessage, body: unknown): void => {
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      authorization: request.headers.authorization,
      forged: String(
        request.headers['x-user-id'] ?? request.rawHeaders.find((name) => /^x-user-id$/i.test(name)),
      ),
      body,
      call: gate?.callOf(request),
    })
  }
  const apps: Readonly<Record<Framework, () => Promise<Server>>> = {
    'node:http': () => listening(nodeApp(note, gate)),
    express: () => listening(expressApp(note, gate)),
    fastify: () => fastifyApp(note, gate, 'plugin'),
    'fastify, by its server': () => fastifyApp(note, gate, 'server'),
    hono: async () => listening(await honoApp(note, gate)),
  }
  const server = await apps[framework]()
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Note = (request: IncomingMessage, body: unknown) => void
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

function listening(listener: Listener): Promise<Server> {
  const server = createServer(listener)
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

function nodeApp(note: Note, gate: EmbeddedGate | null): Listener {
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = parse(chunks)
    note(request, body)
    const { pathname } = new URL(request.url ?? '', 'http://app')
    const send = ([status, value]: Part): void => {
      response.setHeader('X-Powered-By', 'app')
      response.writeHead(status, { 'Content-Type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    const [, , , id = ''] = pathname.split('/')
    if (pathname === '/v1/fail') throw new Error('the handler failed')
    if (pathname === '/v1/rows') {
      response.setHeader('content-type', 'text/csv')
      return void Readable.from(rows()).pipe(response)
    }
    if (pathname === '/v1/slow') return
    if (pathname === '/healthz') return send([200, { ok: true }])
    if (pathname === '/v1/orders') return send(request.method === 'POST' ? made(body) : listed())
    if (pathname.startsWith('/v1/orders/')) return send(order(id))
    send([404, {}])
  }
  return gate === null ? listener : gate.handler(listener)
}

function expressApp(note: Note, gate: EmbeddedGate | null): Listener {
  const app = express()
  if (gate !== null) app.use(gate.express())
  app.use(express.json())
  app.use((request, _response, next) => {
    note(request, request.body)
    next()
  })
  const send = (response: express.Response, [status, body]: Part): void =>
    void response.status(status).json(body)
  app.get('/v1/orders', (_request, response) => send(response, listed()))
  app.post('/v1/orders', (request, response) => send(response, made(request.body)))
  app.all('/v1/orders/:id', (request, response) => send(response, order(request.params.id ?? '')))
  app.get('/v1/rows', (_request, response) => void Readable.from(rows()).pipe(response.type('text/csv')))
  app.get('/v1/slow', () => undefined)
  app.get('/v1/fail', () => {
    throw new Error('the handler failed')
  })
  app.get('/healthz', (_request, response) => send(response, [200, { ok: true }]))
  return app
}

async function fastifyApp(note: Note, gate: EmbeddedGate | null, how: 'plugin' | 'server'): Promise<Server> {
  const app =
    gate !== null && how === 'server'
      ? Fastify({ serverFactory: (listener) => createServer(gate.handler(listener)) })
      : Fastify()
  if (gate !== null && how === 'plugin') await app.register(gate.fastify())
  app.addHook('preHandler', async (request) => note(request.raw, request.body))
  app.get('/v1/orders', (_request, reply) => reply.send(listed()[1]))
  app.post('/v1/orders', (request, reply) => reply.code(201).send(made(request.body)[1]))
  app.route<{ Params: { id: string } }>({
    method: ['GET', 'PATCH'],
    url: '/v1/orders/:id',
    handler: (request, reply) => {
      const [status, body] = order(request.params.id)
      return reply.code(status).send(body)
    },
  })
  app.get('/v1/rows', (_request, reply) => reply.type('text/csv').send(Readable.from(rows())))
  app.get('/v1/slow', () => new Promise(() => undefined))
  app.get('/v1/fail', async () => {
    throw new Error('the handler failed')
  })
  app.get('/healthz', async () => ({ ok: true }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server
}

/** By a name the compiler does not follow: the package's types ask for a browser's. */
const NODE_SERVER: string = '@hono/node-server'

async function honoApp(note: Note, gate: EmbeddedGate | null): Promise<Listener> {
  const { getRequestListener }: { getRequestListener(fetch: unknown): Listener } = await import(NODE_SERVER)
  const app = new Hono<{ Bindings: { incoming?: IncomingMessage } }>()
  if (gate !== null) app.use(gate.hono(app))
  app.use(async (context, next) => {
    const { incoming } = context.env
    if (incoming !== undefined)
      note(incoming, !/^P/.test(context.req.method) ? undefined : await context.req.json())
    await next()
  })
  app.onError(() => Response.json({ error: 'failed' }, { status: 500 }))
  const json = ([status, body]: Part): Response => Response.json(body, { status })
  app.get('/v1/orders', () => json(listed()))
  app.post('/v1/orders', async (context) => json(made(await context.req.json())))
  app.on(['GET', 'PATCH'], '/v1/orders/:id', (context) => json(order(context.req.param('id'))))
  app.get('/v1/rows', (context) => {
    const stream = Readable.toWeb(Readable.from(rows()).map((row: string) => Buffer.from(row)))
    return context.body(stream as ReadableStream, 200, { 'Content-Type': 'text/csv' })
  })
  app.get('/v1/slow', () => new Promise<Response>(() => undefined))
  app.get('/v1/fail', () => {
    throw new Error('the handler failed')
  })
  app.get('/healthz', () => json([200, { ok: true }]))
  return getRequestListener(app.fetch)
}
