import { expect, test } from 'vitest'
import { compilePolicies } from '../decision/cedar/compile.ts'
import type { OperationPlan } from '../model/operation.ts'
import { policyTexts } from './policy-text.ts'

const OPERATION: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
}

test('a link of a template is shown as the policy it makes, by its own name, with what it is made of', () => {
  const place = { line: 1, column: 1 }
  const args = { '?principal': 'User::"corp/ana"' }
  const at = { link: place, template: place, id: place, args: { '?principal': place } }
  const { plan } = compilePolicies({
    files: [{ file: 'a.cedar', text: '@id("t") permit(principal == ?principal, action, resource);' }],
    links: [{ template: 't', id: 'ana', args, file: 'a.links.json', at }],
    apis: [{ api: 'shop', operations: [OPERATION] }],
  })
  const [shown] = policyTexts(plan, new Set(['ana']))
  expect(shown).toMatchObject({ id: 'ana', effect: 'permit', link: { template: 't', args } })
  expect(shown?.text.replace(/\s+/g, ' ')).toBe(
    '@id("ana") permit ( principal == User::"corp/ana", action, resource );',
  )
})
