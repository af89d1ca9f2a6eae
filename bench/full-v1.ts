import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The profile `full-v1`: what the gate holds calls against. 100 operations, half of them reads whose owner only the
 * answer states, half of them writes with a JSON body.
 */
export const COLLECTIONS = 50
export const HOST = 'bench.example'
export const BASE_PATH = '/v1'
export const AUDIENCE = 'https://bench.example'
export const SCOPES = 'records:read records:write'
export const LIVE_TOKENS = 1_000
/** Of calls. */
export const FIRST_SEEN = 0.05
export const REFUSED = 0.05

export const DESCRIPTION =
  'full-v1: 100 operations in rotation, half GET with an owner rule on a 1 kB answer, half POST of 300 B JSON; ' +
  '1,000 live RS256 tokens, 5 % of calls with one never seen before; 5 % refusals; audit os; no decision cache'

export function collection(index: number): string {
  return `records${String(index).padStart(2, '0')}`
}

const text = (maxLength: number): object => ({ type: 'string', maxLength })

const RECORD = {
  type: 'object',
  required: ['id', 'customerId', 'status', 'lines'],
  properties: {
    id: text(40),
    customerId: text(64),
    status: { type: 'string', enum: ['open', 'paid', 'shipped', 'cancelled'] },
    createdAt: { type: 'string', format: 'date-time' },
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    total: { type: 'number', minimum: 0 },
    note: text(600),
    address: {
      type: 'object',
      properties: { street: text(80), city: text(80), zip: text(12), country: text(2) },
    },
    lines: {
      type: 'array',
      maxItems: 20,
      items: {
        type: 'object',
        required: ['sku', 'quantity'],
        properties: {
          sku: text(20),
          title: text(80),
          quantity: { type: 'integer', minimum: 1, maximum: 999 },
          price: { type: 'number' },
        },
      },
    },
  },
}

const NEW_RECORD = {
  type: 'object',
  required: ['currency', 'lines'],
  properties: {
    currency: { type: 'string', pattern: '^[A-Z]{3}$' },
    email: { type: 'string', format: 'email' },
    deliverOn: { type: 'string', format: 'date' },
    express: { type: 'boolean' },
    note: text(200),
    lines: RECORD.properties.lines,
  },
}

function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function paths(): object {
  const all: Record<string, object> = {}
  for (let index = 0; index < COLLECTIONS; index++) {
    const name = collection(index)
    const common = { tags: [`group${index % 10}`] }
    all[`/${name}`] = {
      post: {
        ...common,
        operationId: `create-${name}`,
        security: [{ login: ['records:write'] }],
        requestBody: { required: true, content: json('NewRecord') },
        responses: { 201: { description: 'made', content: json('Created') } },
      },
    }
    all[`/${name}/{id}`] = {
      get: {
        ...common,
        operationId: `get-${name}`,
        security: [{ login: ['records:read'] }],
        parameters: [
          { name: 'id', in: 'path', required: true, schema: text(40) },
          { name: 'expand', in: 'query', schema: { type: 'string', enum: ['lines', 'none'] } },
        ],
        responses: { 200: { description: 'the record', content: json('Record') } },
      },
    }
  }
  return all
}

function contract(issuer: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'bench', version: '1' },
    servers: [{ url: BASE_PATH }],
    components: {
      securitySchemes: {
        login: { type: 'openIdConnect', openIdConnectUrl: `${issuer}/.well-known/openid-configuration` },
      },
      schemas: {
        Record: RECORD,
        NewRecord: NEW_RECORD,
        Created: { type: 'object', properties: { id: text(40), status: text(20) } },
      },
    },
    paths: paths(),
  }
}

const POLICIES = `
@id("owner-reads-own-record")
permit (principal is User, action in Action::"bench/read", resource)
when { resource has owner && resource.owner == principal };

@id("people-create-records")
permit (principal is User, action in Action::"bench/write", resource)
when { context.scopesMet };

@id("staff-does-all")
permit (principal in Group::"bench/staff", action in Action::"bench/all", resource);

@id("no-day-old-tokens")
forbid (principal, action, resource)
when { context.tokenAgeSeconds > 86400 };
`

export interface GateFolder {
  readonly config: string
  readonly store: string
}

/** Writes what `sallyport start` needs for the profile: one gate thread, all else as by default. Ports are free ones. */
export function writeGate(folder: string, upstream: string): GateFolder {
  mkdirSync(join(folder, 'policies'), { recursive: true })
  const objects: Record<string, object> = {}
  for (let index = 0; index < COLLECTIONS; index++) {
    const name = collection(index)
    objects[name] = { path: `/${name}/{id}`, owner: '/customerId', hideAbsent: true }
  }
  const store = join(folder, 'data')
  const config = join(folder, 'sallyport.yaml')
  writeFileSync(join(folder, 'bench.openapi.json'), JSON.stringify(contract(upstream)))
  writeFileSync(join(folder, 'policies', 'bench.cedar'), POLICIES)
  writeFileSync(
    config,
    // JSON is YAML.
    JSON.stringify({
      listen: { port: 0, threads: 1 },
      management: { port: 0 },
      identity: { issuers: { bench: { issuer: upstream, jwks: `${upstream}/jwks` } } },
      apis: {
        bench: {
          contract: './bench.openapi.json',
          upstream,
          owner: 'bench',
          mode: 'enforce',
          identity: { accept: ['bench'], audience: AUDIENCE },
          objects,
        },
      },
      policies: './policies',
      store: './data',
      durability: 'os',
    }),
  )
  return { config, store }
}
