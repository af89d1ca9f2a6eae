import fc from 'fast-check'
import { compilePolicies } from '../src/decision/cedar/compile.ts'
import { CedarEngine } from '../src/decision/cedar/evaluate.ts'
import type { DecisionInput } from '../src/model/decision.ts'
import type { OperationPlan } from '../src/model/operation.ts'

/** Inputs to a decision: ordinary ones, and such as nobody should send. */

export const GET_ORDER: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['orders'],
  kind: 'read',
  deprecated: false,
  security: { need: 'optional', alternatives: [] },
  object: {
    type: 'order',
    owner: ['customerId'],
    tenant: ['tenant'],
    hideAbsent: true,
    ownerKnownAt: 'response',
  },
}
export const APIS = [{ api: 'shop', operations: [GET_ORDER], zone: 'inner' }]
export const ZONES = ['inner', 'outer']

/** Conditions that read every attribute there is, each in the ways its type allows. */
export const ATOMS = [
  'principal == User::"corp/ana"',
  'principal is Workload',
  'principal in Group::"corp/staff"',
  'principal in Group::"__proto__"',
  'principal in Role::"corp/admin"',
  'principal in [Group::"corp/customers", Group::"__proto__"]',
  'principal in Zone::"outer"',
  'principal is User && principal.client == "web"',
  'principal is User in Group::"corp/staff"',
  'resource in Api::"shop"',
  'resource in Zone::"inner"',
  'resource == Object::"shop/order/o-1"',
  'resource.type == "order"',
  'resource.params has orderId && resource.params.orderId like "o-*"',
  'resource has owner && resource.owner == principal',
  'resource has tenant && principal is User && resource.tenant == principal.tenant',
  '!(resource has tenant)',
  'action in Action::"shop/read"',
  'context.checkpoint == "response"',
  'context.scopes.contains("orders:read")',
  'context.scopes.containsAny(context.audience)',
  'context.scopesMet',
  'context.issuer like "https://*"',
  'context.audience == ["shop"]',
  'context has acr && context.acr == "2"',
  'context.tokenAgeSeconds < 3600',
  'context.tokenAgeSeconds + 9007199254740991 * 1023 > 0',
  'context.method == "GET"',
  'context.path like "/v1/*"',
  'context.ip.isInRange(ip("192.0.2.0/24"))',
  'context.ip.isLoopback() || context.ip.isIpv6()',
  'context.amr.containsAll(["mfa"])',
  'context has authAgeSeconds && context.authAgeSeconds <= 300',
  'context.networks.isEmpty()',
  'context.time.now > datetime("2026-01-01")',
  'context.time.now.toTime() >= duration("8h")',
  'context.time.hour >= 8 && context.time.weekday != "Sunday"',
  'context has device && context.device has compliant && context.device.compliant',
  'context has device && context.device == Device::"corp/laptop"',
  'context has geo && context.geo.country == "DE"',
  'context has geo.asn && context.geo.asn == 64496',
  'context has risk && context.risk > 50',
  'context has rates && context.rates.callerPerMinute * 9007199254740991 > 0',
  'context has message && context.message.bytes > 1024',
] as const

/** Policies that read all of it, so that no attribute goes unlooked at. */
export function probedEngine(): CedarEngine {
  const policies = ATOMS.map(
    (atom, i) => `${i % 3 === 0 ? 'forbid' : 'permit'}(principal, action, resource) when { ${atom} };`,
  )
  return engineOf(policies)
}

/** The policies take the ids `p.cedar#1`, `p.cedar#2`, … */
export function engineOf(
  policies: readonly string[],
  failingForbid: 'deny' | 'ignore' = 'deny',
): CedarEngine {
  const files = [{ file: 'p.cedar', text: policies.join('\n') }]
  const { plan } = compilePolicies({ files, apis: APIS, zones: ZONES, failingForbid })
  return new CedarEngine(plan, { generated: 'always' })
}

/** Absent as often as present. */
function maybe<K extends string, T>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ readonly [P in K]?: T }> {
  return fc
    .option(value, { nil: undefined })
    .map((made) => (made === undefined ? {} : { [key]: made }) as { [P in K]?: T })
}

const NAMES = ['orderId', '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''] as const
const params = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('o-1', 'o/2', '__proto__', '')), {
    maxLength: 4,
  })
  .map((entries) => Object.fromEntries(entries))

const age = fc.oneof(
  fc.constantFrom(0, 3599.99, 3600, 300, -1, -86_400, 4_102_444_800, 9007199254740991, -9007199254740991),
  fc.double({ min: -1e9, max: 1e9, noNaN: true }),
)

const context = fc
  .tuple(
    fc.record({
      scopes: fc.subarray(['orders:read', 'shop', '__proto__']),
      scopesMet: fc.boolean(),
      issuer: fc.constantFrom('https://idp.example', ''),
      audience: fc.subarray(['shop', 'orders:read']),
      tokenAgeSeconds: age,
      method: fc.constantFrom('GET', 'DELETE', 'constructor'),
      path: fc.constantFrom('/v1/orders/o-1', '/v2', '/v1/\0é😀'),
      ip: fc.constantFrom('192.0.2.1', '127.0.0.1', '2001:db8::1', '::1', '198.51.100.7'),
      amr: fc.subarray(['mfa', 'pwd']),
      networks: fc.subarray(['office']),
      time: fc.record({
        // A clock may stand anywhere, and jump.
        epochMs: fc.constantFrom(
          0,
          -1,
          1_795_305_600_000,
          1_795_305_600_000.75,
          253_402_300_799_999,
          -62_167_219_200_000,
        ),
        zone: fc.constantFrom('Europe/Berlin', 'UTC'),
        hour: fc.nat(23),
        minute: fc.nat(59),
        weekday: fc.constantFrom('Monday', 'Sunday'),
      }),
    }),
    maybe('acr', fc.constantFrom('1', '2')),
    maybe('authAgeSeconds', age),
    maybe(
      'device',
      fc
        .tuple(
          fc.record({ id: fc.constantFrom('corp/laptop', '__proto__') }),
          maybe('compliant', fc.boolean()),
        )
        .map(([device, compliant]) => ({ ...device, ...compliant })),
    ),
    maybe(
      'geo',
      fc
        .tuple(fc.record({ country: fc.constantFrom('DE', '') }), maybe('asn', fc.constantFrom(64496, 0)))
        .map(([geo, asn]) => ({ ...geo, ...asn })),
    ),
    maybe('risk', fc.nat(100)),
    maybe('rates', fc.record({ callerPerMinute: fc.constantFrom(0, 1.5, 1025, 9007199254740991) })),
    maybe('message', fc.record({ kind: fc.constant('text'), bytes: fc.nat(4096) })),
  )
  .map(([base, ...others]) => Object.assign({ ...base }, ...others) as DecisionInput['context'])

/** Well formed in everything, with odd values. */
export const oddInput: fc.Arbitrary<DecisionInput> = fc
  .record({
    principal: fc
      .tuple(
        fc.record({
          type: fc.constantFrom(
            'User' as const,
            'Client' as const,
            'Workload' as const,
            'Anonymous' as const,
          ),
          id: fc.constantFrom('corp/ana', 'corp/ben', '__proto__', '"\\'),
          groups: fc.subarray(['corp/staff', 'corp/customers', '__proto__']),
          client: fc.constantFrom('web', 'constructor'),
          tenant: fc.constantFrom('t1', 't2', ''),
        }),
        maybe('roles', fc.subarray(['corp/admin', 'constructor'])),
        maybe('zone', fc.constantFrom('outer', 'inner', '')),
      )
      .map(([base, roles, zone]) => ({ ...base, ...roles, ...zone })),
    resource: fc
      .tuple(
        params,
        maybe('owner', fc.constantFrom('corp/ana', '__proto__')),
        maybe('tenant', fc.constantFrom('t1', '')),
      )
      .map(([made, owner, tenant]) => ({
        api: 'shop',
        objectType: 'order',
        params: made,
        ...owner,
        ...tenant,
        unknown: [],
      })),
    context,
  })
  .map((made) => ({ checkpoint: 'response', action: GET_ORDER.key, ...made }))

function nested(depth: number): unknown {
  let value: unknown = 'x'
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

/** Too much of everything; made once, because making them takes longer than judging them. */
const BOMBS = [
  Array.from({ length: 10_000 }, (_, i) => `corp/group-${i}`),
  Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`a${i}`, 'x'.repeat(100)])),
  nested(5_000),
  'x'.repeat(1_000_000),
]

/** What no attribute should ever be. */
const nonsense: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1e308,
    2 ** 63,
    -0,
    9007199254740993n,
    null,
    undefined,
    '',
    '\ud800',
    'a\udc00b',
    Symbol.iterator,
    [],
    {},
    Object.create(null),
    JSON.parse('{"__proto__": {"owner": "corp/ana"}, "constructor": 1}'),
    new Proxy({}, { get: () => Object.freeze({}) }),
  ),
  fc.constantFrom<unknown>(...BOMBS),
  fc.anything(),
)

const PLACES = [
  ['checkpoint'],
  ['action'],
  ['principal'],
  ['resource'],
  ['context'],
  ...['type', 'id', 'groups', 'roles', 'zone', 'client', 'tenant'].map((name) => ['principal', name]),
  ...['api', 'objectType', 'params', 'owner', 'tenant', 'unknown'].map((name) => ['resource', name]),
  ...[
    ...['scopes', 'scopesMet', 'issuer', 'audience', 'acr', 'tokenAgeSeconds', 'method', 'path', 'ip', 'amr'],
    ...['authAgeSeconds', 'networks', 'time', 'device', 'geo', 'risk', 'rates', 'message', '__proto__'],
  ].map((name) => ['context', name]),
] as const

/** An odd input with nonsense in one to three places. */
export const hostileInput: fc.Arbitrary<DecisionInput> = fc
  .tuple(oddInput, fc.array(fc.tuple(fc.constantFrom(...PLACES), nonsense), { minLength: 1, maxLength: 3 }))
  .map(([made, changes]) => {
    const input: Record<string, unknown> = { ...made }
    for (const [[first = '', second], value] of changes) {
      const below = input[first]
      if (second === undefined || typeof below !== 'object' || below === null) input[first] = value
      else
        input[first] = Object.defineProperty({ ...below }, second, {
          value,
          enumerable: true,
          configurable: true,
        })
    }
    return input as unknown as DecisionInput
  })
