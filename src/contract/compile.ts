import type { CompiledOperation } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { ContentDetail, ContractWarning, OperationDetail, ParameterDetail, ShapeId } from './detail.ts'
import { type SplitTemplate, splitTemplate, withDistinctions } from './distinction.ts'
import { type OpenApiDocument, readDocument } from './document.ts'
import { faultAt, originOf } from './fault.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from './json-value.ts'
import { mapMedia } from './media/link.ts'
import { type MessagePlan, messagePlan } from './message-plan.ts'
import { emitModules, type GeneratedModule } from './modules.ts'
import { warnUndeclared } from './object-place.ts'
import { type ObjectRule, objectPlans } from './object-rule.ts'
import { declaredPaths, whyUncallable } from './operations.ts'
import { fitTemplate, type ParameterPlan, type ParameterPlans, parameterPlans } from './parameters/plan.ts'
import type { ReadParts } from './parts.ts'
import { templateForm } from './path-template.ts'
import { SchemaConverter } from './schema.ts'
import { sealMessages, sealParameters } from './sealing/sealed-messages.ts'
import { SealedSchemas } from './sealing/sealed-schemas.ts'
import { readSchemes, securityPlan } from './security.ts'
import {
  type Classified,
  Classifier,
  type FieldStatements,
  NOTHING_STATED_OF_FIELDS,
} from './sensitivity/classify.ts'
import { readServers, type Servers, warnLocalServers } from './servers.ts'
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
  /** The files that the contract refers to, as read. */
  readonly parts?: ReadParts
  /** What stands beside the contract about its fields; left out: nothing, and names tell classes. */
  readonly fields?: FieldStatements
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
  /** Names that the contract's own URL rules list, for control to resolve. */
  readonly urlNames?: readonly string[]
  /** Classes with their places, by operation key: what is not needed to hold calls against the contract. */
  readonly classified: ReadonlyMap<string, Classified>
}

/** Safe methods (RFC 9110 §9.2.1, the QUERY method's draft): any other may change something. */
const READS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])

interface Draft {
  readonly plan: OperationPlan
  readonly routable: boolean
  readonly split: SplitTemplate
  readonly parameters: ParameterPlans
  readonly messages: MessagePlan
  readonly pointer: string
  readonly item: { readonly value: JsonRecord; readonly pointer: string }
  readonly value: JsonRecord
}

/**
 * Compiles an OpenAPI contract into plain data and source text for the gate threads. Runs in control: the largest
 * contracts take seconds.
 * @throws {SallyportError} `contract-invalid`, `config-invalid` for object rules that fit nothing.
 */
export function compileContract(input: ContractInput): CompiledContract {
  const document = readDocument(input.text, input.file, input.parts)
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
  const warnings: ContractWarning[] = [...document.warnings]
  const warn = (warning: ContractWarning): void => {
    if (warning.code === 'security-unsupported' && input.credential === 'pass') return
    const { file, pointer } = originOf(document, warning.pointer)
    warnings.push({ ...warning, pointer, ...(file === document.file ? {} : { file }) })
  }
  const { root } = document
  const servers = readServers(root, input.basePath, warn)
  const converter = new SchemaConverter(document, warn)
  const drafts = readOperations(input.api, document, servers, converter, warn)
  const objects = objectPlans(
    input.api,
    input.objects,
    drafts.map(({ plan, parameters, messages }) => ({
      plan,
      query: new Set(parameters.parameters.filter((each) => each.in === 'query').map(({ name }) => name)),
      hasBody: messages.body !== null,
    })),
  )

  const classifier = new Classifier(document, input.fields ?? NOTHING_STATED_OF_FIELDS, warn)
  for (const { plan, item, value, pointer } of drafts)
    classifier.add([plan.operationId ?? '', `${plan.method} ${plan.template}`], item, { value, pointer })
  classifier.finish()
  const classified = new Map(drafts.map(({ plan }, index) => [plan.key, classifier.of(index)]))
  const sealing = new SealedSchemas(converter.components)
  const sealed = drafts.map((draft) => ({
    ...draft,
    parameters: {
      ...draft.parameters,
      parameters: sealParameters(draft.parameters.parameters, sealing),
    },
    messages: sealMessages(draft.messages, sealing),
  }))
  if (sealing.exhausted) {
    const message = 'the branches of some oneOf or anyOf are too many to be told apart by undeclared fields'
    warn({ code: 'sealing-too-complex', pointer: '', message })
  }
  const validators = new ValidatorCompiler(converter.components, converter)
  const shapes = new ShapeCompiler(converter.components, warn)
  const details = sealed.map((draft) => detailOf(draft, validators, shapes))
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
    operations: operations.map(({ plan, detail }) => {
      const { plan: own, detail: labels } = classified.get(plan.key) ?? {}
      return {
        plan: { ...plan, ...own },
        detail: { ...(detail as OperationDetail), ...(labels && { labels }) },
      }
    }),
    classified,
    modules: emitModules(validators.finish(), table, classifier.table()),
    ...servers,
    title: textAt(info, 'title') ?? '',
    version: textAt(info, 'version') ?? '',
    warnings,
    urlNames: [...converter.urlNames],
  }
}

function readOperations(
  api: string,
  document: OpenApiDocument,
  servers: Servers,
  converter: SchemaConverter,
  warn: (warning: ContractWarning) => void,
): readonly Draft[] {
  const context = { document, converter, warn }
  const schemes = readSchemes(document, warn)
  const drafts: Draft[] = []
  const keys = new Map<string, string>()
  const routes = new Map<string, string>()
  for (const { template, fields, operations } of declaredPaths(document, warn)) {
    const local = fields.get('servers')
    if (local !== undefined) warnLocalServers(local.value, local.pointer, servers, warn)
    for (const { method, value, pointer, item } of operations) {
      const plan = operationPlan(api, method, template, value)
      const other = keys.get(plan.key)
      if (other !== undefined) {
        throw faultAt(document, pointer, `operationId ${plan.operationId ?? ''} is also that of ${other}`)
      }
      keys.set(plan.key, pointer)
      const ownServers = own(value, 'servers')
      if (ownServers !== undefined) warnLocalServers(ownServers, `${pointer}/servers`, servers, warn)
      if (own(value, 'callbacks') !== undefined) {
        warn({
          code: 'webhooks-callbacks',
          pointer: `${pointer}/callbacks`,
          message: 'callbacks are not checked',
        })
      }
      const operation = { value, pointer }
      const stated = parameterPlans(context, item, operation, schemes.queryNames)
      const fitted = fitTemplate(template, stated, pointer, warn)
      const split = splitTemplate(template, fitted.parameters)
      drafts.push({
        plan: { ...plan, security: securityPlan(document.root, value, pointer, schemes, warn) },
        split,
        routable: isRoutable(method, split, pointer, routes, warn),
        parameters: withDistinctions(fitted, split.when ?? []),
        messages: messagePlan(context, operation),
        pointer,
        item,
        value,
      })
    }
  }
  if (isRecord(own(document.root, 'webhooks'))) {
    warn({ code: 'webhooks-callbacks', pointer: '/webhooks', message: 'webhooks are not checked' })
  }
  return drafts
}

function operationPlan(
  api: string,
  method: string,
  template: string,
  value: JsonRecord,
): Omit<OperationPlan, 'security'> {
  const operationId = textAt(value, 'operationId')
  return {
    key: `${api}.${operationId ?? `${method} ${template}`}`,
    api,
    ...(operationId === undefined ? {} : { operationId }),
    method,
    template,
    tags: listAt(value, 'tags').filter((tag) => typeof tag === 'string'),
    kind: READS.has(method) ? 'read' : 'write',
    deprecated: value['deprecated'] === true,
  }
}

/** Two templates that differ in names alone are the same path (OpenAPI 3.1 §4.8.8.1); the first one answers. */
function isRoutable(
  method: string,
  { path, when }: SplitTemplate,
  pointer: string,
  routes: Map<string, string>,
  warn: (warning: ContractWarning) => void,
): boolean {
  const say = (message: string): false => {
    warn({ code: 'path-unroutable', pointer, message: `${message}: no call reaches this operation` })
    return false
  }
  const uncallable = whyUncallable(method)
  if (uncallable !== null) return say(uncallable)
  if (when === null) return say('what stands after # in the path is no parameter that the operation requires')
  if (/\}\{/.test(path)) return say('two parameters stand side by side with nothing between them')
  const form = `${method} ${templateForm(path)} ${JSON.stringify(when)}`
  const other = routes.get(form)
  if (other !== undefined) return say(`the path is the same as that of ${other}`)
  routes.set(form, pointer)
  if (when.length > 0) {
    const stated = when.map(
      (each) => `${each.in} ${each.name}${each.value === undefined ? '' : `=${each.value}`}`,
    )
    const message = `the path has ? or #: calls to ${path} are meant by it that state ${stated.join(' and ')}`
    warn({ code: 'path-distinguished', pointer, message })
  }
  return true
}

/** Checks are compiled now; shapes get their final numbers once all are known. */
function detailOf(
  draft: Draft,
  validators: ValidatorCompiler,
  shapes: ShapeCompiler,
): (resolve: (id: ShapeId) => ShapeId) => OperationDetail {
  const { parameters, messages } = draft
  const checkOf = ({ schema, pointer, ...rest }: ParameterPlan): ParameterDetail => ({
    ...rest,
    check: validators.check(schema),
    shape: shapes.shape(schema, pointer),
  })
  const checked = parameters.parameters.map(checkOf)
  const headers = Object.entries(messages.headers).map(
    ([status, plans]) => [status, plans.map(checkOf)] as const,
  )
  const content = (plans: MessagePlan['answers'][string]): readonly ContentDetail[] =>
    plans.map(({ range, schema, pointer, items, media }) => ({
      range,
      ...(items === undefined ? {} : { items }),
      ...(media === undefined ? {} : { media: mapMedia(media, (each) => validators.check(each)) }),
      json: schema !== null,
      check: schema === null ? null : validators.check(schema),
      shape: schema === null ? 0 : shapes.shape(schema, pointer),
    }))
  const body = messages.body === null ? null : { ...messages.body, content: content(messages.body.content) }
  const answers = Object.entries(messages.answers).map(([status, plans]) => [status, content(plans)] as const)
  return (resolve) => {
    const settled = (each: ParameterDetail): ParameterDetail => ({ ...each, shape: resolve(each.shape) })
    const settle = (list: readonly ContentDetail[]): readonly ContentDetail[] =>
      list.map((entry) => ({ ...entry, shape: resolve(entry.shape) }))
    return {
      routable: draft.routable,
      ...(draft.split.when?.length ? { path: draft.split.path, when: draft.split.when } : {}),
      parameters: checked.map(settled),
      body: body === null ? null : { ...body, content: settle(body.content) },
      answers: Object.fromEntries(answers.map(([status, list]) => [status, settle(list)])),
      ...(headers.every(([, list]) => list.length === 0)
        ? {}
        : {
            answerHeaders: Object.fromEntries(headers.map(([status, list]) => [status, list.map(settled)])),
          }),
    }
  }
}
