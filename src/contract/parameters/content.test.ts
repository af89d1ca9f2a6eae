import { describe, expect, it } from 'vitest'
import { operationOf, said, sent } from '../../../test/contract-instance.ts'

const object = {
  type: 'object',
  required: ['a'],
  properties: { a: { type: 'integer', maximum: 5 }, tags: { type: 'array', items: { type: 'string' } } },
}
const json = { 'application/json': { schema: object } }
const escaped = (value: unknown): string => encodeURIComponent(JSON.stringify(value))

describe('parameters with content', () => {
  const operation = operationOf({
    parameters: [
      { name: 'f', in: 'query', content: json },
      { name: 'X-F', in: 'header', content: json },
      { name: 'c', in: 'cookie', content: json },
      { name: 't', in: 'query', content: { 'text/plain': { schema: { type: 'string', maxLength: 3 } } } },
      { name: 'form', in: 'query', content: { 'application/x-www-form-urlencoded': { schema: object } } },
    ],
  })
  const check = (query: string, fields: readonly string[] = []): string[] =>
    said(operation.checkParameters(sent(query, {}, fields)))

  it('are read as strict JSON, held to their schema and sealed', () => {
    expect(
      check(`f=${escaped({ a: 5, tags: ['x'] })}`, ['X-F', '{"a":1}', 'Cookie', `c=${escaped({ a: 1 })}`]),
    ).toEqual([])
    expect(check(`f=${escaped({ a: 6 })}`)).toEqual(['parameter-invalid query f: maximum'])
    expect(check(`f=${escaped({ a: 1, admin: true })}`)).toEqual(['field-undeclared query f/admin'])
    expect(check('f=%7B%22a%22:1,%22a%22:2%7D')).toEqual(['parameter-invalid query f: json-duplicate-key'])
    expect(check('f=%7B%22__proto__%22:1%7D')).toEqual(['parameter-invalid query f: json-forbidden-key'])
    expect(check('f=%7B')).toEqual(['parameter-invalid query f: json-syntax'])
    expect(check('f=')).toEqual(['parameter-invalid query f: json-empty'])
    expect(check(`f=${escaped({ a: 1 })}&f=${escaped({ a: 2 })}`)).toEqual(['parameter-repeated query f'])
    expect(check('', ['X-F', '{"b":1}'])).toEqual(['parameter-invalid header x-f: required'])
    expect(check('', ['Cookie', `c=${escaped({ a: 9 })}`])).toEqual(['parameter-invalid cookie c: maximum'])
  })

  it('of text and forms are read as such', () => {
    expect(check('t=abc')).toEqual([])
    expect(check('t=abcd')).toEqual(['parameter-invalid query t: maxLength'])
    expect(check(`form=${encodeURIComponent('a=1&tags=x&tags=y')}`)).toEqual([])
    expect(check(`form=${encodeURIComponent('a=1&b=2')}`)).toEqual(['field-undeclared query form/b'])
    expect(check(`form=${encodeURIComponent('a=1&a=2')}`)).toEqual(['parameter-repeated query form'])
    expect(check(`form=${encodeURIComponent('a=%zz')}`)).toEqual([
      'parameter-invalid query form: percent-encoding',
    ])
  })

  it('that nest deep or are long cost little', () => {
    expect(check(`f=${'['.repeat(2_000)}`)).toEqual(['parameter-invalid query f: json-depth'])
  })
})

describe('the query as a whole (OpenAPI 3.2 in: querystring)', () => {
  const of = (content: unknown, required = false): ((query: string) => string[]) => {
    const parameters = [{ name: 'q', in: 'querystring', required, content }]
    const operation = operationOf({ parameters }, {}, '3.2.0')
    return (query) => said(operation.checkParameters(sent(query)))
  }

  it('as a form declares its members as parameters', () => {
    const check = of({ 'application/x-www-form-urlencoded': { schema: object } })
    expect(check('a=1&tags=x&tags=y')).toEqual([])
    expect(check('')).toEqual([])
    expect(check('a=9')).toEqual(['parameter-invalid querystring q: maximum'])
    expect(check('a=1&q=2')).toEqual(['parameter-undeclared query q'])
    expect(check('a=1&a=1')).toEqual(['parameter-repeated querystring q'])
    expect(of({ 'application/x-www-form-urlencoded': { schema: object } }, true)('')).toEqual([
      'parameter-missing querystring q',
    ])
  })

  it('as JSON is one text', () => {
    const check = of(json, true)
    expect(check(escaped({ a: 1 }))).toEqual([])
    expect(check(escaped({ a: 1, b: 2 }))).toEqual(['field-undeclared querystring q/b'])
    expect(check('')).toEqual(['parameter-missing querystring q'])
    expect(check('a=1')).toEqual(['parameter-invalid querystring q: json-syntax'])
    expect(check('%7B%22a%22:1%7D&x=1')).toEqual(['parameter-invalid querystring q: json-trailing'])
  })
})

describe('cookies', () => {
  const operation = operationOf({
    parameters: [
      { name: 'session', in: 'cookie', required: true, schema: { type: 'string', pattern: '^[a-f0-9]{4}$' } },
      { name: 'page', in: 'cookie', schema: { type: 'integer', maximum: 10 } },
      { name: 'word', in: 'cookie', schema: { type: 'string', const: 'a b' } },
    ],
  })
  const check = (...lines: string[]): string[] =>
    said(
      operation.checkParameters(
        sent(
          '',
          {},
          lines.flatMap((line) => ['Cookie', line]),
        ),
      ),
    )

  it.each([
    'session=ab12',
    'other=1; session=ab12; page=3',
    'session="ab12"',
    'session=ab12; word=a%20b',
    '_ga=GA1.2.3; session=ab12',
  ])('take %j: those not declared are let through', (line) => {
    expect(check(line)).toEqual([])
  })

  it.each([
    ['', 'parameter-invalid cookie: cookie-syntax'],
    ['page=3', 'parameter-missing cookie session'],
    ['Session=ab12', 'parameter-invalid cookie session: name'],
    ['session=ab12; session=ab12', 'parameter-repeated cookie session'],
    ['session=xyz', 'parameter-invalid cookie session: pattern'],
    ['session=ab12; page=11', 'parameter-invalid cookie page: maximum'],
    ['session=ab12;page=3', 'parameter-invalid cookie: cookie-syntax'],
    ['session=ab12; ', 'parameter-invalid cookie: cookie-syntax'],
    ['session=ab12; page', 'parameter-invalid cookie: cookie-syntax'],
    ['a="x; session=ab12"', 'parameter-invalid cookie: cookie-syntax'],
    ['a=1,session=ab12; session=ab13', 'parameter-invalid cookie: cookie-syntax'],
    ['session=ab12; a=b c', 'parameter-invalid cookie: cookie-syntax'],
    ['session=ab12; a=é', 'parameter-invalid cookie: cookie-syntax'],
    ['$Version=1; session=ab12; session =1', 'parameter-invalid cookie: cookie-syntax'],
    ['session=ab12; word=%ff', 'parameter-invalid cookie word: percent-encoding'],
    [`${'a=1; '.repeat(300)}session=ab12`, 'parameter-invalid cookie: cookie-syntax'],
  ])('refuse %j', (line, expected) => {
    expect(check(line)).toEqual([expected])
  })

  it('in two fields are refused: readers differ on which counts', () => {
    expect(check('session=ab12', 'page=1')).toEqual(['parameter-invalid cookie: cookie-lines'])
  })

  it('of operations that declare none are not read at all', () => {
    const none = operationOf({})
    expect(said(none.checkParameters(sent('', { id: '1' }, ['Cookie', 'any thing; at=all'])))).toEqual([])
  })
})

describe('pollution (standards 2.17)', () => {
  const operation = operationOf({
    parameters: [
      { name: 'id', in: 'query', schema: { type: 'string' } },
      { name: 'role', in: 'query', schema: { enum: ['reader'] } },
      { name: 'list', in: 'query', schema: { type: 'array', items: { type: 'integer' } } },
    ],
  })
  const check = (query: string): string[] => said(operation.checkParameters(sent(query)))

  it.each([
    ['role=reader&role=admin', 'parameter-repeated query role'],
    ['role=admin&role=reader', 'parameter-repeated query role'],
    ['role=reader&%72ole=admin', 'parameter-repeated query role'],
    ['role=reader&role', 'parameter-repeated query role'],
    ['role[]=reader', 'parameter-undeclared query role[]'],
    ['role%5B%5D=admin&role=reader', 'parameter-undeclared query role[]'],
    ['role.=admin', 'parameter-undeclared query role.'],
    ['ROLE=admin&role=reader', 'parameter-undeclared query ROLE'],
    ['role%00=admin', 'parameter-undeclared query role\u0000'],
    ['+role=admin', 'parameter-undeclared query  role'],
    ['__proto__[role]=admin', 'parameter-undeclared query __proto__[role]'],
    ['__proto__=admin', 'parameter-undeclared query __proto__'],
    ['constructor.prototype.role=admin', 'parameter-undeclared query constructor.prototype.role'],
    ['role=reader%26role=admin', 'parameter-invalid query role: enum'],
    ['role=reader;role=admin', 'parameter-invalid query role: enum'],
    ['list=1&list=__proto__', 'parameter-invalid query list: type'],
    ['=admin', 'parameter-undeclared query'],
  ])('%s', (query, expected) => {
    expect(check(query)).toEqual([expected])
  })
})
