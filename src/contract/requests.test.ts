import { describe, expect, it } from 'vitest'
import { judge, operationOf, said } from '../../test/contract-instance.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

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
    expect(said(required.checkBody('application/json', null).findings)).toEqual(['body-missing'])
    expect(said(required.checkBody('application/json', bytes('')).findings)).toEqual(['body-missing'])
    expect(said(optional.checkBody(undefined, null).findings)).toEqual([])
    expect(said(none.checkBody(undefined, null).findings)).toEqual([])
    expect(said(none.checkBody('application/json', bytes('{}')).findings)).toEqual(['body-unexpected'])
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
    expect(said(required.checkBody(type, bytes('{}')).findings)).toEqual(expected)
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
    expect(said(required.checkBody('application/json', bytes(text)).findings)).toEqual(
      expected === undefined ? [] : [expected],
    )
  })

  it('findings tell no value, and are at most 20', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'S3CRET']))
    const { findings } = required.checkBody(
      'application/json',
      bytes(JSON.stringify({ ...many, a: 'S3CRET' })),
    )
    expect(findings).toHaveLength(20)
    expect(JSON.stringify(findings)).not.toContain('S3CRET')
  })

  it('with names made to be long give bounded findings', () => {
    const [found] = required.checkBody(
      'application/json',
      bytes(JSON.stringify({ ['x'.repeat(100_000)]: 1 })),
    ).findings
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
