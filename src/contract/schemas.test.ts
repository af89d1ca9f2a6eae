import { describe, expect, it } from 'vitest'
import { judge } from '../../test/contract-instance.ts'

describe('schemas', () => {
  const cases: readonly [schema: unknown, good: unknown[], bad: unknown[]][] = [
    [{ type: 'integer', minimum: 1, exclusiveMaximum: 5 }, [1, 4, 4.0], [0, 5, '1', 1.5, null]],
    [{ type: ['string', 'null'] }, ['', null], [1]],
    [{ const: { a: [1] } }, [{ a: [1] }], [{ a: [2] }, null]],
    [{ enum: ['a', 1, null] }, ['a', 1, null], ['b', 2]],
    [{ type: 'number', multipleOf: 0.01 }, [19.99, 0, -1.1], [19.999]],
    [{ type: 'string', minLength: 1, maxLength: 2 }, ['a', '\u{1F600}\u{1F600}'], ['', 'abc']],
    [{ type: 'string', pattern: '^a+$' }, ['a', 'aaa'], ['', 'b', 'ab']],
    [{ type: 'string', pattern: '(a+)+$' }, ['ba'], ['ab']],
    [{ type: 'string', pattern: '(b+)+$' }, ['ab'], ['ba']],
    [
      { type: 'array', minItems: 1, uniqueItems: true },
      [[1], [{ a: 1 }, { a: 2 }], [0, false, '0']],
      [
        [],
        [1, 1],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    ],
    [
      { contains: { type: 'integer' }, minContains: 2 },
      [
        [1, 2],
        ['a', 1, 2],
      ],
      [[1], ['a']],
    ],
    [{ prefixItems: [{ type: 'string' }], items: { type: 'integer' } }, [['a', 1, 2]], [[1], ['a', 'b']]],
    [{ not: { type: 'string' } }, [1], ['a']],
    [
      JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}'),
      [{ a: 1, b: 1 }, { c: 1 }],
      [{ a: 1 }, {}],
    ],
    [{ dependentRequired: { a: ['b'] } }, [{ a: 1, b: 1 }, {}], [{ a: 1 }]],
    [{ propertyNames: { pattern: '^x' } }, [{ x: 1 }], [{ y: 1 }]],
    [
      { type: 'object', allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
      [{ a: 1 }],
      [{ b: 1 }],
    ],
    [{ type: 'array', prefixItems: [{}], unevaluatedItems: false }, [[1]], [[1, 2]]],
    [{ type: 'string', format: 'date-time' }, ['2026-01-31T12:00:00Z'], ['2026-02-30T12:00:00Z', 'now']],
    [{ type: 'string', format: 'uuid' }, ['7b0e6c7e-8f5f-4ad2-9d4c-0242ac120002'], ['x']],
    [{ type: 'string', format: 'email' }, ['a@b.example'], ['a', `a@${'b'.repeat(10_000)}.example`]],
    [{ type: 'string', format: 'byte' }, ['', 'aGk='], ['a', 'aGk=\n<script>']],
    [{ type: 'integer', format: 'int32' }, [2 ** 31 - 1, -(2 ** 31)], [2 ** 31, -(2 ** 31) - 1]],
    [{ type: 'integer', format: 'int64' }, [2 ** 53], [2 ** 63]],
    [{ type: 'string', format: 'binary' }, ['x'], [1]],
    [{ type: 'number', format: 'float' }, [1.5], ['x']],
    [
      {
        type: 'object',
        required: ['constructor', 'toString'],
        properties: { constructor: { type: 'integer' }, toString: {} },
      },
      [{ constructor: 1, toString: 1 }],
      [{}, { constructor: 1 }, { constructor: 'x', toString: 1 }],
    ],
    [false, [], [1, {}]],
  ]
  it.each(cases)('%j', (schema, good, bad) => {
    const check = judge(schema)
    for (const value of good) expect(check(value), JSON.stringify(value)).toEqual([])
    for (const value of bad) expect(check(value), JSON.stringify(value)).not.toEqual([])
  })

  it('of 3.0 are read as 3.0 means them', () => {
    const nullable = judge({ type: 'string', nullable: true }, '3.0.3')
    expect([nullable(null), nullable('a')]).toEqual([[], []])
    expect(nullable(1)).not.toEqual([])
    const bounds = judge(
      { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false },
      '3.0.3',
    )
    expect([bounds(1.1), bounds(3)]).toEqual([[], []])
    expect([bounds(1), bounds(3.1)]).not.toContain([])
    // Beside $ref nothing counts.
    const beside = judge({ $ref: '#/components/schemas/A', maxLength: 1 }, '3.0.3', { A: { type: 'string' } })
    expect(beside('long')).toEqual([])
    expect(
      judge({ $ref: '#/components/schemas/A', maxLength: 1 }, '3.1.0', { A: { type: 'string' } })('long'),
    ).toEqual(['body-invalid /: maxLength'])
    // Keywords that 3.0 does not have are not honoured there.
    expect(judge({ const: 1 }, '3.0.3')(2)).toEqual([])
  })

  it('with a discriminator alone validate nothing by it (standards 7.6)', () => {
    const check = judge({ type: 'object', discriminator: { propertyName: 'kind' }, properties: { kind: {} } })
    expect(check({})).toEqual([])
  })

  it('wide and deep ones mean what the small ones mean', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`p${i}`, { type: 'integer' }]),
    )
    const wide = judge({ type: 'object', properties, required: ['p0'], additionalProperties: false })
    expect(wide({ p0: 1, p499: 2 })).toEqual([])
    expect(wide({ p0: 1, p499: 'x' })).toEqual(['body-invalid /p499: type'])
    expect(wide({ p1: 1 })).toEqual(['body-invalid /: required p0'])
    expect(wide({ p0: 1, q: 1 })).toEqual(['field-undeclared /q', 'body-invalid /: additionalProperties'])
  })

  it('unique items are found in linear time', () => {
    const check = judge({ type: 'array', uniqueItems: true })
    const start = performance.now()
    expect(check(Array.from({ length: 30_000 }, (_, i) => ({ i })))).toEqual([])
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('a oneOf of many branches', () => {
  const branches = (count: number): unknown[] =>
    Array.from({ length: count }, (_, i) => ({
      type: 'object',
      required: [`k${i}`],
      properties: { [`k${i}`]: { type: 'integer' } },
    }))

  it('still means exactly one', () => {
    const check = judge({ oneOf: branches(250) })
    expect(check({ k0: 1 })).toEqual([])
    expect(check({ k249: 1 })).toEqual([])
    expect(check({ k0: 1, k1: 1 })).not.toEqual([])
    expect(check({ k0: 1, k249: 1 })).not.toEqual([])
    expect(check({ k0: 1, k248: 1, k249: 1 })).not.toEqual([])
    expect(check({})).not.toEqual([])
    expect(check({ other: 1 })[0]).toBe('field-undeclared /other')
  })

  it('of 10,000 is refused by name', () => {
    expect(() => judge({ oneOf: branches(10_000) })).toThrow(/oneOf has 10000 members; at most 1000/)
  })
})

describe('schemas that lead back to themselves by two ways', () => {
  const branch = (kind: string): unknown => ({
    type: 'object',
    properties: { kid: { $ref: '#/components/schemas/Tree' }, kind: { const: kind } },
    required: ['kind'],
  })
  const check = judge({ $ref: '#/components/schemas/Tree' }, '3.1.0', {
    Tree: { oneOf: [{ allOf: [branch('a')] }, { allOf: [branch('b')] }, { type: 'string' }] },
  })
  const nested = (depth: number, leaf: unknown): unknown =>
    depth === 0 ? leaf : { kid: nested(depth - 1, leaf), kind: 'a' }

  it('take what fits', () => {
    expect(check(nested(6, 'leaf'))).toEqual([])
  })

  it('give up by name before a small body costs much', () => {
    const start = performance.now()
    expect(check(nested(60, 1))).toEqual(['body-invalid /: complexity'])
    expect(performance.now() - start).toBeLessThan(3_000)
    expect(check(nested(3, 'leaf'))).toEqual([])
  })
})
