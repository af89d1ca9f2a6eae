import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { expect, test } from 'vitest'
import { mayApply } from './bounds.ts'
import type { Policy } from './est.ts'

const OWNER = new Set(['resource.owner'])

/** The bound of `<effect>(principal, action, resource) <conditions>`, as Cedar prints its conditions. */
function bound(effect: 'permit' | 'forbid', conditions: string): string {
  const answer = cedar.policyToJson(`${effect}(principal, action, resource) ${conditions};`)
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  const text = cedar.policyToText(mayApply(answer.json as Policy, OWNER) as cedar.PolicyJson)
  if (text.type === 'failure') throw new Error(text.errors[0]?.message)
  return text.text.replace(/^permit\(\s*principal,\s*action,\s*resource\s*\)\s*/, '').replace(/\s+/g, ' ')
}

test('conjuncts that read the unknown are dropped, the others stay', () => {
  const text = 'when { context.a && resource has owner && resource.owner == principal && context.b }'
  expect(bound('permit', text)).toBe('when { context.a } when { context.b };')
})

test('alternatives of unless are dropped one by one', () => {
  expect(bound('permit', 'unless { context.a || resource.owner == principal }')).toContain('unless')
  expect(bound('permit', 'unless { context.a || resource.owner == principal }')).not.toContain('owner')
  expect(bound('permit', 'unless { context.a && resource.owner == principal }')).toBe(';')
})

test('an alternative with the unknown is dropped whole', () => {
  expect(bound('permit', 'when { context.a || resource.owner == principal }')).toBe(';')
})

test('a forbid’s bound keeps nothing behind a part that could fail', () => {
  const fails = 'context.n + 1 > 2 && resource.owner == principal'
  expect(
    bound(
      'forbid',
      `when { context.a } when { (${fails}) || resource.owner == principal } when { context.b }`,
    ),
  ).toBe('when { context.a };')
  expect(bound('permit', `when { (${fails}) || resource.owner == principal } when { context.b }`)).toBe(
    'when { context.b };',
  )
  expect(bound('forbid', 'when { resource.owner == principal && context.b }')).toBe('when { context.b };')
})
