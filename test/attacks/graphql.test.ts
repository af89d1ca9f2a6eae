import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GraphqlGate, graphqlGate } from '../graphql-gate.ts'

// Documents made to cost: each is refused, quickly, and nothing of it goes upstream.

let gate: GraphqlGate
beforeAll(async () => {
  gate = await graphqlGate({ graphql: '      limits: { batch: 10 }' })
  await gate.ask({ query: '{ me { id } }' })
})
afterAll(() => gate.stop())

const nested = (depth: number): string => `{ me ${'{ friends '.repeat(depth)}{ id }${' }'.repeat(depth)} }`
const times = (count: number, one: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => one(at)).join(' ')
const bomb = (levels: number): string =>
  `{ me { ...F0 } } ${times(levels, (at) => `fragment F${at} on User { friends { ...F${at + 1} ...F${at + 1} } }`)} fragment F${levels} on User { id }`
const wide = (levels: number): string =>
  `{ me { ...F0 } } ${times(levels, (at) => `fragment F${at} on User { ...F${at + 1} ...F${at + 1} }`)} fragment F${levels} on User { id }`

const ATTACKS: Readonly<Record<string, () => unknown>> = {
  'fields nested 5,000 deep': () => ({ query: nested(5_000) }),
  'fields nested 20 deep': () => ({ query: nested(20) }),
  'a list in lists': () => ({
    query: '{ me { friends { friends { friends { friends { friends { id } } } } } } }',
  }),
  'a list as long as asked': () => ({ query: '{ orders(first: 2147483647) { id total state } }' }),
  'a page as long as asked': () => ({ query: '{ page(first: 1000000) { edges { node { id } } } }' }),
  'a page as long as a variable says': () => ({
    query: 'query Q($n: Int) { page(first: $n) { nodes { id } } }',
    variables: { n: 1_000_000 },
  }),
  'a thousand logins': () => ({ query: `mutation { ${times(1_000, (at) => `a${at}: login(name: "x")`)} }` }),
  'forty logins': () => ({ query: `mutation { ${times(40, (at) => `a${at}: login(name: "x")`)} }` }),
  'a batch of logins': () =>
    Array.from({ length: 10 }, () => ({
      query: 'mutation { a: login(name: "x") b: login(name: "y") c: login(name: "z") }',
    })),
  'a batch too long': () => Array.from({ length: 2_000 }, () => ({ query: '{ me { id } }' })),
  'a fragment bomb that nests': () => ({ query: bomb(40) }),
  'a fragment bomb that does not': () => ({ query: wide(40) }),
  'a fragment that spreads itself': () => ({
    query: '{ me { ...F } } fragment F on User { friends { ...F } }',
  }),
  'fragments in a circle': () => ({
    query: '{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }',
  }),
  'an unused circle': () => ({
    query: '{ me { id } } fragment A on User { ...B } fragment B on User { ...A }',
  }),
  'directives by the hundred': () => ({ query: `{ me { id ${times(500, () => '@include(if: true)')} } }` }),
  'an unknown directive': () => ({ query: '{ me { id @loud } }' }),
  'a directive twice': () => ({ query: '{ me { id @skip(if: true) @skip(if: true) } }' }),
  '100,000 tokens': () => ({ query: `{ ${'me '.repeat(100_000)} }` }),
  '100,000 comments': () => ({ query: `{ me { id } }${'\n#'.repeat(100_000)}` }),
  'a field 500 times over': () => ({ query: `{ me { ${'id '.repeat(500)} } }` }),
  'fields that do not merge': () => ({ query: '{ me { id id: name } }' }),
  'merging in squares': () => ({
    query: `{ ${times(90, () => 'me { friends { friends { id name } } }')} }`,
  }),
  'a thousand fragments': () => ({
    query: `{ me { id } } ${times(300, (at) => `fragment F${at} on User { id }`)}`,
  }),
  'huge variables': () => ({
    query: 'query Q($f: OrderFilter) { orders(filter: $f) { id } }',
    variables: { f: { ids: Array.from({ length: 50_000 }, () => 'x') } },
  }),
  'deep variables': () => ({
    query: 'query Q($f: OrderFilter) { orders(filter: $f) { id } }',
    variables: { f: Array.from({ length: 40 }).reduce((inner) => ({ not: inner }), { min: 1 }) },
  }),
  'a long string': () => ({
    query: 'query Q($t: String!) { search(text: $t) { __typename } }',
    variables: { t: 'x'.repeat(100_000) },
  }),
  'a number that is none': () =>
    '{"query":"query Q($n: Int) { orders(first: $n) { id } }","variables":{"n":1.00000000000000000001}}',
  'an unknown input field': () => ({
    query: 'query Q($f: OrderFilter) { orders(filter: $f) { id } }',
    variables: { f: { admin: true } },
  }),
  'a variable nobody declares': () => ({ query: '{ me { id } }', variables: { n: 1 } }),
  'a hundred operations': () => ({
    query: times(100, (at) => `query Q${at} { me { id } }`),
    operationName: 'Q1',
  }),
  'a string that never ends': () => ({ query: `{ search(text: "${'x'.repeat(1_000)}) { __typename } }` }),
  'brackets in strings': () => ({ query: `{ search(text: """${'{'.repeat(10_000)}""") { nothing } }` }),
}

describe('documents made to cost', () => {
  it.each(Object.keys(ATTACKS))('%s: refused', async (name) => {
    const body = ATTACKS[name]?.()
    const before = gate.came.length
    const started = performance.now()
    const answer = await gate.ask(body)
    // Generous: it shows that nothing grows with the square, not how fast it is.
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(answer.status, answer.text).toBe(400)
    expect(gate.came.length).toBe(before)
    expect(answer.text).not.toMatch(/Did you mean/)
  })

  it('the gate answers as before', async () => {
    expect((await gate.ask({ query: '{ me { id } }' })).status).toBe(200)
    expect(gate.faults).toEqual([])
  })
})
