import { expect, test } from 'vitest'
import type { OperationPlan } from '../../model/operation.ts'
import { type ListSuggestion, suggestList } from './list-field.ts'

const text = { type: 'string' }
const order = { type: 'object', properties: { id: text, customerId: text } }
const array = (items: unknown): unknown => ({ type: 'array', items })

function listIn(schema: unknown, need: 'required' | 'anonymous' = 'required'): ListSuggestion | null {
  const operation: OperationPlan = {
    key: 'shop.listOrders',
    api: 'shop',
    operationId: 'listOrders',
    method: 'GET',
    template: '/orders',
    tags: [],
    kind: 'read',
    deprecated: false,
    security: { need, alternatives: [] },
  }
  const root = {
    paths: { '/orders': { get: { responses: { 200: { content: { 'application/json': { schema } } } } } } },
    components: {
      schemas: { Order: order, Page: { properties: { items: array(order), total: { type: 'integer' } } } },
    },
  }
  return suggestList(root, [operation], '/orders/{orderId}', '/customerId')
}

test('the collection above an object is a list of it where its items name the owner', () => {
  expect(listIn(array({ $ref: '#/components/schemas/Order' }))).toMatchObject({
    items: '',
    id: '/id',
    counts: [],
  })
  expect(listIn({ $ref: '#/components/schemas/Page' })).toMatchObject({ items: '/items', counts: ['/total'] })
})

test('and elsewhere it is left alone', () => {
  expect(listIn(array({ properties: { id: text } }))).toBeNull()
  expect(listIn({ properties: { mine: array(order), others: array(order) } })).toBeNull()
  expect(listIn(array(order), 'anonymous')).toBeNull()
  expect(listIn(order)).toBeNull()
})
