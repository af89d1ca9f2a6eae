import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { listen, stop } from '../../demo/listen.ts'
import { BILLING_RESOURCE, SHOP_RESOURCE } from '../../demo/people.ts'
import type { DemoProvider } from '../../demo/provider.ts'
import { startProvider } from '../../demo/provider.ts'
import type { TokenReply } from '../../demo/services.ts'
import type { Shop, UpstreamCall } from '../../demo/shop.ts'
import { startShop } from '../../demo/shop.ts'

const AT = { host: '127.0.0.1', port: 0 }

async function call(url: string, method = 'GET', body?: object, token?: string) {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const type = response.headers.get('content-type')
  return { status: response.status, type, body: (await response.json()) as Record<string, unknown> }
}

describe('the demo provider', () => {
  let provider: DemoProvider
  beforeAll(async () => {
    provider = await startProvider(AT)
  })
  afterAll(() => provider.close())

  it('is found by OpenID discovery', async () => {
    const { status, body } = await call(`${provider.issuer}/.well-known/openid-configuration`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      issuer: provider.issuer,
      jwks_uri: `${provider.issuer}/jwks`,
      token_endpoint: `${provider.issuer}/token`,
      grant_types_supported: ['client_credentials', 'urn:sallyport:demo:person'],
    })
  })

  it('publishes no private key', async () => {
    const { body } = await call(`${provider.issuer}/jwks`)
    const [key] = body['keys'] as object[]
    expect(Object.keys(key ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  })

  it.each([
    ['ana', 'orders:read orders:write customers:read payments:read payments:write', ['customers']],
    ['ben', 'orders:read customers:read', ['customers']],
    [
      'olga',
      'orders:read orders:write customers:read customers:write payments:read payments:write admin',
      ['staff'],
    ],
  ] as const)('gives %s an RFC 9068 access token', async (person, scope, groups) => {
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
    const { payload, protectedHeader } = await jwtVerify(await provider.token(person), keys, {
      typ: 'at+jwt',
      issuer: provider.issuer,
      audience: SHOP_RESOURCE,
    })
    expect(protectedHeader.alg).toBe('ES256')
    expect(payload).toMatchObject({ sub: person, client_id: 'demo-cli', scope, groups })
    expect(payload.jti).toBeTypeOf('string')
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900)
  })

  it('gives the reporter a token of its own, without groups', async () => {
    const claims = decodeJwt(await provider.token('reporter', { ttlSeconds: 5 }))
    expect(claims).toMatchObject({
      sub: 'reporter',
      client_id: 'reporter',
      scope: 'orders:read payments:read',
    })
    expect(claims['groups']).toBeUndefined()
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(5)
  })

  it('narrows scope, audience and time on request, down to a token that has ended', async () => {
    const token = await provider.token('ana', {
      scope: 'orders:read',
      resource: BILLING_RESOURCE,
      ttlSeconds: 1,
    })
    const claims = decodeJwt(token)
    expect(claims).toMatchObject({ scope: 'orders:read', aud: BILLING_RESOURCE })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(1)

    const ended = decodeJwt(await provider.token('ana', { ttlSeconds: -600 }))
    expect(ended.exp).toBeLessThanOrEqual(Date.now() / 1000 - 600)
    expect(ended.iat).toBeLessThan(ended.exp ?? 0)
  })

  it('refuses scopes a person may not have, and APIs it does not know', async () => {
    await expect(provider.token('ben', { scope: 'orders:read admin' })).rejects.toThrow(
      'no token for ben: invalid_scope (ben may not have admin)',
    )
    await expect(provider.token('ben', { resource: 'https://other.example' })).rejects.toThrow(
      'invalid_target',
    )
  })

  it('gives no token to a client that cannot prove itself', async () => {
    const body = new URLSearchParams({
      grant_type: 'urn:sallyport:demo:person',
      person: 'ana',
      client_id: 'demo-cli',
    })
    const response = await fetch(`${provider.issuer}/token`, { method: 'POST', body })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: 'invalid_client' })
  })

  it('signs with a new key after rotation and keeps the earlier one published', async () => {
    const before = await provider.token('ana')
    const kid = provider.rotateKeys()
    const after = await provider.token('ana')
    expect(decodeProtectedHeader(after).kid).toBe(kid)
    expect(decodeProtectedHeader(before).kid).not.toBe(kid)
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
    await jwtVerify(before, keys)
    await jwtVerify(after, keys)
  })
})

describe('the demo shop', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await startShop(AT)
  })
  afterAll(() => shop.close())

  it('answers with more than its contract promises', async () => {
    const { body } = await call(`${shop.url}/orders/o-1001`)
    expect(body).toMatchObject({ id: 'o-1001', customerId: 'ana', total: 79 })
    expect(body).toHaveProperty('internalMargin')
    expect(body).toHaveProperty('fraudScore')
    expect(body).toHaveProperty('customer.passwordHash')
  })

  it("lists everybody's orders to anybody", async () => {
    const { body } = await call(`${shop.url}/orders`)
    const owners = (body['orders'] as { customerId: string }[]).map((order) => order.customerId)
    expect(new Set(owners)).toEqual(new Set(['ana', 'ben', 'olga']))
    const few = await call(`${shop.url}/orders?status=paid&limit=1`)
    expect(few.body['orders']).toHaveLength(1)
  })

  it('stores whatever a PATCH sends', async () => {
    const { status, body } = await call(`${shop.url}/orders/o-1002`, 'PATCH', {
      customerId: 'ana',
      total: 0,
      extra: 1,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ id: 'o-1002', customerId: 'ana', total: 0, extra: 1 })
    expect((await call(`${shop.url}/orders/o-1002`)).body).toMatchObject({ customerId: 'ana', extra: 1 })
  })

  it('believes the subject of a token without checking it', async () => {
    const claims = Buffer.from('{"sub":"ben"}').toString('base64url')
    const items = [{ sku: 'PEN-4', quantity: 2 }]
    const first = await call(`${shop.url}/orders`, 'POST', { items }, `e30.${claims}.forged`)
    const second = await call(`${shop.url}/orders`, 'POST', { items: [{ ...items[0], price: 0 }] })
    expect(first.body).toMatchObject({ id: 'o-1007', customerId: 'ben', total: 49.8 })
    expect(second.body).toMatchObject({ id: 'o-1008', customerId: 'guest', total: 0 })
  })

  it('says in JSON, and at too great length, what is absent or malformed', async () => {
    const absent = await call(`${shop.url}/orders/o-9`)
    expect(absent).toMatchObject({ status: 404, type: 'application/problem+json' })
    expect(absent.body).toMatchObject({ title: 'Not found', status: 404 })
    expect(absent.body).toHaveProperty('debug.file')
    expect((await call(`${shop.url}/orders`, 'POST', {})).status).toBe(400)
    expect((await call(new URL('/orders', shop.url).href)).status).toBe(404)
  })

  it('shows what reached it, and keeps the last 100 calls', async () => {
    const seen: UpstreamCall[] = []
    const stopSeeing = shop.seen((each) => seen.push(each))
    await call(`${shop.url}/orders/o-1001?x=1`, 'PATCH', { note: 'hello' }, 'abc')
    stopSeeing()
    for (let i = 0; i < 101; i++) await call(`${shop.url}/health`)
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      method: 'PATCH',
      path: '/v1/orders/o-1001?x=1',
      body: '{"note":"hello"}',
    })
    expect(seen[0]?.headers['authorization']).toBe('Bearer abc')
    expect(shop.calls).toHaveLength(100)
    expect(shop.calls.every((each) => each.path === '/v1/health')).toBe(true)
  })
})

interface Contract {
  readonly paths: Record<
    string,
    Record<string, { operationId?: string; responses?: Record<string, unknown> }>
  >
}

describe('the shop against its contract', () => {
  const contract = parse(
    readFileSync(new URL('../../demo/shop.openapi.yaml', import.meta.url), 'utf8'),
  ) as Contract
  const ajv = new Ajv2020({ strict: false })
  formats.default(ajv)
  ajv.addSchema({ ...contract, $id: 'urn:demo:shop' })
  let shop: Shop
  beforeAll(async () => {
    shop = await startShop(AT)
  })
  afterAll(() => shop.close())

  const bodies: Record<string, object> = {
    createOrder: { items: [{ sku: 'LAMP-1', quantity: 1 }] },
    updateOrder: { note: 'leave it at the door' },
    updateCustomer: { phone: '+32470000009' },
    createPayment: { orderId: 'o-1006', amount: 24.9, currency: 'EUR', method: 'card' },
    adminRefund: { paymentId: 'p-501', amount: 79, reason: 'broken on arrival' },
  }
  const ids: Record<string, string> = { orderId: 'o-1001', customerId: 'ana', paymentId: 'p-501' }
  const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      operation.operationId
        ? [{ path, method, id: operation.operationId, responses: operation.responses }]
        : [],
    ),
  )

  it('has twelve operations', () => expect(operations).toHaveLength(12))

  it.each(operations)('serves $id as declared', async ({ path, method, id, responses }) => {
    const url = shop.url + path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? '')
    const { status, type, body } = await call(url, method.toUpperCase(), bodies[id])
    expect(Object.keys(responses ?? {})).toContain(String(status))
    expect(status).toBeLessThan(300)
    expect(type).toBe('application/json')
    const pointer = path.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')
    const validate = ajv.compile({
      $ref: `urn:demo:shop#/paths/${pointer}/${method}/responses/${status}/content/application~1json/schema`,
    })
    validate(body)
    expect(validate.errors ?? []).toEqual([])
  })
})

describe('both services in one process', () => {
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  function start(...args: string[]): ChildProcess {
    const child = fork(new URL('../../demo/services.ts', import.meta.url), args, {
      silent: true,
      execArgv: [],
    })
    children.push(child)
    return child
  }

  async function output(stream: NodeJS.ReadableStream | null): Promise<string> {
    let text = ''
    for await (const chunk of stream ?? []) text += String(chunk)
    return text
  }

  it('says where it is, gives tokens, tells of calls, and prints nothing else', async () => {
    const child = start('--shop-port', '0', '--provider-port', '0')
    const errors = output(child.stderr)
    const printed: string[] = []
    child.stdout?.on('data', (chunk) => printed.push(String(chunk)))
    while (!printed.join('').includes('\n')) await new Promise((resolve) => setTimeout(resolve, 10))
    const { shop, issuer } = JSON.parse(printed.join('')) as { shop: string; issuer: string }

    const messages: unknown[] = []
    child.on('message', (message) => messages.push(message))
    child.send({ type: 'token', id: 7, person: 'ana', scope: 'orders:read' })
    await once(child, 'message')
    const reply = messages.pop() as TokenReply
    expect(reply).toMatchObject({ type: 'token', id: 7 })
    expect(decodeJwt('token' in reply ? reply.token : '')).toMatchObject({ iss: issuer, sub: 'ana' })

    child.send({ type: 'token', id: 8, person: 'mallory' })
    await once(child, 'message')
    expect(messages.pop()).toEqual({ type: 'token', id: 8, error: 'nobody is called "mallory"' })

    await Promise.all([once(child, 'message'), call(`${shop}/health`)])
    expect(messages.pop()).toMatchObject({ type: 'call', call: { method: 'GET', path: '/v1/health' } })

    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(printed.join('').split('\n')).toHaveLength(2)
    expect(await errors).toBe('')
  })

  it('ends when its parent lets go', async () => {
    const child = start()
    await once(child.stdout ?? child, 'data')
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it.each(['shop', 'provider'])('names the taken port and the flag for the %s', async (service) => {
    const squatter = createServer()
    const port = new URL(await listen(squatter, AT)).port
    const child = start(`--${service}-port`, port)
    const errors = output(child.stderr)
    expect(await once(child, 'exit')).toEqual([2, null])
    expect(await errors).toBe(
      `port ${port} on 127.0.0.1 is taken: the demo's ${service} needs it; ` +
        `choose another with --${service}-port N (0 = any free port)\n`,
    )
    await stop(squatter)
  })

  it('refuses a port that is none', async () => {
    const child = start('--shop-port', '70000')
    const errors = output(child.stderr)
    expect(await once(child, 'exit')).toEqual([2, null])
    expect(await errors).toContain('--shop-port must be a number from 0 (any free port) to 65535')
  })
})
