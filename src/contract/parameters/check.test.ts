import { describe, expect, it } from 'vitest'
import { operationOf, said, sent } from '../../../test/contract-instance.ts'

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
    return said(operation.checkParameters(sent(`must=x${query}`, { id }, fields)))
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
    '&deep[a]=1&deep[b]=2',
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
    ['&deep[b][c]=2', 'parameter-undeclared query deep[b][c]'],
    ['&deep=1', 'parameter-undeclared query deep'],
    ['&Limit=1', 'parameter-undeclared query Limit'],
    ['&constructor=1', 'parameter-undeclared query constructor'],
    ['&empty=x', 'parameter-invalid query empty: type'],
  ])('refuse %j', (query, expected) => {
    expect(check(query)).toEqual([expected])
  })

  it('missing are named, in path, query and header', () => {
    expect(said(operation.checkParameters(sent('', { id: 'o-1' })))).toEqual(['parameter-missing query must'])
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
    expect(checkParameters(sent('must=x', { id: 'o-1' }))).toBe(
      checkParameters(sent('must=y', { id: 'o-1' })),
    )
    const many = Array.from({ length: 200 }, (_, i) => `u${i}`).join('&')
    expect(checkParameters(sent(many, { id: 'o-1' }))).toHaveLength(20)
  })

  it('never tell a value', () => {
    const text = JSON.stringify(
      operation.checkParameters(sent('limit=S3CRET&tag=S3CRET', { id: 'S3CRET' }, ['X-Trace', 'S3CRET'])),
    )
    expect(text).toContain('parameter-invalid')
    expect(text).not.toContain('S3CRET')
  })

  it('that carry API keys are declared by their scheme', () => {
    const keyed = operationOf(
      {},
      { components: { securitySchemes: { k: { type: 'apiKey', in: 'query', name: 'api_key' } } } },
    )
    expect(said(keyed.checkParameters(sent('api_key=x', { id: '1' })))).toEqual([])
    expect(said(keyed.checkParameters(sent('other=x', { id: '1' })))).toEqual([
      'parameter-undeclared query other',
    ])
  })
})
