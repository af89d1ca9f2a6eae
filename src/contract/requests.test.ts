import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate } from '../../test/contract-instance.ts'
import type { Finding } from '../model/fact.ts'
import { parseQuery } from '../syntax/uri.ts'
import type { Operation } from './instantiate.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const said = (findings: readonly Finding[]): string[] =>
  findings.map(({ reason }) => `${reason.code} ${reason.forCaller ?? ''}`.trim())

function operationOf(
  operation: Record<string, unknown>,
  more: Record<string, unknown> = {},
  version = '3.1.0',
): Operation {
  const text = contractText(
    { paths: { '/a/{id}': { post: { operationId: 'op', responses: {}, ...operation } } }, ...more },
    version,
  )
  const operationFound = instantiate(compileText(text)).operations.get('shop.op')
  if (operationFound === undefined) throw new Error('the operation is missing')
  return operationFound
}

/** What an operation with this JSON body schema says to a body. */
function judge(
  schema: unknown,
  version = '3.1.0',
  components: Record<string, unknown> = {},
): (body: unknown) => string[] {
  const operation = operationOf(
    { requestBody: { required: true, content: { 'application/json': { schema } } } },
    { components: { schemas: components } },
    version,
  )
  return (body) => said(operation.checkBody('application/json', bytes(JSON.stringify(body))))
}

describe('parameters', () => {
  const operation = operationOf({
    parameters: [
      { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^o-[0-9]+$' } },
      { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
      { name: 'ratio', in: 'query', schema: { type: 'number' } },
      { name: 'flag', in: 'query', schema: { type: 'boolean' } },
      { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'integer' }, maxItems: 3 } },
      { name: 'mix', in: 'query', schema: { anyOf: [{ type: 'integer' }, { enum: ['all'] }] } },
      {
        name: 'either',
        in: 'query',
        schema: {
          oneOf: [
            { type: 'string', maxLength: 3 },
            { type: 'array', items: { type: 'string' } },
          ],
        },
      },
      { name: 'free', in: 'query', schema: {} },
      { name: 'must', in: 'query', required: true, schema: { type: 'string' } },
      { name: 'empty', in: 'query', allowEmptyValue: true, schema: { type: 'integer' } },
      { name: 'deep', in: 'query', style: 'deepObject', schema: { type: 'object' } },
      { name: 'form', in: 'query', schema: { type: 'object', properties: { part: {} } } },
      { name: 'X-Trace', in: 'header', schema: { type: 'string', format: 'uuid' } },
      { name: 'X-List', in: 'header', schema: { type: 'array', items: { type: 'integer' } } },
      { name: 'Authorization', in: 'header', required: true, schema: { type: 'integer' } },
      { name: 'null', in: 'query', schema: { type: ['integer', 'null'] } },
    ],
  })
  const check = (query: string, id = 'o-1', fields: string[] = []): string[] => {
    const read = parseQuery(`must=x${query}`)
    return said(operation.checkParameters({ id }, read.ok ? read.pairs : [], fields))
  }

  it.each([
    '',
    '&limit=1',
    '&limit=100',
    '&ratio=1.5e3',
    '&ratio=-0.1',
    '&flag=true',
    '&tag=1&tag=2',
    '&mix=7',
    '&mix=all',
    '&either=abc',
    '&either=long1&either=long2',
    '&free=anything',
    '&empty=',
    '&deep[a]=1&deep[b][c]=2',
    '&part=1',
    '&null=&null='.slice(0, 6),
  ])('take %j', (query) => {
    expect(check(query)).toEqual([])
  })

  it.each([
    ['&limit=0', 'parameter-invalid query limit: minimum'],
    ['&limit=1000000', 'parameter-invalid query limit: maximum'],
    ['&limit=', 'parameter-invalid query limit: type'],
    ['&limit=1.5', 'parameter-invalid query limit: type'],
    ['&limit=+1', 'parameter-invalid query limit: type'],
    ['&limit=01', 'parameter-invalid query limit: type'],
    ['&limit=0x10', 'parameter-invalid query limit: type'],
    ['&limit=1e1', 'parameter-invalid query limit: type'],
    ['&limit=NaN', 'parameter-invalid query limit: type'],
    ['&limit=1&limit=2', 'parameter-repeated query limit'],
    ['&ratio=Infinity', 'parameter-invalid query ratio: type'],
    ['&flag=TRUE', 'parameter-invalid query flag: type'],
    ['&flag=1', 'parameter-invalid query flag: type'],
    ['&tag=1&tag=x', 'parameter-invalid query tag: type'],
    ['&tag=1&tag=2&tag=3&tag=4', 'parameter-invalid query tag: maxItems'],
    ['&free=1&free=2', 'parameter-repeated query free'],
    ['&must=y', 'parameter-repeated query must'],
    ['&isAdmin=true', 'parameter-undeclared query isAdmin'],
    ['&deep=1', 'parameter-undeclared query deep'],
    ['&Limit=1', 'parameter-undeclared query Limit'],
    ['&constructor=1', 'parameter-undeclared query constructor'],
    ['&empty=x', 'parameter-invalid query empty: type'],
  ])('refuse %j', (query, expected) => {
    expect(check(query)).toEqual([expected])
  })

  it('missing are named, in path, query and header', () => {
    expect(said(operation.checkParameters({ id: 'o-1' }, [], []))).toEqual(['parameter-missing query must'])
    expect(check('', 'x')).toEqual(['parameter-invalid path id: pattern'])
    expect(check('', 'o-1\n')).toEqual(['parameter-invalid path id: pattern'])
  })

  it('in headers are found whatever their case', () => {
    const uuid = '7b0e6c7e-8f5f-4ad2-9d4c-0242ac120002'
    expect(check('', 'o-1', ['x-trace', uuid, 'X-LIST', '1, 2'])).toEqual([])
    expect(check('', 'o-1', ['X-Trace', 'no'])).toEqual(['parameter-invalid header x-trace: format'])
    expect(check('', 'o-1', ['X-Trace', uuid, 'x-trace', uuid])).toEqual([
      'parameter-repeated header x-trace',
    ])
    expect(check('', 'o-1', ['X-List', '1', 'x-list', 'b'])).toEqual([
      'parameter-invalid header x-list: type',
    ])
  })

  it('findings are one frozen empty array where there are none, and at most 20', () => {
    const { checkParameters } = operation
    expect(checkParameters({ id: 'o-1' }, [['must', 'x']], [])).toBe(
      checkParameters({ id: 'o-1' }, [['must', 'y']], []),
    )
    const many = Array.from({ length: 200 }, (_, i): [string, string] => [`u${i}`, ''])
    expect(checkParameters({ id: 'o-1' }, many, [])).toHaveLength(20)
  })

  it('never tell a value', () => {
    const text = JSON.stringify(
      operation.checkParameters(
        { id: 'S3CRET' },
        [
          ['limit', 'S3CRET'],
          ['tag', 'S3CRET'],
        ],
        ['X-Trace', 'S3CRET'],
      ),
    )
    expect(text).toContain('parameter-invalid')
    expect(text).not.toContain('S3CRET')
  })

  it('that carry API keys are declared by their scheme', () => {
    const keyed = operationOf(
      {},
      { components: { securitySchemes: { k: { type: 'apiKey', in: 'query', name: 'api_key' } } } },
    )
    expect(said(keyed.checkParameters({ id: '1' }, [['api_key', 'x']], []))).toEqual([])
    expect(said(keyed.checkParameters({ id: '1' }, [['other', 'x']], []))).toEqual([
      'parameter-undeclared query other',
    ])
  })
})

describe('bodies', () => {
  const content = {
    'application/json': { schema: { type: 'object', properties: { a: { type: 'integer' } } } },
    'text/plain': {},
  }
  const required = operationOf({ requestBody: { required: true, content } })
  const optional = operationOf({ requestBody: { content } })
  const none = operationOf({})

  it('are there or not as declared', () => {
    expect([required.body, optional.body, none.body]).toEqual(['required', 'optional', 'none'])
    expect(said(required.checkBody('application/json', null))).toEqual(['body-missing'])
    expect(said(required.checkBody('application/json', bytes('')))).toEqual(['body-missing'])
    expect(said(optional.checkBody(undefined, null))).toEqual([])
    expect(said(none.checkBody(undefined, null))).toEqual([])
    expect(said(none.checkBody('application/json', bytes('{}')))).toEqual(['body-unexpected'])
  })

  it.each([
    ['application/json', true],
    ['Application/JSON; charset=UTF-8', true],
    ['text/plain', true],
    ['application/json; charset=utf-16', false],
    ['application/json, text/plain', false],
    ['application/problem+json', false],
    ['text/html', false],
    ['json', false],
    ['', false],
    [undefined, false],
  ])('are of a declared media type: %s %s', (type, fits) => {
    const expected = fits ? [] : ['media-type-unsupported application/json, text/plain']
    expect(said(required.checkBody(type, bytes('{}')))).toEqual(expected)
  })

  it.each([
    ['{"a":1,"a":2}', 'body-malformed /a: duplicate-key'],
    ['{"a":1,"\\u0061":2}', 'body-malformed /a: duplicate-key'],
    ['{"__proto__":{}}', 'body-malformed /__proto__: forbidden-key'],
    ['{', 'body-malformed /: syntax'],
    ['{"a":1} x', 'body-malformed /: trailing'],
    ['"\\ud800"', 'body-malformed /: lone-surrogate'],
    ['[]', 'body-invalid /: type'],
    ['{"a":"1"}', 'body-invalid /a: type'],
    ['{"b":1}', 'field-undeclared /b'],
    ['{"a":9007199254740993}', undefined],
  ])('%s', (text, expected) => {
    expect(said(required.checkBody('application/json', bytes(text)))).toEqual(
      expected === undefined ? [] : [expected],
    )
  })

  it('findings tell no value, and are at most 20', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'S3CRET']))
    const findings = required.checkBody('application/json', bytes(JSON.stringify({ ...many, a: 'S3CRET' })))
    expect(findings).toHaveLength(20)
    expect(JSON.stringify(findings)).not.toContain('S3CRET')
  })

  it('with names made to be long give bounded findings', () => {
    const [found] = required.checkBody(
      'application/json',
      bytes(JSON.stringify({ ['x'.repeat(100_000)]: 1 })),
    )
    expect(found?.reason.forCaller?.length).toBeLessThanOrEqual(256)
  })
})

describe('unknown fields (standards 2.4, 7.4)', () => {
  const person = { type: 'object', properties: { name: { type: 'string' } } }

  it('of plain objects are refused, nested and in arrays too', () => {
    const check = judge({
      type: 'object',
      properties: {
        who: person,
        list: { type: 'array', items: person },
        pair: { type: 'array', prefixItems: [person] },
      },
    })
    expect(check({ who: { name: 'a' }, list: [{ name: 'a' }], pair: [{ name: 'a' }, { any: 1 }] })).toEqual(
      [],
    )
    expect(check({ isAdmin: true })).toEqual(['field-undeclared /isAdmin'])
    expect(check({ who: { role: 1 }, list: [{}, { role: 1 }], pair: [{ role: 1 }] })).toEqual([
      'field-undeclared /who/role',
      'field-undeclared /list/1/role',
      'field-undeclared /pair/0/role',
    ])
    expect(check({ who: { constructor: 1, toString: 1 } })).toHaveLength(2)
  })

  it('of free-form objects, and where the contract says so, are taken', () => {
    expect(judge({ type: 'object' })({ any: 1 })).toEqual([])
    expect(judge({})({ any: 1 })).toEqual([])
    expect(judge({ ...person, additionalProperties: true })({ any: 1 })).toEqual([])
    expect(judge({ ...person, additionalProperties: {} })({ any: { deep: 1 } })).toEqual([])
    expect(judge({ ...person, unevaluatedProperties: true })({ any: 1 })).toEqual([])
    expect(judge({ ...person, patternProperties: { '^x-': {} } })({ any: 1 })).toEqual([])
  })

  it('are held to the schema that the contract gives them', () => {
    const check = judge({ ...person, additionalProperties: { type: 'object', properties: { n: {} } } })
    expect(check({ any: { n: 1 } })).toEqual([])
    expect(check({ any: { m: 1 } })).toEqual(['field-undeclared /any/m'])
    const sealed = judge({ ...person, patternProperties: { '^x-': person }, additionalProperties: false })
    expect(sealed({ name: 'a', 'x-a': { name: 'b' } })).toEqual([])
    expect(sealed({ 'x-a': { b: 1 } })).toEqual(['field-undeclared /x-a/b'])
    expect(sealed({ y: 1 })).toEqual(['field-undeclared /y', 'body-invalid /: additionalProperties'])
  })

  it('are those that no member of an allOf declares', () => {
    const check = judge(
      { allOf: [{ $ref: '#/components/schemas/A' }, { properties: { b: {} } }], properties: { c: {} } },
      '3.1.0',
      {
        A: { type: 'object', required: ['a'], properties: { a: { properties: { x: {} } } } },
      },
    )
    expect(check({ a: {}, b: 1, c: 1 })).toEqual([])
    expect(check({ a: { y: 1 }, b: 1, d: 1 })).toEqual(['field-undeclared /a/y', 'field-undeclared /d'])
    expect(check({ b: 1 })).toEqual(['body-invalid /: required a'])
  })

  it('are those that no branch of anyOf or oneOf declares', () => {
    for (const keyword of ['anyOf', 'oneOf']) {
      const check = judge({
        [keyword]: [
          { type: 'object', properties: { a: {} }, required: ['a'] },
          { type: 'object', properties: { b: {} }, required: ['b'] },
        ],
      })
      expect(check({ a: 1 })).toEqual([])
      expect(check({ b: 1 })).toEqual([])
      expect(check({ a: 1, c: 1 })).toEqual(['field-undeclared /c'])
    }
  })

  it('are taken where a branch is free-form, but not where it only adds conditions', () => {
    expect(
      judge({
        oneOf: [
          { type: 'object', properties: { a: {} }, required: ['a'] },
          { type: 'object', maxProperties: 1 },
        ],
      })({ z: 1 }),
    ).toEqual([])
    const check = judge({
      type: 'object',
      properties: { a: {}, b: {} },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    })
    expect(check({ a: 1 })).toEqual([])
    expect(check({ a: 1, z: 1 })).toEqual(['field-undeclared /z'])
    expect(judge({ anyOf: [person, { type: 'string' }] })({ z: 1 })).toEqual(['field-undeclared /z'])
  })

  it('are found in schemas that contain themselves', () => {
    const check = judge({ $ref: '#/components/schemas/Tree' }, '3.0.3', {
      Tree: {
        type: 'object',
        properties: { v: {}, kids: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
      },
    })
    expect(check({ v: 1, kids: [{ v: 2, kids: [{ v: 3 }] }] })).toEqual([])
    expect(check({ kids: [{ kids: [{ w: 3 }] }] })).toEqual(['field-undeclared /kids/0/kids/0/w'])
  })

  it('are found where schemas lead to one another in circles of combinators', () => {
    const check = judge({ $ref: '#/components/schemas/A' }, '3.1.0', {
      A: { properties: { a: {} }, allOf: [{ $ref: '#/components/schemas/B' }] },
      B: {
        properties: { b: { $ref: '#/components/schemas/B' } },
        anyOf: [{ $ref: '#/components/schemas/C' }, {}],
      },
      C: { properties: { c: { $ref: '#/components/schemas/A' } } },
    })
    expect(check({ a: 1, b: { b: {}, c: { a: 1, c: {} } }, c: {} })).toEqual([])
    expect(check({ b: { x: 1 } })).toEqual(['field-undeclared /b/x'])
  })
})

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
