import { expect, it } from 'vitest'
import { buildInSteps } from './build-schema.ts'
import { graphql } from './library.ts'
import { readSchema, schemaParts } from './schema.ts'

const SDL = `
  """Described."""
  schema { query: Root mutation: Change }
  directive @own(a: Int = 1) repeatable on FIELD | FRAGMENT_SPREAD
  scalar Date @specifiedBy(url: "https://dates.example")
  interface Node { id: ID! }
  interface Named implements Node { id: ID! name(style: Style = PLAIN): String }
  type Root { node(id: ID!, by: By, at: [Date!]! = []): Node all: [[Both!]!]! }
  extend type Root { more(x: Float = 1.5): Int }
  type Change { set(by: One): User }
  type User implements Node & Named { id: ID! name(style: Style = PLAIN): String at: Date }
  union Both = User | Other
  type Other { self: Other! }
  enum Style { PLAIN BOLD }
  input By { a: Int = 3 by: By list: [Style!] }
  input One @oneOf { a: Int b: String }
`

it('the schema of a thread is the one that control read, but for its words', () => {
  const { parse, printSchema, lexicographicSortSchema, validate } = graphql()
  const { schema } = readSchema(SDL, 'shop.graphql', () => undefined)
  const parts = schemaParts(schema)
  const building = buildInSteps(parts.flatMap((text) => parse(text).definitions))
  let step = building.next()
  while (step.done !== true) step = building.next()
  const plain = readSchema(parts.join('\n'), 'again.graphql', () => undefined).schema
  // What a scalar is specified by is for people.
  const printed = (each: typeof schema): string =>
    printSchema(lexicographicSortSchema(each)).replace(/ @specifiedBy\([^)]*\)/, '')
  expect(printed(step.value)).toBe(printed(plain))
  for (const [text, faults] of [
    ['{ node(id: 1) { id } more all { ... on Other { self { __typename } } } }', 0],
    ['{ node { id } }', 1],
    ['{ more @own @own(a: 2) }', 0],
    ['mutation { set(by: { a: 1, b: "x" }) { id } }', 1],
    ['{ node(id: 1, by: { c: 1 }) { id } }', 1],
  ] as const)
    expect([text, validate(step.value, parse(text)).length]).toEqual([text, faults])
})
