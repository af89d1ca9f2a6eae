import { expect, test } from 'vitest'
import { CedarFormError } from './est.ts'
import { MAX_VALUE_DEPTH, valueOfJson } from './value-json.ts'
import { EvaluationError, equal, keyOf, longOf, type Value } from './values.ts'

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

test.each([
  null,
  undefined,
  1.5,
  2 ** 53,
  Number.NaN,
  { __entity: 'User' },
  { __extn: 'ip' },
  { __long: 'x' },
])('%j is no value', (json) => {
  expect(() => valueOfJson(json)).toThrow(CedarFormError)
})

test('a value nested too deeply is refused before it costs the stack', () => {
  expect(() => valueOfJson(nested(MAX_VALUE_DEPTH))).not.toThrow()
  expect(() => valueOfJson(nested(MAX_VALUE_DEPTH + 1))).toThrow(CedarFormError)
  expect(() => valueOfJson(nested(100_000))).toThrow(CedarFormError)
})

test('an extension refuses its argument as in an expression, and longs have 64 bits', () => {
  expect(() => valueOfJson({ __extn: { fn: 'ip', arg: 'nonsense' } })).toThrow(EvaluationError)
  expect(() => valueOfJson({ __long: '9223372036854775808' })).toThrow(EvaluationError)
  expect(valueOfJson({ __long: '9223372036854775807' })).toBe(9223372036854775807n)
  expect(valueOfJson({ __long: '7' })).toBe(7)
})

test('one long has one form', () => {
  expect(longOf(BigInt(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER)
  expect(longOf(BigInt(Number.MAX_SAFE_INTEGER) + 1n)).toBe(9007199254740992n)
})

test('keys agree with equality', () => {
  const entity = (type: string, id: string): unknown => ({ __entity: { type, id } })
  const values: readonly Value[] = [
    [1, 2],
    [2, 1, 1],
    ['1', 2],
    1,
    '1',
    true,
    'true',
    {},
    [],
    [[]],
    { a: 1, b: 2 },
    { b: 2, a: 1 },
    { a: '1,"b":2' },
    entity('A', 'b'),
    entity('A', 'b"c'),
    entity('A::B', ''),
    { __extn: { fn: 'ip', arg: '10.0.0.1' } },
    { __extn: { fn: 'ip', arg: '10.0.0.1/32' } },
    { __extn: { fn: 'decimal', arg: '1.0' } },
    { __extn: { fn: 'duration', arg: '1ms' } },
    { __extn: { fn: 'datetime', arg: '1970-01-01' } },
  ].map((json) => valueOfJson(json))
  for (const left of values) {
    for (const right of values) expect(keyOf(left) === keyOf(right)).toBe(equal(left, right))
  }
})
