import type { GraphQLSchema } from 'graphql/type'
import type { CompiledOperation } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import type { OperationPlan, SecurityPlan } from '../../model/operation.ts'
import type { CompiledContract } from '../compile.ts'
import type { ContractWarning } from '../detail.ts'
import type { Classified } from '../sensitivity/classify.ts'
import { statedCosts } from './cost-directives.ts'
import { actionOf, DOCUMENTS_PART, type EndpointDetail, type FieldDetail, SCHEMA_PART } from './detail.ts'
import { readDocument } from './document.ts'
import { classNames, fieldClasses, type StatedFields } from './field-classes.ts'
import { graphql } from './library.ts'
import { readSchema, schemaParts } from './schema.ts'
import { readManifest } from './trusted.ts'

export interface GraphqlInput {
  /** Config name of the API. */
  readonly api: string
  readonly text: string
  /** Named in errors; never opened here. */
  readonly file: string
  /** Below the base path. */
  readonly path: string
  readonly allowGet: boolean
  readonly security: SecurityPlan
  readonly settings: Omit<EndpointDetail, 'graphql' | 'routable' | 'listSizes' | 'actions'>
  /** Types, `Order`, and fields, `Order.notes`, that are actions of their own. */
  readonly fieldActions: readonly string[]
  /** What its fields hold, besides what the schema itself states. */
  readonly stated: StatedFields
  /** Ids of all actions that policies name. */
  readonly mentioned: ReadonlySet<string>
  readonly manifest: { readonly file: string; readonly text: string } | null
}

/** Fields below the root that are actions of their own: each is an entity of the policies, and a row of records. */
const MAX_FIELD_ACTIONS = 2_000
/** A part of the bundle that a gate thread reads at one go. */
const DOCUMENTS_A_PART = 200

/**
 * Compiles a GraphQL schema into what an OpenAPI contract becomes: operations and plain data. The HTTP operations of
 * the endpoint are routed to; every root field, and each further field that a policy or the configuration names, is an
 * action of its own.
 * @throws {SallyportError} `contract-invalid`; `config-invalid` for field actions that name nothing.
 */
export function compileGraphql(input: GraphqlInput): CompiledContract {
  const { api, path, security, settings } = input
  const warnings: ContractWarning[] = []
  const { schema, document } = readSchema(input.text, input.file, (warning) => warnings.push(warning))
  if (schema.getSubscriptionType() != null) {
    const message = 'subscriptions are not carried: they are refused'
    warnings.push({ code: 'webhooks-callbacks', pointer: '/subscription', message })
  }
  const roots = rootFields(schema, settings.introspection)
  const nested = nestedFields(schema, input)
  const stated = statedCosts(document)
  const places = fieldClasses(schema, document, input.stated, input.file)
  // Of the whole schema: which of its fields a call asks for is judged by their own actions.
  const names = { request: classNames(places.request), answer: classNames(places.answer) }
  const classes = names.request.length + names.answer.length === 0 ? {} : { classes: names }
  const detail: EndpointDetail = {
    graphql: 'endpoint',
    routable: true,
    ...settings,
    weights: { ...stated.weights, ...settings.weights },
    listSizes: stated.listSizes,
    actions: [...new Set([...roots, ...nested].map(({ coordinate }) => coordinate))].sort(),
  }
  const manifest = input.manifest === null ? null : readManifest(input.manifest.text, input.manifest.file)
  if (manifest !== null) warnUnfit(manifest, schema, detail, warnings)
  const endpoint = (method: 'POST' | 'GET'): CompiledOperation => ({
    plan: {
      key: `${api}.${method} ${path}`,
      api,
      method,
      template: path,
      tags: [],
      kind: method === 'GET' ? 'read' : 'write',
      deprecated: false,
      security,
      graphql: 'endpoint',
      ...classes,
    },
    detail,
  })
  const fields = [...roots, ...nested].map(({ coordinate, type, kind, deprecated }): CompiledOperation => {
    const plan: OperationPlan = {
      key: actionOf(api, coordinate),
      api,
      operationId: coordinate,
      method: 'POST',
      template: path,
      tags: [type],
      kind,
      deprecated,
      security,
      graphql: 'field',
      ...classes,
    }
    return { plan, detail: { graphql: 'field', routable: false } satisfies FieldDetail }
  })
  const documents = [...(manifest ?? [])]
  const parts: string[] = []
  for (let at = 0; at < documents.length; at += DOCUMENTS_A_PART)
    parts.push(JSON.stringify(documents.slice(at, at + DOCUMENTS_A_PART)))
  const endpoints = [endpoint('POST'), ...(input.allowGet ? [endpoint('GET')] : [])]
  const classified: Classified = {
    plan: classes,
    detail: { answers: {}, json: false },
    ...places,
    declares: () => false,
  }
  return {
    operations: [...endpoints, ...fields],
    modules: [
      ...schemaParts(schema).map((source, index) => ({ name: `${SCHEMA_PART}-${index}`, source })),
      ...parts.map((source, index) => ({ name: `${DOCUMENTS_PART}-${index}`, source })),
    ],
    basePath: '',
    servers: [],
    title: '',
    version: '',
    warnings,
    classified: new Map(endpoints.map(({ plan }) => [plan.key, classified])),
  }
}

interface FieldAction {
  readonly coordinate: string
  readonly type: string
  readonly kind: 'read' | 'write'
  readonly deprecated: boolean
}

/** What a query or mutation may begin with; `__typename`, where it asks for nothing else. */
function rootFields(schema: GraphQLSchema, introspection: 'off' | 'policy'): readonly FieldAction[] {
  const actions: FieldAction[] = []
  for (const kind of ['read', 'write'] as const) {
    const type = kind === 'read' ? schema.getQueryType() : schema.getMutationType()
    if (type == null) continue
    const meta = kind === 'read' && introspection === 'policy' ? ['__schema', '__type'] : []
    for (const name of ['__typename', ...meta])
      actions.push({ coordinate: `${type.name}.${name}`, type: type.name, kind, deprecated: false })
    for (const field of Object.values(type.getFields())) {
      const deprecated = field.deprecationReason != null
      actions.push({ coordinate: `${type.name}.${field.name}`, type: type.name, kind, deprecated })
    }
  }
  return actions
}

function nestedFields(schema: GraphQLSchema, input: GraphqlInput): readonly FieldAction[] {
  const { isObjectType, isInterfaceType, isIntrospectionType } = graphql()
  const { api, fieldActions, mentioned } = input
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()])
  const wanted = new Set(fieldActions)
  const found = new Set<string>()
  const actions: FieldAction[] = []
  for (const type of Object.values(schema.getTypeMap())) {
    if ((!isObjectType(type) && !isInterfaceType(type)) || isIntrospectionType(type)) continue
    if (wanted.has(type.name)) found.add(type.name)
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`
      if (wanted.has(coordinate)) found.add(coordinate)
      if (isObjectType(type) && roots.has(type)) continue
      if (!wanted.has(type.name) && !wanted.has(coordinate) && !mentioned.has(actionOf(api, coordinate)))
        continue
      const deprecated = field.deprecationReason != null
      actions.push({ coordinate, type: type.name, kind: 'read', deprecated })
    }
  }
  const unknown = fieldActions.find((each) => !found.has(each))
  if (unknown !== undefined)
    throw new SallyportError('config-invalid', `the schema has no type or field "${unknown}"`, {
      field: unknown,
    })
  if (actions.length > MAX_FIELD_ACTIONS) {
    const message = `${actions.length} fields are actions of their own, ${MAX_FIELD_ACTIONS} at most may be`
    throw new SallyportError('config-invalid', message, { fields: actions.length })
  }
  return actions
}

function warnUnfit(
  documents: ReadonlyMap<string, string>,
  schema: GraphQLSchema,
  { limits }: EndpointDetail,
  warnings: ContractWarning[],
): void {
  for (const [id, text] of documents) {
    const read = readDocument(text, schema, limits)
    if (read.ok) continue
    const why = read.finding.reason.forCaller ?? read.finding.reason.code
    const message = `the registered document is refused: ${why}`
    warnings.push({ code: 'schema-keyword', pointer: `/documents/${id}`, message })
  }
}
