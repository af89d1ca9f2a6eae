// What the shop knows when it starts. Fields marked "never promised" are in its answers but not in its
// contract: they are what the gate must keep back. Nothing here is real.

export interface Customer {
  id: string
  name: string
  email: string
  phone: string
  address: { street: string; city: string; postalCode: string; country: string }
  createdAt: string
  passwordHash: string // never promised
  creditLimit: number // never promised
  isAdmin: boolean // never promised
}

export interface OrderItem {
  sku: string
  quantity: number
  price: number
}

export interface Order {
  id: string
  customerId: string
  status: string
  items: OrderItem[]
  total: number
  createdAt: string
  note: string
  internalMargin: number // never promised
  fraudScore: number // never promised
  customer: { email: string; passwordHash: string } // never promised
}

export interface Payment {
  id: string
  reference: string
  orderId: string
  customerId: string
  amount: number
  currency: string
  method: string
  status: string
  createdAt: string
  cardNumber: string // never promised
  iban: string // never promised
}

export interface Product {
  sku: string
  name: string
  price: number
  costPrice: number // never promised
}

export interface ShopData {
  customers: Customer[]
  orders: Order[]
  payments: Payment[]
  products: Product[]
}

const CATALOGUE: readonly Product[] = [
  { sku: 'LAMP-1', name: 'Reading lamp', price: 39.5, costPrice: 14.2 },
  { sku: 'DESK-2', name: 'Oak desk', price: 420, costPrice: 231 },
  { sku: 'CHAIR-3', name: 'Swivel chair', price: 185, costPrice: 97.4 },
  { sku: 'PEN-4', name: 'Fountain pen', price: 24.9, costPrice: 6.1 },
]

function customer(id: string, name: string, city: string, phone: string, isAdmin: boolean): Customer {
  return {
    id,
    name,
    email: `${id}@example.org`,
    phone,
    address: { street: '1 Harbour Road', city, postalCode: '1000', country: 'BE' },
    createdAt: '2026-01-05T08:00:00Z',
    passwordHash: `made-up-hash-of-${id}`,
    creditLimit: 2500,
    isAdmin,
  }
}

/** A fresh copy on each call, so that two shops never share state. */
export function seedShop(): ShopData {
  const products = CATALOGUE.map((product) => ({ ...product }))
  const customers = [
    customer('ana', 'Ana Lopez', 'Ghent', '+32470000001', false),
    customer('ben', 'Ben Okafor', 'Antwerp', '+32470000002', false),
    customer('olga', 'Olga Marin', 'Brussels', '+32470000003', true),
  ]
  // Owners alternate, so the id after one's own is always somebody else's.
  const bought: readonly [owner: number, product: number, quantity: number, status: string][] = [
    [0, 0, 2, 'delivered'],
    [1, 1, 1, 'paid'],
    [0, 2, 1, 'shipped'],
    [1, 3, 4, 'placed'],
    [2, 0, 1, 'paid'],
    [0, 3, 1, 'placed'],
  ]
  const orders: Order[] = []
  for (const [index, [owner, product, quantity, status]] of bought.entries()) {
    const buyer = customers[owner]
    const item = products[product]
    if (!buyer || !item) continue
    orders.push({
      ...newOrder(`o-${1001 + index}`, buyer, [{ sku: item.sku, quantity, price: item.price }]),
      status,
      createdAt: `2026-02-${String(index + 10)}T09:30:00Z`,
    })
  }
  const payments = orders
    .filter((order) => order.status !== 'placed')
    .map((order, index) => ({
      ...newPayment(`p-${501 + index}`, order),
      reference: `00000000-0000-4000-8000-${String(501 + index).padStart(12, '0')}`,
      createdAt: order.createdAt,
    }))
  return { customers, orders, payments, products }
}

export function newOrder(
  id: string,
  buyer: Pick<Customer, 'id' | 'email' | 'passwordHash'>,
  items: OrderItem[],
): Order {
  const total = cents(items.reduce((sum, item) => sum + item.price * item.quantity, 0))
  return {
    id,
    customerId: buyer.id,
    status: 'placed',
    items,
    total,
    createdAt: new Date().toISOString(),
    note: '',
    internalMargin: cents(total * 0.37),
    fraudScore: 0.12,
    customer: { email: buyer.email, passwordHash: buyer.passwordHash },
  }
}

/** Card number and IBAN are the schemes' published test numbers. */
export function newPayment(id: string, order: Pick<Order, 'id' | 'customerId' | 'total'>): Payment {
  return {
    id,
    reference: crypto.randomUUID(),
    orderId: order.id,
    customerId: order.customerId,
    amount: order.total,
    currency: 'EUR',
    method: 'card',
    status: 'captured',
    createdAt: new Date().toISOString(),
    cardNumber: '4111111111111111',
    iban: 'BE68539007547034',
  }
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100
}
