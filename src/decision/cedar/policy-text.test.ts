import { expect, test } from 'vitest'
import { parsePolicyText } from './policy-text.ts'

function condition(expression: string): unknown {
  const parsed = parsePolicyText(`permit(principal, action, resource) when { ${expression} };`)
  return parsed.ok ? parsed.policy.conditions[0]?.body : parsed.errors[0]?.message
}

test.each([
  ['9007199254740993', '9007199254740993'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['4503599627370497', '4503599627370497'],
  ['0009007199254740993', '9007199254740993'],
])('the literal %s stays exact', (literal, exact) => {
  expect(condition(`context.n == ${literal}`)).toMatchObject({
    '==': { right: { Value: { __long: exact } } },
  })
})

test('a small literal stays a number', () => {
  expect(condition('context.n == 4503599627370495 || context.n == 9007199254740993')).toMatchObject({
    '||': { left: { '==': { right: { Value: 4503599627370495 } } } },
  })
})

test('digits in strings, names and comments are left alone', () => {
  const text = String.raw`context.a9007199254740993 == "\"9007199254740993" // 9007199254740993 "
    && context.n == 9007199254740995`
  expect(condition(text)).toEqual({
    '&&': {
      left: {
        '==': {
          left: { '.': { left: { Var: 'context' }, attr: 'a9007199254740993' } },
          right: { Value: '"9007199254740993' },
        },
      },
      right: {
        '==': {
          left: { '.': { left: { Var: 'context' }, attr: 'n' } },
          right: { Value: { __long: '9007199254740995' } },
        },
      },
    },
  })
})

test('a literal beyond 64 bits is refused', () => {
  expect(condition('context.n == 9223372036854775808')).toMatch(/large/)
  expect(condition('context.n == 99999999999999999999')).toBeTypeOf('string')
})

test('a template says that it is one', () => {
  const parsed = parsePolicyText('permit(principal == ?principal, action, resource);')
  expect(parsed).toMatchObject({ ok: true, template: true })
  expect(parsePolicyText('permit(principal, action, resource);')).toMatchObject({ ok: true, template: false })
})
