import { callInMemory, type MemoryAnswer, type MemoryCall } from '../src/enforcement/entrances/memory.ts'
import type { Decision } from '../src/model/decision.ts'
import type { RecordedInput } from '../src/model/record.ts'
import { systemRandom } from '../src/roles/system.ts'
import { configFolder } from './config-folder.ts'
import { type MemoryGate, type MemoryReply, memoryGate, memoryUpstream } from './memory-gate.ts'
import { accessToken, testKey } from './token-issuer.ts'

// A shop whose upstream trusts everyone, before it a gate with object rules of every kind: whose an order is stands in
// path, query, body, a claim, the answer, a look-up, and in each item of a list.

const ISSUER = 'https://idp.example'
const KEY = testKey('ES256')

const order =
  '{ type: object, properties: { id: { type: string }, customerId: {}, region: { type: string }, n: { type: number } } }'
const json = (schema: string): string =>
  `{ description: ok, content: { application/json: { schema: ${schema} } } }`
const responses = `{ '200': ${json(order)}, '404': { description: none } }`
const list = `{ '200': ${json(`{ type: object, properties: { data: { type: object, properties: { items: { type: array, items: ${order} } } }, total: { type: integer }, page: { type: integer } } }`)} }`
// Its items may be anything: what is nobody's order passes the contract, and is the object rule's to drop.
const bare = `{ '200': ${json(`{ type: array, items: ${order.replace('type: object, ', '')} }`)} }`
const body = `{ required: true, content: { application/json: { schema: ${order} } } }`
const oauth = 'security: [{ oauth: [] }]'
const query = (name: string, schema = '{ type: string }'): string =>
  `{ name: ${name}, in: query, schema: ${schema} }`
const path = (name: string): string => `{ name: ${name}, in: path, required: true, schema: { type: string } }`

export const SHOP = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
paths:
  /customers/{customerId}/orders/{orderId}:
    parameters: [${path('customerId')}, ${path('orderId')}]
    get: { operationId: getCustomerOrder, ${oauth}, responses: ${responses} }
    put: { operationId: putCustomerOrder, ${oauth}, requestBody: ${body}, responses: ${responses} }
  /both/{customerId}/{orderId}:
    parameters: [${path('customerId')}, ${path('orderId')}]
    get: { operationId: getBoth, ${oauth}, responses: ${responses} }
    put: { operationId: putBoth, ${oauth}, requestBody: ${body}, responses: ${responses} }
  /search:
    get: { operationId: search, ${oauth}, parameters: [${query('customerId')}, ${query('tags', '{ type: array, items: { type: string } }')}], responses: ${responses} }
  /orders:
    get: { operationId: listOrders, ${oauth}, parameters: [${query('customerId')}], responses: ${list} }
    post: { operationId: createOrder, ${oauth}, requestBody: ${body}, responses: ${responses} }
  /orders/{orderId}:
    parameters: [${path('orderId')}]
    get: { operationId: getOrder, ${oauth}, responses: ${responses} }
    patch: { operationId: changeOrder, ${oauth}, requestBody: ${body}, responses: ${responses} }
  /latest:
    get: { operationId: listLatest, ${oauth}, responses: ${bare} }
  /accounts/{account}:
    parameters: [${path('account')}]
    get: { operationId: getAccount, ${oauth}, responses: ${responses} }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`

export const RULES = `
      order: { path: "/orders/{orderId}", owner: /customerId, tenant: /region, lookup: getOrder, hideAbsent: true, list: [{ operation: listOrders, items: /data/items, id: /id, counts: [/total] }, { operation: "GET /latest" }] }
      customer-order: { path: "/customers/{customer}/orders/{order}", owner: { path: customer }, hideAbsent: true }
      both: { path: "/both/{customerId}/{orderId}", owner: [{ path: customerId }, /customerId], lookup: getBoth }
      found: { path: /search, owner: { query: customerId } }
      new-order: { path: /orders, owner: { body: /customerId } }
      account: { path: "/accounts/{account}", owner: { path: account }, equals: { claim: customer_id } }`

export const POLICIES = `
@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };
@id("region") permit (principal in Group::"corp/sales", action == Action::"shop.listOrders", resource is Object) when { resource has tenant && resource.tenant == principal.tenant };
@id("staff") permit (principal in Group::"corp/staff", action in Action::"shop/all", resource);
`

export interface ObjectGate extends MemoryGate {
  readonly requests: readonly { readonly method: string; readonly path: string }[]
  answer(reply: MemoryReply | ((path: string) => MemoryReply)): void
  call(who: string, call: Partial<MemoryCall> & { readonly target: string }, claims?: object): Promise<Seen>
  /** Everything recorded of one call. */
  recorded(id: string): { readonly decisions: readonly Decision[]; readonly attributes: RecordedInput | null }
}

export interface Seen extends MemoryAnswer {
  readonly text: string
  readonly reasons: readonly string[]
}

export function objectGate(
  options: {
    readonly mode?: string
    readonly rules?: string
    readonly policies?: string
    readonly files?: Readonly<Record<string, string>>
    readonly top?: string
    readonly contract?: string
    /** Further keys of the API. */
    readonly settings?: string
  } = {},
): ObjectGate {
  let reply: MemoryReply | ((path: string) => MemoryReply) = { status: 200 }
  const upstream = memoryUpstream(({ path }) => (typeof reply === 'function' ? reply(path) : reply))
  const folder = configFolder()
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { corp: { issuer: "${ISSUER}", tenantClaim: region } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    basePath: /
    identity: { accept: [corp], audience: shop }
    mode: ${options.mode ?? 'enforce'}
    objects: ${options.rules ?? RULES}
    ${options.settings ?? ''}
policies: ./policies
${options.top ?? ''}`,
    'shop.yaml': options.contract ?? SHOP,
    'policies/shop.cedar': options.policies ?? POLICIES,
    ...options.files,
  })
  const made = memoryGate({ config, upstream, keys: { corp: { iss: ISSUER, keys: [KEY] } } })
  const recorded: ObjectGate['recorded'] = (id) => {
    const intent = made.audit.intents.get(id)
    const outcome = made.audit.outcomes.get(id)
    return {
      decisions: [...(intent?.decisions ?? []), ...(outcome?.decisions ?? [])],
      attributes: outcome?.attributes ?? intent?.attributes ?? null,
    }
  }
  return {
    ...made,
    requests: upstream.requests,
    answer: (given) => {
      reply = given
    },
    recorded,
    call: async (who, { method = 'GET', target, fields = [], ...rest }, claims = {}) => {
      const now = Math.floor(Date.now() / 1000)
      const token = accessToken(KEY, {
        iss: ISSUER,
        sub: who,
        aud: 'shop',
        client_id: 'web',
        jti: crypto.randomUUID(),
        iat: now,
        exp: now + 300,
        region: 'north',
        ...claims,
      })
      const all = ['Host', 'shop.example', 'Authorization', `Bearer ${token}`, ...fields]
      if (rest.body !== undefined) all.push('Content-Type', 'application/json')
      const answer = await callInMemory(made.gate, systemRandom(), { method, target, fields: all, ...rest })
      const reasons = recorded(answer.id).decisions.flatMap((decision) =>
        decision.reasons.map(({ code }) => code),
      )
      return { ...answer, text: Buffer.from(answer.body ?? []).toString(), reasons }
    },
    close: () => {
      made.close()
      folder.remove()
    },
  }
}

export function answerOf(value: unknown, fields: readonly string[] = []): MemoryReply {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return { status: 200, fields: ['Content-Type', 'application/json', ...fields], body: text }
}
