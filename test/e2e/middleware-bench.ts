import { request } from 'node:http'
import { readRecords } from '../../src/audit/read.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import type { IssuerServer } from './issuer-server.ts'

// What the tests of the gate inside a service have in common: its contract, policies and configuration, and callers.

const json = (schema: string): string =>
  `{ description: ok, content: { application/json: { schema: ${schema} } } }`
const ORDER =
  '{ type: object, properties: { id: { type: string }, customerId: { type: string }, item: { type: string } } }'
const BODY =
  '{ required: true, content: { application/json: { schema: { type: object, additionalProperties: false, required: [item], properties: { item: { type: string, maxLength: 100000 } } } } } }'
const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
servers: [{ url: /v1 }]
paths:
  /orders:
    get:
      operationId: listOrders
      security: [{ oauth: ['orders:read'] }]
      responses: { '200': ${json(`{ type: object, properties: { orders: { type: array, items: ${ORDER} }, total: { type: integer } } }`)} }
    post: { operationId: createOrder, security: [{ oauth: ['orders:write'] }], requestBody: ${BODY}, responses: { '201': ${json(ORDER)} } }
  /orders/{orderId}:
    parameters: [{ name: orderId, in: path, required: true, schema: { type: string, maxLength: 8 } }]
    get: { operationId: getOrder, security: [{ oauth: ['orders:read'] }], responses: { '200': ${json(ORDER)}, '404': { description: none } } }
    patch: { operationId: updateOrder, security: [{ oauth: ['orders:write'] }], requestBody: ${BODY}, responses: { '200': ${json(ORDER)}, '404': { description: none } } }
  /rows:
    get: { operationId: getRows, security: [], responses: { '200': { description: rows, content: { text/csv: { schema: { type: string } } } } } }
    head: { operationId: headRows, security: [], responses: { '200': { description: rows } } }
  /slow:
    get: { operationId: getSlow, security: [], responses: { '200': ${json('{}')} } }
  /fail:
    get: { operationId: getFail, security: [], responses: { '200': ${json('{}')} } }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: { clientCredentials: { tokenUrl: 'https://idp.example/token', scopes: { 'orders:read': r, 'orders:write': w } } } }
`
export const POLICIES = `@id("own")
permit (principal is User, action in [Action::"shop.getOrder", Action::"shop.updateOrder", Action::"shop.listOrders"], resource)
when { resource has owner && resource.owner == principal };
@id("create")
permit (principal is User, action == Action::"shop.createOrder", resource);
@id("open")
permit (principal, action in [Action::"shop.getRows", Action::"shop.headRows", Action::"shop.getSlow", Action::"shop.getFail"], resource);
`

export const config = (issuer: IssuerServer, mode = 'enforce'): string => `identity:
  issuers:
    corp: { issuer: "${issuer.iss}", jwks: "${issuer.jwksUrl}" }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: shop }
    mode: ${mode}
    maxRequestBytes: 60000
    timeouts: { headMs: 1000 }
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, lookup: getOrder, hideAbsent: true, list: { operation: listOrders, items: /orders, counts: [/total] } }
policies: ./policies
store: ./data
`

export interface Call {
  readonly name: string
  readonly method?: string
  readonly target: string
  readonly token?: string
  readonly fields?: readonly string[]
  readonly body?: string
}

export interface Got {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly id: string
}

export function send(base: string, call: Omit<Call, 'name'>): Promise<Got> {
  const { hostname, port, host } = new URL(base)
  const { method = 'GET', target, token, fields = [], body } = call
  const headers = ['Host', host, ...fields]
  if (token !== undefined) headers.push('Authorization', `Bearer ${token}`)
  if (body !== undefined)
    headers.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body)))
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path: target, method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: incoming.headers,
          id: String(incoming.headers['sallyport-exchange'] ?? ''),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const decisionsOf = ({ intent, outcome }: ExchangeRecord): readonly string[] => {
  const after = outcome === null || outcome === 'unknown' ? [] : outcome.decisions
  return [...intent.decisions, ...after].map(
    ({ checkpoint, effect, reasons, policies }) =>
      `${checkpoint} ${effect} ${reasons.map(({ code }) => code).join()} ${policies.join()}`,
  )
}

export async function recordsOf(folder: ConfigFolder): Promise<Map<string, ExchangeRecord>> {
  const found = new Map<string, ExchangeRecord>()
  for await (const record of readRecords(folder.at('data/audit'), { storeKey: null }))
    found.set(record.intent.id, record)
  return found
}

/** A folder with a configuration of this issuer. */
export function folderWith(issuer: IssuerServer, mode?: string): ConfigFolder {
  const folder = configFolder()
  folder.write({
    'sallyport.yaml': config(issuer, mode),
    'shop.yaml': CONTRACT,
    'policies/shop.cedar': POLICIES,
  })
  return folder
}

/** Over the control socket, as the command line does. */
export function order(folder: ConfigFolder, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: folder.at('data/control.sock'), method: 'POST', path: '/', headers: { host: 'control' } },
      (incoming) => {
        incoming.resume()
        incoming.on('end', () => resolve(incoming.statusCode ?? 0))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}
