import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, CONTRACT, type OpenGate, ok, openGate, request } from '../attacks/open-gate.ts'

/** What an intermediary, a login proxy or the gate itself may state, in spellings that some upstream takes for it. */
const FORGED = [
  'Forwarded',
  'Via',
  'X-Forwarded-For',
  'X_Forwarded_For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-User',
  'x-forwarded-email',
  'X-Real-IP',
  'X_Real_IP',
  'X.Real.IP',
  'True-Client-IP',
  'Client-Cert',
  'X-User-Id',
  'X_USER_ID',
  'X-Remote-User',
  'Remote-User',
  'Remote_User',
  'X-Auth-Request-User',
  'X_Auth_Request_User',
  'X-Consumer-Id',
  'X-SSL-Client-Verify',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-Method-Override',
  'Sallyport-Exchange',
  'X-Sallyport-Subject',
  'X_Sallyport_Subject',
  'X-Forwarded-Client-Cert',
  'X-Gateway-Identity',
  'Impersonate-User',
  'X-Roles',
]
const HOP_BY_HOP = ['Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'TE', 'Trailer']

describe('what goes upstream (standards 1.11, 2.14, 6.4, 6.9, 6.17)', () => {
  let gate: OpenGate
  let bearer: string
  beforeAll(async () => {
    gate = await openGate()
    bearer = `Bearer ${gate.token('ana')}`
    gate.upstream.answer = () => answerOf(201, '{"id":"a"}')
  })
  afterAll(() => gate.stop())

  const post = async (fields: Record<string, string>): Promise<[number | undefined, string]> => {
    const before = gate.upstream.calls.length
    const typed = { Authorization: bearer, 'Content-Type': 'application/json', ...fields }
    const [answer] = await gate.send(request('POST', '/v1/things', typed, '{"id":"a"}'))
    return [answer?.status, gate.upstream.calls[before]?.head ?? '']
  }

  it.each(FORGED)('never carries a caller’s %s', async (name) => {
    const [status, head] = await post({ [name]: 'forged-value' })
    expect(status).toBe(201)
    expect(head).not.toContain('forged-value')
  })

  it('carries what the contract declares as a header parameter, but for what the configuration strips', async () => {
    const declaring = CONTRACT.replace(
      'get: { operationId: getFree, security: [], parameters: [',
      'get: { operationId: getFree, security: [], parameters: [{ name: X-Tenant-Id, in: header, schema: { type: string, pattern: "^[a-z]+$" } }, { name: X-Roles, in: header, schema: { type: string } }, { name: X-Forwarded-User, in: header, schema: { type: string } }, ',
    )
    const own = await openGate({ contract: declaring, api: '    stripHeaders: [X-Roles, X_Team]' })
    own.upstream.answer = () => ok('{"id":"a"}')
    const fields = {
      'X-Tenant-Id': 'acme',
      X_Tenant_Id: 'forged',
      'X-Roles': 'forged',
      'X-Team': 'forged',
      'X-Forwarded-User': 'forged',
      'X-Other': 'other',
    }
    const [fine] = await own.send(request('GET', '/v1/free', fields))
    expect(fine?.status).toBe(200)
    expect(own.upstream.calls[0]?.head).toMatch(/^X-Tenant-Id: acme$/im)
    expect(own.upstream.calls[0]?.head).toContain('X-Other: other')
    expect(own.upstream.calls[0]?.head).not.toContain('forged')
    const [unfit] = await own.send(request('GET', '/v1/free', { 'X-Tenant-Id': 'ACME' }))
    expect(unfit?.status).toBe(400)
    const [elsewhere] = await own.send(request('GET', '/v1/any', { 'X-Tenant-Id': 'acme' }))
    expect(elsewhere?.status).toBe(200)
    expect(own.upstream.calls.at(-1)?.head).not.toContain('acme')
    await own.stop()
  })

  it.each(HOP_BY_HOP)('ends %s at the gate', async (name) => {
    const [status, head] = await post({ [name]: 'trailers' })
    expect(status).toBe(201)
    expect(head).not.toContain('trailers')
  })

  it('replaces the credential by its own, whatever Connection names', async () => {
    const [, head] = await post({
      Connection: 'X-Foo, X-Forwarded-For, Via',
      'X-Foo': 'named',
      'X-Bar': 'kept',
    })
    expect(head).not.toContain('named')
    expect(head).toContain('X-Bar: kept')
    expect(head).toMatch(/^X-Forwarded-For: 127\.0\.0\.1$/im)
    expect(head).toMatch(/^Via: 1\.1 sallyport$/im)
    expect(head.match(/^authorization: /gim)).toHaveLength(1)
    expect(head).not.toContain(bearer.slice(0, 60))
    expect(head).toMatch(/^Accept-Encoding: identity$/im)
  })

  it.each([
    ['Authorization', 401],
    ['authorization, close', 401],
    ['Content-Type', 415],
    ['Content-Length', 201],
    ['Host', 201],
    ['Transfer-Encoding', 201],
  ])('Connection: %s takes the field away before it is judged, not after', async (named, expected) => {
    const [status, head] = await post({ Connection: named })
    expect(status).toBe(expected)
    if (expected === 201) {
      expect(head).toMatch(/^Content-Length: 10$/im)
      expect(head).toMatch(/^Content-Type: application\/json$/im)
    } else expect(head).toBe('')
  })

  it('sees a call that has come round, also where Connection names Via', async () => {
    expect((await post({ Via: '1.0 a, 1.1 sallyport' }))[0]).toBe(508)
    expect((await post({ Via: '1.1 SALLYPORT', Connection: 'Via' }))[0]).toBe(508)
  })

  it('asks for whole answers where it has to check them', async () => {
    gate.upstream.answer = () => ok('{"owner":"ana"}')
    const conditional = {
      Range: 'bytes=0-5',
      'If-Range': '"a"',
      'If-None-Match': '"a"',
      'If-Modified-Since': 'x',
    }
    await gate.send(request('GET', '/v1/things/a', { Authorization: bearer, ...conditional }))
    expect(gate.upstream.calls.at(-1)?.head).not.toMatch(/^(range|if-)/im)
    await gate.send(request('GET', '/v1/free', conditional))
    expect(gate.upstream.calls.at(-1)?.head).toMatch(/^If-None-Match: "a"/im)
    expect(gate.upstream.calls.at(-1)?.head).not.toMatch(/^(range|if-range)/im)
  })

  it('gives back no field of the connection and none that tells of the upstream’s make', async () => {
    gate.upstream.answer = () =>
      ok(
        '{"id":"a"}',
        'application/json',
        'Connection: X-Private\r\nX-Private: p\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\n' +
          'Server: nginx/1\r\nX-Powered-By: PHP\r\nSallyport-Exchange: forged\r\nX-Public: q\r\nETag: "a"\r\n',
      )
    const [answer] = await gate.send(request('GET', '/v1/free'))
    expect(answer?.head).not.toMatch(/X-Private|timeout=9|Basic|nginx|PHP|forged/)
    expect([answer?.field('x-public'), answer?.field('etag')]).toEqual(['q', '"a"'])
  })

  it('answers HEAD without a body and 204 without a length', async () => {
    gate.upstream.answer = () =>
      'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1234\r\n\r\n'
    const [head] = await gate.send(request('HEAD', '/v1/file'))
    expect([head?.status, head?.field('content-length')]).toEqual([200, '1234'])
    gate.upstream.answer = () => 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'
    const [gone, next] = await gate.send(request('DELETE', '/v1/bare') + request('GET', '/v1/nowhere'), 2)
    expect([gone?.status, gone?.field('content-length'), next?.status]).toEqual([204, undefined, 404])
  })
})

describe('credential: pass', () => {
  it('carries the caller’s own, and nothing in its place', async () => {
    const gate = await openGate({ api: '    credential: pass' })
    const bearer = `Bearer ${gate.token('ana')}`
    gate.upstream.answer = () => ok('{"id":"a","owner":"ana"}')
    const [answer] = await gate.send(request('GET', '/v1/things/a', { Authorization: bearer }))
    expect([answer?.status, gate.upstream.calls[0]?.field('authorization')]).toEqual([200, bearer])
    const [stripped] = await gate.send(
      request('GET', '/v1/things/a', { Authorization: bearer, Connection: 'Authorization' }),
    )
    expect([stripped?.status, gate.upstream.calls.length]).toEqual([401, 1])
    await gate.stop()
  })
})
