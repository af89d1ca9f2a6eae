import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenGate, openGate, request } from './open-gate.ts'

/**
 * What a caller outside may try in order to seem inside: over a real connection, whose address is the loopback's. The
 * zone of the API takes calls of `inside` only, which the caller is not in.
 */
describe('a caller that says it is elsewhere', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate({
      api: '    zone: vault',
      raw: '    zone: vault',
      top: `networks: { inside: [10.0.0.0/8], here: [127.0.0.0/8, "::1"] }
zones: { inside: { networks: [inside], clients: [corp/batch] }, machines: { networks: [10.0.0.0/8] }, here: { networks: [here] }, vault: {} }
flows: [{ from: inside, to: vault }, { from: machines, to: vault }]`,
    })
  })
  afterAll(() => gate.stop())

  const INSIDE = '10.1.2.3'
  it.each<readonly [string, Readonly<Record<string, string>>, string]>([
    ['nothing', {}, '/v1/free'],
    ['X-Forwarded-For', { 'X-Forwarded-For': INSIDE }, '/v1/free'],
    ['a chain of X-Forwarded-For', { 'X-Forwarded-For': `${INSIDE}, 127.0.0.1` }, '/v1/free'],
    ['Forwarded', { Forwarded: `for=${INSIDE};by=${INSIDE}` }, '/v1/free'],
    ['X-Real-IP', { 'X-Real-IP': INSIDE, 'X-Client-IP': INSIDE }, '/v1/free'],
    ['a zone', { 'X-Zone': 'inside', 'Sallyport-Zone': 'inside' }, '/v1/free'],
    ['a certificate', { 'X-Forwarded-Client-Cert': 'URI=spiffe://example/ns/inside/a' }, '/v1/free'],
    [
      'a service mesh’s identity',
      { 'X-Envoy-Peer-Metadata-Id': 'inside', 'L5d-Client-Id': 'inside' },
      '/v1/free',
    ],
    ['a longer way', { Via: `1.1 ${INSIDE}` }, '/v1/free?address=10.1.2.3'],
  ])('with %s stays where it is', async (_, fields, path) => {
    const before = gate.upstream.calls.length
    const [answer] = await gate.send(request('GET', path, fields))
    expect([answer?.status, gate.upstream.calls.length - before]).toEqual([403, 0])
    const record = gate.audit.intents.get(answer?.field('sallyport-exchange') ?? '')
    expect(record?.decisions[0]?.reasons[0]).toMatchObject({
      code: 'lateral-movement',
      evidence: { from: 'here', to: 'vault', by: 'network' },
    })
    expect(answer?.body).not.toMatch(/vault|inside|here"|network|zone/)
  })

  it('is in no zone with a stolen token of a client that belongs inside', async () => {
    const stolen = gate.token('ana', { client_id: 'batch' })
    const [answer] = await gate.send(
      request('GET', '/v1/things/a', { Authorization: `Bearer ${stolen}`, 'X-Forwarded-For': INSIDE }),
    )
    expect(answer?.status).toBe(403)
    const record = gate.audit.intents.get(answer?.field('sallyport-exchange') ?? '')
    expect(record?.decisions[0]?.reasons[0]?.evidence).toEqual({ from: '', to: 'vault', by: 'elsewhere' })
  })
})
