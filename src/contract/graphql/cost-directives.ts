import type { ConstDirectiveNode, ConstValueNode, DocumentNode } from 'graphql/language'
import type { ListSize } from './detail.ts'
import { graphql } from './library.ts'

/** `@cost` and `@listSize` as the schema states them (IBM, GraphQL Cost Directives Specification). */
export interface StatedCosts {
  readonly weights: Readonly<Record<string, number>>
  readonly listSizes: Readonly<Record<string, ListSize>>
}

export function statedCosts(document: DocumentNode): StatedCosts {
  const { Kind } = graphql()
  const weights: Record<string, number> = {}
  const listSizes: Record<string, ListSize> = {}
  for (const definition of document.definitions) {
    if (
      definition.kind !== Kind.OBJECT_TYPE_DEFINITION &&
      definition.kind !== Kind.INTERFACE_TYPE_DEFINITION &&
      definition.kind !== Kind.OBJECT_TYPE_EXTENSION &&
      definition.kind !== Kind.INTERFACE_TYPE_EXTENSION
    )
      continue
    const type = definition.name.value
    const weight = weightOf(definition.directives)
    if (weight !== null) weights[type] = weight
    for (const { name, directives } of definition.fields ?? []) {
      const own = weightOf(directives)
      if (own !== null) weights[`${type}.${name.value}`] = own
      const size = sizeOf(directives)
      if (size !== null) listSizes[`${type}.${name.value}`] = size
    }
  }
  return { weights, listSizes }
}

type Directives = readonly ConstDirectiveNode[] | undefined

function argumentsOf(directives: Directives, name: string): ReadonlyMap<string, ConstValueNode> | null {
  const found = directives?.find((each) => each.name.value === name)
  if (found === undefined) return null
  return new Map((found.arguments ?? []).map((each) => [each.name.value, each.value]))
}

/** §3.1: the weight is a number in a string. */
function weightOf(directives: Directives): number | null {
  const weight = argumentsOf(directives, 'cost')?.get('weight')
  if (weight === undefined || !('value' in weight)) return null
  const value = Number(weight.value)
  return Number.isFinite(value) && value >= 0 ? value : null
}

function sizeOf(directives: Directives): ListSize | null {
  const stated = argumentsOf(directives, 'listSize')
  if (stated === null) return null
  const assumed = stated.get('assumedSize')
  const size = assumed?.kind === 'IntValue' ? Number(assumed.value) : null
  const slicing = texts(stated.get('slicingArguments'))
  const sized = texts(stated.get('sizedFields'))
  return {
    ...(size === null || size < 0 ? {} : { assumedSize: size }),
    ...(slicing === null ? {} : { slicingArguments: slicing }),
    ...(sized === null ? {} : { sizedFields: sized }),
  }
}

function texts(value: ConstValueNode | undefined): readonly string[] | null {
  if (value?.kind !== 'ListValue') return null
  return value.values.flatMap((each) => (each.kind === 'StringValue' ? [each.value] : []))
}
