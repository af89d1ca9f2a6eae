import type { FieldNode, OperationDefinitionNode, SelectionSetNode } from 'graphql/language'
import type { GraphQLCompositeType, GraphQLOutputType, GraphQLSchema } from 'graphql/type'
import { graphql } from './library.ts'
import type { Fragments } from './measure.ts'

/**
 * Field selection merging (GraphQL October 2021 §5.3.2). graphql-js's rule compares every pair of fields that answer by
 * one name, which is their square; here each group is held against its first field, and all steps are counted.
 */

interface Chosen {
  readonly node: FieldNode
  readonly parent: GraphQLCompositeType
  readonly type: GraphQLOutputType
}

interface SetOf {
  readonly set: SelectionSetNode
  readonly parent: GraphQLCompositeType
}

const TOO_MUCH = new Error('merging takes too long')

/** Null where all fields merge, else the name by which two differ, or `too-much` steps. The document fits the schema. */
export function mergeable(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  maxSteps: number,
): string | 'too-much' | null {
  const root = schema.getRootType(operation.operation)
  if (root == null) return null
  try {
    return new Merging(schema, fragments, maxSteps).fault([{ set: operation.selectionSet, parent: root }])
  } catch (error) {
    if (error === TOO_MUCH) return 'too-much'
    throw error
  }
}

class Merging {
  readonly #schema: GraphQLSchema
  readonly #fragments: Fragments
  #left: number

  constructor(schema: GraphQLSchema, fragments: Fragments, maxSteps: number) {
    this.#schema = schema
    this.#fragments = fragments
    this.#left = maxSteps
  }

  fault(sets: readonly SetOf[]): string | null {
    return this.#shapeFault(sets) ?? this.#fieldFault(sets)
  }

  /** SameResponseShape: whatever the types that answer, one name has one form. */
  #shapeFault(sets: readonly SetOf[]): string | null {
    for (const [name, group] of this.#byName(sets)) {
      const [first, ...rest] = group
      if (first === undefined) continue
      const shape = shapeOf(first.type)
      for (const each of rest) if (shapeOf(each.type) !== shape) return name
      const found = this.#shapeFault(below(group))
      if (found !== null) return found
    }
    return null
  }

  /** FieldsInSetCanMerge: what one object may answer by one name is one field with the same arguments. */
  #fieldFault(sets: readonly SetOf[]): string | null {
    const { isObjectType } = graphql()
    for (const [name, group] of this.#byName(sets)) {
      const concrete = new Set(group.flatMap(({ parent }) => (isObjectType(parent) ? [parent] : [])))
      const together =
        concrete.size === 0
          ? [group]
          : [...concrete].map((type) =>
              group.filter(({ parent }) => parent === type || !isObjectType(parent)),
            )
      for (const same of together) {
        const [first, ...rest] = same
        if (first === undefined) continue
        this.#step(same.length)
        if (rest.length > 0) {
          const asked = askedOf(first.node)
          for (const { node } of rest) if (askedOf(node) !== asked) return name
        }
        const found = this.#fieldFault(below(same))
        if (found !== null) return found
      }
    }
    return null
  }

  #byName(sets: readonly SetOf[]): ReadonlyMap<string, Chosen[]> {
    const groups = new Map<string, Chosen[]>()
    const seen = new Set<string>()
    for (const { set, parent } of sets) this.#collect(set, parent, groups, seen)
    return groups
  }

  #collect(
    { selections }: SelectionSetNode,
    parent: GraphQLCompositeType,
    groups: Map<string, Chosen[]>,
    seen: Set<string>,
  ): void {
    this.#step(selections.length)
    for (const selection of selections) {
      if (selection.kind === 'Field') {
        const field = this.#schema.getField(parent, selection.name.value)
        if (field === undefined) continue
        const name = selection.alias?.value ?? selection.name.value
        const chosen = { node: selection, parent, type: field.type }
        const group = groups.get(name)
        if (group === undefined) groups.set(name, [chosen])
        else group.push(chosen)
        continue
      }
      const spread = selection.kind === 'FragmentSpread'
      if (spread && seen.has(selection.name.value)) continue
      if (spread) seen.add(selection.name.value)
      const part = spread ? this.#fragments.get(selection.name.value) : selection
      if (part === undefined) continue
      const condition = part.typeCondition?.name.value
      const type = condition === undefined ? parent : this.#schema.getType(condition)
      if (type !== undefined && graphql().isCompositeType(type))
        this.#collect(part.selectionSet, type, groups, seen)
    }
  }

  #step(count: number): void {
    this.#left -= count
    if (this.#left < 0) throw TOO_MUCH
  }
}

function below(group: readonly Chosen[]): readonly SetOf[] {
  const { getNamedType, isCompositeType } = graphql()
  return group.flatMap(({ node: { selectionSet: set }, type }) => {
    const parent = getNamedType(type)
    return set === undefined || !isCompositeType(parent) ? [] : [{ set, parent }]
  })
}

/** `[!]` and the leaf's name; composites differ in nothing but their lists. */
function shapeOf(type: GraphQLOutputType): string {
  const { isLeafType, getNamedType } = graphql()
  const text = String(type)
  const named = getNamedType(type)
  return isLeafType(named) ? text : text.replace(/[_A-Za-z0-9]+/, '*')
}

/** The field and its arguments, whose order says nothing. */
function askedOf({ name, arguments: args = [] }: FieldNode): string {
  const { print } = graphql()
  const written = args.map((each) => `${each.name.value}:${print(each.value)}`).sort()
  return JSON.stringify([name.value, written])
}
