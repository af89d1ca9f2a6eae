import { expect, it } from 'vitest'
import { plan } from '../../test/policy-sides.ts'
import type { OperationPlan } from '../model/operation.ts'
import { compilePolicies } from './cedar/compile.ts'
import { CedarEngine } from './cedar/evaluate.ts'
import { type PolicyTestResult, runPolicyTests } from './policy-test.ts'

const LIST: OperationPlan = {
  ...plan({ key: 'shop.listOrders' }),
  object: {
    type: 'order',
    owner: ['customerId'],
    hideAbsent: true,
    ownerKnownAt: 'response',
    items: { at: ['items'] },
  },
}

function run(
  condition: string,
  test: object,
  operation = plan({ key: 'shop.listOrders' }),
): PolicyTestResult {
  const text = `@id("only") permit(principal, action, resource) when { ${condition} };`
  const apis = [{ api: 'shop', operations: [operation], issuer: 'corp' }]
  const { plan: policies } = compilePolicies({
    files: [{ file: 'p.cedar', text }],
    apis,
    zones: ['branch'],
  })
  const engine = new CedarEngine(policies)
  try {
    const data = {
      tests: [
        {
          name: 'one',
          given: { principal: { id: 'ana' } },
          call: 'shop.listOrders',
          verdict: 'allow',
          ...test,
        },
      ],
    }
    const [result] = runPolicyTests({ files: [{ file: 'p.test.yaml', data }], apis, engine })
    if (result === undefined) throw new Error('no result')
    return result
  } finally {
    engine.close()
  }
}

it.each<readonly [string, object]>([
  ['principal in Role::"corp/approver"', { given: { principal: { id: 'ana', roles: ['approver'] } } }],
  ['principal in Zone::"branch"', { given: { principal: { id: 'ana', zone: 'branch' } } }],
  ['principal is Workload', { given: { principal: { id: 'batch', type: 'Workload' } } }],
  ['context.amr.contains("mfa")', { given: { principal: { id: 'ana', amr: ['mfa'] } } }],
  [
    'context has authAgeSeconds && context.authAgeSeconds < 60',
    { given: { principal: { id: 'ana', authAgeSeconds: 5 } } },
  ],
  [
    'context has device && context.device has compliant && context.device.compliant',
    { given: { principal: { id: 'ana', device: { id: 'laptop', compliant: true } } } },
  ],
  ['context.ip.isInRange(ip("10.0.0.0/8"))', { context: { ip: '10.1.2.3' } }],
  ['context.networks.contains("office")', { context: { networks: ['office'] } }],
  [
    'context.time.hour == 9 && context.time.weekday == "Monday"',
    { context: { time: { at: '2026-07-06T07:30:00Z', zone: 'Europe/Berlin' } } },
  ],
  ['context.time.hour == 12', {}],
  ['context has geo && context.geo.country == "DE"', { context: { geo: { country: 'DE' } } }],
  ['context has risk && context.risk < 50', { context: { risk: 10 } }],
])('%s is met by what the test states', (condition, test) => {
  expect(run(condition, test).problem).toBe('')
  expect(run(`!(${condition})`, test).problem).toContain('expected allow, got deny')
})

it('judges the items an answer states, one by one', () => {
  const answer = { items: [{ owner: 'ana' }, { owner: 'ben' }, {}] }
  const condition = 'resource has owner && resource.owner == principal'
  expect(run(condition, { answer, items: ['allow', 'deny', 'deny'] }, LIST).problem).toBe('')
  expect(run(condition, { answer, items: ['allow', 'allow', 'deny'] }, LIST).problem).toBe(
    'expected items allow, allow, deny, got allow, deny, deny',
  )
  expect(run('true', { answer, items: ['allow', 'allow', 'allow'] }, LIST).problem).toBe('')
})

it('takes the owner from the answer', () => {
  const get = plan({ key: 'shop.listOrders', template: '/orders/{orderId}', object: 'response' })
  const condition = 'resource has owner && resource.owner == principal'
  expect(run(condition, { answer: { owner: 'ana' } }, get).problem).toBe('')
  expect(run(condition, { answer: { owner: 'ben' } }, get).problem).toContain('got deny')
})

it('refuses what is no time zone', () => {
  const { problem } = run('true', { context: { time: { at: '2026-07-06T07:30:00Z', zone: 'Mars/Base' } } })
  expect(problem).toContain('is no IANA time zone')
})
