import { describe, expect, it } from 'vitest'
import { ActionFields, introspects } from './asked.ts'
import { type CostRules, costOf } from './cost.ts'
import { statedCosts } from './cost-directives.ts'
import { graphql } from './library.ts'
import type { Fragments } from './measure.ts'
import { readSchema } from './schema.ts'

const SDL = `
  type Query @shareable {
    users(first: Int, last: Int): [User!]!
    page(limit: Int): Page @listSize(slicingArguments: ["limit"], sizedFields: ["entries"])
    all: [User!]! @listSize(assumedSize: 50)
    found(text: String): [Node!]!
  }
  interface Node { id: ID! }
  type User implements Node { id: ID! name: String @cost(weight: "2.5") friends: [User!]! }
  type Report implements Node @cost(weight: "20") { id: ID! text: String }
  type Page { entries: [User!]! others: [User!]! report: Report }
`
const warned: string[] = []
const { schema, document } = readSchema(SDL, 'shop.graphql', ({ message }) => warned.push(message))
const rules: CostRules = {
  ...statedCosts(document),
  lists: { defaultSize: 10, arguments: ['first', 'last'], sizedFields: ['edges'] },
}

function read(text: string) {
  const { definitions } = graphql().parse(text, { noLocation: true })
  const fragments: Map<string, Fragments extends ReadonlyMap<string, infer F> ? F : never> = new Map()
  for (const each of definitions) if (each.kind === 'FragmentDefinition') fragments.set(each.name.value, each)
  const operation = definitions.find((each) => each.kind === 'OperationDefinition')
  if (operation === undefined) throw new Error('no operation')
  return { operation, fragments }
}

const cost = (text: string, variables: Record<string, unknown> = {}): number => {
  const { operation, fragments } = read(text)
  return costOf(schema, operation, fragments, variables, rules)
}

describe('the cost of an operation', () => {
  it.each([
    ['{ __typename }', 0],
    ['{ users { id } }', 1 + 10],
    ['{ users(first: 3) { id name } }', 1 + 3 * (1 + 2.5)],
    ['{ users(first: 2, last: 5) { id } }', 1 + 5],
    ['{ users(first: 2) { friends { id } } }', 1 + 2 * (1 + 10)],
    ['{ all { id } }', 1 + 50],
    ['{ page(limit: 7) { entries { id } others { id } } }', 1 + 1 + 7 + 1 + 10],
    ['{ page(limit: 7) { ...P } } fragment P on Page { entries { id } }', 1 + 1 + 7],
    ['{ page { report { text } } }', 1 + 20 + 1],
    ['{ users(first: 0) { id } }', 1],
  ])('%s: %d', (text, expected) => expect(cost(text)).toBe(expected))

  it('follows variables and their defaults', () => {
    const text = 'query Q($n: Int = 4) { users(first: $n) { id } }'
    expect(cost(text)).toBe(5)
    expect(cost(text, { n: 9 })).toBe(10)
    expect(cost(text, { n: null })).toBe(11)
  })

  it('stops growing before it is no number', () => {
    const deep = Array.from(
      { length: 40 },
      (_, at) => `fragment F${at} on User { friends { ...F${at + 1} ...F${at + 1} } }`,
    )
    const text = `{ all { ...F0 } } ${deep.join(' ')} fragment F40 on User { id }`
    expect(cost(text)).toBe(1e15)
  })

  it('names directives that nothing defines', () => {
    expect(warned).toEqual(['nothing defines the directive @shareable: it is not read'])
  })
})

describe('fields that are actions', () => {
  it('are found under every type they may be asked of', () => {
    const actions = new ActionFields(schema, ['Query.found', 'User.id', 'Node.id', 'Query.__typename'])
    const asked = (text: string): unknown => {
      const { operation, fragments } = read(text)
      return Object.fromEntries(actions.askedBy(operation, fragments))
    }
    expect(asked('{ found { id } }')).toEqual({ 'Query.found': 1, 'Node.id': 1, 'User.id': 1 })
    expect(asked('{ found { ... on User { a: id b: id } } }')).toEqual({
      'Query.found': 1,
      'User.id': 2,
      'Node.id': 2,
    })
    expect(asked('{ found { ... on Report { id } } }')).toEqual({ 'Query.found': 1, 'Node.id': 1 })
    expect(asked('{ __typename }')).toEqual({ 'Query.__typename': 1 })
  })

  it('and introspection is found wherever it stands', () => {
    for (const text of [
      '{ ...F } fragment F on Query { ... { x: __schema { __typename } } }',
      '{ __type(name: "A") { name } }',
    ]) {
      const { operation, fragments } = read(text)
      expect(introspects(operation, fragments)).toBe(true)
    }
    const { operation, fragments } = read('{ found { id __typename } }')
    expect(introspects(operation, fragments)).toBe(false)
  })
})
