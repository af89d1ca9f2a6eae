import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, type ObjectGate, objectGate } from '../object-gate.ts'

// Whatever stands in a list, what is released are the caller's own items, in their order and unchanged.

const item = fc.oneof(
  {
    arbitrary: fc.record({
      id: fc.oneof(fc.string(), fc.constant('o-0')),
      customerId: fc.constantFrom('ana', 'ben', 'Ana', ' ana'),
      n: fc.double({ noNaN: true, noDefaultInfinity: true }),
    }),
    weight: 6,
  },
  { arbitrary: fc.record({ id: fc.string(), customerId: fc.jsonValue() }), weight: 3 },
  { arbitrary: fc.jsonValue(), weight: 1 },
)
const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
paths:
  /orders: { get: { operationId: listOrders, security: [{ oauth: [] }], responses: { '200': { description: ok, content: { application/json: { schema: {} } } } } } }
  /orders/{orderId}: { get: { operationId: getOrder, security: [{ oauth: [] }], parameters: [{ name: orderId, in: path, required: true, schema: { type: string } }], responses: { '200': { description: ok, content: { application/json: { schema: {} } } } } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`
const RULES = `{ order: { path: "/orders/{orderId}", owner: /customerId, list: { operation: listOrders, items: /a/b, id: /id } } }`
const POLICIES = `@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };
@id("named") forbid (principal, action, resource == Object::"shop/order/o-0");`

describe('any list', () => {
  let gate: ObjectGate
  beforeAll(() => {
    gate = objectGate({ contract: CONTRACT, rules: RULES, policies: POLICIES })
  })
  afterAll(() => gate.close())

  it('is cut down to the caller’s own, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 30 }), fc.boolean(), async (items, spaced) => {
        const text = JSON.stringify({ a: { b: items }, more: 1 }, null, spaced ? 2 : 0)
        gate.answer(answerOf(text))
        const got = await gate.call('ana', { target: '/orders' })
        if (got.status !== 200) return expect(got.reasons.at(-1)).toBe('response-malformed')
        const parsed = JSON.parse(text)
        const own = parsed.a.b.filter((each: { customerId?: unknown } | null) => isOwn(each))
        const same = own.length === items.length
        expect(got.text).toBe(same ? text : JSON.stringify({ a: { b: own }, more: 1 }))
      }),
      { numRuns: 500 },
    )
    expect(gate.faults).toEqual([])
  })
})

/** One that could be o-0 by another spelling, or by none at all, is not released either. */
function isNamed({ id }: { id?: unknown }): boolean {
  if (typeof id === 'string') return id !== '' && id.length <= 512 && id !== 'o-0'
  return Number.isSafeInteger(id)
}

function isOwn(each: { customerId?: unknown; id?: unknown } | null): boolean {
  return (
    typeof each === 'object' &&
    each !== null &&
    !Array.isArray(each) &&
    each.customerId === 'ana' &&
    isNamed(each)
  )
}
