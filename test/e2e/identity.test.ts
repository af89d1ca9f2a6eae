import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { testKey } from '../token-issuer.ts'
import { call } from './caller.ts'
import { IssuerServer } from './issuer-server.ts'
import { Workbench } from './workbench.ts'

let bench: Workbench
let partner: IssuerServer
const ROTATED = testKey('RS256', 'corp-rsa')

beforeAll(async () => {
  const corp = await IssuerServer.start('corp-ec')
  corp.keys.push(ROTATED)
  partner = await IssuerServer.start('partner-ec')
  bench = await Workbench.prepare({}, corp)
  const api = (name: string, base: string, audience: string, more = '') => `  ${name}:
    contract: ./api.yaml
    upstream: ${bench.upstream.url}
    basePath: ${base}
    identity: { accept: [corp, partner], audience: ${audience} }
    mode: enforce
${more}`
  bench.configure({
    // One found by discovery, one by its key set's address; the partner may sign with one algorithm only.
    issuers: `    corp: { issuer: "${corp.iss}" }
    partner: { issuer: "${partner.iss}", jwks: "${partner.jwksUrl}", algorithms: [ES256] }`,
    apis: [
      api('shop', '/v1', 'shop'),
      api('billing', '/billing', 'billing'),
      api('own', '/own', 'own').replace('[corp, partner]', '[corp]'),
      api('passing', '/passing', 'shop', '    credential: pass'),
    ].join('\n'),
  })
  await bench.startGate()
})
afterAll(async () => {
  await bench.stop()
  await partner.down()
})
beforeEach(() => {
  bench.upstream.seen = []
})

const get = (path: string, token?: string, fields: readonly string[] = []) =>
  call(bench.url(path, ''), { ...(token === undefined ? {} : { token }), fields })

describe('several issuers', () => {
  it('accepts tokens of one found by discovery and of one named by its key set', async () => {
    expect((await get('/v1/items/1', bench.issuer.token())).status).toBe(200)
    expect((await get('/v1/items/1', partner.token())).status).toBe(200)
    expect(bench.issuer.discoveries).toBe(1)
    expect(partner.discoveries).toBe(0)
  })

  it('refuses a token for API A at API B of the same issuer', async () => {
    const token = bench.issuer.token({ aud: 'shop' })
    expect((await get('/v1/items/1', token)).status).toBe(200)
    const refused = await get('/billing/items/1', token)
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toMatch(/^Bearer realm="billing", error="invalid_token"/)
    expect(await bench.reasonsOf(refused.id)).toContain('audience-mismatch')
    expect((await get('/billing/items/1', bench.issuer.token({ aud: ['x', 'billing'] }))).status).toBe(200)
  })

  it('refuses an issuer the API does not accept, and one nobody knows', async () => {
    const foreign = await get('/own/items/1', partner.token({ aud: 'own' }))
    expect(foreign.status).toBe(401)
    expect(await bench.reasonsOf(foreign.id)).toContain('issuer-refused')
    const unknown = await get('/v1/items/1', bench.issuer.token({ iss: 'https://elsewhere.example' }))
    expect(unknown.status).toBe(401)
    expect(await bench.reasonsOf(unknown.id)).toContain('issuer-unknown')
  })

  it('holds each issuer to its own algorithms, and a key of one verifies nothing of the other', async () => {
    expect((await get('/v1/items/1', bench.issuer.token({}, ROTATED))).status).toBe(200)
    partner.keys.push(ROTATED)
    const refused = await get('/v1/items/1', partner.token({}, ROTATED))
    expect(refused.status).toBe(401)
    expect(await bench.reasonsOf(refused.id)).toContain('algorithm-refused')
    const [corpKey] = bench.issuer.keys
    const crossed = await get('/v1/items/1', partner.token({}, corpKey, { kid: 'partner-ec' }))
    expect(await bench.reasonsOf(crossed.id)).toContain('signature-invalid')
    const none = bench.issuer.token({}, undefined, { alg: 'none' })
    expect((await get('/v1/items/1', none)).status).toBe(401)
    expect(bench.upstream.seen).toHaveLength(1)
  })

  it('takes the same sub of another issuer for another user', async () => {
    const first = await get('/v1/items/1', bench.issuer.token({ sub: 'alice' }))
    const second = await get('/v1/items/1', partner.token({ sub: 'alice' }))
    expect([first.status, second.status]).toEqual([200, 200])
    const claims = bench.upstream.seen.map(({ headers }) => claimsOf(headers.authorization))
    expect(claims.map(({ sub }) => sub)).toEqual(['corp/alice', 'partner/alice'])
    expect(claims.map(({ sub_id }) => sub_id)).toEqual([
      { format: 'iss_sub', iss: bench.issuer.iss, sub: 'alice' },
      { format: 'iss_sub', iss: partner.iss, sub: 'alice' },
    ])
  })
})

describe('challenges (RFC 6750 §3)', () => {
  it('gives no error code where no token was sent', async () => {
    const { status, headers, body } = await get('/v1/items/1')
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer realm="shop"')
    expect(headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(body)).toMatchObject({ type: 'urn:sallyport:reason:token-missing', status: 401 })
  })

  it('names the scope a token lacks', async () => {
    const { status, headers } = await get('/v1/items/1', bench.issuer.token({ scope: 'other' }))
    expect(status).toBe(403)
    expect(headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="items:read"/)
  })

  it('refuses a token in the query, also beside a good one and where none is needed', async () => {
    const token = bench.issuer.token()
    for (const [path, bearer] of [
      ['/v1/items/1', undefined],
      ['/v1/items/1', token],
      ['/v1/open', undefined],
    ] as const) {
      const { status, headers, body } = await get(`${path}?access_token=${token}`, bearer)
      expect(status).toBe(400)
      expect(headers['www-authenticate']).toMatch(/error="invalid_request"/)
      expect(body).not.toContain(token.slice(0, 20))
    }
    expect(bench.upstream.seen).toEqual([])
  })

  it('refuses repeated credentials, in a second field or a second one in the same', async () => {
    const token = bench.issuer.token()
    const twice = await get('/v1/items/1', token, ['Authorization', `Bearer ${token}`])
    expect(twice.status).toBe(400)
    expect(twice.headers['www-authenticate']).toMatch(/error="invalid_request"/)
    const joined = await get('/v1/items/1', undefined, ['Authorization', `Bearer ${token}, Bearer ${token}`])
    expect(joined.status).toBe(401)
    expect(bench.upstream.seen).toEqual([])
  })

  it('refuses a token bound to a key that comes as Bearer (RFC 9449 §7.1)', async () => {
    const bound = await get('/v1/items/1', bench.issuer.token({ cnf: { jkt: 'A'.repeat(43) } }))
    expect(bound.status).toBe(401)
    expect(await bench.reasonsOf(bound.id)).toContain('claim-invalid')
  })

  it('says nothing of another scheme than Bearer', async () => {
    const basic = await get('/v1/items/1', undefined, ['Authorization', 'Basic YTpi'])
    expect(basic.status).toBe(401)
    expect(basic.headers['www-authenticate']).toBe('Bearer realm="shop"')
  })

  it('refuses an expired, a coming and a huge token', async () => {
    const seconds = Math.floor(Date.now() / 1000)
    const expired = await get('/v1/items/1', bench.issuer.token({ exp: seconds - 100, iat: seconds - 200 }))
    expect(await bench.reasonsOf(expired.id)).toContain('token-expired')
    const coming = await get('/v1/items/1', bench.issuer.token({ nbf: seconds + 100 }))
    expect(await bench.reasonsOf(coming.id)).toContain('token-not-yet-valid')
    const huge = await get('/v1/items/1', bench.issuer.token({ filler: 'x'.repeat(9_000) }))
    expect(await bench.reasonsOf(huge.id)).toContain('token-too-large')
    expect([expired.status, coming.status, huge.status]).toEqual([401, 401, 431])
  })
})

describe('who needs a token', () => {
  it('security: [] takes callers as they come and looks at no token', async () => {
    const bad = `${bench.issuer.token()}x`
    for (const token of [undefined, bad, bench.issuer.token()]) {
      expect((await get('/v1/open', token)).status).toBe(200)
    }
    // No caller was identified, so nothing is asserted and nothing of the caller's is passed on.
    expect(bench.upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a list with {} makes the token optional, and a bad one is refused', async () => {
    expect((await get('/v1/maybe')).status).toBe(200)
    expect((await get('/v1/maybe', bench.issuer.token())).status).toBe(200)
    const bad = await get('/v1/maybe', bench.issuer.token({}, testKey('ES256', 'nobody'), { kid: 'corp-ec' }))
    expect(bad.status).toBe(401)
    const [anonymous, known] = bench.upstream.seen
    expect(anonymous?.headers.authorization).toBeUndefined()
    expect(claimsOf(known?.headers.authorization)).toMatchObject({ sub: 'corp/alice' })
    expect(bench.upstream.seen).toHaveLength(2)
  })

  it('security said nowhere asks for a token', async () => {
    expect((await get('/v1/unsaid')).status).toBe(401)
    expect((await get('/v1/unsaid', bench.issuer.token())).status).toBe(200)
  })

  it('a scheme the gate cannot check denies, whatever is sent', async () => {
    for (const fields of [[], ['X-Api-Key', 'secret']]) {
      const refused = await get('/v1/legacy', undefined, fields)
      expect(refused.status).toBe(401)
      expect(await bench.reasonsOf(refused.id)).toContain('scheme-unsupported')
    }
    expect((await get('/v1/legacy', bench.issuer.token())).status).toBe(401)
    expect(bench.upstream.seen).toEqual([])
    expect(bench.running.said()).toMatch(/warning: .*securitySchemes\/key: security-unsupported/)
  })

  it('credential: pass leaves it to the API, with the caller’s own credential and no assertion', async () => {
    const keyed = await get('/passing/legacy', undefined, [
      'X-Api-Key',
      'secret',
      'Authorization',
      'Basic YTpi',
    ])
    expect(keyed.status).toBe(200)
    expect(bench.upstream.last?.headers).toMatchObject({ 'x-api-key': 'secret', authorization: 'Basic YTpi' })
    const token = bench.issuer.token()
    expect((await get('/passing/items/1', token)).status).toBe(200)
    expect(bench.upstream.last?.headers.authorization).toBe(`Bearer ${token}`)
    // What the gate can check it checks all the same.
    expect((await get('/passing/items/1', `${token}x`)).status).toBe(401)
  })
})

describe('the assertion that goes upstream', () => {
  it('is signed by a key of the stated JWKS, short-lived, for this API, and names subject and client', async () => {
    const token = bench.issuer.token({ sub: 'alice', client_id: 'web' })
    expect((await get('/own/items/1', bench.issuer.token({ aud: 'own' }))).status).toBe(200)
    const plain = claimsOf(bench.upstream.last?.headers.authorization)
    expect(plain).toMatchObject({ sub: 'alice', aud: 'own' })
    expect((await get('/v1/items/1', token)).status).toBe(200)
    const value = bench.upstream.last?.headers.authorization
    expect(value).not.toContain(token)
    const [head = '', payload = '', signature = ''] = (value ?? '').replace('Bearer ', '').split('.')
    const header = decode(head)
    const set: { keys: Record<string, string>[] } = JSON.parse(
      (await call(`${bench.running.management}/.well-known/jwks.json`)).body,
    )
    const jwk = set.keys.find(({ kid }) => kid === header['kid'])
    expect(jwk).toBeDefined()
    expect(JSON.stringify(set)).not.toContain('"d"')
    const key = createPublicKey({ key: jwk ?? {}, format: 'jwk' })
    const good = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      { key, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
    expect(good).toBe(true)
    const claims = decode(payload)
    expect(claims).toMatchObject({
      aud: 'shop',
      sub: 'corp/alice',
      act: { iss: bench.issuer.iss, sub: 'web' },
    })
    const { iat, exp } = claims as { iat: number; exp: number }
    expect(exp - iat).toBeLessThanOrEqual(60)
    expect(exp).toBeGreaterThan(Date.now() / 1000)
  })

  it('is the only word on identity that arrives: the caller’s own is stripped', async () => {
    const forged = [
      ...['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-User', 'root', 'X-Remote-User', 'root'],
      ...['Remote-User', 'root', 'X-Auth-Request-User', 'root', 'Sallyport-Subject', 'root'],
      ...['X-Real-IP', '6.6.6.6', 'Forwarded', 'for=6.6.6.6'],
    ]
    expect((await get('/v1/items/1', bench.issuer.token(), forged)).status).toBe(200)
    const seen = JSON.stringify(bench.upstream.last?.headers)
    expect(seen).not.toContain('root')
    expect(seen).not.toContain('6.6.6.6')
    expect(bench.upstream.last?.headers['x-forwarded-for']).toBe('127.0.0.1')
  })
})

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}

function claimsOf(authorization: string | undefined): Record<string, unknown> {
  return decode(authorization?.split('.')[1] ?? '')
}
