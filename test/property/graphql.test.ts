import fc from 'fast-check'
import type { FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode } from 'graphql/language'
import { describe, expect, it } from 'vitest'
import { ActionFields } from '../../src/contract/graphql/asked.ts'
import { costOf } from '../../src/contract/graphql/cost.ts'
import { readDocument } from '../../src/contract/graphql/document.ts'
import { graphql } from '../../src/contract/graphql/library.ts'
import { measureOperations } from '../../src/contract/graphql/measure.ts'
import { SHOP } from '../graphql-gate.ts'

// What is counted in the time of reading a document equals what spreading all of its fragments would count.

const { parse, buildSchema, validate, OverlappingFieldsCanBeMergedRule, print } = graphql()
const schema = buildSchema(SHOP)
const LIMITS = {
  tokens: 10_000,
  depth: 50,
  breadth: 1_000,
  fields: 10_000,
  aliases: 1_000,
  directives: 1_000,
  rootFields: 1_000,
  fragments: 100,
  operations: 10,
  cost: 1e15,
  batch: 1,
  inputDepth: 8,
  stringLength: 100,
  listLength: 100,
}
const RULES = {
  weights: { 'User.name': 3, Order: 2 },
  listSizes: {},
  lists: { defaultSize: 4, arguments: ['first', 'last'], sizedFields: ['edges', 'nodes'] },
}

/** Selections of a User or an Order; `F<n>` spreads only fragments of higher numbers, so none is a circle. */
const selection = (type: 'User' | 'Order', level: number, depth: number): fc.Arbitrary<string> => {
  const spread = fc
    .integer({ min: Math.min(level + 1, 5), max: 5 })
    .map((at) => (level >= 5 ? 'id' : `...${type === 'User' ? 'U' : 'O'}${Math.min(at, 5)}`))
  const leaf = fc.constantFrom('id', 'a: id', '__typename', ...(type === 'User' ? ['name'] : ['total']))
  if (depth === 0) return fc.oneof(leaf, spread)
  const inner = (other: 'User' | 'Order'): fc.Arbitrary<string> =>
    fc.array(selection(other, level, depth - 1), { minLength: 1, maxLength: 3 }).map((all) => all.join(' '))
  const fields =
    type === 'User'
      ? [
          inner('User').map((all) => `friends { ${all} }`),
          fc
            .tuple(fc.integer({ min: 0, max: 9 }), inner('Order'))
            .map(([n, all]) => `o${n}: orders(first: ${n}) { ${all} }`),
          inner('User').map((all) => `... on User @include(if: true) { ${all} }`),
        ]
      : [inner('User').map((all) => `customer { ${all} }`), inner('Order').map((all) => `... { ${all} }`)]
  return fc.oneof(leaf, spread, ...fields)
}

const documents = fc
  .tuple(
    fc.array(selection('User', -1, 2), { minLength: 1, maxLength: 3 }),
    fc.tuple(
      ...[0, 1, 2, 3, 4, 5].map((level) =>
        fc.tuple(selection('User', level, 1), selection('Order', level, 1)),
      ),
    ),
  )
  .map(([root, fragments]) => {
    const definitions = fragments.flatMap(([user, order], at) => [
      `fragment U${at} on User { ${user} }`,
      `fragment O${at} on Order { ${order} }`,
    ])
    return `{ me { ${root.join(' ')} } page(first: 3) { edges { node { ...O0 } } nodes { id } } ...R } fragment R on Query { me { ...U0 } } ${definitions.join(' ')}`
  })

interface Read {
  readonly operation: OperationDefinitionNode
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>
}

function readAs(text: string): Read {
  const { definitions } = parse(text, { noLocation: true })
  const fragments = new Map<string, FragmentDefinitionNode>()
  let operation: OperationDefinitionNode | null = null
  for (const each of definitions) {
    if (each.kind === 'FragmentDefinition') fragments.set(each.name.value, each)
    else if (each.kind === 'OperationDefinition') operation = each
  }
  if (operation === null) throw new Error('no operation')
  return { operation, fragments }
}

/** The same document with every spread an inline fragment: its size is what the spreads come to. */
function spreadOut({ operation, fragments }: Read): Read {
  const set = ({ selections, ...rest }: SelectionSetNode): SelectionSetNode => ({
    ...rest,
    selections: selections.map((each) => {
      if (each.kind === 'FragmentSpread') {
        const fragment = fragments.get(each.name.value)
        if (fragment === undefined) throw new Error('no fragment')
        const directives = [...(each.directives ?? []), ...(fragment.directives ?? [])]
        const { typeCondition } = fragment
        return {
          kind: 'InlineFragment',
          typeCondition,
          directives,
          selectionSet: set(fragment.selectionSet),
        } as never
      }
      return each.selectionSet === undefined ? each : { ...each, selectionSet: set(each.selectionSet) }
    }),
  })
  return { operation: { ...operation, selectionSet: set(operation.selectionSet) }, fragments: new Map() }
}

describe('counts', () => {
  it('are those of the document spread out', () => {
    const actions = new ActionFields(schema, [
      'Query.me',
      'Query.page',
      'User.name',
      'Order.total',
      'Node.id',
    ])
    fc.assert(
      fc.property(documents, (text) => {
        const read = readAs(text)
        const naive = spreadOut(read)
        expect(measureOperations([read.operation], read.fragments)).toEqual(
          measureOperations([naive.operation], naive.fragments),
        )
        expect(costOf(schema, read.operation, read.fragments, {}, RULES)).toBeCloseTo(
          costOf(schema, naive.operation, naive.fragments, {}, RULES),
          6,
        )
        expect(actions.askedBy(read.operation, read.fragments)).toEqual(
          actions.askedBy(naive.operation, naive.fragments),
        )
      }),
      { numRuns: 150 },
    )
  })

  it('of merging agree with graphql-js', () => {
    const fields = fc.array(
      fc.constantFrom(
        'a: id',
        'a: name',
        'id',
        'b: orders(first: 1) { id }',
        'b: orders(first: 2) { id }',
        'b: orders(first: 1) { a: id }',
        'c: friends { id a: name }',
        'c: friends { a: id }',
        '...F',
        '... on User { a: id }',
        '... on Node { a: id }',
        'd: friends { ...F }',
      ),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(fields, fields, fields, (one, two, three) => {
        const text = `{ me { ${one.join(' ')} } search(text: "") { ... on User { ${two.join(' ')} } ... on Order { id a: total } ...F } } fragment F on User { ${three.filter((each) => !each.includes('...F')).join(' ') || 'id'} }`
        const errors = validate(schema, parse(text), [OverlappingFieldsCanBeMergedRule])
        const read = readDocument(text, schema, LIMITS)
        expect([text, read.ok]).toEqual([text, errors.length === 0])
      }),
      { numRuns: 300 },
    )
  })

  it('of any text end in a reading or a finding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(40), (noise, at) => {
        const text = print(parse('{ me { id friends { name } } }'))
        const mixed = text.slice(0, at) + noise + text.slice(at)
        expect(typeof readDocument(mixed, schema, LIMITS).ok).toBe('boolean')
      }),
      { numRuns: 200 },
    )
  })
})
