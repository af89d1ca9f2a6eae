import type { OperationDefinitionNode, SelectionSetNode } from 'graphql/language'
import type { GraphQLCompositeType, GraphQLObjectType, GraphQLSchema } from 'graphql/type'
import { graphql } from './library.ts'
import type { Fragments } from './measure.ts'

/** How often a document asks for each field that is an action of its own, by schema coordinate. */
export type AskedFields = ReadonlyMap<string, number>

const CEILING = 1e15
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type'])

/**
 * The fields of one schema that policies judge by themselves. A field asked of an interface or union is asked of every
 * type that may answer, and one of a type is also one of its interfaces: whichever of these a policy names is counted.
 */
export class ActionFields {
  readonly #schema: GraphQLSchema
  readonly #actions: ReadonlySet<string>
  readonly #known = new Map<string, readonly string[]>()

  constructor(schema: GraphQLSchema, actions: Iterable<string>) {
    this.#schema = schema
    this.#actions = new Set(actions)
  }

  /** Aliases and spreads each count. What asks for nothing but `__typename` asks for that. */
  askedBy(operation: OperationDefinitionNode, fragments: Fragments): AskedFields {
    const root = this.#schema.getRootType(operation.operation)
    if (root == null) return new Map()
    const asked = this.#set(operation.selectionSet, root, fragments, new Map())
    return asked.size === 0 ? new Map([[`${root.name}.__typename`, 1]]) : asked
  }

  #set(
    { selections }: SelectionSetNode,
    parent: GraphQLCompositeType,
    fragments: Fragments,
    known: Map<string, AskedFields>,
  ): Map<string, number> {
    const { getNamedType, isCompositeType } = graphql()
    const sum = new Map<string, number>()
    for (const selection of selections) {
      if (selection.kind === 'FragmentSpread') {
        const name = selection.name.value
        let asked = known.get(name)
        const fragment = fragments.get(name)
        if (asked === undefined && fragment !== undefined) {
          const type = this.#composite(fragment.typeCondition.name.value) ?? parent
          asked = this.#set(fragment.selectionSet, type, fragments, known)
          known.set(name, asked)
        }
        if (asked !== undefined) add(sum, asked)
      } else if (selection.kind === 'InlineFragment') {
        const type = this.#composite(selection.typeCondition?.name.value) ?? parent
        add(sum, this.#set(selection.selectionSet, type, fragments, known))
      } else {
        for (const coordinate of this.#coordinates(parent, selection.name.value)) count(sum, coordinate, 1)
        if (selection.selectionSet === undefined) continue
        const field = this.#schema.getField(parent, selection.name.value)
        const type = field === undefined ? undefined : getNamedType(field.type)
        if (type !== undefined && isCompositeType(type))
          add(sum, this.#set(selection.selectionSet, type, fragments, known))
      }
    }
    return sum
  }

  #composite(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : this.#schema.getType(name)
    return type !== undefined && graphql().isCompositeType(type) ? type : undefined
  }

  /** The actions that a field of this parent is; at most one for each type, and kept: their number is the schema's. */
  #coordinates(parent: GraphQLCompositeType, name: string): readonly string[] {
    if (name === '__typename') return NONE
    const own = `${parent.name}.${name}`
    const known = this.#known.get(own)
    if (known !== undefined) return known
    const names = new Set([parent.name])
    const answering: readonly GraphQLObjectType[] = graphql().isAbstractType(parent)
      ? this.#schema.getPossibleTypes(parent)
      : []
    for (const type of [parent, ...answering]) {
      names.add(type.name)
      if ('getInterfaces' in type) for (const each of type.getInterfaces()) names.add(each.name)
    }
    const found = [...names].map((type) => `${type}.${name}`).filter((each) => this.#actions.has(each))
    this.#known.set(own, found)
    return found
  }
}

const NONE: readonly string[] = Object.freeze([])

function count(sum: Map<string, number>, coordinate: string, times: number): void {
  sum.set(coordinate, Math.min((sum.get(coordinate) ?? 0) + times, CEILING))
}

function add(sum: Map<string, number>, more: AskedFields): void {
  for (const [coordinate, times] of more) count(sum, coordinate, times)
}

/** The document asks for the schema, anywhere a query's fields may stand. */
export function introspects(operation: OperationDefinitionNode, fragments: Fragments): boolean {
  const open: SelectionSetNode[] = [operation.selectionSet]
  const seen = new Set<string>()
  for (let set = open.pop(); set !== undefined; set = open.pop()) {
    for (const selection of set.selections) {
      if (selection.kind === 'Field') {
        if (INTROSPECTION.has(selection.name.value)) return true
        if (selection.selectionSet !== undefined) open.push(selection.selectionSet)
      } else if (selection.kind === 'InlineFragment') open.push(selection.selectionSet)
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value)
        const fragment = fragments.get(selection.name.value)
        if (fragment !== undefined) open.push(fragment.selectionSet)
      }
    }
  }
  return false
}
