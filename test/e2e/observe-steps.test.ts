import { afterAll, describe, expect, it } from 'vitest'
import { fieldValue } from '../../src/syntax/http.ts'
import { bearer, closePlacedGates, placedGate, type Seen } from '../placed-gate.ts'

afterAll(closePlacedGates)

/** Forwarded, and the record says what enforcing would refuse. */
const watched = (seen: Seen, code: string): void => {
  expect({ upstream: seen.upstream, action: seen.outcome?.action }).toEqual({
    upstream: 1,
    action: 'forwarded',
  })
  expect(seen.outcome?.wouldDeny).toBe(true)
  expect([...seen.observed, ...(seen.intent?.mode === 'observe' ? seen.codes : [])]).toContain(code)
}
const refused = (seen: Seen, status: number, code: string): void => {
  expect({ status: seen.status, upstream: seen.upstream }).toEqual({ status, upstream: 0 })
  expect(seen.codes).toContain(code)
  expect(seen.outcome?.wouldDeny).toBe(false)
}
const json = ['Content-Type', 'application/json']

describe('observing single operations', () => {
  it('lets the named one through and holds the others', async () => {
    const gate = placedGate({
      api: '    operations: { addThing: { mode: observe }, "GET /things/{id}": { mode: observe } }',
    })
    watched(await gate.call('POST', '/things', { fields: json, body: '{"id":"a"}' }), 'token-missing')
    watched(await gate.call('GET', '/things/a'), 'token-missing')
    refused(await gate.call('DELETE', '/things/a'), 401, 'token-missing')
    refused(await gate.call('GET', '/free?undeclared=1'), 400, 'parameter-undeclared')
  })

  it('passes the caller’s own credential with the observed one, and no assertion', async () => {
    const gate = placedGate({ api: '    operations: { getThing: { mode: observe } }' })
    const fields = bearer()
    await gate.call('GET', '/things/a', { fields })
    expect(fieldValue(gate.upstream.requests.at(-1)?.fields ?? [], 'authorization')).toBe(fields[1])
    await gate.call('POST', '/things', { fields: [...fields, ...json], body: '{"id":"a"}' })
    const sent = fieldValue(gate.upstream.requests.at(-1)?.fields ?? [], 'authorization')
    expect(sent).toMatch(/^Bearer /)
    expect(sent).not.toBe(fields[1])
  })

  it('leaves the observed one’s answer as it is, and takes from the others what the contract does not declare', async () => {
    const gate = placedGate({ api: '    operations: { getAny: { mode: observe } }' })
    gate.upstream.requests.length = 0
    const body = '{"id":"a","secret":1}'
    const observing = placedGate({ api: '    operations: { getAny: { mode: observe } }', answer: body })
    expect(Buffer.from((await observing.call('GET', '/any')).body).toString()).toBe(body)
    expect(Buffer.from((await observing.call('GET', '/free')).body).toString()).toBe('{"id":"a"}')
  })

  it('enforces single operations of an observed API', async () => {
    const gate = placedGate({ api: '    mode: observe\n    operations: { addThing: { mode: enforce } }' })
    refused(await gate.call('POST', '/things', { fields: json, body: '{"id":"a"}' }), 401, 'token-missing')
    watched(await gate.call('GET', '/things/a'), 'token-missing')
    const fields = bearer()
    await gate.call('POST', '/things', { fields: [...fields, ...json], body: '{"id":"a"}' })
    expect(fieldValue(gate.upstream.requests.at(-1)?.fields ?? [], 'authorization')).not.toBe(fields[1])
  })

  it('records the operation’s own mode', async () => {
    const gate = placedGate({ api: '    operations: { getAny: { mode: observe } }' })
    expect((await gate.call('GET', '/any')).intent?.mode).toBe('observe')
    expect((await gate.call('GET', '/free')).intent?.mode).toBe('enforce')
  })
})

describe('observing single stages', () => {
  it('identity: the call goes on as nobody’s, without assertion and without the unverified credential', async () => {
    const gate = placedGate({ api: '    observe: [identity]' })
    const forged = await gate.call('GET', '/things/a', { fields: ['Authorization', 'Bearer a.b.c'] })
    watched(forged, 'token-malformed')
    expect(forged.intent?.subject.kind).toBe('anonymous')
    expect(forged.codes).not.toContain('anonymous-allowed')
    const sent = gate.upstream.requests.at(-1)?.fields ?? []
    expect(fieldValue(sent, 'authorization')).toBeUndefined()
    watched(await gate.call('GET', '/things/a'), 'token-missing')
    watched(await gate.call('GET', '/things/a', { fields: bearer({ scope: 'other' }) }), 'insufficient-scope')
    refused(await gate.call('GET', '/free?undeclared=1'), 400, 'parameter-undeclared')
  })

  it('identity: policies still judge the anonymous caller', async () => {
    const gate = placedGate({
      api: '    observe: [identity]',
      policies: '@id("users") permit (principal is User, action, resource);',
    })
    refused(await gate.call('GET', '/things/a'), 403, 'policy-missing')
    expect((await gate.call('GET', '/things/a', { fields: bearer() })).status).toBe(200)
  })

  it('contract: what does not fit goes on, what nobody identified does not', async () => {
    const gate = placedGate({ api: '    observe: [contract]' })
    const fields = [...bearer(), ...json]
    watched(await gate.call('POST', '/things', { fields, body: '{"admin":true}' }), 'field-undeclared')
    watched(await gate.call('GET', '/free?undeclared=1'), 'parameter-undeclared')
    refused(
      await gate.call('POST', '/things', { fields: json, body: '{"admin":true}' }),
      401,
      'token-missing',
    )
    refused(await gate.call('GET', '/no-such-path', { fields }), 404, 'route-unknown')
  })

  it('contract: a look-up that policies need is made all the same', async () => {
    const own =
      '@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };'
    const gate = placedGate({ api: '    observe: [contract]', policies: own })
    const change = { fields: [...bearer(), ...json], body: '{"undeclared":1}' }
    const seen = await gate.call('PATCH', '/things/a', change)
    expect([seen.status, seen.upstream]).toEqual([200, 2])
    expect(seen.observed).toContain('field-undeclared')
    const foreign = await gate.call('PATCH', '/things/a', {
      ...change,
      fields: [...bearer({ sub: 'ben' }), ...json],
    })
    expect([foreign.status, foreign.upstream]).toEqual([403, 1])
    expect(foreign.codes).toContain('owner-differs')
  })

  it('policy: what no policy permits goes on, what the contract does not allow does not', async () => {
    const gate = placedGate({
      api: '    observe: [policy]',
      policies: '@id("none") forbid (principal, action == Action::"things.addThing", resource);',
    })
    const fields = [...bearer(), ...json]
    watched(await gate.call('POST', '/things', { fields, body: '{"id":"a"}' }), 'policy-forbids')
    watched(await gate.call('GET', '/things/a', { fields }), 'policy-missing')
    refused(await gate.call('POST', '/things', { fields: json, body: '{"id":"a"}' }), 401, 'token-missing')
    refused(await gate.call('POST', '/things', { fields, body: '{"admin":1}' }), 400, 'field-undeclared')
    refused(
      await gate.call('GET', '/things/a', { fields: bearer({ scope: 'x' }) }),
      403,
      'insufficient-scope',
    )
  })

  it('response: the answer goes out as it came, while foreign objects are withheld', async () => {
    const body = '{ "id":"a","owner":"ana","secret":1}'
    const own =
      '@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };'
    const gate = placedGate({ api: '    observe: [response]', answer: body, policies: own })
    const seen = await gate.call('GET', '/things/a', { fields: bearer() })
    expect([seen.status, Buffer.from(seen.body).toString()]).toEqual([200, body])
    expect(seen.codes).toContain('response-field-dropped')
    const foreign = await gate.call('GET', '/things/a', { fields: bearer({ sub: 'ben' }) })
    expect([foreign.status, Buffer.from(foreign.body).includes('secret')]).toEqual([403, false])
    const odd = placedGate({ api: '    observe: [response]', answer: '<p>', type: 'text/html' })
    const html = await odd.call('GET', '/free')
    expect([html.status, Buffer.from(html.body).toString(), html.observed]).toEqual([
      200,
      '<p>',
      ['response-undeclared'],
    ])
    const held = placedGate({ answer: '<p>', type: 'text/html' })
    expect((await held.call('GET', '/free')).status).toBe(502)
  })

  it('never lets through what holds in every mode', async () => {
    const all = placedGate({
      api: '    observe: [identity, contract, policy, zone, response]\n    maxRequestBytes: 20',
    })
    const fields = [...bearer(), ...json]
    const large = await all.call('POST', '/things', { fields, body: `{"id":"${'a'.repeat(50)}"}` })
    refused(large, 413, 'body-too-large')
    refused(await all.call('GET', '/no-such-path'), 404, 'route-unknown')
    const stripped = await all.call('GET', '/free', { fields: ['X-Forwarded-User', 'root'] })
    expect(stripped.status).toBe(200)
    expect(fieldValue(all.upstream.requests.at(-1)?.fields ?? [], 'x-forwarded-user')).toBeUndefined()
  })

  it('says nothing of calls that enforcing would let through', async () => {
    const all = placedGate({ api: '    observe: [identity, contract, policy, zone, response]' })
    const seen = await all.call('GET', '/things/a', { fields: bearer() })
    expect([seen.status, seen.observed, seen.outcome?.wouldDeny]).toEqual([200, [], false])
  })
})

describe('observing single policies', () => {
  const USERS = '@id("users") permit (principal is User, action, resource);'

  it('a forbid would forbid, and the call goes on; enforced, it does not', async () => {
    const forbid =
      '@id("no-writes") @mode("observe") forbid (principal, action in Action::"things/write", resource);'
    const call = { fields: [...bearer(), ...json], body: '{"id":"a"}' }
    const gate = placedGate({ policies: USERS + forbid })
    const seen = await gate.call('POST', '/things', call)
    watched(seen, 'policy-forbids')
    expect(seen.intent?.decisions[0]?.observed?.[0]?.evidence).toEqual({
      policies: ['no-writes'],
      mode: 'observe',
    })
    expect((await gate.call('GET', '/things/a', { fields: bearer() })).outcome?.wouldDeny).toBe(false)
    const enforcing = placedGate({ policies: USERS + forbid.replace('@mode("observe") ', '') })
    refused(await enforcing.call('POST', '/things', call), 403, 'policy-forbids')
  })

  it('a permit would permit, and the call is refused all the same', async () => {
    const permit = '@id("all") @mode("observe") permit (principal, action, resource);'
    const gate = placedGate({
      policies: `@id("reads") permit (principal is User, action in Action::"things/read", resource);${permit}`,
    })
    const seen = await gate.call('POST', '/things', { fields: [...bearer(), ...json], body: '{"id":"a"}' })
    refused(seen, 403, 'policy-missing')
    expect(seen.intent?.decisions.at(-1)?.reasons[0]?.evidence['wouldPermit']).toEqual(['all'])
    expect((await gate.call('GET', '/things/a', { fields: bearer() })).status).toBe(200)
  })

  it('whose owner the answer states, at the answer', async () => {
    const own =
      '@id("own") @mode("observe") forbid (principal is User, action, resource is Object) unless { resource has owner && resource.owner == principal };'
    const gate = placedGate({ policies: USERS + own })
    watched(await gate.call('GET', '/things/a', { fields: bearer({ sub: 'ben' }) }), 'policy-forbids')
    expect((await gate.call('GET', '/things/a', { fields: bearer() })).outcome?.wouldDeny).toBe(false)
  })
})
