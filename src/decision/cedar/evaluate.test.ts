import { afterEach, expect, test } from 'vitest'
import type { DecisionInput, PolicyVerdict } from '../../model/decision.ts'
import type { ObjectPlan, OperationPlan } from '../../model/operation.ts'
import { compilePolicies } from './compile.ts'
import { CedarEngine } from './evaluate.ts'
import { resourceName } from './request.ts'

function operation(key: string, template: string, object?: ObjectPlan): OperationPlan {
  return {
    key,
    api: 'shop',
    method: 'GET',
    template,
    tags: ['orders'],
    kind: 'read',
    deprecated: false,
    security: { need: 'optional', alternatives: [] },
    ...(object === undefined ? {} : { object }),
  }
}

const ORDER: ObjectPlan = {
  type: 'order',
  owner: ['customerId'],
  tenant: ['tenant'],
  hideAbsent: true,
  ownerKnownAt: 'response',
}
const OPERATIONS = [
  operation('shop.getOrder', '/orders/{orderId}', ORDER),
  operation('shop.listOrders', '/orders'),
]

const open: CedarEngine[] = []
afterEach(() => {
  for (const engine of open.splice(0)) engine.close()
})

function engine(text: string, failingForbid: 'deny' | 'ignore' = 'deny'): CedarEngine {
  const apis = [{ api: 'shop', operations: OPERATIONS, zone: 'pay' }]
  const files = [{ file: 'p.cedar', text }]
  const { plan } = compilePolicies({ files, apis, zones: ['pay', 'dmz'], failingForbid })
  const made = new CedarEngine(JSON.parse(JSON.stringify(plan)))
  open.push(made)
  return made
}

const CALL: DecisionInput = {
  checkpoint: 'response',
  principal: {
    type: 'User',
    id: 'corp/ana',
    groups: ['corp/customers'],
    roles: ['corp/admin'],
    zone: 'dmz',
    client: 'web',
    tenant: 't1',
  },
  action: 'shop.getOrder',
  resource: {
    api: 'shop',
    objectType: 'order',
    params: { orderId: 'o-1' },
    owner: 'corp/ana',
    tenant: 't1',
    unknown: [],
  },
  context: {
    scopes: ['orders:read'],
    scopesMet: true,
    issuer: 'https://idp.example',
    audience: ['shop'],
    tokenAgeSeconds: 12.7,
    method: 'GET',
    path: '/v1/orders/o-1',
    ip: '192.0.2.7',
    amr: ['pwd', 'mfa'],
    authAgeSeconds: 61.5,
    networks: ['office', 'vpn'],
    time: {
      epochMs: Date.parse('2026-11-21T10:00:00Z'),
      zone: 'Europe/Berlin',
      hour: 23,
      minute: 5,
      weekday: 'Monday',
    },
    device: { id: 'corp/d1', compliant: true },
    geo: { country: 'DE' },
    risk: 49,
    rates: { callerPerMinute: 10 },
  },
}

type Changes = { -readonly [K in keyof DecisionInput]?: Partial<DecisionInput[K]> | DecisionInput[K] }

function call(changes: Changes = {}): DecisionInput {
  return {
    ...CALL,
    ...changes,
    principal: { ...CALL.principal, ...(changes.principal as Partial<DecisionInput['principal']>) },
    resource: { ...CALL.resource, ...(changes.resource as Partial<DecisionInput['resource']>) },
    context: { ...CALL.context, ...(changes.context as Partial<DecisionInput['context']>) },
  } as DecisionInput
}

/** The call at head: nobody has stated owner and tenant. */
function head(changes: Changes = {}): DecisionInput {
  const { owner: _owner, tenant: _tenant, ...resource } = CALL.resource
  const made = call({ checkpoint: 'head', ...changes })
  return { ...made, resource: { ...resource, unknown: ['owner', 'tenant'] } }
}

const OWN =
  '@id("own") permit(principal, action, resource) when { resource has owner && resource.owner == principal };'
const ALL = '@id("all") permit(principal, action, resource);'

test('without a permit all is denied', () => {
  expect(engine('').evaluate(CALL)).toEqual({ verdict: 'deny', policies: [], errors: [] })
})

test('a forbid beats every permit', () => {
  const text = `${ALL} @id("no") forbid(principal, action, resource) when { context.path like "/v1/*" };`
  expect(engine(text).evaluate(CALL)).toEqual({ verdict: 'deny', policies: ['no'], errors: [] })
  expect(engine(text).evaluate(call({ context: { path: '/v2' } }))).toMatchObject({
    verdict: 'allow',
    policies: ['all'],
  })
})

test.each([
  ['principal == User::"corp/ana"', true],
  ['principal == User::"other/ana"', false],
  ['principal is Anonymous', false],
  ['principal in Group::"corp/customers"', true],
  ['principal in Group::"other/customers"', false],
  ['principal is User && principal.client == "web" && principal.tenant == "t1"', true],
  ['action in Action::"shop/read"', true],
  ['action in Action::"shop/write"', false],
  ['action in Action::"shop/tag/orders"', true],
  ['resource in Api::"shop"', true],
  ['resource == Object::"shop/order/o-1"', true],
  ['resource is Object && resource.type == "order"', true],
  ['resource.params has orderId && resource.params.orderId == "o-1"', true],
  ['context.scopes.contains("orders:read") && context.audience.contains("shop")', true],
  ['context.ip.isInRange(ip("192.0.2.0/24"))', true],
  ['context.tokenAgeSeconds == 12', true],
  ['context has acr', false],
  ['context.checkpoint == "response"', true],
  ['principal in Role::"corp/admin"', true],
  ['principal in Role::"corp/customers"', false],
  ['principal in Group::"corp/admin"', false],
  ['principal in Zone::"dmz"', true],
  ['principal in Zone::"pay"', false],
  ['principal in [Group::"x", Group::"corp/customers"]', true],
  ['resource in Zone::"pay"', true],
  ['resource in Zone::"dmz"', false],
  ['User::"corp/ana" in Group::"corp/customers"', true],
  ['User::"corp/ben" in Group::"corp/customers"', false],
  ['context.amr.contains("mfa") && context has authAgeSeconds && context.authAgeSeconds == 61', true],
  ['context.networks.containsAll(["office", "vpn"])', true],
  ['context.networks == ["vpn", "office"]', true],
  ['context.time.hour == 23 && context.time.minute == 5 && context.time.weekday == "Monday"', true],
  ['context.time.zone == "Europe/Berlin" && context.time.now == datetime("2026-11-21T10:00:00Z")', true],
  ['context.time.now.offset(duration("1d")) > datetime("2026-11-22")', true],
  ['context has device && context.device == Device::"corp/d1"', true],
  ['context has device && context.device has compliant && context.device.compliant', true],
  ['context has device && context.device has managed && context.device.managed', false],
  ['context has geo && context.geo.country == "DE" && context.geo has asn', false],
  ['context has risk && context.risk < 50', true],
  ['context has rates && context.rates.callerPerMinute > 10', false],
  ['context has message', false],
])('names and attributes are those of the design: %s', (condition, holds) => {
  const { verdict, errors } = engine(`permit(principal, action, resource) when { ${condition} };`).evaluate(
    CALL,
  )
  expect(errors).toEqual([])
  expect(verdict).toBe(holds ? 'allow' : 'deny')
})

test('an anonymous caller is no user, whatever its id', () => {
  const made = engine('permit(principal is User, action, resource);')
  expect(made.evaluate(call({ principal: { type: 'Anonymous' } })).verdict).toBe('deny')
  expect(made.evaluate(call({ principal: { type: 'Client' } })).verdict).toBe('deny')
})

test('the owner decides: own, someone else’s, of another issuer, a client of that name, none', () => {
  const made = engine(OWN)
  const turn = { attribute: 'owner', known: true, policies: ['own'] }
  expect(made.evaluate(CALL)).toEqual({ verdict: 'allow', policies: ['own'], errors: [] })
  expect(made.evaluate(call({ resource: { owner: 'corp/ben' } }))).toMatchObject({
    verdict: 'deny',
    object: turn,
  })
  expect(made.evaluate(call({ resource: { owner: 'other/ana' } }))).toMatchObject({
    verdict: 'deny',
    object: turn,
  })
  expect(made.evaluate(call({ principal: { type: 'Client' } })).verdict).toBe('deny')
  const { owner: _owner, ...ownerless } = CALL.resource
  expect(made.evaluate({ ...CALL, resource: ownerless })).toMatchObject({
    verdict: 'deny',
    object: { attribute: 'owner', known: false },
  })
})

test('a deny that has nothing to do with the owner does not name it', () => {
  const text =
    '@id("own") permit(principal, action, resource) when { context.path == "/" && resource has owner && resource.owner == principal };'
  expect(engine(text).evaluate(call({ resource: { owner: 'corp/ben' } }))).not.toHaveProperty('object')
  const other =
    'permit(principal, action, resource) when { resource has owner && resource.owner == User::"corp/zoe" };'
  expect(engine(other).evaluate(CALL)).not.toHaveProperty('object')
})

test('the tenant decides as the owner does', () => {
  const text = `@id("tenant") permit(principal is User, action, resource)
    when { resource has tenant && resource.tenant == principal.tenant };`
  const made = engine(text)
  expect(made.evaluate(CALL).verdict).toBe('allow')
  expect(made.evaluate(head()).verdict).toBe('pending')
  expect(made.evaluate(call({ resource: { tenant: 't2' } }))).toMatchObject({
    verdict: 'deny',
    object: { attribute: 'tenant', known: true },
  })
})

test.each<readonly [string, string, PolicyVerdict['verdict'], readonly string[]]>([
  ['a permit that reads the owner waits', OWN, 'pending', ['own']],
  [
    'one that could not hold whoever owns it does not',
    OWN.replace('resource has', '!context.scopesMet && resource has'),
    'deny',
    [],
  ],
  ['a permit that reads nothing unknown allows at once', `${ALL}${OWN}`, 'allow', ['all']],
  [
    'a forbid that reads the owner may still deny',
    `${ALL} @id("others") forbid(principal, action, resource) unless { resource has owner && resource.owner == principal };`,
    'pending',
    ['others'],
  ],
  [
    'unless it cannot apply to this call',
    `${ALL} forbid(principal, action, resource) when { context.method == "DELETE" && resource has owner && resource.owner != principal };`,
    'allow',
    ['all'],
  ],
  [
    'also where the method is asked after the owner',
    `${ALL} forbid(principal, action, resource) when { resource has owner && resource.owner != principal && context.method == "DELETE" };`,
    'allow',
    ['all'],
  ],
  [
    'a decidable forbid denies at once',
    `${OWN} @id("no") forbid(principal, action, resource) when { context.scopesMet };`,
    'deny',
    ['no'],
  ],
  [
    'what is negated waits as well',
    '@id("n") permit(principal, action, resource) unless { resource has owner };',
    'pending',
    ['n'],
  ],
  [
    'an alternative waits whole',
    '@id("o") permit(principal, action, resource) when { !context.scopesMet || (resource has owner && resource.owner == principal) };',
    'pending',
    ['o'],
  ],
])('at head: %s', (_, text, verdict, policies) => {
  expect(engine(text).evaluate(head())).toMatchObject({ verdict, policies })
})

test('where owner alone is unknown, a permit by tenant is decided', () => {
  const text = `@id("tenant") permit(principal is User, action, resource) when { resource has tenant && resource.tenant == principal.tenant }; ${OWN}`
  const input = head()
  const knowsTenant = { ...input, resource: { ...input.resource, tenant: 't1', unknown: ['owner'] as const } }
  expect(engine(text).evaluate(knowsTenant)).toMatchObject({ verdict: 'allow', policies: ['tenant'] })
})

test('operations without object have nothing unknown', () => {
  const input = head({ action: 'shop.listOrders' })
  const list = { ...input, resource: { ...input.resource, objectType: '', params: {} } }
  expect(engine(OWN).evaluate(list)).toEqual({ verdict: 'deny', policies: [], errors: [] })
  expect(
    engine('permit(principal, action, resource == Operation::"shop.listOrders");').evaluate(list).verdict,
  ).toBe('allow')
})

const OVERFLOW = 'context.tokenAgeSeconds * 9007199254740991 * 9007199254740991 > 0'

test('a forbid that fails denies, and says so', () => {
  const text = `${ALL} @id("broken") forbid(principal, action, resource) when { ${OVERFLOW} };`
  const verdict = engine(text).evaluate(CALL)
  expect(verdict).toMatchObject({ verdict: 'deny', policies: ['broken'], errors: [{ policy: 'broken' }] })
})

test('in plain Cedar a forbid that fails does not apply, and is still reported', () => {
  const text = `${ALL} @id("broken") forbid(principal, action, resource) when { ${OVERFLOW} };`
  const verdict = engine(text, 'ignore').evaluate(CALL)
  expect(verdict).toMatchObject({ verdict: 'allow', policies: ['all'], errors: [{ policy: 'broken' }] })
  const behind = `${ALL} forbid(principal, action, resource) when { (resource has owner && ${OVERFLOW}) && context.method == "GET" };`
  expect(engine(behind, 'ignore').evaluate(CALL).verdict).toBe('allow')
})

test('anonymous callers have a zone and nothing else', () => {
  const made = (condition: string) =>
    engine(`permit(principal, action, resource) when { ${condition} };`).evaluate(
      call({ principal: { type: 'Anonymous', id: 'anonymous' } }),
    ).verdict
  expect(made('principal in Zone::"dmz"')).toBe('allow')
  expect(made('principal in Group::"corp/customers"')).toBe('deny')
  expect(made('principal in Role::"corp/admin"')).toBe('deny')
})

test.each<readonly [string, Changes]>([
  ['risk', { context: { risk: 0.5 } }],
  [
    'time',
    { context: { time: { epochMs: Number.NaN, zone: 'UTC', hour: 1, minute: 1, weekday: 'Monday' } } },
  ],
  ['time', { context: { time: { epochMs: 1, zone: 'UTC', hour: 0.5, minute: 1, weekday: 'Monday' } } }],
  ['authAgeSeconds', { context: { authAgeSeconds: Number.POSITIVE_INFINITY } }],
  ['networks', { context: { networks: 'office' as unknown as string[] } }],
  ['device', { context: { device: { id: 7 as unknown as string } } }],
  ['geo', { context: { geo: { country: 7 as unknown as string } } }],
])('%s that is not of its type is denied', (name, changes) => {
  const text = `permit(principal, action, resource) when { context has ${name} || true };`
  expect(engine(text).evaluate(call()).verdict).toBe('allow')
  expect(engine(text).evaluate(call(changes))).toEqual({
    verdict: 'deny',
    policies: [],
    errors: [{ policy: '', message: `context.${name} is not of its type` }],
  })
})

test('what was not stated makes a permit fail and a forbid deny', () => {
  const { time: _time, ...context } = CALL.context
  const night = 'when { context.time.hour > 22 }'
  const permit = engine(`permit(principal, action, resource) ${night};`).evaluate({ ...CALL, context })
  expect(permit).toMatchObject({ verdict: 'deny', policies: [], errors: [{ policy: 'p.cedar#1' }] })
  const forbid = engine(`${ALL} @id("night") forbid(principal, action, resource) ${night};`)
  expect(forbid.evaluate({ ...CALL, context })).toMatchObject({ verdict: 'deny', policies: ['night'] })
})

test('thousands of groups are found as few are', () => {
  const groups = Array.from({ length: 10_000 }, (_, index) => `corp/g${index}`)
  const permit = (group: string) => `permit(principal in Group::"corp/${group}", action, resource);`
  const others = Array.from({ length: 20 }, (_, index) => permit(`h${index}`))
  const made = engine(`${others.join(' ')} @id("last") ${permit('g9999')}`)
  expect(made.evaluate(call({ principal: { groups } }))).toMatchObject({ policies: ['last'] })
  expect(made.evaluate(CALL).verdict).toBe('deny')
})

test('a forbid that may fail behind an unknown keeps the call waiting', () => {
  const text = `${ALL} @id("broken") forbid(principal, action, resource)
    when { (resource has owner && ${OVERFLOW}) && context.method == "DELETE" };`
  expect(engine(text).evaluate(head())).toMatchObject({ verdict: 'pending', policies: ['broken'] })
})

test('a permit that fails does not apply and is reported', () => {
  const text = `@id("broken") permit(principal, action, resource) when { ${OVERFLOW} };`
  expect(engine(text).evaluate(CALL)).toMatchObject({
    verdict: 'deny',
    policies: [],
    errors: [{ policy: 'broken' }],
  })
  expect(engine(text + ALL).evaluate(CALL)).toMatchObject({
    verdict: 'allow',
    policies: ['all'],
    errors: [{ policy: 'broken' }],
  })
})

test.each<readonly [string, DecisionInput]>([
  ['an API without policies', call({ resource: { api: 'nope' } })],
  ['an unknown operation', call({ action: 'shop.nope' })],
  ['an id of half a character', call({ principal: { id: 'corp/\ud800' } })],
  ['nothing at all', undefined as unknown as DecisionInput],
  ['prototype names', call({ resource: { api: '__proto__' }, action: 'constructor' })],
])('what cannot be evaluated is denied: %s', (_, input) => {
  const verdict = engine(ALL).evaluate(input)
  expect(verdict).toMatchObject({ verdict: 'deny', policies: [], errors: [{ policy: '' }] })
})

test.each<readonly [string, DecisionInput]>([
  ['an address that is none', call({ context: { ip: 'nowhere' } })],
  ['an age that is no number', call({ context: { tokenAgeSeconds: Number.NaN } })],
])('what a policy reads must be what it is said to be: %s', (_, input) => {
  const reading =
    'permit(principal, action, resource) when { context.tokenAgeSeconds < 60 || context.ip.isLoopback() };'
  expect(engine(reading).evaluate(call()).verdict).toBe('allow')
  expect(engine(reading).evaluate(input)).toMatchObject({
    verdict: 'deny',
    policies: [],
    errors: [{ policy: '' }],
  })
  // What no policy reads is not handed over, so it cannot spoil a verdict either.
  expect(engine(ALL).evaluate(input).verdict).toBe('allow')
})

test('path parameters cannot pose as entities or as other objects', () => {
  const params = JSON.parse('{"__entity": "x", "__extn": "y", "__proto__": "z"}') as Record<string, string>
  expect(engine(OWN).evaluate(call({ resource: { params } })).verdict).not.toBe('pending')
  const name = (values: Record<string, string>): string =>
    resourceName({ api: 'shop', objectType: 'file', params: values, unknown: [] }, 'shop.x').id
  expect(name({ a: 'x/y' })).toBe('shop/file/x%2Fy')
  expect(name({ a: 'x', b: 'y' })).toBe('shop/file/x/y')
  expect(name({ a: 'x%2Fy' })).toBe('shop/file/x%252Fy')
})

test('a closed engine denies, and its slots are used again', () => {
  const first = engine(ALL)
  first.close()
  const second = engine('')
  expect(first.evaluate(CALL).verdict).toBe('deny')
  expect(second.evaluate(CALL).verdict).toBe('deny')
  expect(engine(ALL).evaluate(CALL).verdict).toBe('allow')
})

test('engines side by side keep their own policies', () => {
  const [one, two, three] = [engine(ALL), engine(''), engine(OWN)]
  expect([one, two, three].map((each) => each.evaluate(CALL).verdict)).toEqual(['allow', 'deny', 'allow'])
})

test('a plan that is not of the compiler’s making is refused', () => {
  for (const detail of [
    null,
    {},
    { format: 2, policies: [], apis: {} },
    { format: 1, policies: [{ id: 'x' }], apis: {} },
  ]) {
    expect(() => new CedarEngine({ detail, reads: [] })).toThrow(
      expect.objectContaining({ code: 'bundle-corrupt' }),
    )
  }
})

test('what decides one operation is told apart from what decides others, and from what is only observed', () => {
  const policies =
    engine(`@id("own") permit (principal, action, resource is Object) when { resource has owner };
@id("held") forbid (principal, action == Action::"shop.getOrder", resource == Object::"shop/order/o-1");
@id("tried") @mode("observe") forbid (principal, action, resource) when { context.method == "GET" };`)
  expect([...policies.reads].sort()).toEqual(['context.method', 'resource.owner', 'resource.params'])
  expect([...policies.readsOf('shop', 'shop.listOrders')]).toEqual(['resource.owner'])
  expect([...policies.readsOf('shop', 'shop.getOrder')].sort()).toEqual(['resource.owner', 'resource.params'])
  expect(policies.readsOf('shop', 'shop.listOrders')).toBe(policies.readsOf('shop', 'shop.listOrders'))
  expect(policies.readsOf('other', 'shop.listOrders')).toBe(policies.reads)
})
