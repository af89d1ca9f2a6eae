import { describe, expect, it } from 'vitest'
import { compileText, contractText, instantiate } from '../../test/contract-instance.ts'

describe('what a body says of whose object it is', () => {
  const schema = { type: 'object', additionalProperties: true }
  const contract = instantiate(
    compileText(
      contractText({
        paths: {
          '/orders': {
            post: {
              operationId: 'create',
              requestBody: {
                content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': {} },
              },
              responses: { '200': { description: 'ok' } },
            },
          },
        },
      }),
      {
        objects: {
          order: {
            path: '/orders',
            requestOwner: { in: 'body', pointer: ['for', 'customerId'] },
            hideAbsent: false,
          },
        },
      },
    ),
  )
  const operation = contract.operations.get('shop.create')
  const said = (text: string, type = 'application/json'): unknown =>
    operation?.checkBody(type, Buffer.from(text)).stated.owner

  it.each([
    ['a text', '{"for":{"customerId":"ana"}}', 'ana'],
    ['a number', '{"for":{"customerId":42}}', 42],
    ['a number written otherwise', '{"for":{"customerId":4.2e1}}', 42],
    ['nothing', '{"for":{}}', undefined],
    ['nothing at all', '', undefined],
    ['its name in another case beside it', '{"for":{"customerId":"ana","CustomerID":"ben"}}', null],
    ['its name in another case only', '{"for":{"customerid":"ben"}}', null],
    ['a holder in another case beside it', '{"for":{"customerId":"ana"},"FOR":{"customerId":"ben"}}', null],
    ['a letter that folds to one of it', '{"for":{"customerId":"ana","cu\u017ftomerId":"ben"}}', null],
    ['two of a name', '{"for":{"customerId":"ana","customerId":"ben"}}', null],
    ['what is no JSON', '{"for"', null],
  ])('%s', (_what, text, owner) => expect(said(text)).toEqual(owner))

  it('a number that a double does not hold is no id', () => {
    expect(typeof said('{"for":{"customerId":41.99999999999999999999}}')).not.toBe('number')
    expect(said('{"for":{"customerId":42},"amount":0.1000000000000000055511}')).toBe(42)
  })

  it('a form says something that is not read here', () => {
    expect(said('for.customerId=ben', 'application/x-www-form-urlencoded')).toBeNull()
    expect(said('{"for":{"customerId":"ana"}}', 'text/plain')).toBeNull()
  })
})
