import { describe, expect, it } from 'vitest'
import { apiPlan, plan, sideOf } from '../../test/policy-sides.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'
import { diffPolicies, type PolicyDiff } from './diff.ts'
import type { Side } from './side.ts'

const GET = plan({ key: 'shop.getOrder', template: '/orders/{orderId}', object: 'response' })
const LIST: OperationPlan = {
  ...plan({ key: 'shop.listOrders', template: '/orders', object: 'response' }),
  object: {
    type: 'order',
    owner: ['customerId'],
    hideAbsent: true,
    ownerKnownAt: 'response',
    items: { at: [], id: ['id'], param: 'orderId' },
  },
}
const NONE = 'permit(principal, action, resource) when { false };'

function added(body: string, operations: readonly OperationPlan[] = [GET]): PolicyDiff {
  const scope = body.startsWith('permit') ? body : `permit(principal, action, resource) when { ${body} };`
  return diffPolicies(sideOf(NONE, operations), sideOf(`${NONE}\n${scope}`, operations), { bound: 20_000 })
}

/** A permit that some request meets widens, or the diff says it could not decide. */
describe('a permit that can apply is never decided to change nothing', () => {
  const permits: readonly [string, string, (readonly OperationPlan[])?][] = [
    ['sets compared with each other', 'context.scopes != context.amr'],
    ['an address constant in the caller’s range', 'ip("10.0.0.5").isInRange(context.ip)'],
    ['address order', 'context.ip != ip("192.0.2.1")'],
    [
      'an object’s id beside another attribute',
      'resource == Object::"shop/order/o-1" && resource.params has orderId && resource.params.orderId == principal.client',
    ],
    [
      'an item of a list by parameter',
      'resource.params has orderId && resource.params.orderId == "o-1"',
      [GET, LIST],
    ],
    ['an item of a list by name', 'resource == Object::"shop/order/o-1"', [GET, LIST]],
    [
      'no issuer',
      'principal is Anonymous && context.issuer == ""',
      [plan({ key: 'shop.open', need: 'anonymous' })],
    ],
    ['v6 range', 'context.ip.isInRange(ip("2001:db8:1::/48"))'],
    ['v4 and v6', '!context.ip.isIpv4() && context.ip.isInRange(ip("::/0"))'],
    ['loopback', 'context.ip.isLoopback()'],
    [
      'datetime',
      'context.time.now > datetime("2027-01-01") && context.time.now < datetime("2027-01-01T00:00:00.002Z")',
    ],
    ['datetime offset', 'context.time.now.offset(duration("1h")) > datetime("2027-01-01")'],
    ['datetime difference', 'datetime("2027-01-01").durationSince(context.time.now) < duration("-1h")'],
    ['time of day', 'context.time.now.toTime() < duration("1h")'],
    [
      'geo parts',
      'context has geo && context.geo.country == "FR" && context.geo has asn && context.geo.asn == 7',
    ],
    ['risk', 'context has risk && context.risk > 99'],
    ['device', 'context has device && context.device has managed && context.device.managed'],
    ['device named', 'context has device && context.device == Device::"corp/x"'],
    ['anonymous', 'principal is Anonymous', [plan({ key: 'shop.open', need: 'optional' })]],
    ['same attribute', 'context.amr.isEmpty() && !(context.amr == ["pwd"])'],
    ['sets of sets', '[context.amr, ["pwd"]].contains(["otp"])'],
    ['sets in sets', '[["otp", "pwd"]].contains(context.amr)'],
    ['contains any', '["a", "b"].containsAny(context.scopes) && !["a"].containsAny(context.scopes)'],
    ['contains all', '["a", "b"].containsAll(context.scopes)'],
    [
      'an owner of another type',
      'principal is Client && resource has owner && resource.owner == User::"corp/ana"',
    ],
    [
      'not owner',
      'resource has owner && resource.owner != principal && resource has tenant && resource.tenant == principal.tenant',
    ],
    [
      'both sides',
      'principal == principal && resource.params has orderId && resource.params.orderId == context.issuer',
    ],
    ['zone', 'principal in Zone::"branch" && !(principal in Group::"corp/a")'],
    ['if', '(if context has acr then context.acr else principal.client) == "x"'],
    ['arith', 'context.tokenAgeSeconds * 2 == 14'],
    ['neg', '-context.tokenAgeSeconds == -14'],
    ['principal in owner', 'resource has owner && principal in resource.owner'],
    ['principal in set with owner', 'resource has owner && principal in [resource.owner]'],
    ['is in', 'principal is User in Group::"corp/a"'],
    ['literal attr', 'principal == User::"corp/ana" && User::"corp/ana".tenant == "acme"'],
    ['literal in', 'principal == User::"corp/ana" && User::"corp/ana" in Group::"corp/g"'],
    ['literal has', 'principal == User::"corp/ana" && User::"corp/ana" has tenant'],
    ['literal device', 'Device::"corp/x" has managed'],
    ['client empty', 'principal.client == ""'],
    ['tenants', 'principal.tenant == "a" && resource has tenant && resource.tenant == "b"'],
    ['record literal', '{a: context.issuer}.a == "x"'],
    ['record literal 2', '{a: context.issuer, b: context.method} == {a: "x", b: "GET"}'],
    ['weekday', 'context.time.weekday == context.issuer'],
    ['bools', 'context.scopesMet == (context has device)'],
    ['bools 2', '(context.scopes.contains("x")) != (context.amr.contains("y"))'],
    ['path', 'context.path == "/orders/o-7"'],
    ['has ext', 'context has geo.asn && context.geo.asn > 5'],
    ['rates', 'context has rates && context.rates.callerPerMinute > 100'],
  ]
  for (const [name, body, operations] of permits) {
    it(name, () => {
      const report = added(body, operations)
      for (const { key } of operations ?? [GET]) {
        const told = report.operations.some((each) => each.operation === key && each.widened.requests > 0)
        const open = report.generated.some(({ operation }) => operation === key)
        expect({ key, seen: told || open, why: report.generated }).toMatchObject({ key, seen: true })
      }
    })
  }
})

describe('settings', () => {
  const all = 'permit(principal, action, resource);'
  const compare = (before: ReturnType<typeof sideOf>, after: ReturnType<typeof sideOf>): boolean =>
    diffPolicies(before, after, { bound: 2_000 }).widened

  it('an operation that only observes now, of an API that enforces now', () => {
    const one = [{ ...GET, mode: 'enforce' as const }]
    const two = [{ ...GET, mode: 'observe' as const }]
    expect(compare(sideOf(all, one, apiPlan({ mode: 'observe' })), sideOf(all, two, apiPlan()))).toBe(true)
  })

  it('an added operation that only observes', () => {
    expect(compare(sideOf('', []), sideOf('', [{ ...GET, mode: 'observe' as const }]))).toBe(true)
  })

  it('a whose-it-is that is read elsewhere', () => {
    const owner =
      'permit(principal, action, resource) when { resource has owner && resource.owner == principal };'
    const { object } = GET
    if (object === undefined) throw new Error('no object')
    const two = [{ ...GET, object: { ...object, owner: ['createdBy'] } }]
    expect(compare(sideOf(owner, [GET]), sideOf(owner, two))).toBe(true)
  })
})

describe('what stands outside the policies', () => {
  const corp = {
    name: 'corp',
    iss: 'https://corp',
    algorithms: ['RS256'],
    types: [],
    groupsClaim: 'groups',
    keys: { refreshSeconds: 1, cooldownSeconds: 1, maxStaleSeconds: 1, waitMs: 1 },
    skewSeconds: 5,
  }
  const text =
    'permit(principal, action, resource) when { context.time.hour < 9 && !context.networks.contains("bad") };'
  const side = sideOf(text, [GET])
  const heads: readonly [string, Side['head'], Side['head']][] = [
    ['groupsClaim', { issuers: [corp] }, { issuers: [{ ...corp, groupsClaim: 'teams' }] }],
    ['subjects', { issuers: [corp] }, { issuers: [{ ...corp, subjects: 'workload' }] }],
    ['timeZone', { issuers: [] }, { issuers: [], timeZone: 'Asia/Tokyo' }],
    ['networks', { issuers: [], networks: { bad: ['10.0.0.0/8'] } }, { issuers: [], networks: { bad: [] } }],
  ]
  for (const [name, before, after] of heads) {
    it(name, () => {
      const { settings, widened } = diffPolicies(
        { ...side, head: before },
        { ...side, head: after },
        { bound: 10 },
      )
      expect(settings.map(({ setting }) => setting.split('.').at(-1))).toEqual([name])
      expect(widened).toBe(true)
    })
  }

  it('failingForbid', () => {
    const detail = side.policies.detail as object
    const after = { ...side, policies: { ...side.policies, detail: { ...detail, failingForbid: 'ignore' } } }
    expect(diffPolicies(side, after, { bound: 10 }).settings).toMatchObject([
      { setting: 'failingForbid', widened: true },
    ])
  })

  it('signals', () => {
    const [api] = side.apis
    if (api === undefined) throw new Error('no api')
    const signals = [{ name: 'fraud' }] as unknown as NonNullable<ApiPlan['signals']>
    const asking = { ...side, apis: [{ ...api, plan: { ...api.plan, signals } }] }
    for (const [before, after, names] of [
      [asking, side, 'fraud'],
      [side, asking, 'fraud'],
    ] as const) {
      const { settings } = diffPolicies(before, after, { bound: 10 })
      expect(settings).toMatchObject([
        { setting: 'apis.shop.signals', words: expect.stringContaining(names) },
      ])
      expect(settings[0]?.widened).toBe(true)
    }
  })
})
