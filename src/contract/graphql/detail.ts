/** The GraphQL part of the contract room's plain data inside a bundle. */

/** What one call may ask for; see RATIONALE.md. All hold for a batch as a whole. */
export interface GraphqlLimits {
  /** Lexical tokens of one document. */
  readonly tokens: number
  /** Fields inside one another. */
  readonly depth: number
  /** Fields of one selection set, fragments spread. */
  readonly breadth: number
  /** Fields of the operation, fragments spread: one spread twice counts twice. */
  readonly fields: number
  readonly aliases: number
  readonly directives: number
  readonly rootFields: number
  /** Fragment definitions, and operations, of one document. */
  readonly fragments: number
  readonly operations: number
  readonly cost: number
  /** Requests in one body; 1: no array is taken. */
  readonly batch: number
  /** Of one variable's value. */
  readonly inputDepth: number
  readonly stringLength: number
  readonly listLength: number
}

/** How the size of a list is told before it is there. */
export interface ListRules {
  /** Of a list that no argument bounds. */
  readonly defaultSize: number
  /** Arguments that bound a list. */
  readonly arguments: readonly string[]
  /** Lists inside what such an argument bounds: `orders(first: 10) { edges { … } }`. */
  readonly sizedFields: readonly string[]
}

/** `@listSize` of one field (IBM, GraphQL Cost Directives Specification §3.2). */
export interface ListSize {
  readonly assumedSize?: number
  readonly slicingArguments?: readonly string[]
  readonly sizedFields?: readonly string[]
}

export interface TrustedPlan {
  /** `only`: nothing else is taken. `also`: other documents are too. */
  readonly mode: 'only' | 'also'
  /** `text`: what is asked for by its id goes upstream as the registered text. `id`: as it came. */
  readonly forward: 'text' | 'id'
}

export interface EndpointDetail {
  readonly graphql: 'endpoint'
  readonly routable: true
  readonly limits: GraphqlLimits
  readonly lists: ListRules
  /** By schema coordinate, `Query.orders`, or type name. */
  readonly weights: Readonly<Record<string, number>>
  readonly listSizes: Readonly<Record<string, ListSize>>
  readonly introspection: 'off' | 'policy'
  /** Schema coordinates of fields that are actions of their own. */
  readonly actions: readonly string[]
  readonly trusted: TrustedPlan | null
  /** Members of `extensions` of an answer, and of each of its errors, that are released. */
  readonly extensions: readonly string[]
  readonly errorExtensions: readonly string[]
}

export interface FieldDetail {
  readonly graphql: 'field'
  readonly routable: false
}

/** Names of the bundle's modules that hold no code: definitions of the schema, and registered documents as JSON. */
export const SCHEMA_PART = 'graphql-schema'
export const DOCUMENTS_PART = 'graphql-documents'

/** What policies call a field. */
export function actionOf(api: string, coordinate: string): string {
  return `${api}.${coordinate}`
}
