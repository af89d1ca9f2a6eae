import type { OperationDefinitionNode } from 'graphql/language'
import type { GraphQLSchema } from 'graphql/type'
import type { Finding } from '../../model/fact.ts'
import { stringifyExact } from '../exact-json.ts'
import type { StatedRequest } from './form.ts'
import type { Fragments, Measure } from './measure.ts'

/** One request of a call, read and within its limits. */
export interface ReadRequest {
  readonly stated: StatedRequest
  /** The document, as sent or as registered. */
  readonly text: string
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Fragments
  readonly measure: Measure
  readonly cost: number
  /** It names a registered document, whose text goes upstream in its place. */
  readonly rewritten: boolean
}

/** A GraphQL call as it was read; where something speaks against it, nothing else is known of it. */
export interface GraphqlReading {
  readonly findings: readonly Finding[]
  /** Each action that is asked for, and how often: a batch item by item, an alias like any field. */
  readonly fields: readonly { readonly action: string; readonly count: number }[]
  readonly cost: number
  readonly requests: readonly ReadRequest[]
  readonly batched: boolean
  readonly rewritten: boolean
}

export function refusedReading(findings: readonly Finding[]): GraphqlReading {
  return { findings, fields: [], cost: 0, requests: [], batched: false, rewritten: false }
}

/**
 * The requests as they go upstream, where registered texts stand in for their ids: written anew from what was judged,
 * numbers by their digits.
 */
export function bodyOf({ requests, batched }: GraphqlReading): Uint8Array {
  const written = requests.map((request) => stringifyExact(members(request)))
  return Buffer.from(batched ? `[${written.join()}]` : (written[0] ?? ''))
}

/** The same as the parameters of a GET. */
export function queryOf({ requests }: GraphqlReading): string {
  const [request] = requests
  if (request === undefined) return ''
  return Object.entries(members(request))
    .map(
      ([name, value]) =>
        `${name}=${encodeURIComponent(typeof value === 'string' ? value : stringifyExact(value))}`,
    )
    .join('&')
}

function members({ stated, text }: ReadRequest): Readonly<Record<string, unknown>> {
  const { persistedQuery: _, ...extensions } = stated.extensions
  return {
    query: text,
    ...(stated.operationName === null ? {} : { operationName: stated.operationName }),
    ...(Object.keys(stated.variables).length === 0 ? {} : { variables: stated.variables }),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
  }
}
