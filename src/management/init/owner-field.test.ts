import { expect, test } from 'vitest'
import type { OperationPlan } from '../../model/operation.ts'
import { suggestObjects } from './owner-field.ts'

function operation(
  method: string,
  template: string,
  operationId?: string,
  need: 'required' | 'anonymous' = 'required',
): OperationPlan {
  return {
    key: `a.${operationId ?? `${method} ${template}`}`,
    api: 'a',
    ...(operationId === undefined ? {} : { operationId }),
    method,
    template,
    tags: [],
    kind: method === 'GET' ? 'read' : 'write',
    deprecated: false,
    security: { need, alternatives: [] },
  }
}

function contract(
  schemas: Readonly<Record<string, unknown>>,
  components: Readonly<Record<string, unknown>> = {},
) {
  const paths = Object.entries(schemas).map(([template, schema]) => [
    template,
    { get: { responses: { 200: { content: { 'application/json; charset=utf-8': { schema } } } } } },
  ])
  return { paths: Object.fromEntries(paths) as unknown, components: { schemas: components } }
}

const text = { type: 'string' }
const object = (properties: Readonly<Record<string, unknown>>) => ({ type: 'object', properties })

function pointerFor(schema: unknown, components = {}): string | undefined {
  const root = contract({ '/orders/{orderId}': schema }, components)
  return suggestObjects(root, [operation('GET', '/orders/{orderId}', 'getOrder')])[0]?.owner
}

test('names that say owner are found, the most telling first', () => {
  expect(pointerFor(object({ id: text, customerId: text }))).toBe('/customerId')
  expect(pointerFor(object({ created_by: text, 'owner-id': { type: 'integer' } }))).toBe('/owner-id')
  expect(pointerFor(object({ createdBy: { type: ['string', 'null'] } }))).toBe('/createdBy')
  expect(pointerFor(object({ owner: object({ login: text, id: { type: 'integer' } }) }))).toBe('/owner/id')
  expect(pointerFor(object({ data: object({ userId: text }), meta: object({}) }))).toBe('/data/userId')
  expect(pointerFor(object({ order: object({ user_id: text }) }))).toBe('/order/user_id')
  expect(
    pointerFor(
      { allOf: [{ $ref: '#/components/schemas/Base' }, object({ id: text })] },
      { Base: object({ ownerId: text }) },
    ),
  ).toBe('/ownerId')
})

test('what does not say so is left alone', () => {
  expect(pointerFor(object({ id: text, createdAt: text, ownership: text }))).toBeUndefined()
  expect(pointerFor(object({ userId: object({}) }))).toBeUndefined()
  expect(pointerFor({ type: 'array', items: object({ userId: text }) })).toBeUndefined()
  expect(pointerFor(true)).toBeUndefined()
})

test('a hostile contract costs nothing and breaks nothing', () => {
  const self = { $ref: '#/components/schemas/Self' }
  expect(pointerFor(self, { Self: self })).toBeUndefined()
  const fan = { allOf: Array.from({ length: 100 }, () => ({ $ref: '#/components/schemas/Fan' })) }
  expect(pointerFor(fan, { Fan: fan })).toBeUndefined()
  expect(pointerFor({ $ref: 'file:///etc/passwd' })).toBeUndefined()
  expect(pointerFor({ $ref: '#/%zz' })).toBeUndefined()
  expect(pointerFor({ $ref: '#/constructor/prototype' })).toBeUndefined()
})

test('only paths that end in a parameter behind a name; writes with a look-up', () => {
  const schema = object({ userId: text })
  const templates = [
    '/a/{id}',
    '/a/{id}/b',
    '/{id}',
    '/a/{x}/{y}',
    '/a/{id}.json',
    '/order-lines/{order_line_id}',
    '/v1/categories/{key}',
  ]
  const root = contract(Object.fromEntries(templates.map((template) => [template, schema])))
  const found = suggestObjects(root, [
    ...templates.map((template, index) => operation('GET', template, `get${index}`)),
    operation('DELETE', '/a/{other}', 'remove'),
  ])
  expect(
    found.map(({ type, template, lookup, operations }) => [type, template, lookup, operations.length]),
  ).toEqual([
    ['a', '/a/{id}', 'get0', 2],
    ['order-line', '/order-lines/{order_line_id}', undefined, 1],
    ['category', '/v1/categories/{key}', undefined, 1],
  ])
})

test('without an operationId there is no look-up, and public operations have no owner', () => {
  const root = contract({ '/a/{id}': object({ userId: text }) })
  const write = operation('PUT', '/a/{id}')
  expect(
    suggestObjects(root, [operation('GET', '/a/{id}'), write])[0]?.operations.map(({ method }) => method),
  ).toEqual(['GET'])
  expect(suggestObjects(root, [operation('GET', '/a/{id}', 'get', 'anonymous')])).toEqual([])
  const mixed = suggestObjects(root, [operation('GET', '/a/{id}', 'get', 'anonymous'), write])
  expect(mixed[0]).toMatchObject({ lookup: 'get', operations: [{ method: 'PUT' }] })
})

test('people own themselves where their own path names them by their own id, and nothing else does', () => {
  const own = (template: string, schema: unknown): string | undefined =>
    suggestObjects(contract({ [template]: schema }), [operation('GET', template, 'get')])[0]?.owner
  const named = object({ id: text, name: text })
  expect(own('/customers/{customerId}', named)).toBe('/id')
  expect(own('/v1/users/{user_id}', named)).toBe('/id')
  expect(own('/customers/{id}', named)).toBeUndefined()
  expect(own('/products/{productId}', named)).toBeUndefined()
  expect(own('/customers/{customerId}', object({ id: { type: 'integer' } }))).toBeUndefined()
  expect(own('/customers/{customerId}', object({ name: text }))).toBeUndefined()
})
