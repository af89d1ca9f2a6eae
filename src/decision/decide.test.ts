import { expect, test } from 'vitest'
import type { DecisionInput, PolicyVerdict } from '../model/decision.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import type { JudgeInput } from './decide.ts'
import { decide } from './decide.ts'
import { checkScopes } from './floor.ts'

const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: {
    need: 'required',
    alternatives: [{ schemes: [{ name: 'oauth', kind: 'bearer', scopes: ['orders:read'] }] }],
  },
}
const OPTIONAL: OperationPlan = { ...PLAN, security: { need: 'optional', alternatives: [] } }
const KEYED: OperationPlan = {
  ...PLAN,
  security: {
    need: 'required',
    alternatives: [{ schemes: [{ name: 'key', kind: 'unsupported', scopes: [] }] }],
  },
}
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana', scopes: ['orders:read'] }
const BEN: Subject = { ...ANA, id: 'ben', scopes: [] }
const ALLOW: PolicyVerdict = { verdict: 'allow', policies: ['own'], errors: [] }
const DENY: PolicyVerdict = { verdict: 'deny', policies: [], errors: [] }
const PENDING: PolicyVerdict = {
  verdict: 'pending',
  policies: ['own'],
  errors: [],
  object: { attribute: 'owner', known: false, policies: ['own'] },
}

function judge(changes: Partial<JudgeInput> = {}) {
  const plan = changes.plan === undefined ? PLAN : changes.plan
  const subject = changes.subject === undefined ? ANA : changes.subject
  const scopes = plan && subject ? checkScopes(plan.security, subject) : null
  const base = {
    checkpoint: 'body',
    mode: 'enforce',
    bundle: 'b1',
    findings: [],
    policy: ALLOW,
    last: true,
  } as const
  const decision = decide({ ...base, plan, subject, scopes, ...changes })
  return { ...decision, codes: decision.reasons.map(({ code }) => code) }
}

test('a yes has its reasons', () => {
  expect(judge()).toMatchObject({
    effect: 'allow',
    pending: false,
    codes: ['identity-verified', 'scopes-met', 'policy-permits'],
    policies: ['own'],
    bundle: 'b1',
    checkpoint: 'body',
  })
  expect(judge({ plan: OPTIONAL, subject: ANONYMOUS }).codes).toEqual(['anonymous-allowed', 'policy-permits'])
})

test('what waits is allowed to go on, and denied at the last checkpoint', () => {
  expect(judge({ policy: PENDING, last: false })).toMatchObject({
    effect: 'allow',
    pending: true,
    codes: ['identity-verified', 'scopes-met', 'policy-pending'],
  })
  expect(judge({ policy: PENDING })).toMatchObject({
    effect: 'deny',
    pending: false,
    codes: ['owner-unknowable'],
    policies: ['own'],
  })
})

test('any finding that opposes denies, its reason first, then the floor’s and the policies’', () => {
  const findings = [
    finding(reason('response-field-dropped', 'contract', { fields: ['/x'] })),
    finding(reason('field-undeclared', 'contract', {}, '/isAdmin')),
    finding(reason('body-invalid', 'contract')),
  ]
  expect(judge({ findings })).toMatchObject({ effect: 'deny', codes: ['field-undeclared', 'body-invalid'] })
  expect(judge({ findings, subject: BEN, policy: DENY }).codes).toEqual([
    'field-undeclared',
    'body-invalid',
    'insufficient-scope',
    'policy-missing',
  ])
})

test('findings that do not oppose stand beside the yes', () => {
  const findings = [finding(reason('response-field-dropped', 'contract', { fields: ['/x'] }))]
  expect(judge({ findings })).toMatchObject({
    effect: 'allow',
    codes: [...judge().codes, 'response-field-dropped'],
  })
})

test('scopes are a floor whatever policies permit', () => {
  const denied = judge({ subject: BEN })
  expect(denied).toMatchObject({ effect: 'deny', codes: ['insufficient-scope'], policies: [] })
  expect(denied.reasons[0]).toMatchObject({ evidence: { scopes: ['orders:read'] }, forCaller: 'orders:read' })
})

test('nobody gets past an operation that asks for identity', () => {
  for (const subject of [null, ANONYMOUS]) {
    for (const scopes of [null, checkScopes(PLAN.security, ANA), checkScopes(PLAN.security, ANONYMOUS)]) {
      expect(judge({ subject, scopes }).effect).toBe('deny')
    }
  }
  expect(judge({ subject: ANONYMOUS }).codes).toEqual(['token-missing'])
  expect(judge({ subject: null }).codes).toEqual(['stage-failed'])
})

test('a scheme the gate cannot check denies, unless the API checks it and a policy permits', () => {
  expect(judge({ plan: KEYED }).codes).toEqual(['scheme-unsupported'])
  expect(judge({ plan: KEYED, subject: ANONYMOUS }).codes).toEqual(['scheme-unsupported'])
  const scopes = checkScopes(KEYED.security, ANONYMOUS, 'pass')
  expect(judge({ plan: KEYED, subject: ANONYMOUS, scopes }).codes).toEqual([
    'anonymous-allowed',
    'policy-permits',
  ])
  expect(judge({ plan: KEYED, subject: ANONYMOUS, scopes, policy: DENY }).codes).toEqual(['policy-missing'])
})

test.each<readonly [string, PolicyVerdict, readonly string[]]>([
  ['no permit', DENY, ['policy-missing']],
  ['a forbid', { ...DENY, policies: ['no'] }, ['policy-forbids']],
  [
    'a failing forbid',
    { ...DENY, policies: ['no'], errors: [{ policy: 'no', message: 'x' }] },
    ['policy-failed'],
  ],
  [
    'one of each',
    { ...DENY, policies: ['a', 'b'], errors: [{ policy: 'b', message: 'x' }] },
    ['policy-forbids', 'policy-failed'],
  ],
  ['a failing permit', { ...DENY, errors: [{ policy: 'p', message: 'x' }] }, ['policy-missing']],
  ['a failing engine', { ...DENY, errors: [{ policy: '', message: 'x' }] }, ['policy-failed']],
  [
    'someone else’s',
    { ...DENY, object: { attribute: 'owner', known: true, policies: ['own'] } },
    ['owner-differs'],
  ],
  [
    'an unstated owner',
    { ...DENY, object: { attribute: 'owner', known: false, policies: ['own'] } },
    ['owner-unknowable'],
  ],
  [
    'another tenant',
    { ...DENY, object: { attribute: 'tenant', known: true, policies: ['own'] } },
    ['policy-missing'],
  ],
])('policies deny with their own reasons: %s', (_, policy, codes) => {
  expect(judge({ policy })).toMatchObject({ effect: 'deny', codes, policies: policy.policies })
})

test('what was not judged is denied', () => {
  expect(judge({ policy: null }).codes).toEqual(['stage-failed'])
  expect(judge({ plan: null }).codes).toEqual(['stage-failed'])
  expect(judge({ scopes: null }).codes).toEqual(['stage-failed'])
})

test('a verdict about another call or checkpoint allows nothing', () => {
  const input = { action: 'shop.listOrders', checkpoint: 'body' } as DecisionInput
  expect(judge({ input }).codes).toEqual(['stage-failed'])
  expect(judge({ input: { ...input, action: PLAN.key, checkpoint: 'head' } }).codes).toEqual(['stage-failed'])
  expect(judge({ input: { ...input, action: PLAN.key } }).effect).toBe('allow')
})

test('observe changes no decision; without a contract there is nothing to judge by', () => {
  expect(judge({ mode: 'observe', subject: BEN })).toMatchObject({ effect: 'deny', mode: 'observe' })
  expect(judge({ mode: 'observe', plan: null, policy: null })).toMatchObject({
    effect: 'allow',
    codes: ['ungoverned'],
  })
  const findings = [finding(reason('route-unknown', 'route'))]
  expect(judge({ mode: 'observe', plan: null, findings })).toMatchObject({
    effect: 'deny',
    codes: ['route-unknown'],
  })
})

test('evidence stays small', () => {
  const policies = Array.from({ length: 10_000 }, (_, index) => `p${index}`)
  const { reasons } = judge({ policy: { ...DENY, policies } })
  expect(reasons[0].evidence['policies']).toHaveLength(21)
  const findings = policies.map(() => finding(reason('parameter-invalid', 'contract')))
  expect(judge({ findings }).reasons).toHaveLength(50)
})

test('the same input gives the same decision', () => {
  expect(judge({ subject: BEN, policy: DENY })).toEqual(judge({ subject: BEN, policy: DENY }))
})
