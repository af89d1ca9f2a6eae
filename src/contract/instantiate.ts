import type { ApiPlan, CompiledOperation } from '../model/bundle.ts'
import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { OperationKey, OperationPlan } from '../model/operation.ts'
import { DEFAULT_JSON_LIMITS, type JsonLimits } from '../syntax/json.ts'
import { type AnswerCheck, type AnswerSet, checkAnswer, declaredContents } from './answer.ts'
import { type BodySet, checkBody } from './body.ts'
import { type LinkedContent, linkContent } from './content.ts'
import type { CheckName, ContentDetail, OperationDetail, Shape } from './detail.ts'
import { checkParameters, type LinkedParameter, type ParameterSet } from './parameters.ts'
import { compilePattern } from './pattern.ts'
import { Router } from './router.ts'
import { type Check, type ModuleExports, runModule } from './runtime.ts'
import type { LinkedShape } from './sealed-walk.ts'

export type { AnswerCheck } from './answer.ts'

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
  /** `query`: decoded pairs of `parseQuery`; `fields` in wire order. */
  checkParameters(
    params: Readonly<Record<string, string>>,
    query: readonly (readonly [string, string])[],
    fields: RawFields,
  ): readonly Finding[]
  /** At most 20 findings; they name places and rules, never values. */
  checkBody(contentType: string | undefined, bytes: Uint8Array | null): readonly Finding[]
  checkAnswer(status: number, contentType: string | undefined, bytes: Uint8Array): AnswerCheck
  /** The contract has a response for this status: its own, its class's or `default`. */
  declares(status: number): boolean
}

/** Rebuilds one API's contract on a gate thread, a part at a time, so that no step is long. */
export class ContractBuilder {
  readonly #api: ApiPlan
  readonly #modules: ModuleExports[] = []
  readonly #operations: CompiledOperation[] = []

  constructor(api: ApiPlan) {
    this.#api = api
  }

  addModule(_name: string, source: string): void {
    this.#modules.push(runModule(source))
  }

  addOperation(operation: CompiledOperation): void {
    this.#operations.push(operation)
  }

  finish(): Contract {
    const linker = new Linker(this.#modules)
    const limits = {
      request: limitsFor(this.#api.maxRequestBytes),
      answer: limitsFor(this.#api.maxAnswerBytes),
    }
    const operations = new Map<OperationKey, Operation>()
    const router = new Router<Operation>()
    for (const compiled of this.#operations) {
      const detail = compiled.detail as OperationDetail
      const operation = linkOperation(compiled.plan, detail, linker, limits)
      operations.set(compiled.plan.key, operation)
      if (detail.routable) router.add(compiled.plan.method, compiled.plan.template, operation)
    }
    return {
      operations,
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

class Linker {
  readonly #checks: Record<string, Check> = Object.create(null)
  readonly #shapes = new Map<number, LinkedShape>()

  constructor(modules: readonly ModuleExports[]) {
    for (const module of modules) Object.assign(this.#checks, module.checks)
    for (const module of modules) module.link?.(this.#checks)
    const texts = new Map<number, Shape>()
    for (const module of modules) {
      for (const [id, shape] of Object.entries(module.shapes ?? {})) texts.set(Number(id), shape)
    }
    // First all, then what stands below them: shapes refer to one another in circles.
    const links: (() => void)[] = []
    for (const [id, shape] of texts) {
      const { linked, link } = linkShape(shape, (below) => this.shape(below))
      this.#shapes.set(id, linked)
      links.push(link)
    }
    for (const link of links) link()
  }

  check(name: CheckName): Check | null {
    if (name === null) return null
    const check = this.#checks[name]
    if (check === undefined) throw new Error(`the bundle has no check ${name}`)
    return check
  }

  shape(id: number): LinkedShape | null {
    return this.#shapes.get(id) ?? null
  }
}

function linkShape(
  shape: Shape,
  below: (id: number) => LinkedShape | null,
): { linked: LinkedShape; link: () => void } {
  const names = shape.p === undefined ? null : new Map<string, LinkedShape | null>()
  const patterns: [NonNullable<ReturnType<typeof compilePattern>>, LinkedShape | null][] = []
  const prefix: (LinkedShape | null)[] = []
  const linked: LinkedShape = { names, patterns, others: null, items: null, prefix }
  return {
    linked,
    link: () => {
      for (const [name, id] of Object.entries(shape.p ?? {})) names?.set(name, below(id))
      for (const [text, id] of shape.q ?? []) {
        const pattern = compilePattern(text)
        if (pattern !== null) patterns.push([pattern, below(id)])
      }
      linked.others = shape.r === undefined ? undefined : below(shape.r)
      linked.items = shape.i === undefined ? null : below(shape.i)
      prefix.push(...(shape.t ?? []).map(below))
    },
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
    byStatus: new Map(
      Object.entries(detail.answers).map(([status, content]) => [status, linkContent(content, link)]),
    ),
    limits: limits.answer,
  }
  return {
    plan,
    body: body === null ? 'none' : body.required ? 'required' : 'optional',
    checkParameters: (params, query, fields) => checkParameters(set, params, query, fields),
    checkBody: (contentType, bytes) => checkBody(body, contentType, bytes),
    checkAnswer: (status, contentType, bytes) => checkAnswer(answers, status, contentType, bytes),
    declares: (status) => declaredContents(answers, status) !== undefined,
  }
}
