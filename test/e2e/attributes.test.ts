import { afterAll, describe, expect, it } from 'vitest'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import { reevaluate } from '../../src/decision/explain.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import type { RecordedInput } from '../../src/model/record.ts'
import { compileBundle } from '../../src/roles/compile-bundle.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { CONTRACT } from '../attacks/open-gate.ts'
import { configFolder } from '../config-folder.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'
import { accessToken, testKey } from '../token-issuer.ts'

const KEY = testKey('ES256')
const ISS = 'https://idp.example'

const folder = configFolder()
const config = folder.write({
  'sallyport.yaml': `identity:
  issuers:
    corp:
      issuer: "${ISS}"
      rolesClaim: /realm_access/roles
      deviceClaim: device
networks: { office: [10.1.0.0/16, "2001:db8::/32"] }
timeZone: Europe/Berlin
apis:
  things:
    contract: ./things.yaml
    upstream: http://127.0.0.1:1
    identity: { accept: [corp], audience: shop }
policies: ./policies
`,
  'things.yaml': CONTRACT,
  'policies/a.cedar': `
@id("admins") permit (principal in Role::"corp/admin", action == Action::"things.getThing", resource);
@id("office") permit (principal is User, action == Action::"things.addThing", resource)
  when { context.networks.contains("office") };
@id("hours") forbid (principal, action == Action::"things.addThing", resource)
  unless { context.time.hour >= 8 && context.time.hour < 18 && !(["Saturday", "Sunday"].contains(context.time.weekday)) };
@id("device") permit (principal is User, action == Action::"things.changeThing", resource)
  when { context has device && context.device has compliant && context.device.compliant };
@id("mfa") permit (principal is User, action == Action::"things.deleteThing", resource)
  when { context.amr.contains("mfa") && context has authAgeSeconds && context.authAgeSeconds < 300 };
`,
})
const upstream = memoryUpstream(({ method }) => ({
  status: method === 'POST' ? 201 : method === 'DELETE' ? 204 : 200,
  ...(method === 'DELETE' ? {} : { fields: ['Content-Type', 'application/json'], body: '{"id":"a"}' }),
}))
const made = memoryGate({ config, upstream, keys: { corp: { iss: ISS, keys: [KEY] } } })
const engine = new CedarEngine(compileBundle(config).policies)

afterAll(() => {
  engine.close()
  made.close()
  folder.remove()
})

/** Wednesday, 09:05 in Berlin. */
const MORNING = Date.parse('2026-07-01T07:05:00Z')
const EVENING = Date.parse('2026-07-01T16:00:00Z')

interface Asked {
  readonly address?: string
  readonly at?: number
  readonly claims?: Readonly<Record<string, unknown>>
}

async function call(method: string, path: string, { address = '203.0.113.9', at, claims = {} }: Asked = {}) {
  const now = Math.floor(Date.now() / 1000)
  const token = accessToken(KEY, {
    iss: ISS,
    sub: 'ana',
    aud: 'shop',
    client_id: 'web',
    scope: 'things',
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 300,
    ...claims,
  })
  const gate =
    at === undefined ? made.gate : { ...made.gate, clock: { now: () => ({ wallMs: at, monoMs: 1 }) } }
  const body = method === 'POST' || method === 'PATCH' ? { body: Buffer.from('{"note":"x"}') } : {}
  const answer = await callInMemory(gate, systemRandom(), {
    method,
    target: path,
    fields: [
      'Host',
      'gate.example',
      'Authorization',
      `Bearer ${token}`,
      ...('body' in body ? ['Content-Type', 'application/json', 'Content-Length', '12'] : []),
    ],
    address,
    ...body,
  })
  const intent = made.audit.intents.get(answer.id)
  if (intent?.attributes === null || intent === undefined) throw new Error('no attributes were recorded')
  const attributes: RecordedInput = JSON.parse(JSON.stringify(intent.attributes))
  return {
    status: answer.status,
    policies: intent.decisions.at(-1)?.policies,
    attributes,
    again: reevaluate({ decisions: intent.decisions, attributes }, engine),
  }
}

describe('attributes decide, and stand in the record', () => {
  it('a role, from a claim that lies deep', async () => {
    const admin = await call('GET', '/things/a', { claims: { realm_access: { roles: ['admin', 'x'] } } })
    expect(admin).toMatchObject({ status: 200, policies: ['admins'], again: 'same' })
    expect(admin.attributes.principal).toEqual({
      type: 'User',
      id: 'corp/ana',
      roles: ['corp/admin', 'corp/x'],
    })
    const other = await call('GET', '/things/a', { claims: { roles: ['admin'], groups: ['admin'] } })
    expect(other).toMatchObject({ status: 403, again: 'same' })
    expect(other.attributes.principal).toEqual({ type: 'User', id: 'corp/ana' })
  })

  it('a network and the time of day, on a clock in Berlin', async () => {
    const inside = { address: '10.1.2.3', at: MORNING }
    expect(await call('POST', '/things', inside)).toMatchObject({
      status: 201,
      policies: ['office'],
      again: 'same',
      attributes: {
        context: {
          networks: ['office'],
          time: { epochMs: MORNING, zone: 'Europe/Berlin', hour: 9, minute: 5, weekday: 'Wednesday' },
        },
      },
    })
    expect(await call('POST', '/things', { ...inside, address: '10.2.2.3' })).toMatchObject({
      status: 403,
      policies: [],
      again: 'same',
      attributes: { context: { networks: [] } },
    })
    // 18:00 there, 16:00 in UTC.
    expect(await call('POST', '/things', { ...inside, at: EVENING })).toMatchObject({
      status: 403,
      policies: ['hours'],
      again: 'same',
    })
  })

  it('a device that its issuer calls compliant', async () => {
    const device = (stated: unknown) => call('PATCH', '/things/a', { claims: { device: stated } })
    expect(await device({ id: 'd1', compliant: true })).toMatchObject({
      status: 200,
      policies: ['device'],
      again: 'same',
      attributes: { context: { device: { id: 'corp/d1', compliant: true } } },
    })
    for (const stated of ['d1', { id: 'd1' }, { id: 'd1', compliant: false }, undefined])
      expect(await device(stated)).toMatchObject({ status: 403, again: 'same' })
  })

  it('how and when the caller signed in', async () => {
    const auth_time = Math.floor(Date.now() / 1000) - 20
    const signedIn = (claims: Asked['claims'] = {}) => call('DELETE', '/things/a', { claims })
    expect(await signedIn({ amr: ['pwd', 'mfa'], auth_time })).toMatchObject({ status: 204, again: 'same' })
    expect(await signedIn({ amr: ['pwd'], auth_time })).toMatchObject({ status: 403, again: 'same' })
    expect(await signedIn({ amr: ['mfa'], auth_time: auth_time - 600 })).toMatchObject({ status: 403 })
    expect(await signedIn({ amr: ['mfa'] })).toMatchObject({ status: 403, again: 'same' })
  })

  it('a record keeps what the policies read and no more', async () => {
    const { attributes } = await call('GET', '/things/a', { claims: { groups: ['staff'], acr: '2' } })
    expect([...(attributes.kept ?? [])].sort()).toEqual([
      'context.amr',
      'context.authAgeSeconds',
      'context.device',
      'context.networks',
      'context.time',
      'principal.roles',
    ])
    expect(Object.keys(attributes.context).sort()).toEqual(['amr', 'networks', 'time'])
    expect(attributes.principal).not.toHaveProperty('groups')
  })

  it('a record made before the policies asked is not called the same', async () => {
    const { attributes } = await call('GET', '/things/a')
    const { roles: _roles, ...principal } = attributes.principal
    const kept = (attributes.kept ?? []).filter((path) => path !== 'principal.roles')
    const old = { ...attributes, principal, kept }
    const decisions = [...made.audit.intents.values()].at(-1)?.decisions ?? []
    expect(reevaluate({ decisions, attributes: old }, engine)).toEqual({ undecidable: ['principal.roles'] })
  })
})
