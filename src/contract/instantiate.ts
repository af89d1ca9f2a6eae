import type { ApiPlan, CompiledOperation } from '../model/bundle.ts'
import type { UrlNameState } from '../model/channel.ts'
import type { FieldObligation } from '../model/decision.ts'
import { SallyportError } from '../model/errors.ts'
import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { AnswerMode, OperationKey, OperationPlan, UnknownFields } from '../model/operation.ts'
import { DEFAULT_JSON_LIMITS, type JsonLimits } from '../syntax/json.ts'
import {
  type AnswerCheck,
  type AnswerPromise,
  type AnswerSet,
  checkAnswer,
  declaredContents,
  promiseOf,
} from './answer.ts'
import { type AnswerHeaders, checkAnswerFields } from './answer-headers.ts'
import { type ItemRule, itemRule } from './answer-sequence.ts'
import { type BodyCheck, type BodySet, checkBody } from './body.ts'
import { type LinkedContent, linkContent } from './content.ts'
import {
  type CheckName,
  type ContentDetail,
  FORBIDDEN_SHAPE,
  type OperationDetail,
  type ParameterDetail,
  type Shape,
} from './detail.ts'
import type { EndpointDetail } from './graphql/detail.ts'
import { GraphqlApi, type GraphqlCall, GraphqlEndpoint } from './graphql/endpoint.ts'
import { type AskedCall, EndpointOperation } from './graphql/operation.ts'
import { PlainOperation } from './graphql/plain-operation.ts'
import { mapMedia } from './media/link.ts'
import {
  checkParameters,
  linkParameters,
  type ParameterSource,
  takesPathParameters,
} from './parameters/check.ts'
import type { LinkedParameter } from './parameters/judge.ts'
import { compilePattern } from './pattern.ts'
import { Router } from './router.ts'
import { Check, type GeneratedFunction, type ModuleExports, runModule } from './runtime.ts'
import { FORBIDDEN, type LinkedShape } from './sealed-walk.ts'
import type { FieldEdits } from './sensitivity/edit-fields.ts'
import { type HeaderLabels, headerLabels } from './sensitivity/header-labels.ts'
import { LabelLinker, type LinkedItemLabels } from './sensitivity/linked-labels.ts'
import { fieldEditsFor } from './sensitivity/operation-edits.ts'
import { type SealedQuery, sealQuery } from './unknown-fields.ts'
import type { UrlGuard } from './urls/url-guard.ts'

export type { AnswerCheck, StatedObject } from './answer.ts'
export { NOTHING_STATED } from './answer.ts'
export type { AnswerItems, StatedItem } from './answer-items.ts'
export type { ItemAnswer, ItemRule } from './answer-sequence.ts'
export { unfit } from './answer-sequence.ts'
export type { BodyCheck } from './body.ts'
export type { AskedCall } from './graphql/operation.ts'
export type { FieldChange, FieldEdits, ItemEdits } from './sensitivity/edit-fields.ts'
export { editItem } from './sensitivity/edit-fields.ts'
export { editHeaders } from './sensitivity/header-labels.ts'
export type { Detected } from './sensitivity/sample-values.ts'

export interface Contract {
  /**
   * `segments`: canonical, below the base path. `query` (decoded pairs) and `fields` (wire order) tell operations apart
   * whose templates differ after `?` or `#`.
   */
  match(
    method: string,
    segments: readonly string[],
    query?: readonly (readonly [string, string])[],
    fields?: RawFields,
  ): ContractMatch
  readonly operations: ReadonlyMap<OperationKey, Operation>
}

export type ContractMatch =
  | {
      readonly kind: 'match'
      readonly operation: Operation
      readonly params: Readonly<Record<string, string>>
    }
  | { readonly kind: 'method'; readonly allow: readonly string[] }
  | { readonly kind: 'none' }

export interface Operation {
  readonly plan: OperationPlan
  readonly body: 'none' | 'optional' | 'required'
  /** Lower-case names of the header parameters it takes. */
  readonly headers: ReadonlySet<string>
  /** Each `;` in the path stands in a parameter of style matrix. */
  takesPathParameters(segments: readonly string[]): boolean
  /** At most 20 findings; they name places and rules, never values. */
  checkParameters(source: ParameterSource): readonly Finding[]
  /** What becomes of fields and query parameters that the contract does not declare. */
  readonly unknownFields: UnknownFields
  /** A query's undeclared parameters, apart from the others, where `mode` does not refuse them; else null. */
  sealQuery(query: readonly (readonly [string, string])[], mode: UnknownFields): SealedQuery | null
  /** `mode`: in place of `unknownFields`. `rewrites` (true): undeclared fields may be taken out of the bytes. */
  checkBody(
    contentType: string | undefined,
    bytes: Uint8Array | null,
    mode?: UnknownFields,
    rewrites?: boolean,
  ): BodyCheck
  checkAnswer(status: number, contentType: string | undefined, bytes: Uint8Array): AnswerCheck
  /** What these obligations ask of the operation's answers; null where they concern none of them. */
  fieldEdits(obligations: readonly FieldObligation[]): FieldEdits | null
  /** Labelled header fields of its answers; null (or absent) for none. */
  readonly headerLabels?: HeaderLabels | null
  /** Of each item that is streamed in an answer of this status. */
  itemLabels(status: number): LinkedItemLabels
  /** What is promised of an answer whose body was not read yet. */
  promise(status: number, contentType: string | undefined): AnswerPromise
  /** How each item of a sequence is checked; null where none is promised. */
  itemsOf(status: number, contentType: string | undefined): ItemRule | null
  /** The answer's fields held against those the contract declares for its status. */
  checkAnswerFields(status: number, fields: RawFields): readonly Finding[]
  /** The contract has a response for this status: its own, its class's or `default`. */
  declares(status: number): boolean
  /** It promises content for this status: what comes without such a promise is not the caller's to see. */
  declaresContent(status: number): boolean
  /** Of a GraphQL endpoint: reads a request, in one go. */
  ask?(call: GraphqlCall): AskedCall
}

/**
 * Rebuilds one API's contract on a gate thread, a part at a time so that no step is long: all modules first, then the
 * operations, whose checks stand in them.
 */
export class ContractBuilder {
  readonly #linker = new Linker()
  readonly #operations = new Map<OperationKey, Operation>()
  readonly #router = new Router<Operation>()
  readonly #limits: MessageLimits
  readonly #graphql = new GraphqlApi()
  #endpoint: GraphqlEndpoint | null = null
  #prepared = false

  /** `nameState`: of a name that a URL rule lists; left out where nothing resolves names, all count as public. */
  constructor(api: ApiPlan, nameState: (name: string) => UrlNameState = () => 'public') {
    const { maxRequestBytes, maxAnswerBytes, answers, unknownFields = 'reject' } = api
    const [request, answer] = [limitsFor(maxRequestBytes), limitsFor(maxAnswerBytes)]
    this.#limits = { request, answer, answers, unknownFields, urls: { rule: api.urls, nameState } }
  }

  addModule(name: string, source: string): void {
    if (this.#graphql.takes(name, source)) return
    this.#linker.add(runModule(source))
  }

  addOperation({ plan, detail }: CompiledOperation): void {
    if (plan.graphql !== undefined) return this.#addGraphql(plan, detail)
    const own = detail as OperationDetail
    const operation = linkOperation(plan, own, this.#linker, this.#limits)
    this.#operations.set(plan.key, operation)
    if (own.routable) this.#router.add(plan.method, own.path ?? plan.template, operation, own.when)
  }

  /** The endpoint's operations share one reading of documents. */
  #addGraphql(plan: OperationPlan, detail: unknown): void {
    if (plan.graphql === 'field') {
      this.#operations.set(plan.key, new PlainOperation(plan))
      return
    }
    this.#endpoint ??= new GraphqlEndpoint(
      this.#graphql,
      plan.api,
      detail as EndpointDetail,
      this.#limits.request,
    )
    const undeclared = (plan.answers ?? this.#limits.answers) === 'block' ? 'block' : 'strip'
    const operation = new EndpointOperation(plan, this.#endpoint, this.#limits.answer, undeclared)
    this.#operations.set(plan.key, operation)
    this.#router.add(plan.method, plan.template, operation)
  }

  /** What is made of many parts at once, in steps; `finish` makes what of it was not. */
  *prepare(): Generator<undefined, void> {
    if (this.#endpoint === null || this.#prepared) return
    yield* this.#graphql.build()
    this.#prepared = true
  }

  finish(): Contract {
    for (const _ of this.prepare());
    const router = this.#router
    return {
      operations: this.#operations,
      match: (method, segments, query, fields) => {
        const found = router.match(method, segments, query, fields)
        return found.kind === 'match'
          ? { kind: 'match', operation: found.target, params: found.params }
          : found
      },
    }
  }
}

/** What holds for all operations of an API. */
interface MessageLimits {
  readonly request: JsonLimits
  readonly answer: JsonLimits
  readonly answers: AnswerMode | undefined
  readonly unknownFields: UnknownFields
  readonly urls: UrlGuard
}

/** An API that takes larger bodies takes more values in them, in proportion. */
function limitsFor(maxBytes: number): JsonLimits {
  const factor = Math.max(1, maxBytes / DEFAULT_JSON_LIMITS.maxBytes)
  return {
    ...DEFAULT_JSON_LIMITS,
    maxBytes,
    maxNodes: Math.ceil(DEFAULT_JSON_LIMITS.maxNodes * factor),
    maxStringBytes: Math.ceil(DEFAULT_JSON_LIMITS.maxStringBytes * factor),
  }
}

/** Names of checks and numbers of shapes become the functions and objects themselves. */
class Linker {
  readonly #functions: Record<string, GeneratedFunction> = Object.create(null)
  readonly #checks = new Map<string, Check>()
  readonly #requestChecks = new Map<string, Check>()
  readonly #shapes = new Map<number, LinkedShape>()
  readonly labels = new LabelLinker()
  #unlinked: ModuleExports[] = []

  add(module: ModuleExports): void {
    Object.assign(this.#functions, module.checks)
    if (module.labels !== undefined) this.labels.add(module.labels)
    if (module.link !== undefined) this.#unlinked.push(module)
    for (const [id, shape] of Object.entries(module.shapes ?? {})) this.#fill(Number(id), shape)
  }

  /** `urls`: of requests; those of answers are not looked at. */
  check(name: CheckName, urls: UrlGuard | null = null): Check | null {
    if (name === null) return null
    for (const module of this.#unlinked) module.link?.(this.#functions)
    this.#unlinked = []
    const checks = urls === null ? this.#checks : this.#requestChecks
    const known = checks.get(name)
    if (known !== undefined) return known
    const run = this.#functions[name]
    if (run === undefined) throw new SallyportError('bundle-corrupt', `the bundle has no check ${name}`)
    const check = new Check(run, urls)
    checks.set(name, check)
    return check
  }

  /** Shapes refer to one another in circles and ahead: one is made at first mention and filled when it comes. */
  shape(id: number): LinkedShape | null {
    if (id === 0) return null
    if (id === FORBIDDEN_SHAPE) return FORBIDDEN
    let shape = this.#shapes.get(id)
    if (shape === undefined) {
      shape = { names: null, patterns: [], others: undefined, items: null, prefix: [] }
      this.#shapes.set(id, shape)
    }
    return shape
  }

  #fill(id: number, shape: Shape): void {
    const linked = this.shape(id)
    if (linked === null) return
    if (shape.p !== undefined) {
      const names = new Map<string, LinkedShape | null>()
      for (const [name, below] of Object.entries(shape.p)) names.set(name, this.shape(below))
      linked.names = names
    }
    linked.patterns = (shape.q ?? []).flatMap(([text, below]) => {
      const pattern = compilePattern(text)
      return pattern === null ? [] : [[pattern, this.shape(below)] as const]
    })
    linked.others = shape.r === undefined ? undefined : this.shape(shape.r)
    linked.items = shape.i === undefined ? null : this.shape(shape.i)
    linked.prefix = (shape.t ?? []).map((below) => this.shape(below))
  }
}

function linkOperation(
  plan: OperationPlan,
  detail: OperationDetail,
  linker: Linker,
  limits: MessageLimits,
): Operation {
  const linkOf =
    (urls: UrlGuard | null) =>
    (content: ContentDetail): Pick<LinkedContent, 'check' | 'shape' | 'media'> => ({
      check: linker.check(content.check, urls),
      shape: linker.shape(content.shape),
      ...(content.media === undefined
        ? {}
        : { media: mapMedia(content.media, (name) => linker.check(name, urls)) }),
    })
  const link = linkOf(null)
  const linked = (parameter: ParameterDetail): Pick<LinkedParameter, 'check' | 'shape'> => ({
    check: linker.check(parameter.check, limits.urls),
    shape: linker.shape(parameter.shape),
  })
  const set = linkParameters(detail.path ?? plan.template, detail.parameters, linked)
  const headers: AnswerHeaders = new Map(
    Object.entries(detail.answerHeaders ?? {}).map(([status, list]) => [
      status,
      list.map((each) => ({ ...each, ...linked(each) })),
    ]),
  )
  const body: BodySet | null =
    detail.body === null
      ? null
      : {
          required: detail.body.required,
          contents: linkContent(detail.body.content, linkOf(limits.urls)),
          limits: limits.request,
        }
  const answers: AnswerSet = {
    method: plan.method,
    object: plan.object,
    byStatus: new Map(
      Object.entries(detail.answers).map(([status, content]) => [status, linkContent(content, link)]),
    ),
    limits: limits.answer,
    labels: linker.labels.answers(detail.labels),
    undeclared: (plan.answers ?? limits.answers) === 'block' ? 'block' : 'strip',
  }
  const { unknownFields = limits.unknownFields } = plan
  return {
    plan,
    body: body === null ? 'none' : body.required ? 'required' : 'optional',
    headers: new Set(set.header.map(({ name }) => name.toLowerCase())),
    takesPathParameters: (segments) => takesPathParameters(set, segments),
    checkParameters: (source) => checkParameters(set, source),
    unknownFields,
    sealQuery: (query, mode) => sealQuery(set.query, query, mode),
    checkBody: (contentType, bytes, mode = unknownFields, rewrites = true) =>
      checkBody(body, plan.object, contentType, bytes, mode, rewrites),
    checkAnswer: (status, contentType, bytes) => checkAnswer(answers, status, contentType, bytes),
    fieldEdits: fieldEditsFor(plan, answers.labels),
    headerLabels: headerLabels(detail.labels),
    itemLabels: (status) => answers.labels.ofItem(status),
    promise: (status, contentType) => promiseOf(answers, status, contentType),
    itemsOf: (status, contentType) => itemRule(answers, status, contentType),
    checkAnswerFields: (status, fields) => checkAnswerFields(headers, status, fields),
    declares: (status) => declaredContents(answers, status) !== undefined,
    declaresContent: (status) => (declaredContents(answers, status) ?? []).length > 0,
  }
}
