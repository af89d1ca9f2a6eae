import type {
  DefinitionNode,
  FieldDefinitionNode,
  InputValueDefinitionNode,
  NamedTypeNode,
  TypeNode,
} from 'graphql/language'
import type {
  GraphQLArgumentConfig,
  GraphQLDirective,
  GraphQLFieldConfig,
  GraphQLInputFieldConfig,
  GraphQLInputType,
  GraphQLInterfaceType,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  GraphQLType,
} from 'graphql/type'
import { SallyportError } from '../../model/errors.ts'
import { graphql } from './library.ts'

/** Types made at one go: under a millisecond of work. */
const TYPES_A_STEP = 25

/**
 * A schema that control has checked, of its definitions: what buildASTSchema makes of them, in steps, so that a thread
 * answers calls meanwhile. Without descriptions, and without extensions, which control has merged.
 */
export function* buildInSteps(definitions: readonly DefinitionNode[]): Generator<undefined, GraphQLSchema> {
  const building = new Building()
  let at = 0
  for (const definition of definitions) {
    building.add(definition)
    if (++at % TYPES_A_STEP === 0) yield undefined
  }
  for (const type of building.types.values()) {
    if ('getFields' in type) type.getFields()
    if (++at % TYPES_A_STEP === 0) yield undefined
  }
  return building.schema()
}

class Building {
  readonly types = new Map<string, GraphQLNamedType>()
  readonly #directives: GraphQLDirective[] = []
  readonly #roots = new Map<string, string>()

  constructor() {
    for (const scalar of graphql().specifiedScalarTypes) this.types.set(scalar.name, scalar)
  }

  add(definition: DefinitionNode): void {
    const library = graphql()
    const { Kind } = library
    switch (definition.kind) {
      case Kind.SCHEMA_DEFINITION:
        for (const { operation, type } of definition.operationTypes)
          this.#roots.set(operation, type.name.value)
        return
      case Kind.DIRECTIVE_DEFINITION: {
        const { name, arguments: args, locations, repeatable } = definition
        const specified = library.specifiedDirectives.some((each) => each.name === name.value)
        if (specified) return
        this.#directives.push(
          new library.GraphQLDirective({
            name: name.value,
            isRepeatable: repeatable,
            locations: locations.map((each) => each.value as GraphQLDirective['locations'][number]),
            args: this.#inputs(args),
          }),
        )
        return
      }
      case Kind.SCALAR_TYPE_DEFINITION:
        if (!this.types.has(definition.name.value))
          this.#set(new library.GraphQLScalarType({ name: definition.name.value }))
        return
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION: {
        const { name, fields, interfaces } = definition
        const config = {
          name: name.value,
          interfaces: () => this.#named<GraphQLInterfaceType>(interfaces),
          fields: () => this.#fields(fields),
        }
        const isObject = definition.kind === Kind.OBJECT_TYPE_DEFINITION
        this.#set(isObject ? new library.GraphQLObjectType(config) : new library.GraphQLInterfaceType(config))
        return
      }
      case Kind.UNION_TYPE_DEFINITION: {
        const { name, types } = definition
        this.#set(
          new library.GraphQLUnionType({
            name: name.value,
            types: () => this.#named<GraphQLObjectType>(types),
          }),
        )
        return
      }
      case Kind.ENUM_TYPE_DEFINITION: {
        const values = Object.fromEntries((definition.values ?? []).map((each) => [each.name.value, {}]))
        this.#set(new library.GraphQLEnumType({ name: definition.name.value, values }))
        return
      }
      case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
        const { name, fields, directives } = definition
        const isOneOf = directives?.some((each) => each.name.value === 'oneOf') === true
        this.#set(
          new library.GraphQLInputObjectType({
            name: name.value,
            isOneOf,
            fields: () => this.#inputs(fields),
          }),
        )
        return
      }
      default:
        throw new SallyportError('bundle-corrupt', `the bundle’s schema holds a ${definition.kind}`)
    }
  }

  schema(): GraphQLSchema {
    const { GraphQLSchema: Schema, specifiedDirectives, isObjectType } = graphql()
    const root = (operation: string, usual: string): GraphQLObjectType | undefined => {
      const name = this.#roots.size === 0 ? usual : this.#roots.get(operation)
      const type = name === undefined ? undefined : this.types.get(name)
      return type !== undefined && isObjectType(type) ? type : undefined
    }
    return new Schema({
      query: root('query', 'Query'),
      mutation: root('mutation', 'Mutation'),
      subscription: root('subscription', 'Subscription'),
      types: [...this.types.values()],
      directives: [...specifiedDirectives, ...this.#directives],
      assumeValid: true,
    })
  }

  #set(type: GraphQLNamedType): void {
    this.types.set(type.name, type)
  }

  #type(node: TypeNode): GraphQLType {
    const { GraphQLList, GraphQLNonNull, Kind } = graphql()
    if (node.kind === Kind.LIST_TYPE) return new GraphQLList(this.#type(node.type))
    if (node.kind === Kind.NON_NULL_TYPE)
      return new GraphQLNonNull(this.#type(node.type) as ConstructorParameters<typeof GraphQLNonNull>[0])
    const type = this.types.get(node.name.value)
    if (type === undefined)
      throw new SallyportError('bundle-corrupt', `the bundle has no type ${node.name.value}`)
    return type
  }

  #named<T extends GraphQLNamedType>(nodes: readonly NamedTypeNode[] | undefined): T[] {
    return (nodes ?? []).map((node) => this.#type(node) as T)
  }

  #fields(
    nodes: readonly FieldDefinitionNode[] | undefined,
  ): Record<string, GraphQLFieldConfig<unknown, unknown>> {
    const fields: Record<string, GraphQLFieldConfig<unknown, unknown>> = {}
    for (const { name, type, arguments: args } of nodes ?? [])
      fields[name.value] = { type: this.#type(type) as GraphQLOutputType, args: this.#inputs(args) }
    return fields
  }

  #inputs(
    nodes: readonly InputValueDefinitionNode[] | undefined,
  ): Record<string, GraphQLArgumentConfig & GraphQLInputFieldConfig> {
    const inputs: Record<string, GraphQLArgumentConfig & GraphQLInputFieldConfig> = {}
    for (const { name, type, defaultValue } of nodes ?? []) {
      inputs[name.value] = {
        type: this.#type(type) as GraphQLInputType,
        ...(defaultValue === undefined ? {} : { default: { literal: defaultValue } }),
      }
    }
    return inputs
  }
}
