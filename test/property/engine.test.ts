import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordInput, replayInput } from '../../src/decision/attributes.ts'
import { compilePolicies } from '../../src/decision/cedar/compile.ts'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import { resourceName } from '../../src/decision/cedar/request.ts'
import { actionGroups } from '../../src/decision/cedar/schema.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { OperationPlan } from '../../src/model/operation.ts'

/**
 * The gate's decisions beside the official evaluator's: the same policies over the same call, handed to cedar-wasm as
 * JSON with every entity written out. Where one says another thing of policies, decision or errors, one is wrong.
 */

const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['orders'],
  kind: 'read',
  deprecated: false,
  security: { need: 'optional', alternatives: [] },
  object: { type: 'order', owner: ['o'], tenant: ['t'], hideAbsent: true, ownerKnownAt: 'response' },
}
const APIS = [{ api: 'shop', operations: [PLAN], zone: 'pay' }]

const SCOPES = [
  'principal, action, resource',
  'principal is User, action, resource',
  'principal is Workload, action == Action::"shop.getOrder", resource',
  'principal == User::"corp/ana", action in Action::"shop/read", resource is Object',
  'principal in Group::"corp/staff", action in [Action::"shop/tag/orders"], resource in Api::"shop"',
  'principal in Role::"corp/admin", action, resource in Zone::"pay"',
  'principal in Zone::"dmz", action, resource == Object::"shop/order/o-1"',
  'principal is User in Group::"corp/staff", action in Action::"shop/write", resource',
]

const ATOMS = [
  'context.scopesMet',
  'context.path like "/v1/*"',
  'principal in Role::"corp/admin"',
  'principal in Zone::"dmz"',
  'resource in Zone::"pay"',
  'User::"corp/ana" in Group::"corp/staff"',
  'context.networks.contains("office")',
  'context.networks.containsAny(["vpn", "office"])',
  'context.amr.containsAll(["mfa"])',
  'context.amr == ["pwd", "mfa", "pwd"]',
  'context has authAgeSeconds && context.authAgeSeconds < 300',
  'context.time.hour * 60 + context.time.minute >= 480',
  'context.time.weekday == "Sunday"',
  'context.time.now > datetime("2026-01-01T00:00:00Z")',
  'context.time.now.toTime() < duration("12h")',
  'context has device && context.device has compliant && context.device.compliant',
  'context has device && context.device == Device::"corp/d1"',
  'context has geo && ["DE", "AT"].contains(context.geo.country)',
  'context has geo && context.geo has asn && context.geo.asn == 64500',
  'context has risk && context.risk > 50',
  'context has rates && context.rates.callerPerMinute > 60',
  'context has message.bytes && context.message.bytes > 100',
  'context.ip.isInRange(ip("10.0.0.0/8")) || context.ip.isLoopback()',
  'context.ip.isIpv6() && context.ip.isInRange(ip("2001:db8::/32"))',
  'resource has owner && resource.owner == principal',
  'resource has tenant && principal is User && resource.tenant == principal.tenant',
  'resource == Object::"shop/order/o-1"',
  'resource.params has orderId && resource.params.orderId like "o-*"',
  'resource.type == "order"',
  'context.tokenAgeSeconds * 9223372036854775807 > 0',
  'action in Action::"shop/read"',
  'context has acr && context.acr == "2"',
] as const

const condition = fc
  .tuple(
    fc.constantFrom('when', 'unless'),
    fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...ATOMS)), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('&&', '||'),
  )
  .map(([kind, atoms, operator]) => {
    const parts = atoms.map(([negated, atom]) => (negated ? `!(${atom})` : `(${atom})`))
    return `${kind} { ${parts.join(` ${operator} `)} }`
  })

const policies = fc.array(
  fc
    .tuple(
      fc.constantFrom('permit', 'permit', 'forbid'),
      fc.constantFrom(...SCOPES),
      fc.array(condition, { maxLength: 2 }),
    )
    .map(([effect, scope, conditions]) => `${effect}(${scope}) ${conditions.join(' ')};`),
  { minLength: 1, maxLength: 8 },
)

const maybe = <K extends string, T>(key: K, value: fc.Arbitrary<T>) =>
  fc
    .option(value, { nil: undefined })
    .map((made) => (made === undefined ? {} : { [key]: made }) as { [P in K]?: T })

const merged = <T extends object>(...parts: fc.Arbitrary<Partial<T>>[]): fc.Arbitrary<Partial<T>> =>
  fc.tuple(...parts).map((made) => Object.assign({}, ...made) as Partial<T>)

const context: fc.Arbitrary<DecisionInput['context']> = fc
  .tuple(
    fc.record({
      scopes: fc.subarray(['orders:read']),
      scopesMet: fc.boolean(),
      issuer: fc.constant('https://idp.example'),
      audience: fc.constant(['shop']),
      tokenAgeSeconds: fc.constantFrom(0, 1, 3600),
      method: fc.constantFrom('GET', 'DELETE'),
      path: fc.constantFrom('/v1/orders/o-1', '/v2'),
      ip: fc.constantFrom('10.1.2.3', '127.0.0.1', '2001:db8::1', '::1'),
      amr: fc.subarray(['pwd', 'mfa']),
      networks: fc.subarray(['office', 'vpn', 'partner']),
      time: fc.record({
        epochMs: fc.integer({ min: -1_000_000, max: 4_000_000_000_000 }),
        zone: fc.constant('UTC'),
        hour: fc.integer({ min: 0, max: 23 }),
        minute: fc.integer({ min: 0, max: 59 }),
        weekday: fc.constantFrom('Sunday', 'Monday'),
      }),
    }),
    merged<DecisionInput['context']>(
      maybe('acr', fc.constantFrom('1', '2')),
      maybe('authAgeSeconds', fc.constantFrom(0, 299, 300)),
      maybe(
        'device',
        fc.constantFrom(
          { id: 'corp/d1' },
          { id: 'corp/d1', compliant: true },
          { id: 'corp/d2', compliant: false, managed: true },
        ),
      ),
      maybe('geo', fc.constantFrom({ country: 'DE' }, { country: 'US', asn: 64_500 })),
      maybe('risk', fc.constantFrom(0, 51)),
      maybe('rates', fc.constantFrom({ callerPerMinute: 60 }, { callerPerMinute: 61 })),
      maybe('message', fc.constant({ kind: 'text', bytes: 101 })),
    ),
  )
  .map(([always, sometimes]) => ({ ...always, ...sometimes }))

const principal: fc.Arbitrary<DecisionInput['principal']> = fc
  .tuple(
    fc.record({
      type: fc.constantFrom('User' as const, 'Client' as const, 'Workload' as const, 'Anonymous' as const),
      id: fc.constantFrom('corp/ana', 'corp/ben'),
      groups: fc.subarray(['corp/staff', 'corp/customers']),
      client: fc.constant('web'),
      tenant: fc.constantFrom('t1', 't2'),
    }),
    merged<DecisionInput['principal']>(
      maybe('roles', fc.subarray(['corp/admin', 'corp/x'])),
      maybe('zone', fc.constantFrom('dmz', 'pay', '')),
    ),
  )
  .map(([always, sometimes]) => ({ ...always, ...sometimes }))

const input: fc.Arbitrary<DecisionInput> = fc
  .tuple(
    principal,
    context,
    fc.constantFrom('o-1', 'o-2', 'x/%y'),
    merged<DecisionInput['resource']>(
      maybe('owner', fc.constantFrom('corp/ana', 'corp/ben')),
      maybe('tenant', fc.constantFrom('t1', 't2')),
    ),
  )
  .map(([who, how, orderId, object]) => ({
    checkpoint: 'response',
    principal: who,
    action: PLAN.key,
    resource: { api: 'shop', objectType: 'order', params: { orderId }, ...object, unknown: [] },
    context: how,
  }))

type Json = cedar.CedarValueJson

function toCedar({ checkpoint, principal: who, resource, context: how, action }: DecisionInput) {
  const uid = { type: who.type, id: who.id }
  const object = resourceName(resource, action)
  const { ip, time, device, ...plain } = how
  const anonymous = who.type === 'Anonymous'
  const zone = who.zone ? [{ type: 'Zone', id: who.zone }] : []
  const memberships = [
    ...who.groups.map((id) => ({ type: 'Group', id })),
    ...(who.roles ?? []).map((id) => ({ type: 'Role', id })),
  ]
  const attrs: Record<string, Json> = { type: resource.objectType, params: { ...resource.params } }
  if (resource.owner !== undefined) attrs['owner'] = { __entity: { type: 'User', id: resource.owner } }
  if (resource.tenant !== undefined) attrs['tenant'] = resource.tenant
  const entities: cedar.EntityJson[] = [
    {
      uid,
      attrs: anonymous ? {} : { client: who.client, tenant: who.tenant },
      parents: [...zone, ...(anonymous ? [] : memberships)],
    },
    { uid: { type: 'Api', id: 'shop' }, attrs: {}, parents: [{ type: 'Zone', id: 'pay' }] },
    { uid: object, attrs, parents: [{ type: 'Api', id: 'shop' }] },
    {
      uid: { type: 'Action', id: action },
      attrs: {},
      parents: actionGroups(PLAN).map((id) => ({ type: 'Action', id })),
    },
  ]
  const made = structuredClone(plain) as unknown as Record<string, Json>
  made['checkpoint'] = checkpoint
  made['ip'] = { __extn: { fn: 'ip', arg: ip } }
  if (time !== undefined) {
    const now = { __extn: { fn: 'offset', args: [epoch(), since(time.epochMs)] } } as unknown as Json
    made['time'] = { hour: time.hour, minute: time.minute, weekday: time.weekday, zone: time.zone, now }
  }
  if (device !== undefined) {
    const { id, ...flags } = device
    made['device'] = { __entity: { type: 'Device', id } }
    entities.push({ uid: { type: 'Device', id }, attrs: { ...flags }, parents: [] })
  }
  return { principal: uid, action: { type: 'Action', id: action }, resource: object, context: made, entities }
}

const epoch = () => ({ __extn: { fn: 'datetime', arg: '1970-01-01' } })
const since = (ms: number) => ({ __extn: { fn: 'duration', arg: `${ms}ms` } })

test('verdict, deciding policies and failing ones are those of the official evaluator', () => {
  let compared = 0
  const verdicts = new Set<string>()
  fc.assert(
    fc.property(policies, fc.array(input, { minLength: 4, maxLength: 12 }), (texts, inputs) => {
      const files = [{ file: 'p.cedar', text: texts.join('\n') }]
      const { plan } = compilePolicies({ files, apis: APIS, zones: ['dmz', 'pay'] })
      const engine = new CedarEngine(plan, { failingForbid: 'ignore', generated: 'always' })
      const staticPolicies = Object.fromEntries(texts.map((text, index) => [`p.cedar#${index + 1}`, text]))
      for (const each of inputs) {
        const answer = cedar.isAuthorized({ ...toCedar(each), policies: { staticPolicies } })
        if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join())
        const { decision, diagnostics } = answer.response
        const verdict = engine.evaluate(each)
        expect({
          verdict: verdict.verdict,
          policies: verdict.policies,
          failed: verdict.errors.map(({ policy }) => policy),
        }).toEqual({
          verdict: decision,
          policies: [...diagnostics.reason].sort(),
          failed: diagnostics.errors.map(({ policyId }) => policyId).sort(),
        })
        compared++
        verdicts.add(decision)
      }
    }),
    { numRuns: 120 },
  )
  expect(compared).toBeGreaterThan(400)
  expect([...verdicts].sort()).toEqual(['allow', 'deny'])
})

function engineOf(texts: readonly string[]): CedarEngine {
  const files = [{ file: 'p.cedar', text: texts.join('\n') }]
  const { plan } = compilePolicies({ files, apis: APIS, zones: ['dmz', 'pay'] })
  return new CedarEngine(plan, { generated: 'always' })
}

const inputs = fc.array(input, { minLength: 4, maxLength: 12 })

test('what a record keeps comes to the same verdict, and without any of it that is not said', () => {
  fc.assert(
    fc.property(policies, inputs, fc.nat(), (texts, calls, which) => {
      const engine = engineOf(texts)
      for (const made of calls) {
        const recorded = JSON.parse(JSON.stringify(recordInput(made, engine.reads, [])))
        const replayed = replayInput(recorded, engine.reads)
        if (!replayed.ok) throw new Error(`missing ${replayed.missing.join()}`)
        expect(engine.evaluate(replayed.input)).toEqual(engine.evaluate(made))
        const lost = [...engine.reads][which % Math.max(1, engine.reads.size)]
        if (lost === undefined) continue
        const fewer = recordInput(made, new Set([...engine.reads].filter((path) => path !== lost)), [])
        const answer = replayInput(fewer, engine.reads)
        // A whole path covers what lies below it, and a few are always kept.
        if (lost === 'resource.params.orderId' || lost === 'resource.type') continue
        expect(answer).toEqual({ ok: false, missing: [lost] })
      }
    }),
    { numRuns: 40 },
  )
})

test('an allow or deny given while owner or tenant are unknown is never taken back', () => {
  const settled = new Set<string>()
  const unknowns = fc.subarray(['owner', 'tenant'] as const, { minLength: 1 })
  fc.assert(
    fc.property(policies, inputs, unknowns, (texts, calls, unknown) => {
      const engine = engineOf(texts)
      for (const made of calls) {
        const early = engine.evaluate({ ...made, resource: { ...made.resource, unknown } }).verdict
        settled.add(early)
        if (early !== 'pending') expect(engine.evaluate(made).verdict).toBe(early)
      }
    }),
    { numRuns: 120 },
  )
  expect([...settled].sort()).toEqual(['allow', 'deny', 'pending'])
})
