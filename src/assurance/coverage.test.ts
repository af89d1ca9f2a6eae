import { expect, it } from 'vitest'
import { plan, sideOf } from '../../test/policy-sides.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { measureCoverage, type PolicyCoverage } from './coverage.ts'

const OPERATIONS = [
  plan({ key: 'shop.getOrder', template: '/orders/{orderId}', object: 'response' }),
  plan({ key: 'shop.list' }),
]
const POLICIES = `
@id("owner") permit(principal is User, action == Action::"shop.getOrder", resource)
  when { resource has owner && resource.owner == principal }
  unless { context.tokenAgeSeconds > 60 || context.ip.isLoopback() };
@id("unused") permit(principal in Group::"corp/staff", action, resource) when { context.scopesMet };`

function coverage(...tests: readonly unknown[]): PolicyCoverage {
  return measureCoverage({
    files: [{ file: 'p.test.yaml', data: { tests } }],
    apis: [{ api: 'shop', operations: OPERATIONS, issuer: 'corp' }],
    policies: sideOf(POLICIES, OPERATIONS).policies,
    places: new Map([['unused', 'p.cedar:5:1']]),
    engineOf: (made) => new CedarEngine(made),
    textOf: (expression) => Object.keys(expression)[0] ?? '',
  })
}

const get = (id: string, owner: string, tokenAgeSeconds: number): unknown => ({
  name: `${id} ${owner} ${tokenAgeSeconds}`,
  given: { principal: { id, tokenAgeSeconds }, object: { owner } },
  call: 'shop.getOrder',
  context: { ip: '192.0.2.1' },
  verdict: 'allow',
})

it('tells what decided, what was seen one way only, and what nobody calls', () => {
  const found = coverage(get('corp/ana', 'corp/ana', 0), get('corp/ben', 'corp/ana', 0))
  expect(found.untested).toEqual(['shop.list'])
  expect(found.parts).toEqual({ all: 5, both: 1 })
  expect(found.policies).toEqual([
    {
      id: 'owner',
      place: '',
      decided: 1,
      open: [
        { text: 'has', kind: 'when', seen: 'true' },
        { text: '>', kind: 'unless', seen: 'false' },
        { text: 'isLoopback', kind: 'unless', seen: 'false' },
      ],
    },
    { id: 'unused', place: 'p.cedar:5:1', decided: 0, open: [{ text: '.', kind: 'when', seen: null }] },
  ])
})

it('counts a part as seen both ways once tests have', () => {
  const found = coverage(get('corp/ana', 'corp/ana', 0), get('corp/ana', 'corp/ana', 90))
  expect(found.policies[0]?.open.map(({ text }) => text)).toEqual(['has', '==', 'isLoopback'])
})
