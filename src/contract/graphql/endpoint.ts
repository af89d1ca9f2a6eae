import type { DefinitionNode } from 'graphql/language'
import type { GraphQLSchema } from 'graphql/type'
import { SallyportError } from '../../model/errors.ts'
import type { Finding } from '../../model/fact.ts'
import { finding } from '../../model/fact.ts'
import { reason } from '../../model/reason.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { contractFinding } from '../findings.ts'
import { ActionFields, introspects } from './asked.ts'
import { buildInSteps } from './build-schema.ts'
import { costOf } from './cost.ts'
import { actionOf, DOCUMENTS_PART, type EndpointDetail, SCHEMA_PART } from './detail.ts'
import { type DocumentReading, overLimit, readDocument } from './document.ts'
import { type Form, limit, readBody, readQuery, type StatedRequest } from './form.ts'
import { graphql } from './library.ts'
import { together } from './measure.ts'
import { type GraphqlReading, type ReadRequest, refusedReading } from './reading.ts'
import { digestOf } from './trusted.ts'
import { checkVariables } from './variables.ts'

/** A call as its endpoint reads it. */
export interface GraphqlCall {
  readonly method: string
  readonly contentType: string | undefined
  readonly query: readonly (readonly [string, string])[]
  readonly body: Uint8Array | null
}

/** Documents are few and repeated: what was found of one holds for its text, whoever sends it. */
const MAX_CACHED = 500
const MAX_CACHED_CHARACTERS = 16_384
/** Actions of one call: each is a row of its record. */
const MAX_ACTIONS = 200
const NO_SCHEMA = 'the bundle has no GraphQL schema for its API'

/** One GraphQL API on a gate thread: its schema, made of the bundle's parts, and what it takes. */
export class GraphqlApi {
  readonly #definitions: DefinitionNode[] = []
  readonly #documents = new Map<string, string>()
  #schema: GraphQLSchema | null = null

  /** True of the bundle's modules that hold a part of the schema, or registered documents. */
  takes(name: string, source: string): boolean {
    if (name.startsWith(SCHEMA_PART)) this.#definitions.push(...parts(source))
    else if (name.startsWith(DOCUMENTS_PART)) {
      // The bundle's own bytes, whose hash was checked.
      const entries = JSON.parse(source) as readonly (readonly [string, string])[]
      for (const [id, text] of entries) this.#documents.set(id, text)
    } else return false
    return true
  }

  schema(): GraphQLSchema {
    if (this.#schema === null) throw new SallyportError('bundle-corrupt', NO_SCHEMA)
    return this.#schema
  }

  /** Once all parts are there; what was checked by control is not checked again. */
  *build(): Generator<undefined, void> {
    if (this.#definitions.length === 0) throw new SallyportError('bundle-corrupt', NO_SCHEMA)
    this.#schema = yield* buildInSteps(this.#definitions)
    this.#definitions.length = 0
  }

  document(id: string): string | undefined {
    return this.#documents.get(id)
  }
}

function parts(source: string): readonly DefinitionNode[] {
  return graphql().parse(source, { noLocation: true }).definitions
}

export class GraphqlEndpoint {
  readonly #api: GraphqlApi
  readonly #name: string
  readonly #detail: EndpointDetail
  readonly #json: JsonLimits
  readonly #cache = new Map<string, DocumentReading>()
  #actions: ActionFields | null = null

  constructor(api: GraphqlApi, name: string, detail: EndpointDetail, json: JsonLimits) {
    this.#api = api
    this.#name = name
    this.#detail = detail
    this.#json = json
  }

  /** Reads a request once: what is judged by it is what goes on. */
  read(call: GraphqlCall): GraphqlReading {
    const { limits } = this.#detail
    const form: Form =
      call.method === 'GET'
        ? call.body === null || call.body.length === 0
          ? readQuery(call.query, this.#json)
          : { ok: false, finding: contractFinding('body-unexpected', { bytes: call.body.length }) }
        : readBody(call.contentType, call.body, call.query, this.#json, limits.batch)
    if (!form.ok) return refusedReading([form.finding])
    const schema = this.#api.schema()
    this.#actions ??= new ActionFields(schema, this.#detail.actions)
    const actions = this.#actions
    const requests: ReadRequest[] = []
    const asked = new Map<string, number>()
    let cost = 0
    let rewritten = false
    for (const stated of form.requests) {
      const read = this.#readOne(schema, stated, call.method)
      if ('kind' in read) return refusedReading([read])
      requests.push(read)
      cost = Math.min(cost + read.cost, 1e15)
      if (cost > limits.cost) return refusedReading([limit('cost', Math.ceil(cost), limits.cost)])
      rewritten ||= read.rewritten
      for (const [coordinate, times] of actions.askedBy(read.operation, read.fragments)) {
        const action = actionOf(this.#name, coordinate)
        asked.set(action, Math.min((asked.get(action) ?? 0) + times, 1e15))
      }
    }
    const over = form.batched ? overLimit(together(requests.map(({ measure }) => measure)), limits) : null
    if (over !== null) return refusedReading([over])
    if (asked.size > MAX_ACTIONS) return refusedReading([limit('actions', asked.size, MAX_ACTIONS)])
    return {
      findings: [],
      fields: [...asked].map(([action, count]) => ({ action, count })),
      cost,
      requests,
      batched: form.batched,
      rewritten,
    }
  }

  get answerRules(): Pick<EndpointDetail, 'extensions' | 'errorExtensions'> {
    return this.#detail
  }

  #readOne(schema: GraphQLSchema, stated: StatedRequest, method: string): ReadRequest | Finding {
    const { limits, introspection } = this.#detail
    const text = this.#textOf(stated)
    if (typeof text !== 'string') return text
    const reading = this.#document(text, schema)
    if (!reading.ok) return reading.finding
    const { operations, fragments } = reading.document
    const { operationName } = stated
    const chosen =
      operationName === null
        ? operations.length === 1
          ? operations[0]
          : undefined
        : operations.find(({ node }) => node.name?.value === operationName)
    if (chosen === undefined) {
      const said = operationName === null ? 'operationName is needed' : 'the document has no such operation'
      return contractFinding('graphql-malformed', { rule: 'operationName' }, said)
    }
    const { node: operation, measure } = chosen
    if (operation.operation === 'subscription') return contractFinding('graphql-subscription', {})
    if (operation.operation === 'mutation' && method === 'GET')
      return finding(reason('method-not-allowed', 'route', { allow: ['POST'] }))
    if (introspection === 'off' && introspects(operation, fragments))
      return contractFinding('graphql-introspection', {})
    const unfit = checkVariables(schema, operation, stated.variables, limits)
    if (unfit !== null) return unfit
    const cost = costOf(schema, operation, fragments, stated.variables, this.#detail)
    if (cost > limits.cost) return limit('cost', Math.ceil(cost), limits.cost)
    const rewritten = this.#detail.trusted?.forward === 'text' && stated.documentId !== null
    return { stated, text, schema, operation, fragments, measure, cost, rewritten }
  }

  /** The document that is asked for, by itself or by its id; where both are given, they have to be the same. */
  #textOf({ query, documentId }: StatedRequest): string | Finding {
    const { trusted } = this.#detail
    if (trusted === null) {
      if (documentId !== null || query === null)
        return contractFinding('document-untrusted', { rule: 'none-registered' })
      return query
    }
    const registered = documentId === null ? undefined : this.#api.document(documentId)
    if (query === null) return registered ?? contractFinding('document-untrusted', { rule: 'unknown-id' })
    const digest = documentId === null && trusted.mode === 'also' ? null : digestOf(query)
    if (documentId !== null && registered !== query && digest !== documentId)
      return contractFinding(
        'graphql-malformed',
        { rule: 'documentId' },
        'the document is not that of its id',
      )
    if (trusted.mode === 'only' && this.#api.document(digest ?? '') === undefined)
      return contractFinding('document-untrusted', { rule: 'unregistered' })
    return query
  }

  #document(text: string, schema: GraphQLSchema): DocumentReading {
    const known = this.#cache.get(text)
    if (known !== undefined) return known
    const reading = readDocument(text, schema, this.#detail.limits)
    if (text.length <= MAX_CACHED_CHARACTERS) {
      if (this.#cache.size >= MAX_CACHED) this.#cache.clear()
      this.#cache.set(text, reading)
    }
    return reading
  }
}
