import type { CompiledContract } from '../src/contract/compile.ts'
import { compileContract } from '../src/contract/compile.ts'
import { compileGraphql } from '../src/contract/graphql/compile.ts'
import { ContractBuilder, type Operation } from '../src/contract/instantiate.ts'
import { parseQuery } from '../src/syntax/uri.ts'
import { API } from '../test/contract-instance.ts'
import { CASES, CONTRACT, type ContractCase } from './contract-cases.ts'

/** A message that only the gate holds; `one` gives a number that depends on what came out. */
export interface GateMessage {
  readonly name: string
  readonly bytes: number
  readonly one: () => number
}

/** What the three figures beside Ajv have not: parameters, other media types, cuts, masks, GraphQL. */
export function gateMessages(): readonly GateMessage[] {
  const operations = instantiated(compiled(CONTRACT))
  const more = instantiated(compiled(MORE))
  const [, large, answer] = CASES
  if (large === undefined || answer === undefined) throw new Error('the cases are not those of the figures')
  return [
    parameters(operation(more, 'search')),
    stripped(operation(operations, 'importOrders'), large),
    masked(operation(operations, 'listOrders'), answer),
    ...bodies(operation(more, 'place')),
    graphql(),
  ]
}

function compiled(contract: object): CompiledContract {
  const text = JSON.stringify(contract)
  return compileContract({ api: 'shop', text, file: 'bench.json', objects: {}, credential: 'replace' })
}

export function instantiated({ modules, operations }: CompiledContract): ReadonlyMap<string, Operation> {
  const builder = new ContractBuilder(API)
  for (const { name, source } of modules) builder.addModule(name, source)
  for (const each of operations) builder.addOperation(each)
  return builder.finish().operations
}

function operation(operations: ReadonlyMap<string, Operation>, key: string): Operation {
  const found = operations.get(`shop.${key}`)
  if (found === undefined) throw new Error(`the contract has no ${key}`)
  return found
}

const QUERY = 'customer=customer-1&state=open&state=paid&from=2026-11-20&limit=50&sort=-placedAt'

function parameters(search: Operation): GateMessage {
  const fields = [
    'Host',
    'shop.example',
    'X-Request-Id',
    'abc-123',
    'X-Channel',
    'web',
    'Accept-Language',
    'de',
  ]
  const one = (): number => {
    const parsed = parseQuery(QUERY)
    if (!parsed.ok) throw new Error('the query is none')
    const source = { params: {}, segments: ['search'], query: parsed.pairs, rawQuery: QUERY, fields }
    return search.checkParameters(source).length
  }
  if (one() !== 0) throw new Error('the gate refuses the parameters')
  return { name: 'request, 8 query and header parameters', bytes: QUERY.length, one }
}

/** The request of 5 kB with one undeclared field an order, which is taken out. */
function stripped(place: Operation, { value }: ContractCase): GateMessage {
  const { orders } = value as { readonly orders: readonly object[] }
  const bytes = Buffer.from(JSON.stringify({ orders: orders.map((each) => ({ ...each, trace: 'x' })) }))
  const one = (): number => place.checkBody('application/json', bytes, 'strip').bytes?.length ?? 0
  if (one() >= bytes.length) throw new Error('the gate does not strip the request as it must')
  return { name: 'request of 5 kB, stripped', bytes: bytes.length, one }
}

/** The answer of 5 kB, in which addresses of mail and streets are masked besides. */
function masked(list: Operation, { value }: ContractCase): GateMessage {
  const bytes = Buffer.from(JSON.stringify(value))
  const edits = list.fieldEdits([{ kind: 'mask', fields: ['class:pii'], policy: 'bench' }])
  if (edits === null) throw new Error('the answer has no field to mask')
  const one = (): number => {
    const checked = list.checkAnswer(200, 'application/json', bytes)
    return checked.edit?.({ edits }, null).changes.length ?? 0
  }
  if (one() === 0) throw new Error('the gate does not mask the answer as it must')
  return { name: 'answer of 5 kB, stripped and masked', bytes: bytes.length, one }
}

function bodies(place: Operation): readonly GateMessage[] {
  const orders = Array.from({ length: 12 }, (_, i) => ({ sku: `ABC-${1000 + i}`, note: 'x'.repeat(50) }))
  const form = new URLSearchParams()
  for (const { sku, note } of orders) {
    form.append('sku', sku)
    form.append('note', note)
  }
  const part = (name: string, text: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`
  const parts = orders.slice(0, 6).flatMap(({ sku, note }) => [part('sku', sku), part('note', note)])
  const items = orders.map(({ sku, note }) => `<sku>${sku}</sku><note>${note}</note>`).join('')
  return [
    body(place, 'form', 'application/x-www-form-urlencoded', form.toString()),
    body(place, 'multipart', 'multipart/form-data; boundary=b', `${parts.join('')}--b--\r\n`),
    body(place, 'XML', 'application/xml', `<order>${items}</order>`),
  ]
}

function body(place: Operation, name: string, type: string, text: string): GateMessage {
  const bytes = Buffer.from(text)
  const one = (): number => {
    const { findings, unchecked } = place.checkBody(type, bytes)
    return findings.length + (unchecked === true ? 1 : 0)
  }
  if (one() !== 0) throw new Error(`the gate does not take the ${name}`)
  return { name: `request of 1 kB, ${name}`, bytes: bytes.length, one }
}

const text = { type: 'array', items: { type: 'string', maxLength: 60 } }
const order = {
  type: 'object',
  xml: { name: 'order' },
  properties: {
    sku: { type: 'array', items: { type: 'string', pattern: '^[A-Z]{3}-[0-9]{4}$' } },
    note: text,
  },
}
const asOrder = { schema: { $ref: '#/components/schemas/Order' } }
const query = (name: string, schema: object): object => ({ name, in: 'query', schema })
const header = (name: string, schema: object): object => ({ name, in: 'header', schema })
const short = { type: 'string', maxLength: 64 }

const MORE = {
  openapi: '3.1.0',
  info: { title: 'more', version: '1' },
  paths: {
    '/search': {
      get: {
        operationId: 'search',
        parameters: [
          query('customer', short),
          query('state', { type: 'array', items: { type: 'string', enum: ['open', 'paid'] } }),
          query('from', { type: 'string', format: 'date' }),
          query('limit', { type: 'integer', minimum: 1, maximum: 100 }),
          query('sort', { type: 'string', pattern: '^-?[A-Za-z]{1,20}$' }),
          header('X-Request-Id', short),
          header('X-Channel', { type: 'string', enum: ['web', 'app'] }),
          header('Accept-Language', short),
        ],
        responses: { '200': { description: 'found' } },
      },
    },
    '/orders': {
      post: {
        operationId: 'place',
        requestBody: {
          required: true,
          content: {
            'application/x-www-form-urlencoded': asOrder,
            'multipart/form-data': asOrder,
            'application/xml': asOrder,
          },
        },
        responses: { '201': { description: 'made' } },
      },
    },
  },
  components: { schemas: { Order: order } },
}

const SCHEMA = `
  type Query { orders(first: Int): [Order!]! order(id: ID!): Order }
  type Order { id: ID! total: Float lines(first: Int): [Line!]! customer: Customer }
  type Line { sku: String quantity: Int price: Float }
  type Customer { id: ID! name: String }
`
const DOCUMENT = `query Orders($first: Int, $lines: Int) {
  orders(first: $first) { id total lines(first: $lines) { sku quantity price } customer { id name } }
}`

/** One document again and again, as clients send them: what was found of its text is kept. */
function graphql(): GateMessage {
  const large = 1_000
  const compiledSchema = compileGraphql({
    api: 'shop',
    text: SCHEMA,
    file: 'bench.graphql',
    path: '/graphql',
    allowGet: false,
    security: { need: 'anonymous', alternatives: [] },
    settings: {
      limits: {
        ...{ tokens: large, depth: 10, breadth: 100, fields: large, aliases: 15, directives: 20 },
        ...{ rootFields: 20, fragments: 50, operations: 10, cost: 1_000_000, batch: 1 },
        ...{ inputDepth: 10, stringLength: large, listLength: large },
      },
      lists: { defaultSize: 10, arguments: ['first', 'last'], sizedFields: [] },
      weights: {},
      introspection: 'off',
      trusted: null,
      extensions: [],
      errorExtensions: [],
    },
    fieldActions: [],
    stated: { fields: {}, names: false },
    mentioned: new Set(),
    manifest: null,
  })
  const endpoint = operation(instantiated(compiledSchema), 'POST /graphql')
  const bytes = Buffer.from(JSON.stringify({ query: DOCUMENT, variables: { first: 20, lines: 5 } }))
  const call = { method: 'POST', contentType: 'application/json', query: [], body: bytes }
  const one = (): number => endpoint.ask?.(call).reading.cost ?? 0
  if (!(one() > 1)) throw new Error('the gate refuses the GraphQL call')
  return { name: 'GraphQL request, a known document', bytes: bytes.length, one }
}
