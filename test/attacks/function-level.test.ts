import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { type MemoryGate, memoryGate, memoryUpstream } from '../memory-gate.ts'
import { accessToken, testKey } from '../token-issuer.ts'

// Function-level rules (OWASP API5:2023, standards 2.6): a user's token on every operation that is not for users.

const ISSUER = 'https://idp.example'
const KEY = testKey('ES256')
const DEMO = join(import.meta.dirname, '../../demo')

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: readonly unknown[]
}

function operations(): readonly { readonly method: string; readonly path: string; readonly of: Operation }[] {
  const { paths } = parse(readFileSync(join(DEMO, 'shop.openapi.yaml'), 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'put', 'post', 'patch', 'delete'].includes(method))
      .map(([method, of]) => ({
        method: method.toUpperCase(),
        path: `/v1${path.replace(/\{\w+\}/g, 'x-1')}`,
        of,
      })),
  )
}

const ADMIN = operations().filter(({ of }) => of.tags.includes('admin'))
const CLOSED = operations().filter(({ of }) => of.security?.length !== 0)
const SCOPES = 'orders:read orders:write customers:read customers:write payments:read payments:write'

let folder: ConfigFolder
const gates = new Map<string, MemoryGate>()
const upstream = memoryUpstream(() => ({ status: 200 }))

function gateWith(policies: string): MemoryGate {
  const config = folder.write({
    'sallyport.yaml': `identity: { issuers: { demo: { issuer: "${ISSUER}" } } }
apis:
  shop:
    contract: ${JSON.stringify(join(DEMO, 'shop.openapi.yaml'))}
    upstream: http://127.0.0.1:9
    basePath: /v1
    identity: { accept: [demo], audience: shop }
    mode: enforce
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, lookup: getOrder, hideAbsent: true }
policies: ${JSON.stringify(policies)}
store: ./data
`,
  })
  return memoryGate({ config, upstream, keys: { demo: { iss: ISSUER, keys: [KEY] } } })
}

beforeAll(() => {
  folder = configFolder()
  folder.write({ 'none/empty.cedar': '// nothing is permitted\n' })
  gates.set('demo', gateWith(join(DEMO, 'policies')))
  gates.set('none', gateWith(join(folder.path, 'none')))
})
afterAll(() => {
  for (const gate of gates.values()) gate.close()
  folder.remove()
})

async function status(policies: string, { method, path }: (typeof ADMIN)[number], scope: string) {
  const gate = gates.get(policies)
  if (gate === undefined) throw new Error('no such gate')
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: ISSUER, sub: 'ana', aud: 'shop', client_id: 'web', jti: crypto.randomUUID(), scope }
  const token = accessToken(KEY, { ...claims, groups: ['customers'], iat: now, exp: now + 60 })
  const fields = ['Host', 'shop.example', 'Authorization', `Bearer ${token}`]
  const call = { method, target: path, fields, address: '192.0.2.1' }
  return (await callInMemory(gate.gate, systemRandom(), call)).status
}

describe('a user’s token', () => {
  it('is denied on every operation of the administrators, and none reaches the upstream', async () => {
    expect(ADMIN.length).toBeGreaterThan(1)
    for (const each of ADMIN) {
      expect([each.of.operationId, await status('demo', each, SCOPES)]).toEqual([each.of.operationId, 403])
    }
    expect(upstream.requests).toEqual([])
  })

  it('is denied there too where it was given the administrators’ scope', async () => {
    for (const each of ADMIN) expect(await status('demo', each, `${SCOPES} admin`)).toBe(403)
    expect(upstream.requests).toEqual([])
  })

  it('is denied on every operation for which no policy says anything', async () => {
    expect(CLOSED.length).toBeGreaterThan(8)
    for (const each of CLOSED) expect(await status('none', each, `${SCOPES} admin`)).toBe(403)
    expect(upstream.requests).toEqual([])
  })
})
