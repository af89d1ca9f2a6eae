/** The messages of the contract figures: one contract for all that hold them. */
export interface ContractCase {
  readonly name: string
  readonly operation: 'placeOrder' | 'importOrders' | 'listOrders'
  readonly direction: 'request' | 'answer'
  readonly value: unknown
  /** Pointers of undeclared fields that the gate must take out. */
  readonly dropped: number
}

const address = {
  type: 'object',
  required: ['street', 'city', 'postcode', 'country'],
  properties: {
    street: { type: 'string', minLength: 1, maxLength: 120 },
    city: { type: 'string', minLength: 1, maxLength: 80 },
    postcode: { type: 'string', pattern: '^[0-9]{5}$' },
    country: { type: 'string', enum: ['DE', 'FR', 'NL', 'PL'] },
  },
}
const item = {
  type: 'object',
  required: ['sku', 'quantity', 'price'],
  properties: {
    sku: { type: 'string', pattern: '^[A-Z]{3}-[0-9]{4}$' },
    quantity: { type: 'integer', minimum: 1, maximum: 100 },
    price: { type: 'number', minimum: 0 },
    note: { type: 'string', maxLength: 200 },
  },
}
const order = {
  type: 'object',
  required: ['id', 'customer', 'placedAt', 'items', 'address'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    customer: { type: 'string', maxLength: 64 },
    placedAt: { type: 'string', format: 'date-time' },
    email: { type: 'string', format: 'email' },
    items: { type: 'array', minItems: 1, maxItems: 100, items: { $ref: '#/components/schemas/Item' } },
    address: { $ref: '#/components/schemas/Address' },
  },
}
const schemas = {
  Address: address,
  Item: item,
  Order: order,
  Orders: {
    type: 'object',
    required: ['orders'],
    properties: { orders: { type: 'array', maxItems: 500, items: { $ref: '#/components/schemas/Order' } } },
  },
}
const json = (name: string) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
})
const created = { '201': { description: 'made' } }

export const CONTRACT = {
  openapi: '3.1.0',
  info: { title: 'orders', version: '1' },
  paths: {
    '/orders': {
      get: {
        operationId: 'listOrders',
        responses: { '200': { description: 'all', content: json('Orders') } },
      },
      post: {
        operationId: 'placeOrder',
        requestBody: { required: true, content: json('Order') },
        responses: created,
      },
    },
    '/imports': {
      post: {
        operationId: 'importOrders',
        requestBody: { required: true, content: json('Orders') },
        responses: created,
      },
    },
  },
  components: { schemas },
}

/** The case's schema by itself, as whoever validates without a contract would write it. */
export function schemaOf({ operation }: ContractCase): object {
  const text = JSON.stringify({
    $ref: `#/$defs/${operation === 'placeOrder' ? 'Order' : 'Orders'}`,
    $defs: schemas,
  })
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as object
}

function orderOf(number: number, items: number): Record<string, unknown> {
  const digits = String(number).padStart(12, '0')
  return {
    id: `6f1c0b1e-7d3a-4c52-9b1d-${digits}`,
    customer: `customer-${number}`,
    placedAt: '2026-11-20T09:30:00Z',
    email: `person${number}@shop.example`,
    items: Array.from({ length: items }, (_, i) => ({
      sku: `ABC-${String(1000 + i)}`,
      quantity: 1 + (i % 9),
      price: 19.99 + i,
    })),
    address: { street: `${number} High Street`, city: 'Berlin', postcode: '10115', country: 'DE' },
  }
}

function small(): Record<string, unknown> {
  const { email: _, ...rest } = orderOf(1, 1)
  return rest
}

const fourteen = (): Record<string, unknown>[] => Array.from({ length: 14 }, (_, i) => orderOf(i, 2))

export const CASES: readonly ContractCase[] = [
  { name: 'request of 300 B', operation: 'placeOrder', direction: 'request', value: small(), dropped: 0 },
  {
    name: 'request of 5 kB',
    operation: 'importOrders',
    direction: 'request',
    value: { orders: fourteen() },
    dropped: 0,
  },
  {
    name: 'answer of 5 kB, stripped',
    operation: 'listOrders',
    direction: 'answer',
    value: { orders: fourteen().map((each) => ({ ...each, internalMargin: 0.31 })) },
    dropped: 1,
  },
]
