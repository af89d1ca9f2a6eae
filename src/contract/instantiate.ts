import type { ApiPlan, CompiledOperation } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'
import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { OperationKey, OperationPlan } from '../model/operation.ts'
import { DEFAULT_JSON_LIMITS, type JsonLimits } from '../syntax/json.ts'
import {
  type AnswerCheck,
  type AnswerSet,
  checkAnswer,
  declaredContents,
  type StatedObject,
} from './answer.ts'
import { type BodySet, checkBody, statedByBody } from './body.ts'
import { type LinkedContent, linkContent } from './content.ts'
import type { CheckName, ContentDetail, OperationDetail, Shape } from './detail.ts'
import { checkParameters, type LinkedParameter, type ParameterSet } from './parameters.ts'
import { compilePattern } from './pattern.ts'
import { Router } from './router.ts'
import { Check, type GeneratedFunction, type ModuleExports, runModule } from './runtime.ts'
import type { LinkedShape } from './sealed-walk.ts'

export type { AnswerCheck, StatedObject } from './answer.ts'
export { NOTHING_STATED } from './answer.ts'
export type { AnswerItems, StatedItem } from './answer-items.ts'

export interface Contract {
  /** `segments`: canonical, below the base path. */
  match(method: string, segments: readonly string[]): ContractMatch
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
  /** `query`: decoded pairs of `parseQuery`; `fields` in wire order. */
  checkParameters(
    params: Readonly<Record<string, string>>,
    query: readonly (readonly [string, string])[],
    fields: RawFields,
  ): readonly Finding[]
  /** At most 20 findings; they name places and rules, never values. */
  checkBody(contentType: string | undefined, bytes: Uint8Array | null): readonly Finding[]
  /** What a JSON body that was checked says at the object rule's places; nothing of any other. */
  statedByBody(contentType: string | undefined, bytes: Uint8Array): StatedObject
  checkAnswer(status: number, contentType: string | undefined, bytes: Uint8Array): AnswerCheck
  /** The contract has a response for this status: its own, its class's or `default`. */
  declares(status: number): boolean
  /** It promises content for this status: what comes without such a promise is not the caller's to see. */
  declaresContent(status: number): boolean
}

/**
 * Rebuilds one API's contract on a gate thread, a part at a time so that no step is long: all modules first, then the
 * operations, whose checks stand in them.
 */
export class ContractBuilder {
  readonly #linker = new Linker()
  readonly #operations = new Map<OperationKey, Operation>()
  readonly #router = new Router<Operation>()
  readonly #limits: { readonly request: JsonLimits; readonly answer: JsonLimits }

  constructor(api: ApiPlan) {
    this.#limits = { request: limitsFor(api.maxRequestBytes), answer: limitsFor(api.maxAnswerBytes) }
  }

  addModule(_name: string, source: string): void {
    this.#linker.add(runModule(source))
  }

  addOperation({ plan, detail }: CompiledOperation): void {
    const own = detail as OperationDetail
    const operation = linkOperation(plan, own, this.#linker, this.#limits)
    this.#operations.set(plan.key, operation)
    if (own.routable) this.#router.add(plan.method, plan.template, operation)
  }

  finish(): Contract {
    const router = this.#router
    return {
      operations: this.#operations,
      match: (method, segments) => {
        const found = router.match(method, segments)
        return found.kind === 'match'
          ? { kind: 'match', operation: found.target, params: found.params }
          : found
      },
    }
  }
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
  readonly #shapes = new Map<number, LinkedShape>()
  #unlinked: ModuleExports[] = []

  add(module: ModuleExports): void {
    Object.assign(this.#functions, module.checks)
    if (module.link !== undefined) this.#unlinked.push(module)
    for (const [id, shape] of Object.entries(module.shapes ?? {})) this.#fill(Number(id), shape)
  }

  check(name: CheckName): Check | null {
    if (name === null) return null
    for (const module of this.#unlinked) module.link?.(this.#functions)
    this.#unlinked = []
    const known = this.#checks.get(name)
    if (known !== undefined) return known
    const run = this.#functions[name]
    if (run === undefined) throw new SallyportError('bundle-corrupt', `the bundle has no check ${name}`)
    const check = new Check(run)
    this.#checks.set(name, check)
    return check
  }

  /** Shapes refer to one another in circles and ahead: one is made at first mention and filled when it comes. */
  shape(id: number): LinkedShape | null {
    if (id === 0) return null
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
  limits: { readonly request: JsonLimits; readonly answer: JsonLimits },
): Operation {
  const link = (content: ContentDetail): Pick<LinkedContent, 'check' | 'shape'> => ({
    check: linker.check(content.check),
    shape: linker.shape(content.shape),
  })
  const parameters = detail.parameters.map(
    (parameter): LinkedParameter => ({ ...parameter, check: linker.check(parameter.check) }),
  )
  const set: ParameterSet = {
    path: parameters.filter((parameter) => parameter.in === 'path'),
    query: new Map(
      parameters
        .filter((parameter) => parameter.in === 'query')
        .map((parameter) => [parameter.name, parameter]),
    ),
    header: parameters.filter((parameter) => parameter.in === 'header'),
    queryPrefixes: detail.queryPrefixes,
    queryOpen: detail.queryOpen,
  }
  const body: BodySet | null =
    detail.body === null
      ? null
      : {
          required: detail.body.required,
          contents: linkContent(detail.body.content, link),
          limits: limits.request,
        }
  const answers: AnswerSet = {
    method: plan.method,
    object: plan.object,
    byStatus: new Map(
      Object.entries(detail.answers).map(([status, content]) => [status, linkContent(content, link)]),
    ),
    limits: limits.answer,
  }
  return {
    plan,
    body: body === null ? 'none' : body.required ? 'required' : 'optional',
    headers: new Set(set.header.map(({ name }) => name.toLowerCase())),
    checkParameters: (params, query, fields) => checkParameters(set, params, query, fields),
    checkBody: (contentType, bytes) => checkBody(body, contentType, bytes),
    statedByBody: (contentType, bytes) => statedByBody(body, plan.object, contentType, bytes),
    checkAnswer: (status, contentType, bytes) => checkAnswer(answers, status, contentType, bytes),
    declares: (status) => declaredContents(answers, status) !== undefined,
    declaresContent: (status) => (declaredContents(answers, status) ?? []).length > 0,
  }
}
