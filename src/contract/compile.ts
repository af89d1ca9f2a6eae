import type { CompiledOperation } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import { escapePointer } from '../syntax/json-pointer.ts'
import type { ContentDetail, ContractWarning, OperationDetail, ShapeId } from './detail.ts'
import { faultAt, type OpenApiDocument, readDocument } from './document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from './json-value.ts'
import { type MessagePlan, messagePlan } from './message-plan.ts'
import { emitModules, type GeneratedModule } from './modules.ts'
import { warnUndeclared } from './object-place.ts'
import { type ObjectRule, objectPlans } from './object-rule.ts'
import { fitTemplate, type ParameterPlans, parameterPlans } from './parameter-plan.ts'
import { follow } from './reference.ts'
import { SchemaConverter } from './schema.ts'
import { readSchemes, securityPlan } from './security.ts'
import { readServers } from './servers.ts'
import { ShapeCompiler } from './shape.ts'
import { ValidatorCompiler } from './validators.ts'

export type { ContractWarning } from './detail.ts'
export type { ListRule, ObjectRule } from './object-rule.ts'

export interface ContractInput {
  /** Config name of the API. */
  readonly api: string
  readonly text: string
  /** Named in errors; never opened here. */
  readonly file: string
  /** Replaces the contract's servers. */
  readonly basePath?: string
  readonly objects: Readonly<Record<string, ObjectRule>>
  readonly credential: 'replace' | 'pass'
}

export interface CompiledContract {
  readonly operations: readonly CompiledOperation[]
  readonly modules: readonly GeneratedModule[]
  /** Empty, or begins with `/` and has no trailing one. */
  readonly basePath: string
  readonly servers: readonly string[]
  readonly title: string
  readonly version: string
  readonly warnings: readonly ContractWarning[]
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const
const READS = new Set(['get', 'head', 'options', 'trace'])

interface Draft {
  readonly plan: OperationPlan
  readonly routable: boolean
  readonly parameters: ParameterPlans
  readonly messages: MessagePlan
  readonly pointer: string
}

/**
 * Compiles an OpenAPI contract into plain data and source text for the gate threads. Runs in control: the largest
 * contracts take seconds.
 * @throws {SallyportError} `contract-invalid`, `config-invalid` for object rules that fit nothing.
 */
export function compileContract(input: ContractInput): CompiledContract {
  const document = readDocument(input.text, input.file)
  try {
    return compileDocument(input, document)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new SallyportError('contract-invalid', `${input.file}: schemas lead to one another too deeply`, {
      file: input.file,
    })
  }
}

function compileDocument(input: ContractInput, document: OpenApiDocument): CompiledContract {
  const warnings: ContractWarning[] = []
  const warn = (warning: ContractWarning): void => {
    if (warning.code === 'security-unsupported' && input.credential === 'pass') return
    warnings.push(warning)
  }
  const { root } = document
  const servers = readServers(root, input.basePath, warn)
  const converter = new SchemaConverter(document, warn)
  const drafts = readOperations(input.api, document, converter, warn)
  converter.finish()
  const objects = objectPlans(
    input.api,
    input.objects,
    drafts.map(({ plan, parameters, messages }) => ({
      plan,
      query: new Set(parameters.parameters.filter((each) => each.in === 'query').map(({ name }) => name)),
      hasBody: messages.body !== null,
    })),
  )

  const validators = new ValidatorCompiler(converter.components, converter)
  const shapes = new ShapeCompiler(converter.components, warn)
  const details = drafts.map((draft) => detailOf(draft, validators, shapes))
  const { shapes: table, resolve } = shapes.finish()
  const operations = drafts.map(({ plan, messages }, index): CompiledOperation => {
    const object = objects.get(plan.key)
    const detail = details[index]?.(resolve)
    if (object === undefined || detail === undefined) return { plan, detail }
    if (plan.method === 'GET' || object.items !== undefined)
      warnUndeclared(object, messages, detail, table, warn)
    return { plan: { ...plan, object }, detail }
  })
  const info = recordAt(root, 'info')
  return {
    operations,
    modules: emitModules(validators.finish(), table),
    ...servers,
    title: textAt(info, 'title') ?? '',
    version: textAt(info, 'version') ?? '',
    warnings,
  }
}

function readOperations(
  api: string,
  document: OpenApiDocument,
  converter: SchemaConverter,
  warn: (warning: ContractWarning) => void,
): readonly Draft[] {
  const schemes = readSchemes(document, warn)
  const drafts: Draft[] = []
  const keys = new Map<string, string>()
  const routes = new Map<string, string>()
  const paths = own(document.root, 'paths')
  if (paths !== undefined && !isRecord(paths)) throw faultAt(document, '/paths', 'an object is expected here')
  for (const [template, member] of Object.entries(paths ?? {})) {
    if (template.startsWith('x-')) continue
    const item = follow(document, member, `/paths/${escapePointer(template)}`)
    if (!template.startsWith('/')) throw faultAt(document, item.pointer, 'a path begins with /')
    if (own(item.value, 'servers') !== undefined) warnServers(item.pointer, warn)
    for (const method of METHODS) {
      const value = own(item.value, method)
      if (value === undefined) continue
      const pointer = `${item.pointer}/${method}`
      if (!isRecord(value)) throw faultAt(document, pointer, 'an operation is expected here')
      const plan = operationPlan(api, method, template, value)
      const other = keys.get(plan.key)
      if (other !== undefined) {
        throw faultAt(document, pointer, `operationId ${plan.operationId ?? ''} is also that of ${other}`)
      }
      keys.set(plan.key, pointer)
      if (own(value, 'servers') !== undefined) warnServers(pointer, warn)
      if (own(value, 'callbacks') !== undefined) {
        warn({
          code: 'webhooks-callbacks',
          pointer: `${pointer}/callbacks`,
          message: 'callbacks are not checked',
        })
      }
      const operation = { value, pointer }
      const stated = parameterPlans({ document, converter, warn }, item, operation, schemes.queryNames)
      const parameters = fitTemplate(template, stated, pointer, warn)
      drafts.push({
        plan: { ...plan, security: securityPlan(document.root, value, pointer, schemes, warn) },
        routable: isRoutable(
          `${method} ${template.replace(/\{[^{}]*\}/g, '{}')}`,
          template,
          pointer,
          routes,
          warn,
        ),
        parameters,
        messages: messagePlan({ document, converter, warn }, operation),
        pointer,
      })
    }
  }
  if (isRecord(own(document.root, 'webhooks'))) {
    warn({ code: 'webhooks-callbacks', pointer: '/webhooks', message: 'webhooks are not checked' })
  }
  return drafts
}

function warnServers(pointer: string, warn: (warning: ContractWarning) => void): void {
  const message = 'servers of a path or operation are ignored: the API’s base path and upstream hold'
  warn({ code: 'servers', pointer: `${pointer}/servers`, message })
}

function operationPlan(
  api: string,
  method: (typeof METHODS)[number],
  template: string,
  value: JsonRecord,
): Omit<OperationPlan, 'security'> {
  const operationId = textAt(value, 'operationId')
  const verb = method.toUpperCase()
  return {
    key: `${api}.${operationId ?? `${verb} ${template}`}`,
    api,
    ...(operationId === undefined ? {} : { operationId }),
    method: verb,
    template,
    tags: listAt(value, 'tags').filter((tag) => typeof tag === 'string'),
    kind: READS.has(method) ? 'read' : 'write',
    deprecated: value['deprecated'] === true,
  }
}

/** Two templates that differ in names alone are the same path (OpenAPI 3.1 §4.8.8.1); the first one answers. */
function isRoutable(
  form: string,
  template: string,
  pointer: string,
  routes: Map<string, string>,
  warn: (warning: ContractWarning) => void,
): boolean {
  const say = (message: string): false => {
    warn({ code: 'path-unroutable', pointer, message: `${message}: no call reaches this operation` })
    return false
  }
  if (/[?#]/.test(template)) return say('a path holds neither ? nor #')
  if (/\}\{/.test(template)) return say('two parameters stand side by side with nothing between them')
  const other = routes.get(form)
  if (other !== undefined) return say(`the path is the same as that of ${other}`)
  routes.set(form, pointer)
  return true
}

/** Checks are compiled now; shapes get their final numbers once all are known. */
function detailOf(
  draft: Draft,
  validators: ValidatorCompiler,
  shapes: ShapeCompiler,
): (resolve: (id: ShapeId) => ShapeId) => OperationDetail {
  const { parameters, messages } = draft
  const checked = parameters.parameters.map(({ schema, ...rest }) => ({
    ...rest,
    check: validators.check(schema),
  }))
  const content = (plans: MessagePlan['answers'][string]): readonly ContentDetail[] =>
    plans.map(({ range, schema, pointer }) => ({
      range,
      json: schema !== null,
      check: schema === null ? null : validators.check(schema),
      shape: schema === null ? 0 : shapes.shape(schema, pointer),
    }))
  const body = messages.body === null ? null : { ...messages.body, content: content(messages.body.content) }
  const answers = Object.entries(messages.answers).map(([status, plans]) => [status, content(plans)] as const)
  return (resolve) => {
    const settle = (list: readonly ContentDetail[]): readonly ContentDetail[] =>
      list.map((entry) => ({ ...entry, shape: resolve(entry.shape) }))
    return {
      routable: draft.routable,
      parameters: [...checked],
      queryPrefixes: parameters.queryPrefixes,
      queryOpen: parameters.queryOpen,
      body: body === null ? null : { ...body, content: settle(body.content) },
      answers: Object.fromEntries(answers.map(([status, list]) => [status, settle(list)])),
    }
  }
}
