import { describe, expect, it } from 'vitest'
import type { GraphqlLimits } from './detail.ts'
import { nestingOf, readDocument } from './document.ts'
import { graphql } from './library.ts'

const schema = graphql().buildSchema(`
  type Query { user(id: ID!, kind: Kind): User secretThing: Hidden }
  type User { id: ID! name: String friends: [User!]! }
  type Hidden { hiddenName: String }
  enum Kind { STAFF }
`)
const LIMITS: GraphqlLimits = {
  tokens: 100,
  depth: 4,
  breadth: 5,
  fields: 10,
  aliases: 2,
  directives: 2,
  rootFields: 3,
  fragments: 3,
  operations: 2,
  cost: 100,
  batch: 1,
  inputDepth: 3,
  stringLength: 10,
  listLength: 3,
}

const evidenceOf = (text: string): unknown => {
  const read = readDocument(text, schema, LIMITS)
  return read.ok ? 'read' : { ...read.finding.reason.evidence }
}
const saidOf = (text: string): string | undefined => {
  const read = readDocument(text, schema, LIMITS)
  return read.ok ? undefined : read.finding.reason.forCaller
}

describe('a document', () => {
  it('is read within its limits, and refused by the name of the first it exceeds', () => {
    expect(evidenceOf('{ user(id: 1) { id name } }')).toBe('read')
    const limits: readonly (readonly [string, string, number])[] = [
      ['tokens', `{ ${'user '.repeat(200)} }`, 101],
      ['depth', '{ user(id: 1) { friends { friends { friends { id } } } } }', 5],
      ['breadth', '{ user(id: 1) { id id id id id id } }', 6],
      [
        'fields',
        '{ user(id: 1) { ...F friends { ...F } } } fragment F on User { id name friends { id name } }',
        12,
      ],
      ['aliases', '{ user(id: 1) { a: id b: id c: id } }', 3],
      ['directives', '{ user(id: 1) { id @skip(if: true) name @skip(if: true) @include(if: true) } }', 3],
      ['rootFields', '{ a: user(id: 1) { id } b: user(id: 1) { id } __typename __typename }', 4],
      [
        'fragments',
        `{ __typename } ${['A', 'B', 'C', 'D'].map((name) => `fragment ${name} on User { id }`).join(' ')}`,
        4,
      ],
      ['operations', 'query A { __typename } query B { __typename } query C { __typename }', 3],
      ['nesting', `{ user(id: ${'['.repeat(300)}`, 302],
    ]
    for (const [limit, text, value] of limits) expect(evidenceOf(text)).toMatchObject({ limit, value })
  })

  it('counts brackets outside strings and comments only', () => {
    expect(nestingOf('{ a(b: "((((", c: """{{{ \\""" {{""") # [[[\n { d } }')).toBe(2)
    expect(nestingOf('"')).toBe(0)
    expect(nestingOf('""" \\')).toBe(0)
  })

  it('that does not fit tells no names but its own, and no values', () => {
    for (const [text, said] of [
      ['{ usr(id: 1) { id } }', 'Cannot query field "usr" on type "…".'],
      ['{ secretThing { hiddenNam } }', 'Cannot query field "hiddenNam" on type "…".'],
      ['{ secretThing }', 'Field "secretThing" of type "…" must have a selection of subfields.'],
      ['{ user { id } }', 'Argument "…" of type "…" is required, but it was not provided.'],
      ['{ user(id: 1, kind: STAF) { id } }', 'Value "…" does not exist in "…" enum.'],
    ] as const)
      expect(saidOf(text)).toBe(said)
    for (const text of [
      '{ user(id: "x", kind: "pa55word") { id } }',
      '{ user(id: {a: "pa55word"}) { id } }',
      '{ user(id: 1 "pa55word") { id } }',
      '{ user(id: 1) { id "pa55word" } }',
    ])
      expect(saidOf(text)).not.toMatch(/pa55word|Kind|User|STAFF|Hidden/)
  })

  it('holds operations and fragments alone, and no circle', () => {
    expect(evidenceOf('type A { b: Int }')).toEqual({ rule: 'executable' })
    expect(evidenceOf('fragment A on User { id }')).toEqual({ rule: 'operation' })
    expect(evidenceOf('{ user(id: 1) { ...A } } fragment A on User { ...A }')).toEqual({
      rule: 'fragment-cycle',
    })
    expect(evidenceOf('{ user(id: 1) { id: name id } }')).toEqual({ rule: 'merging' })
  })
})
