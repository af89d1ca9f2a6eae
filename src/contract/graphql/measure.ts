import type { FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode } from 'graphql/language'

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

/** What a document asks for by its form alone, fragments spread: one that is spread twice counts twice. */
export interface Measure {
  readonly depth: number
  /** Of the widest selection set. */
  readonly breadth: number
  readonly fields: number
  readonly aliases: number
  readonly directives: number
  readonly rootFields: number
}

interface Counted {
  depth: number
  breadth: number
  fields: number
  aliases: number
  directives: number
  /** Fields of the set itself. */
  flat: number
}

/** Counts stop growing here: a fragment bomb of 2^60 fields is as refused as one of a million. */
const CEILING = 1e15

/**
 * The measure of each operation; null where a fragment leads back to itself. Each fragment is counted once, whatever
 * spreads it, so the time is that of reading the document.
 */
export function measureOperations(
  operations: readonly OperationDefinitionNode[],
  fragments: Fragments,
): readonly Measure[] | null {
  const counter = new Counter(fragments)
  try {
    return operations.map(({ selectionSet, directives, variableDefinitions }) => {
      const { flat, ...counted } = counter.set(selectionSet)
      const declared = (variableDefinitions ?? []).reduce(
        (sum, each) => sum + (each.directives?.length ?? 0),
        0,
      )
      const own = (directives?.length ?? 0) + declared
      return { ...counted, directives: plus(counted.directives, own), rootFields: flat }
    })
  } catch (error) {
    if (error === CYCLE) return null
    throw error
  }
}

const CYCLE = new Error('a fragment leads back to itself')

const plus = (one: number, other: number): number => Math.min(one + other, CEILING)

class Counter {
  readonly #fragments: Fragments
  readonly #known = new Map<string, Counted | 'open'>()

  constructor(fragments: Fragments) {
    this.#fragments = fragments
  }

  set({ selections }: SelectionSetNode): Counted {
    const sum: Counted = { depth: 0, breadth: 0, fields: 0, aliases: 0, directives: 0, flat: 0 }
    for (const selection of selections) {
      sum.directives = plus(sum.directives, selection.directives?.length ?? 0)
      if (selection.kind === 'FragmentSpread') add(sum, this.#fragment(selection.name.value))
      else if (selection.kind === 'InlineFragment') add(sum, this.set(selection.selectionSet))
      else {
        sum.flat = plus(sum.flat, 1)
        sum.fields = plus(sum.fields, 1)
        if (selection.alias !== undefined) sum.aliases = plus(sum.aliases, 1)
        if (selection.selectionSet === undefined) sum.depth = Math.max(sum.depth, 1)
        else {
          const below = this.set(selection.selectionSet)
          add(sum, { ...below, depth: below.depth + 1, flat: 0 })
        }
      }
    }
    sum.breadth = Math.max(sum.breadth, sum.flat)
    return sum
  }

  /** An unknown fragment counts for nothing here: validation refuses it. */
  #fragment(name: string): Counted {
    const known = this.#known.get(name)
    if (known === 'open') throw CYCLE
    if (known !== undefined) return known
    const fragment = this.#fragments.get(name)
    if (fragment === undefined) return NOTHING
    this.#known.set(name, 'open')
    const counted = this.set(fragment.selectionSet)
    counted.directives = plus(counted.directives, fragment.directives?.length ?? 0)
    this.#known.set(name, counted)
    return counted
  }
}

const NOTHING: Counted = Object.freeze({
  depth: 0,
  breadth: 0,
  fields: 0,
  aliases: 0,
  directives: 0,
  flat: 0,
})

function add(sum: Counted, more: Counted): void {
  sum.depth = Math.max(sum.depth, more.depth)
  sum.breadth = Math.max(sum.breadth, more.breadth)
  sum.fields = plus(sum.fields, more.fields)
  sum.aliases = plus(sum.aliases, more.aliases)
  sum.directives = plus(sum.directives, more.directives)
  sum.flat = plus(sum.flat, more.flat)
}

/** Of several requests in one body. */
export function together(measures: readonly Measure[]): Measure {
  const [first] = measures
  if (first !== undefined && measures.length === 1) return first
  const sum = (name: 'fields' | 'aliases' | 'directives' | 'rootFields'): number =>
    measures.reduce((total, measure) => plus(total, measure[name]), 0)
  const most = (name: 'depth' | 'breadth'): number =>
    measures.reduce((top, measure) => Math.max(top, measure[name]), 0)
  return {
    depth: most('depth'),
    breadth: most('breadth'),
    fields: sum('fields'),
    aliases: sum('aliases'),
    directives: sum('directives'),
    rootFields: sum('rootFields'),
  }
}
