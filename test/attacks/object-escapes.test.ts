import { afterAll, describe, expect, it } from 'vitest'
import { answerOf, type ObjectGate, objectGate, POLICIES, SHOP } from '../object-gate.ts'

const made: ObjectGate[] = []
const gateOf = (options: Parameters<typeof objectGate>[0]): ObjectGate => {
  const gate = objectGate(options)
  made.push(gate)
  return gate
}
afterAll(() => {
  for (const gate of made) gate.close()
})
const ids = (text: string): string[] => JSON.parse(text).data.items.map(({ id }: { id: string }) => id)
const OPEN = SHOP.replaceAll(
  'type: object, properties: { id:',
  'type: object, additionalProperties: true, properties: { id:',
)
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('what the body says of the owner', () => {
  const rules = `
      new-order: { path: /orders, owner: { body: /customerId } }
      order: { path: "/orders/{orderId}", owner: [{ body: /customerId }, /customerId], lookup: getOrder }`

  it.each([
    ['in another case beside it', '{"customerId":"ana","CustomerID":"ben"}'],
    ['in letters that fold to the same', '{"customerId":"42","cu\u017ftomerId":"ben"}'],
    ['as a number that is nearly another', '{"customerId":41.99999999999999999999}'],
  ])('%s', async (_what, body) => {
    const gate = gateOf({ rules, contract: OPEN })
    gate.answer(answerOf({ id: 'o-1' }))
    const got = await gate.call(body.includes('4') ? '42' : 'ana', {
      method: 'POST',
      target: '/orders',
      body: bytes(body),
    })
    expect([got.status, gate.requests.length]).not.toEqual([200, 1])
  })
})

describe('single objects named by policies', () => {
  const ORDERS = {
    data: {
      items: [
        { id: 'o-1', customerId: 'ana' },
        { id: 'o-2', customerId: 'ana' },
      ],
    },
  }
  it('by parameter, where the rule names it otherwise', async () => {
    const gate = gateOf({
      rules: `
      order: { path: "/orders/{order}", owner: /customerId, list: { operation: listOrders, items: /data/items, id: /id } }`,
      policies: `${POLICIES} @id("held") forbid (principal, action, resource is Object) when { resource.params has orderId && resource.params.orderId == "o-2" };`,
    })
    gate.answer(answerOf(ORDERS))
    const got = await gate.call('ana', { target: '/orders' })
    expect(ids(got.text)).toEqual(['o-1'])
  })
  it('by name, in a list below another object', async () => {
    const gate = gateOf({
      contract: SHOP.replace(
        '  /latest:',
        `  /regions/{region}/orders:
    parameters: [{ name: region, in: path, required: true, schema: { type: string } }]
    get: { operationId: listRegion, security: [{ oauth: [] }], responses: { '200': { description: ok, content: { application/json: { schema: { type: object, properties: { data: { type: object, properties: { items: { type: array, items: { type: object, properties: { id: {type: string}, customerId: {} } } } } } } } } } } } }
  /latest:`,
      ),
      rules: `
      order: { path: "/orders/{orderId}", owner: /customerId, list: { operation: listRegion, items: /data/items, id: /id } }`,
      policies: `${POLICIES} @id("held") forbid (principal, action, resource == Object::"shop/order/o-2");`,
    })
    gate.answer(answerOf({ id: 'o-2', customerId: 'ana' }))
    expect((await gate.call('ana', { target: '/orders/o-2' })).status).toBe(403)
    gate.answer(answerOf(ORDERS))
    const got = await gate.call('ana', { target: '/regions/n/orders' })
    expect(ids(got.text)).toEqual(['o-1'])
  })
  it('a forbid that fails over whoever owns it, in a list that is allowed otherwise', async () => {
    const gate = gateOf({
      policies: `@id("all") permit (principal, action, resource);
@id("kiosk") forbid (principal is User, action, resource is Object) when { (if resource has owner then resource.owner else User::"corp/x").client == "kiosk" && context.method == "DELETE" };`,
    })
    gate.answer(answerOf({ id: 'o-2', customerId: 'ben' }))
    expect((await gate.call('ana', { target: '/orders/o-2' })).status).toBe(404)
    gate.answer(answerOf({ data: { items: [{ id: 'o-2', customerId: 'ben' }] } }))
    const got = await gate.call('ana', { target: '/orders' })
    expect([got.status, got.text]).toEqual([200, '{"data":{"items":[]}}'])
  })
  const NAMED = '@id("held") forbid (principal, action, resource == Object::"shop/order/o-2");'
  const withId = `
      order: { path: "/orders/{orderId}", owner: /customerId, list: { operation: listOrders, items: /data/items, id: /id } }`
  it('in a list that does not say which item is which: refused at load', () => {
    const rules = withId.replace(', id: /id', '')
    expect(() => gateOf({ rules, policies: `${POLICIES}${NAMED}` })).toThrow(
      /the list listOrders does not say where an item’s id stands, and the policy held \(.*shop\.cedar:5:1\) names single objects/,
    )
    const elsewhere = NAMED.replace('action,', 'action == Action::"shop.getOrder",')
    expect(() => gateOf({ rules, policies: `${POLICIES}${elsewhere}` })).not.toThrow()
  })
  it('in a list whose path lacks a part of the name', () => {
    const rules = `
      order: { path: "/customers/{customerId}/orders/{orderId}", owner: /customerId, list: { operation: listOrders, items: /data/items, id: /id } }`
    expect(() => gateOf({ rules, policies: `${POLICIES}${NAMED}` })).toThrow(
      /has no path parameter customerId/,
    )
  })
  it('where an item states no id that could be compared', async () => {
    const gate = gateOf({
      rules: withId,
      policies: `${POLICIES}${NAMED}`,
      contract: OPEN.replaceAll('id: { type: string }', 'id: {}'),
    })
    const items = [{ id: 'o-1' }, {}, { id: ['o-2'] }, { id: '' }].map((each) => ({
      ...each,
      customerId: 'ana',
    }))
    gate.answer(answerOf({ data: { items } }))
    const got = await gate.call('ana', { target: '/orders' })
    expect(ids(got.text)).toEqual(['o-1'])
  })
  it('in a list of somebody who is allowed whoever owns it', async () => {
    const gate = gateOf({ rules: withId, policies: `${POLICIES}${NAMED}` })
    gate.answer(answerOf(ORDERS))
    const got = await gate.call('eve', { target: '/orders' }, { groups: ['staff'] })
    expect(ids(got.text)).toEqual(['o-1'])
    expect(got.reasons).toContain('list-filtered')
  })
  it('only by policies of other operations: a long list stays a list', async () => {
    const elsewhere = NAMED.replace('action,', 'action == Action::"shop.getOrder",')
    const gate = gateOf({ rules: withId, policies: `${POLICIES}${elsewhere}` })
    const items = Array.from({ length: 500 }, (_, n) => ({ id: `o-${n}`, customerId: n < 3 ? 'ana' : 'ben' }))
    gate.answer(answerOf({ data: { items } }))
    const got = await gate.call('ana', { target: '/orders' })
    expect([got.status, ids(got.text)]).toEqual([200, ['o-0', 'o-1', 'o-2']])
    const { attributes } = gate.recorded(got.id)
    expect(attributes?.kept).toContain('resource.params')
    expect(attributes?.itemIds).toBe(false)
  })
  it('a group that a token names twice counts once', async () => {
    const others = Array.from(
      { length: 12 },
      (_, n) => `@id("g${n}") permit (principal in Group::"corp/g${n}", action, resource);`,
    )
    const gate = gateOf({ policies: `${POLICIES}${others.join('\n')}` })
    gate.answer(answerOf({ id: 'o-1', customerId: 'ana' }))
    const got = await gate.call('eve', { target: '/orders/o-1' }, { groups: ['g1', 'g1'] })
    expect(gate.recorded(got.id).decisions[0]?.policies).toEqual(['g1'])
  })
})
