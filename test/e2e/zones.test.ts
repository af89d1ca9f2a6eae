import { afterAll, describe, expect, it } from 'vitest'
import type { RawFields } from '../../src/model/exchange.ts'
import { bearer, closePlacedGates, placedGate, type Seen } from '../placed-gate.ts'

afterAll(closePlacedGates)

const ZONES = `
networks: { office: [10.1.0.0/16] }
zones:
  edge: { networks: [0.0.0.0/0, "::/0"] }
  backoffice: { networks: [office], clients: [corp/batch] }
  fleet: { workloads: ["machines/spiffe://example/ns/fleet/*"] }
  payments: {}
flows:
  - { from: edge, to: payments, operations: [things.getFree] }
  - { from: backoffice, to: payments }
  - { from: fleet, to: payments, operations: [things/read] }
`

const INSIDE = '10.1.2.3'
const OUTSIDE = '203.0.113.9'

describe('trust zones', () => {
  const gate = placedGate({ api: '    zone: payments', top: ZONES })
  const lateral = (seen: Seen) =>
    seen.intent?.decisions[0]?.reasons.find(({ code }) => code === 'lateral-movement')?.evidence

  it('lets through what a flow allows, with or without a token', async () => {
    expect(await gate.call('GET', '/free', { address: OUTSIDE })).toMatchObject({ status: 200, upstream: 1 })
    const batch = bearer({ client_id: 'batch', sub: 'ana' })
    const seen = await gate.call('GET', '/things/a', { address: INSIDE, fields: batch })
    expect(seen).toMatchObject({ status: 200, upstream: 1, observed: [] })
  })

  it('denies the same call from a zone without a flow, and records it as lateral movement', async () => {
    const seen = await gate.call('GET', '/things/a', { address: OUTSIDE, fields: bearer() })
    expect([seen.status, seen.upstream, seen.outcome?.action]).toEqual([403, 0, 'refused'])
    expect(lateral(seen)).toEqual({ from: 'edge', to: 'payments', by: 'network' })
  })

  it('tells the caller no zone, network or policy', async () => {
    const seen = await gate.call('GET', '/things/a', { address: OUTSIDE, fields: bearer() })
    const { type, detail } = JSON.parse(Buffer.from(seen.body).toString())
    expect({ type, detail }).toEqual({ type: 'urn:sallyport:reason:lateral-movement', detail: undefined })
    for (const word of ['edge', 'payments', 'backoffice', 'office', 'zone', 'things'])
      expect(Buffer.from(seen.body).toString()).not.toContain(word)
  })

  it('tells who may not call from there nothing of which paths exist', async () => {
    const asked = { address: INSIDE, fields: bearer({ client_id: 'nobody' }) }
    const top = ZONES.replace('edge: { networks: [0.0.0.0/0, "::/0"] }', 'edge: { networks: [192.0.2.0/24] }')
    const closed = placedGate({ api: '    zone: payments', top })
    const bodies = await Promise.all(
      ['/things/a', '/no-such-path'].map(async (path) => {
        const { status, id, body } = await closed.call('GET', path, asked)
        return [status, Buffer.from(body).toString().replace(id, '')]
      }),
    )
    expect(bodies[0]).toEqual(bodies[1])
    expect(bodies[0]?.[0]).toBe(403)
  })

  it('does not take a stolen token of a zone’s client from elsewhere', async () => {
    const seen = await gate.call('GET', '/things/a', {
      address: OUTSIDE,
      fields: bearer({ client_id: 'batch' }),
    })
    expect([seen.status, seen.upstream]).toEqual([403, 0])
    expect(lateral(seen)).toEqual({ from: '', to: 'payments', by: 'elsewhere' })
  })

  it.each<readonly [string, RawFields]>([
    ['X-Forwarded-For', ['X-Forwarded-For', INSIDE]],
    ['Forwarded', ['Forwarded', `for=${INSIDE}`]],
    ['X-Real-IP', ['X-Real-IP', INSIDE]],
    ['X-Zone', ['X-Zone', 'backoffice', 'Sallyport-Zone', 'backoffice']],
    ['Via and True-Client-IP', ['True-Client-IP', INSIDE, 'CF-Connecting-IP', INSIDE]],
    ['X-Client-Id', ['X-Client-Id', 'batch', 'X-Forwarded-User', 'batch']],
    ['X-Forwarded-Client-Cert', ['X-Forwarded-Client-Cert', 'URI=spiffe://example/ns/fleet/a']],
  ])('%s changes no zone', async (_, fields) => {
    for (const client_id of ['web', 'batch']) {
      const asked = { address: OUTSIDE, fields: [...fields, ...bearer({ client_id })] }
      const seen = await gate.call('GET', '/things/a', asked)
      expect([seen.status, seen.upstream]).toEqual([403, 0])
      expect(lateral(seen)?.['from']).not.toBe('backoffice')
    }
  })

  it('tells an expired token of a zone’s client to be renewed, not that it came from elsewhere', async () => {
    const now = Math.floor(Date.now() / 1000)
    const expired = bearer({ client_id: 'batch', iat: now - 900, exp: now - 600 })
    const seen = await gate.call('GET', '/things/a', { address: INSIDE, fields: expired })
    expect([seen.status, seen.codes]).toEqual([401, ['token-expired']])
    const forged = await gate.call('GET', '/things/a', {
      address: OUTSIDE,
      fields: ['Authorization', 'Bearer a.b.c'],
    })
    expect([forged.status, forged.codes]).toEqual([401, ['token-malformed', 'lateral-movement']])
  })

  it('knows a workload by its verified identity, wherever it calls from, and no person by that name', async () => {
    const sub = 'spiffe://example/ns/fleet/a'
    const workload = bearer({ iss: 'https://spire.example', sub })
    const seen = await gate.call('GET', '/list', { address: OUTSIDE, fields: workload })
    // The list asks for no token, so none is read and the caller is nobody: the network places it.
    expect(lateral(seen)?.['by']).toBe('network')
    const read = await gate.call('GET', '/things/a', { address: OUTSIDE, fields: workload })
    expect([read.status, read.upstream]).toEqual([200, 1])
    const write = { address: OUTSIDE, fields: [...workload, 'Content-Type', 'application/json'], body: '{}' }
    expect(lateral(await gate.call('POST', '/things', write))).toEqual({
      from: 'fleet',
      to: 'payments',
      by: 'workload',
    })
    const person = await gate.call('GET', '/things/a', { address: OUTSIDE, fields: bearer({ sub }) })
    expect(lateral(person)?.['from']).toBe('edge')
  })

  it('is no matter of policies: none permits it', async () => {
    const open = placedGate({
      api: '    zone: payments',
      top: ZONES,
      policies: '@id("a") permit (principal, action, resource);',
    })
    expect((await open.call('GET', '/bare', { address: OUTSIDE })).status).toBe(403)
  })

  it('is what policies read as the principal’s zone', async () => {
    const zoned = placedGate({
      api: '    zone: payments',
      top: ZONES,
      policies:
        '@id("b") permit (principal is User, action, resource) when { principal in Zone::"backoffice" };@id("e") permit (principal is Anonymous, action == Action::"things.getFree", resource);',
    })
    const inside = { address: INSIDE, fields: bearer({ client_id: 'batch' }) }
    const seen = await zoned.call('GET', '/things/a', inside)
    expect(seen.status).toBe(200)
    expect(seen.intent?.attributes?.principal.zone).toBe('backoffice')
    expect((await zoned.call('GET', '/free', { address: OUTSIDE })).status).toBe(200)
    const everywhere = placedGate({
      api: '    zone: payments',
      top: `${ZONES}  - { from: edge, to: payments }\n`,
      policies:
        '@id("b") permit (principal is User, action, resource) when { principal in Zone::"backoffice" };',
    })
    const other = { address: OUTSIDE, fields: bearer() }
    expect((await everywhere.call('GET', '/things/a', other)).codes).toEqual(['policy-missing'])
  })

  it('has its effect suspended by observing the stage, or the API', async () => {
    for (const [api, observed] of [
      ['    zone: payments\n    observe: [zone]', true],
      ['    zone: payments\n    mode: observe', false],
    ] as const) {
      const watched = placedGate({ api, top: ZONES })
      const seen = await watched.call('GET', '/bare', { address: OUTSIDE })
      expect([seen.upstream, seen.outcome?.wouldDeny]).toEqual([1, true])
      expect(observed ? seen.observed : seen.codes).toContain('lateral-movement')
    }
  })
})
