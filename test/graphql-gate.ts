import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type * as GraphqlJs from 'graphql'
import type * as GraphqlHttp from 'graphql-http'
import { Connector } from '../src/enforcement/connector.ts'
import { Listener } from '../src/enforcement/entrances/listener.ts'
import { systemRandom } from '../src/roles/system.ts'
import { configFolder } from './config-folder.ts'
import { type MemoryGate, memoryGate } from './memory-gate.ts'
import { accessToken, testKey } from './token-issuer.ts'

// A gate on a real socket before a GraphQL server on another, with what the record says at hand.

// One instance of graphql-js for the server and what it runs on.
const require = createRequire(import.meta.url)
const { buildSchema } = require('graphql') as typeof GraphqlJs
const { createHandler } = require('graphql-http') as typeof GraphqlHttp

const ISSUER = 'https://idp.example'
const KEY = testKey('ES256')

export const SHOP = `
"""Everything a shop sells and whom to."""
type Query {
  orders(first: Int, filter: OrderFilter): [Order!]!
  order(id: ID!): Order
  search(text: String!): [Found!]!
  page(first: Int, last: Int): OrderPage!
  me: User!
  query: Query
}
type Mutation {
  refund(id: ID!, amount: Float): Order
  login(name: String!): String
}
type Subscription { moved: Order }
interface Node { id: ID! }
type Order implements Node { id: ID! total: Float state: State customer: User lines: [Line!]! internalNotes: String @deprecated(reason: "old") }
type Line implements Node { id: ID! product: String amount: Int }
type User implements Node { id: ID! name: String friends: [User!]! orders(first: Int): [Order!]! secret: String }
union Found = Order | User
type OrderPage { edges: [OrderEdge!]! nodes: [Order!]! total: Int }
type OrderEdge { node: Order cursor: String }
enum State { OPEN PAID }
input OrderFilter { state: State, min: Int, max: Float, ids: [ID!], not: OrderFilter }
`

export const POLICIES = `
@id("customers") permit (principal is User, action in [Action::"shop.Query.orders", Action::"shop.Query.order", Action::"shop.Query.me", Action::"shop.Query.search", Action::"shop.Query.page", Action::"shop.Query.query", Action::"shop.Query.__typename", Action::"shop.Mutation.__typename", Action::"shop.Mutation.login"], resource);
@id("staff") permit (principal in Group::"corp/staff", action in Action::"shop/all", resource);
@id("blocked") forbid (principal in Group::"corp/blocked", action, resource);
`

export interface GraphqlGateOptions {
  readonly mode?: 'enforce' | 'observe'
  /** Lines of the API's graphql settings, indented by six. */
  readonly graphql?: string
  readonly api?: string
  readonly policies?: string
  readonly files?: Readonly<Record<string, string>>
  /** Answers in place of the server's. */
  readonly answer?: (body: string) => { status?: number; type?: string; body: string } | null
  readonly candidatePolicies?: string
}

export interface GraphqlGate extends MemoryGate {
  readonly url: string
  readonly config: string
  /** Bodies and targets that came upstream. */
  readonly came: { readonly method: string; readonly url: string; readonly body: string }[]
  token(sub: string, over?: Readonly<Record<string, unknown>>): string
  ask(
    body: unknown,
    over?: { token?: string; headers?: Readonly<Record<string, string>> },
  ): Promise<{ status: number; headers: Headers; json: unknown; text: string; id: string }>
  stop(): Promise<void>
}

export async function graphqlGate(options: GraphqlGateOptions = {}): Promise<GraphqlGate> {
  const came: GraphqlGate['came'] = []
  const order = { id: 'o1', total: 19.99, state: 'PAID', internalNotes: 'do not tell', lines: [] }
  const handle = createHandler({
    schema: buildSchema(SHOP),
    rootValue: {
      orders: () => [order, { ...order, id: 'o2' }],
      order: () => order,
      page: () => ({ edges: [{ node: order, cursor: 'c' }], nodes: [order], total: 1 }),
      search: () => [
        { __typename: 'Order', ...order },
        { __typename: 'User', id: 'u1', name: 'ana' },
      ],
      me: () => ({ id: 'u1', name: 'ana', friends: [], secret: 's' }),
      refund: () => order,
      login: () => 'in',
      query: () => ({ me: () => ({ id: 'u1' }) }),
    },
  })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      came.push({ method: request.method ?? '', url: request.url ?? '', body })
      const other = options.answer?.(body) ?? null
      if (other !== null) {
        response.writeHead(other.status ?? 200, { 'content-type': other.type ?? 'application/json' })
        response.end(other.body)
        return
      }
      const { method = '', url = '', headers } = request
      void handle({ method, url, headers, body, raw: request, context: undefined }).then(([text, init]) => {
        response.writeHead(init.status, init.statusText, init.headers)
        response.end(text)
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const folder = configFolder()
  const text = (policies: string): string => `listen: { host: 127.0.0.1, port: 0 }
identity: { issuers: { corp: { issuer: "${ISSUER}" } } }
apis:
  shop:
    graphql:
      schema: ./shop.graphql
${options.graphql ?? ''}
    upstream: ${origin}
    owner: team
    identity: { accept: [corp], audience: shop }
    mode: ${options.mode ?? 'enforce'}
${options.api ?? ''}
policies: ./${policies}
store: ./data
`
  const config = folder.write({
    'sallyport.yaml': text('policies'),
    'candidate.yaml': text('candidate'),
    'shop.graphql': SHOP,
    'policies/shop.cedar': options.policies ?? POLICIES,
    'candidate/shop.cedar': options.candidatePolicies ?? POLICIES,
    ...options.files,
  })
  const connector = new Connector({ addresses: () => [{ address: '127.0.0.1', family: 4 }] })
  const made = memoryGate({
    config,
    upstream: connector,
    keys: { corp: { iss: ISSUER, keys: [KEY] } },
    ...(options.candidatePolicies === undefined
      ? {}
      : { candidate: { config: folder.at('candidate.yaml') } }),
  })
  const listener = new Listener(made.gate, systemRandom(), {
    headBytes: 32_768,
    headMs: 2_000,
    requestMs: 10_000,
    idleMs: 3_000,
    lingerMs: 300,
    stallMs: 500,
  })
  const port = await listener.listen('127.0.0.1', 0, false)
  const url = `http://127.0.0.1:${port}/graphql`
  const token = (sub: string, over: Readonly<Record<string, unknown>> = {}): string => {
    const now = Math.floor(Date.now() / 1000)
    const jti = crypto.randomUUID()
    return accessToken(KEY, {
      iss: ISSUER,
      sub,
      aud: 'shop',
      client_id: 'web',
      jti,
      iat: now,
      exp: now + 300,
      ...over,
    })
  }
  return {
    ...made,
    url,
    config,
    came,
    token,
    ask: async (body, { token: own = token('ana'), headers = {} } = {}) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${own}`, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const answered = await response.text()
      const id = response.headers.get('sallyport-exchange') ?? ''
      return {
        status: response.status,
        headers: response.headers,
        json: parsed(answered),
        text: answered,
        id,
      }
    },
    stop: async () => {
      await listener.drain(0)
      await connector.close()
      server.closeAllConnections()
      server.close()
      made.close()
      folder.remove()
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
