import { afterAll, expect, test } from 'vitest'
import type { OperationPlan } from '../model/operation.ts'
import { compilePolicies } from './cedar/compile.ts'
import { CedarEngine } from './cedar/evaluate.ts'
import { runPolicyTests } from './policy-test.ts'

const BASE = { api: 'shop', tags: ['orders'], deprecated: false } as const
const SCOPES: OperationPlan['security'] = {
  need: 'required',
  alternatives: [{ schemes: [{ name: 'oauth', kind: 'bearer', scopes: ['orders:read'] }] }],
}
const ORDER = { type: 'order', owner: ['customerId'], issuer: 'corp', hideAbsent: true } as const
const OPERATIONS: readonly OperationPlan[] = [
  {
    ...BASE,
    key: 'shop.getOrder',
    method: 'GET',
    template: '/orders/{orderId}',
    kind: 'read',
    security: SCOPES,
    object: { ...ORDER, ownerKnownAt: 'response' },
  },
  {
    ...BASE,
    key: 'shop.updateOrder',
    method: 'PATCH',
    template: '/orders/{orderId}',
    kind: 'write',
    security: SCOPES,
    object: { ...ORDER, ownerKnownAt: 'body' },
  },
  {
    ...BASE,
    key: 'shop.deleteOrder',
    method: 'DELETE',
    template: '/orders/{orderId}',
    kind: 'write',
    security: SCOPES,
    object: { ...ORDER, ownerKnownAt: 'never' },
  },
  {
    ...BASE,
    key: 'shop.health',
    method: 'GET',
    template: '/health',
    kind: 'read',
    security: { need: 'anonymous', alternatives: [] },
  },
]
const APIS = [{ api: 'shop', operations: OPERATIONS, issuer: 'corp' }]
const TEXT = `
@id("own") permit(principal, action in Action::"shop/all", resource is Object)
  when { context.scopesMet && resource has owner && resource.owner == principal };
@id("staff") permit(principal in Group::"corp/staff", action in Action::"shop/read", resource);
@id("health") permit(principal, action == Action::"shop.health", resource);
@id("night") forbid(principal, action, resource) when { context.ip.isInRange(ip("198.51.100.0/24")) };
`
const engine = new CedarEngine(compilePolicies({ files: [{ file: 'p.cedar', text: TEXT }], apis: APIS }).plan)
afterAll(() => engine.close())

function run(...tests: unknown[]) {
  return runPolicyTests({ files: [{ file: 'p.test.yaml', data: { tests } }], apis: APIS, engine })
}

const ANA = { id: 'ana', scopes: ['orders:read'] }

test.each<readonly [string, object]>([
  [
    'her own',
    {
      given: { principal: ANA, object: { owner: 'ana' } },
      call: 'shop.getOrder',
      verdict: 'allow',
      policies: ['own'],
    },
  ],
  [
    'someone else’s',
    {
      given: { principal: ANA, object: { owner: 'ben' } },
      call: 'shop.getOrder',
      verdict: 'deny',
      reasons: ['owner-differs'],
    },
  ],
  [
    'the same id of another issuer',
    {
      given: { principal: { ...ANA, id: 'other/ana' }, object: { owner: 'corp/ana' } },
      call: 'shop.getOrder',
      verdict: 'deny',
    },
  ],
  [
    'the head waits',
    {
      given: { principal: ANA },
      call: { operation: 'shop.getOrder', checkpoint: 'head' },
      verdict: 'pending',
      reasons: ['policy-pending'],
    },
  ],
  [
    'nobody states the owner',
    { given: { principal: ANA }, call: 'shop.getOrder', verdict: 'deny', reasons: ['owner-unknowable'] },
  ],
  [
    'a write, looked up',
    { given: { principal: ANA, object: { owner: 'ana' } }, call: 'shop.updateOrder', verdict: 'allow' },
  ],
  [
    'a write nobody looks up',
    {
      given: { principal: ANA, object: { owner: 'ana' } },
      call: 'shop.deleteOrder',
      verdict: 'deny',
      reasons: ['owner-unknowable'],
    },
  ],
  [
    'scopes are a floor',
    {
      given: { principal: { id: 'olga', groups: ['staff'] }, object: { owner: 'ana' } },
      call: 'shop.getOrder',
      verdict: 'deny',
      reasons: ['insufficient-scope'],
    },
  ],
  [
    'staff',
    {
      given: { principal: { ...ANA, id: 'olga', groups: ['staff'] }, object: { owner: 'ana' } },
      call: 'shop.getOrder',
      verdict: 'allow',
      policies: ['staff'],
    },
  ],
  [
    'anonymous',
    {
      given: { principal: { type: 'Anonymous' } },
      call: 'shop.health',
      verdict: 'allow',
      reasons: ['anonymous-allowed'],
    },
  ],
  [
    'anonymous elsewhere',
    {
      given: { principal: { type: 'Anonymous' } },
      call: 'shop.getOrder',
      verdict: 'deny',
      reasons: ['token-missing'],
    },
  ],
  [
    'from a bad address',
    {
      given: { principal: ANA, object: { owner: 'ana' } },
      call: { operation: 'shop.getOrder', ip: '198.51.100.9' },
      verdict: 'deny',
      reasons: ['policy-forbids'],
      policies: ['night'],
    },
  ],
])('passes: %s', (name, test) => {
  expect(run({ name, ...test })).toMatchObject([{ file: 'p.test.yaml', name, ok: true, problem: '' }])
})

test('a failing test says what was seen instead', () => {
  const given = { principal: ANA, object: { owner: 'ben' } }
  const [result] = run({
    name: 'n',
    given,
    call: 'shop.getOrder',
    verdict: 'allow',
    reasons: ['scopes-met'],
    policies: ['own'],
  })
  expect(result).toMatchObject({
    ok: false,
    seen: { verdict: 'deny', reasons: ['owner-differs'], policies: [] },
  })
  expect(result?.problem).toBe(
    'expected allow, got deny; expected reason scopes-met, got owner-differs; expected policy own, got none',
  )
})

test('an unknown operation is named with the nearest, beside the tests that run', () => {
  const good = {
    name: 'ok',
    given: { principal: { type: 'Anonymous' } },
    call: 'shop.health',
    verdict: 'allow',
  }
  const results = run({ ...good, name: 'bad', call: 'shop.getOrdr' }, good)
  expect(results.map(({ ok, problem }) => [ok, problem])).toEqual([
    [false, 'there is no operation shop.getOrdr; the nearest is shop.getOrder'],
    [true, ''],
  ])
})

test.each<readonly [string, unknown]>([
  ['nothing', null],
  ['text', 'tests'],
  ['an unknown key', { tests: [], test: [] }],
  [
    'a bad verdict',
    { tests: [{ name: 'n', given: { principal: ANA }, call: 'shop.health', verdict: 'yes' }] },
  ],
  [
    'a bad address',
    { tests: [{ name: 'n', given: { principal: ANA }, call: { operation: 'a', ip: 'x' }, verdict: 'deny' }] },
  ],
  ['no principal', { tests: [{ name: 'n', given: {}, call: 'shop.health', verdict: 'deny' }] }],
])('a file of another form fails: %s', (_, data) => {
  const results = runPolicyTests({ files: [{ file: 'p.test.yaml', data }], apis: APIS, engine })
  expect(results.length).toBeGreaterThan(0)
  expect(results.every(({ ok, seen, problem }) => !ok && seen === null && problem !== '')).toBe(true)
})

test('a caller without issuer is no caller', () => {
  const data = {
    tests: [{ name: 'n', given: { principal: { id: 'ana' } }, call: 'shop.health', verdict: 'allow' }],
  }
  const apis = [{ api: 'shop', operations: OPERATIONS }]
  expect(runPolicyTests({ files: [{ file: 'f', data }], apis, engine })).toMatchObject([
    { ok: false, seen: null },
  ])
})
