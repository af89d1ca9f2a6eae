import { describe, expect, it } from 'vitest'
import { compileText, contractText } from '../../test/contract-instance.ts'

describe('object rules', () => {
  const ORDER = {
    type: 'object',
    properties: { id: {}, customerId: {}, by: { $ref: '#/components/schemas/By' } },
  }
  const stating = (schema: unknown, owner: string) =>
    compileText(
      contractText({
        paths: {
          '/orders/{id}': {
            get: {
              operationId: 'getOrder',
              security: [],
              parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
              responses: { '200': { description: '', content: { 'application/json': { schema } } } },
            },
          },
        },
        components: { schemas: { By: { type: 'object', properties: { sub: {} } } } },
      }),
      { objects: { order: { path: '/orders/{id}', owner, hideAbsent: true } } },
    ).warnings

  it.each([
    ['/custmerId', ORDER, 'did you mean /customerId?'],
    ['/by/sbu', { allOf: [ORDER, { type: 'object', properties: { more: {} } }] }, 'did you mean /by/sub?'],
    ['/own', { type: 'object', properties: { somethingElse: {} } }, 'check its spelling.'],
  ])('warn of %s, which the answer does not declare', (owner, schema, hint) => {
    expect(stating(schema, owner)).toEqual([
      {
        code: 'object-undeclared',
        pointer: '/paths/~1orders~1{id}/get/responses/200/content/application~1json',
        message: expect.stringContaining(`objects.order.owner is ${owner}`),
      },
    ])
    expect(stating(schema, owner)[0]?.message).toContain(hint)
  })

  it.each([
    ['/customerId', ORDER],
    ['/by/sub', { oneOf: [ORDER, { type: 'object', properties: { error: {} } }] }],
    ['/anything', { type: 'object' }],
    ['/anything', { type: 'object', properties: { a: {} }, additionalProperties: true }],
    ['/x-owner', { type: 'object', patternProperties: { '^x-': {} }, additionalProperties: false }],
  ])('do not warn of %s where the answer may have it', (owner, schema) => {
    expect(stating(schema, owner).filter(({ code }) => code === 'object-undeclared')).toEqual([])
  })
})
