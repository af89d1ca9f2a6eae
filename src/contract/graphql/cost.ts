import type { FieldNode, OperationDefinitionNode, SelectionSetNode } from 'graphql/language'
import type { GraphQLCompositeType, GraphQLSchema } from 'graphql/type'
import type { JsonRecord } from '../json-value.ts'
import type { EndpointDetail, ListSize } from './detail.ts'
import { graphql } from './library.ts'
import type { Fragments } from './measure.ts'

/** What a selection set costs: `lists`, by name, is what one item of each list costs whose size is not known here. */
interface Costs {
  fixed: number
  readonly lists: Map<string, number>
}

const CEILING = 1e15
const plus = (one: number, other: number): number => Math.min(one + other, CEILING)
const times = (one: number, other: number): number => Math.min(one * other, CEILING)

export type CostRules = Pick<EndpointDetail, 'weights' | 'listSizes' | 'lists'>

/**
 * The cost of an operation before it runs: each field its weight (1 unless `@cost`, the configuration or its type say
 * otherwise; 0 for `__typename`), what stands below a list as many times as the list may be long. How long that is:
 * the largest of its slicing arguments, else `@listSize(assumedSize:)`, else the default. Fragments are worked out once
 * each, so the time is that of reading the document.
 */
export function costOf(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  variables: JsonRecord,
  rules: CostRules,
): number {
  const root = schema.getRootType(operation.operation)
  if (root == null) return CEILING
  const pricing = new Pricing(schema, operation, fragments, variables, rules)
  return pricing.settled(pricing.set(operation.selectionSet, root), null)
}

class Pricing {
  readonly #schema: GraphQLSchema
  readonly #fragments: Fragments
  readonly #variables: JsonRecord
  readonly #defaults = new Map<string, number>()
  readonly #rules: CostRules
  readonly #known = new Map<string, Costs>()

  constructor(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Fragments,
    variables: JsonRecord,
    rules: CostRules,
  ) {
    this.#schema = schema
    this.#fragments = fragments
    this.#variables = variables
    this.#rules = rules
    for (const { variable, defaultValue } of operation.variableDefinitions ?? [])
      if (defaultValue?.kind === 'IntValue')
        this.#defaults.set(variable.name.value, Number(defaultValue.value))
  }

  /** With every list as long as it may be; `sized`: lists that an argument of their parent bounds. */
  settled(
    { fixed, lists }: Costs,
    sized: { readonly names: readonly string[]; readonly size: number } | null,
  ): number {
    let sum = fixed
    for (const [name, one] of lists) {
      const size = sized?.names.includes(name) === true ? sized.size : this.#rules.lists.defaultSize
      sum = plus(sum, times(one, size))
    }
    return sum
  }

  set({ selections }: SelectionSetNode, parent: GraphQLCompositeType): Costs {
    const sum: Costs = { fixed: 0, lists: new Map() }
    for (const selection of selections) {
      if (selection.kind === 'Field') this.#field(selection, parent, sum)
      else if (selection.kind === 'FragmentSpread') add(sum, this.#fragment(selection.name.value))
      else {
        const condition = selection.typeCondition?.name.value
        add(sum, this.set(selection.selectionSet, this.#composite(condition) ?? parent))
      }
    }
    return sum
  }

  #fragment(name: string): Costs {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const fragment = this.#fragments.get(name)
    const type = this.#composite(fragment?.typeCondition.name.value)
    const costs =
      fragment === undefined || type === undefined
        ? { fixed: CEILING, lists: new Map() }
        : this.set(fragment.selectionSet, type)
    this.#known.set(name, costs)
    return costs
  }

  #composite(name: string | undefined): GraphQLCompositeType | undefined {
    const type = name === undefined ? undefined : this.#schema.getType(name)
    return type !== undefined && graphql().isCompositeType(type) ? type : undefined
  }

  #field(node: FieldNode, parent: GraphQLCompositeType, sum: Costs): void {
    const { getNamedType, isCompositeType, isListType, getNullableType } = graphql()
    const name = node.name.value
    if (name === '__typename') return
    const field = this.#schema.getField(parent, name)
    if (field === undefined) {
      sum.fixed = CEILING
      return
    }
    const named = getNamedType(field.type)
    const coordinate = `${parent.name}.${name}`
    const { weights, listSizes, lists } = this.#rules
    sum.fixed = plus(sum.fixed, own(weights, coordinate) ?? own(weights, named.name) ?? 1)
    if (node.selectionSet === undefined || !isCompositeType(named)) return
    const below = this.set(node.selectionSet, named)
    const stated = own(listSizes, coordinate)
    const size = this.#sizeOf(node, stated)
    if (isListType(getNullableType(field.type))) {
      const one = this.settled(below, null)
      if (size !== null) sum.fixed = plus(sum.fixed, times(one, size))
      else sum.lists.set(name, plus(sum.lists.get(name) ?? 0, one))
    } else {
      const names = stated?.sizedFields ?? lists.sizedFields
      sum.fixed = plus(sum.fixed, this.settled(below, size === null ? null : { names, size }))
    }
  }

  /** Null where nothing says how long the list is. */
  #sizeOf(node: FieldNode, stated: ListSize | undefined): number | null {
    const names = stated?.slicingArguments ?? this.#rules.lists.arguments
    let size: number | null = null
    for (const { name, value } of node.arguments ?? []) {
      if (!names.includes(name.value)) continue
      const given =
        value.kind === 'IntValue'
          ? Number(value.value)
          : value.kind === 'Variable'
            ? this.#variable(value.name.value)
            : null
      if (given !== null) size = Math.max(size ?? 0, given)
    }
    return size ?? stated?.assumedSize ?? null
  }

  #variable(name: string): number | null {
    const given = Object.hasOwn(this.#variables, name) ? this.#variables[name] : this.#defaults.get(name)
    return typeof given === 'number' ? given : null
  }
}

function add(sum: Costs, more: Costs): void {
  sum.fixed = plus(sum.fixed, more.fixed)
  for (const [name, one] of more.lists) sum.lists.set(name, plus(sum.lists.get(name) ?? 0, one))
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
