import type { DocumentNode } from 'graphql/language'
import type { GraphQLSchema } from 'graphql/type'
import { SallyportError } from '../../model/errors.ts'
import { type JsonLimits, scanJson } from '../../syntax/json.ts'
import type { ContractWarning } from '../detail.ts'
import { isRecord } from '../json-value.ts'
import { graphql } from './library.ts'

/** A schema as control reads it: SDL, or the answer of an introspection query. */
export interface ReadSchema {
  readonly schema: GraphQLSchema
  /** Without descriptions, and without directives nobody defines: what gate threads build it from. */
  readonly document: DocumentNode
}

/** Descriptions are most of a schema's text, and nothing a gate thread reads. */
export function readSchema(text: string, file: string, warn: (warning: ContractWarning) => void): ReadSchema {
  const { buildASTSchema, validateSchema } = graphql()
  const document = text.trimStart().startsWith('{')
    ? fromIntrospection(text, file)
    : fromText(text, file, warn)
  let schema: GraphQLSchema
  try {
    schema = buildASTSchema(document)
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : 'not a schema')
  }
  const [fault] = validateSchema(schema)
  if (fault !== undefined) throw invalid(file, fault.message)
  if (schema.getQueryType() == null) throw invalid(file, 'the schema has no query type')
  return { schema, document }
}

export function invalid(file: string, message: string): SallyportError {
  return new SallyportError('contract-invalid', `${file}: ${message}`, { file })
}

/** A schema is a file of the configuration: read strictly, and larger than any request. */
export const FILE_LIMITS: JsonLimits = Object.freeze({
  maxBytes: 33_554_432,
  maxDepth: 64,
  maxNodes: 4_000_000,
  maxStringBytes: 1_048_576,
  maxKeys: 20_000,
})

function fromIntrospection(text: string, file: string): DocumentNode {
  const { buildClientSchema, printSchema, parse } = graphql()
  try {
    const scan = scanJson(Buffer.from(text), FILE_LIMITS)
    if (!scan.ok) throw new Error(`${scan.fault.rule} at byte ${scan.fault.offset}`)
    const { value } = scan
    const data = isRecord(value) && isRecord(value['data']) ? value['data'] : value
    return withoutDescriptions(
      parse(printSchema(buildClientSchema(data as unknown as Parameters<typeof buildClientSchema>[0]))),
    )
  } catch (error) {
    const said = error instanceof Error ? error.message : 'unreadable'
    throw invalid(file, `neither SDL nor the answer of an introspection query: ${said}`)
  }
}

/** What the directives are that the gate reads, where the schema uses them without defining them. */
const READ_DIRECTIVES = `
directive @sallyport(class: [String!]) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT | INTERFACE | OBJECT | SCALAR
directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`

function fromText(text: string, file: string, warn: (warning: ContractWarning) => void): DocumentNode {
  const { parse, visit, Kind, specifiedDirectives } = graphql()
  let parsed: DocumentNode
  try {
    parsed = parse(text)
  } catch (error) {
    const { line, column } = placeIn(error)
    throw invalid(`${file}:${line}:${column}`, error instanceof Error ? error.message : 'not SDL')
  }
  const own = new Set(
    parsed.definitions.flatMap((each) => (each.kind === Kind.DIRECTIVE_DEFINITION ? [each.name.value] : [])),
  )
  const read = parse(READ_DIRECTIVES, { noLocation: true }).definitions.filter(
    (each) => each.kind === Kind.DIRECTIVE_DEFINITION && !own.has(each.name.value),
  )
  const known = new Set([
    ...own,
    'cost',
    'listSize',
    'sallyport',
    ...specifiedDirectives.map(({ name }) => name),
  ])
  const said = new Set<string>()
  const document = visit(parsed, {
    Directive: (node: { readonly name: { readonly value: string } }): null | undefined => {
      const name = node.name.value
      if (known.has(name)) return undefined
      if (!said.has(name)) {
        const message = `nothing defines the directive @${name}: it is not read`
        warn({ code: 'schema-keyword', pointer: `/@${name}`, message })
      }
      said.add(name)
      return null
    },
  }) as DocumentNode
  return withoutDescriptions({ ...document, definitions: [...document.definitions, ...read] })
}

function placeIn(error: unknown): { readonly line: number; readonly column: number } {
  const locations = (error as { readonly locations?: readonly { line: number; column: number }[] } | null)
    ?.locations
  return locations?.[0] ?? { line: 1, column: 1 }
}

function withoutDescriptions(document: DocumentNode): DocumentNode {
  const drop = (node: object): object => {
    const { description: _, loc: __, ...rest } = node as { description?: unknown; loc?: unknown }
    return rest
  }
  return graphql().visit(document, { enter: (node) => drop(node) }) as DocumentNode
}

/** A gate thread parses one part at one go; this much takes it a few milliseconds. */
const PART_CHARACTERS = 65_536

/** The schema's definitions in parts. */
export function schemaParts(schema: GraphQLSchema): readonly string[] {
  const { parse, printSchema } = graphql()
  // Printed anew, so that extensions are merged.
  const { definitions } = withoutDescriptions(parse(printSchema(schema), { noLocation: true }))
  const parts: string[] = []
  let part = ''
  for (const definition of definitions) {
    const text = graphql().print(definition)
    if (part.length > 0 && part.length + text.length > PART_CHARACTERS) {
      parts.push(part)
      part = ''
    }
    part += `${text}\n`
  }
  return part === '' ? parts : [...parts, part]
}
