import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { listen, stop } from './listen.ts'
import type { OrderItem, ShopData } from './shop-data.ts'
import { newOrder, newPayment, seedShop } from './shop-data.ts'

// A plausible API server that nobody hardened. It is wrong on purpose: it checks no token, no owner and no
// role, lists everybody's orders, stores every field it is sent, takes prices from the caller, and answers
// with whole database rows. All of this is the gate's to stop; never fix it here.

/** One call as it reached the shop. `path` is the request target, query included. */
export interface UpstreamCall {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Shop {
  /** Origin and base path, e.g. `http://127.0.0.1:3000/v1`. */
  readonly url: string
  /** The last 100 calls, oldest first. */
  readonly calls: readonly UpstreamCall[]
  /** Calls the listener for each call, before it is answered. Returns how to stop that. */
  seen(listener: (call: UpstreamCall) => void): () => void
  close(): Promise<void>
}

export interface ShopOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Taken over and changed by the calls; left out: `seedShop()`. */
  readonly seed?: ShopData
}

interface Request {
  readonly id: string
  readonly query: URLSearchParams
  readonly headers: UpstreamCall['headers']
  readonly body: Readonly<Record<string, unknown>>
}

interface Answer {
  readonly status: number
  readonly body: object
}

type Route = readonly [method: string, path: RegExp, handle: (request: Request) => Answer]

const BASE_PATH = '/v1'
const CALLS_KEPT = 100

/** Rejects with node's own error (`EADDRINUSE`, `EACCES`, …) where the port cannot be had. */
export async function startShop(options: ShopOptions): Promise<Shop> {
  const answer = shopAnswers(options.seed)
  const calls: UpstreamCall[] = []
  const listeners = new Set<(call: UpstreamCall) => void>()

  const server = createServer((message, response) => {
    readBody(message).then(
      (body) => {
        const call = {
          method: message.method ?? '',
          path: message.url ?? '',
          headers: plainHeaders(message.headers),
          body,
        }
        calls.push(call)
        if (calls.length > CALLS_KEPT) calls.shift()
        for (const listener of listeners) listener(call)
        send(response, answer(call))
      },
      () => response.destroy(), // the caller left in the middle of its body
    )
  })
  const origin = await listen(server, options)
  return {
    url: origin + BASE_PATH,
    calls,
    seen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => stop(server),
  }
}

/** The shop without a socket: the answer to each call, over data that the calls change. */
export function shopAnswers(seed: ShopData = seedShop()): (call: UpstreamCall) => ShopAnswer {
  const routes = routesOver(seed)
  return (call) => {
    const { status, body } = answerFrom(routes, call)
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    return { status, type, body: Buffer.from(JSON.stringify(body)) }
  }
}

export interface ShopAnswer {
  readonly status: number
  /** Its media type. */
  readonly type: string
  readonly body: Buffer
}

function routesOver(data: ShopData): readonly Route[] {
  let nextOrder = highest(data.orders) + 1
  let nextPayment = highest(data.payments) + 1
  let nextRefund = 1
  const byId = <T extends { id: string }>(rows: T[], id: unknown) => rows.find((row) => row.id === id)
  const ok = (body: object | undefined) => (body ? { status: 200, body } : notFound())

  return [
    ['GET', /^\/health$/, () => ok({ status: 'ok', runtime: process.version, pid: process.pid })],
    ['GET', /^\/products$/, () => ok({ products: data.products })],
    [
      'GET',
      /^\/orders$/,
      ({ query }) => {
        const status = query.get('status')
        const found = data.orders.filter((order) => status === null || order.status === status)
        return ok({ orders: found.reverse().slice(0, Number(query.get('limit') ?? 20)) })
      },
    ],
    [
      'POST',
      /^\/orders$/,
      ({ headers, body }) => {
        const id = claimedSubject(headers)
        const buyer = byId(data.customers, id) ?? { id, email: '', passwordHash: '' }
        const order = Object.assign(newOrder(`o-${nextOrder}`, buyer, pricedItems(body['items'], data)), {
          ...body,
          items: pricedItems(body['items'], data),
        })
        nextOrder++
        data.orders.push(order)
        return { status: 201, body: order }
      },
    ],
    ['GET', /^\/orders\/([^/]+)$/, ({ id }) => ok(byId(data.orders, id))],
    ['PATCH', /^\/orders\/([^/]+)$/, ({ id, body }) => ok(massAssign(byId(data.orders, id), body))],
    ['GET', /^\/customers\/([^/]+)$/, ({ id }) => ok(byId(data.customers, id))],
    ['PATCH', /^\/customers\/([^/]+)$/, ({ id, body }) => ok(massAssign(byId(data.customers, id), body))],
    [
      'POST',
      /^\/payments$/,
      ({ body }) => {
        const order = byId(data.orders, body['orderId'])
        if (!order) return notFound()
        const payment = Object.assign(newPayment(`p-${nextPayment++}`, order), body)
        data.payments.push(payment)
        order.status = 'paid'
        return { status: 201, body: payment }
      },
    ],
    ['GET', /^\/payments\/([^/]+)$/, ({ id }) => ok(byId(data.payments, id))],
    ['GET', /^\/admin\/customers$/, () => ok({ customers: data.customers })],
    [
      'POST',
      /^\/admin\/refunds$/,
      ({ body }) => {
        const payment = byId(data.payments, body['paymentId'])
        if (!payment) return notFound()
        payment.status = 'refunded'
        const made = { id: `r-${nextRefund++}`, createdAt: new Date().toISOString(), iban: payment.iban }
        return { status: 201, body: { ...made, ...body } }
      },
    ],
  ]
}

function answerFrom(routes: readonly Route[], call: UpstreamCall): Answer {
  const { headers } = call
  const target = URL.parse(call.path, 'http://shop')
  if (!target?.pathname.startsWith(`${BASE_PATH}/`)) return notFound()
  const path = target.pathname.slice(BASE_PATH.length)
  for (const [method, pattern, handle] of routes) {
    const match = method === call.method ? pattern.exec(path) : null
    if (!match) continue
    try {
      const body = call.body === '' ? {} : asObject(JSON.parse(call.body))
      return handle({ id: match[1] ?? '', query: target.searchParams, headers, body })
    } catch (error) {
      return problem(400, 'Bad request', String(error))
    }
  }
  return notFound()
}

/** Any field may be set, the id and the owner too (OWASP API3: mass assignment). */
function massAssign(row: object | undefined, change: Readonly<Record<string, unknown>>): object | undefined {
  return row && Object.assign(row, change)
}

/** The catalogue's price, unless the caller names one. */
function pricedItems(items: unknown, data: ShopData): OrderItem[] {
  if (!Array.isArray(items)) throw new TypeError('items must be a list')
  return items.map((item: unknown) => {
    const { sku, quantity, ...more } = asObject(item)
    const product = data.products.find((candidate) => candidate.sku === sku)
    return { sku: String(sku), quantity: Number(quantity), price: product?.price ?? 0, ...more }
  })
}

/** Believes whatever the bearer token says, and checks no signature. */
function claimedSubject(headers: UpstreamCall['headers']): string {
  const payload = /^Bearer [^.]+\.([^.]+)\./i.exec(headers['authorization'] ?? '')?.[1]
  if (payload === undefined) return 'guest'
  const claims = asObject(JSON.parse(Buffer.from(payload, 'base64url').toString()))
  return typeof claims['sub'] === 'string' ? claims['sub'] : 'guest'
}

function notFound(): Answer {
  return problem(404, 'Not found', 'no row')
}

function problem(status: number, title: string, cause: string): Answer {
  return { status, body: { title, status, debug: { cause, file: import.meta.filename } } }
}

function send(response: ServerResponse, { status, type, body }: ShopAnswer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'x-powered-by': 'shop/1.0',
  })
  response.end(body)
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]))
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('not an object')
  return { ...value }
}

function highest(rows: readonly { id: string }[]): number {
  return Math.max(0, ...rows.map((row) => Number(row.id.slice(2))))
}
