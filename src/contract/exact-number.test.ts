import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate, said } from '../../test/contract-instance.ts'
import { type CompiledContract, compileContract } from './compile.ts'
import { compareNumbers, decimalPlaces, isMultiple, isMultipleOf, isWhole } from './exact-number.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What a body of this schema is told; schema and bodies as text, so that digits are kept. */
function judge(schema: string): (body: string) => readonly string[] {
  const content = { 'application/json': { schema: 'the schema' } }
  const post = { operationId: 'op', requestBody: { content }, responses: {} }
  const text = contractText({ paths: { '/a': { post } } }).replace('"the schema"', schema)
  const operation = instantiate(compileText(text)).operations.get('shop.op')
  if (operation === undefined) throw new Error('the operation is missing')
  return (body) => said(operation.checkBody('application/json', bytes(body)).findings)
}

describe('decimal literals', () => {
  it.each([
    ['1', '1.0', 0],
    ['0', '-0.0e5', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['-9007199254740993', '-9007199254740992', -1],
    ['0.1', '0.10000000000000000001', -1],
    ['1e400', '9e399', 1],
    ['-1e400', '1', -1],
    ['1e-400', '0', 1],
    ['12e1', '120', 0],
    ['1e99999999999999999999', '1', 1],
  ])('compare %s with %s', (a, b, order) => {
    expect(Math.sign(compareNumbers(a, b))).toBe(order)
    expect(Math.sign(compareNumbers(b, a))).toBe(order === 0 ? 0 : -order)
  })

  it('are whole whatever their form', () => {
    for (const text of ['1.0', '1e400', '100', '0', '12.50e1']) expect(isWhole(text), text).toBe(true)
    for (const text of ['1.5', '1e-1', '12345678901234567.5']) expect(isWhole(text), text).toBe(false)
  })

  it.each([
    ['19.99', '0.01', true],
    ['19.995', '0.01', false],
    ['123456789012.0001', '0.0001', true],
    ['123456789012.00015', '0.0001', false],
    ['9007199254740993', '3', true],
    ['9007199254740994', '3', false],
    ['1e400', '7', false],
    ['7e400', '7', true],
    ['1e308', '0.123456789', false],
    ['-4.5', '1.5', true],
    ['0', '0.3', true],
  ])('%s of %s: %s', (value, divisor, expected) => {
    expect(isMultiple(value, divisor)).toBe(expected)
    const double = Number(value)
    if (Number.isFinite(double) && String(double) === value) {
      expect(isMultipleOf(double, Number(divisor), decimalPlaces(divisor), divisor)).toBe(expected)
    }
  })

  it('take time in proportion to their length', () => {
    const start = performance.now()
    expect(isMultiple(`1${'0'.repeat(500_000)}1`, '0.03')).toBe(false)
    expect(compareNumbers('1e999999999999', '1e-999999999999')).toBeGreaterThan(0)
    expect(isMultiple('1e999999999999', '7')).toBe(false)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('numbers of bodies and contracts by their digits (standards 7.2)', () => {
  const cases: readonly [schema: string, good: readonly string[], bad: readonly string[]][] = [
    ['{"maximum": 9007199254740993}', ['9007199254740993', '9007199254740992'], ['9007199254740994']],
    ['{"exclusiveMaximum": 9007199254740993}', ['9007199254740992'], ['9007199254740993']],
    ['{"minimum": 0.1}', ['0.1', '0.10000000000000000001'], ['0.09999999999999999999']],
    ['{"exclusiveMinimum": 5}', ['5.00000000000000000001'], ['5', '5.0']],
    ['{"multipleOf": 0.01}', ['19.99', '99999999999999999999.99'], ['19.995', '99999999999999999999.995']],
    ['{"type": "integer"}', ['12345678901234567890', '1.0', '1e3'], ['12345678901234567.5', '1.5']],
    ['{"const": 9007199254740993}', ['9007199254740993', '9007199254740993.0'], ['9007199254740992']],
    ['{"const": 9007199254740992}', ['9007199254740992'], ['9007199254740993']],
    [
      '{"enum": [{"a": [9007199254740993]}, 1]}',
      ['{"a": [9007199254740993]}', '1.0'],
      ['{"a": [9007199254740992]}'],
    ],
    [
      '{"uniqueItems": true}',
      ['[9007199254740993, 9007199254740992]'],
      ['[1, 1.0]', '[9007199254740993, 9007199254740993.0]'],
    ],
    ['{"format": "int64"}', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', '1.5']],
    ['{"format": "uint64"}', ['18446744073709551615'], ['18446744073709551616', '-1']],
    ['{"format": "uint8"}', ['255'], ['256', '-1']],
    [
      '{"properties": {"a/b": {"items": {"maximum": 10}}}}',
      ['{"a/b": [9.99999999999999999999]}'],
      ['{"a/b": [1, 10.00000000000000000001]}'],
    ],
    ['{"propertyNames": {"enum": ["a"]}}', ['{"a": 9007199254740993}'], ['{"b": 9007199254740993}']],
    ['{"maximum": 1e400}', ['1.0e300'], ['1e400']],
  ]
  it.each(cases)('%s', (schema, good, bad) => {
    const says = judge(schema)
    for (const body of good) expect(says(body), body).toEqual([])
    for (const body of bad) expect(says(body), body).not.toEqual([])
  })

  it('are told by the contract’s own names for rules', () => {
    expect(judge('{"type": "integer"}')('1.5')).toEqual(['body-invalid /: type'])
    expect(judge('{"type": "integer", "format": "int64"}')('9223372036854775808')).toEqual([
      'body-invalid /: format',
    ])
  })
})

describe('numbers of contracts that are not one JSON file', () => {
  const yaml = (schema: string): string => `openapi: 3.1.0
info: { title: shop, version: "1" }
paths:
  /a:
    post:
      operationId: op
      requestBody: { content: { application/json: { schema: ${schema} } } }
      responses: {}
`
  const others: Readonly<Record<string, string>> = {
    'more.yaml': 'Amount:\n  type: integer\n  maximum: 9007199254740993\n',
    'more.json': '{"Amount": {"enum": [9007199254740993, 0.1]}}',
  }
  const compile = (schema: string): CompiledContract =>
    compileContract({
      api: 'shop',
      text: yaml(schema),
      file: 'shop.yaml',
      parts: new Map(Object.entries(others).map(([name, text]) => [name, { ok: true, text }])),
      objects: {},
      credential: 'replace',
    })

  it.each([
    ['{ maximum: 9007199254740993 }', '9007199254740993', '9007199254740994'],
    ['{ const: 12345678901234567890 }', '12345678901234567890', '12345678901234567891'],
    ['{ multipleOf: 0.01 }', '19.99', '19.995'],
    ['{ $ref: "more.yaml#/Amount" }', '9007199254740993', '9007199254740994'],
    ['{ $ref: "more.json#/Amount" }', '9007199254740993', '9007199254740992'],
  ])('%s', (schema, good, bad) => {
    const operation = instantiate(compile(schema)).operations.get('shop.op')
    const says = (body: string) => said(operation?.checkBody('application/json', bytes(body)).findings ?? [])
    expect(operation).toBeDefined()
    expect(says(good)).toEqual([])
    expect(says(bad)).not.toEqual([])
  })
})

it('of small divisors says what BigInt says', () => {
  for (const digits of ['1', '98765432109876543210987654321', '7'.repeat(50), `1${'0'.repeat(30)}1`]) {
    for (const divisor of ['1', '7', '12', '999983', '9999999', '10000019', '1000000000039']) {
      for (const exponent of [0, 1, 13, 300]) {
        const expected = (BigInt(digits) * 10n ** BigInt(exponent)) % BigInt(divisor) === 0n
        expect(isMultiple(`${digits}e${exponent}`, divisor), `${digits}e${exponent} of ${divisor}`).toBe(
          expected,
        )
      }
    }
  }
})

it('tells whole numbers apart that print alike as doubles', () => {
  const told = judge('{"type":"array","uniqueItems":true}')
  expect(told('[100000000000000016384,100000000000000020000]')).toEqual([])
  expect(told('[1e20,100000000000000000000]')).toEqual(['body-invalid /: uniqueItems'])
})

it('finds exact values beside and below one another', () => {
  const told = judge(
    '{"type":"array","items":{"type":"object","properties":{"a":{"maximum":9007199254740992},"b":{"type":"array","items":{"maximum":9007199254740992}},"a~/":{"maximum":1}}}}',
  )
  expect(told('[{"a":1,"b":[1,2],"a~/":1},{"a":9007199254740992,"b":[9007199254740993]}]')).toEqual([
    'body-invalid /1/b/0: maximum',
  ])
  expect(told('[{"a":1,"b":[],"a~/":9007199254740993}]')).toEqual(['body-invalid /0/a~0~1: maximum'])
})
