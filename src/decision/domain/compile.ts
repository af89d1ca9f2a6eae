import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { DomainPlan } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import { parseFiles } from '../cedar/compile.ts'
import { type EntityName, entityNames, entityOf, isObject } from '../cedar/est.ts'
import type { PolicyFault, PolicyFile, PolicyWarning } from '../cedar/fault.ts'
import { fault, throwIfAny } from '../cedar/fault.ts'
import { isObserved } from '../cedar/observed-policy.ts'
import { keepOnly, offsetOfByte } from '../cedar/source.ts'
import { Domain, entityStatements } from './domain.ts'
import type { DomainDetail, EntityPlan } from './plan.ts'
import { readSchema } from './schema.ts'

export interface DomainInput {
  readonly name: string
  readonly policies: readonly PolicyFile[]
  /** In Cedar's readable form. */
  readonly schema: PolicyFile
  /** Cedar's JSON form of entities; null: none. */
  readonly entities: PolicyFile | null
  /** Entity types by the name questions have for them; null: the schema's own names. */
  readonly types: Readonly<Record<string, string>> | null
}

export interface DomainCompilation {
  readonly plan: DomainPlan
  /** In the order of the file. */
  readonly entities: readonly EntityPlan[]
  readonly warnings: readonly PolicyWarning[]
}

/** Searches go through them one by one, and gate threads make them at one go. */
const MAX_ENTITIES = 10_000

/**
 * Control's compiler for another application's policies: checked strictly against its own schema, as its entities are.
 *
 * @throws {SallyportError} `policy-invalid` as `compilePolicies` does.
 */
export function compileDomain(input: DomainInput): DomainCompilation {
  const faults: PolicyFault[] = []
  const schema = readSchema(input.schema, input.types)
  const parsed = parseFiles(input.policies, faults)
  throwIfAny(faults)
  const actions = new Set(schema.actions.map(({ uid }) => nameText(uid)))
  for (const { file, span, id, policy, template } of parsed) {
    if (template) faults.push(fault(file, span.start, 'a domain takes no templates: name the entities', id))
    // Left in, it would count: an answer has no effect that could be suspended.
    if (isObserved(policy))
      faults.push(fault(file, span.start, 'a domain’s policies cannot be observed only: leave @mode out', id))
    for (const name of entityNames(policy)) {
      if (!isActionType(name) || actions.has(nameText(name))) continue
      faults.push(fault(file, span.start, `there is no ${nameText(name)} in the schema`, id))
    }
  }
  throwIfAny(faults)
  const warnings: PolicyWarning[] = []
  for (const file of input.policies) check(file, input.schema, parsed, faults, warnings)
  throwIfAny(faults)
  const detail: DomainDetail = {
    format: 1,
    // In records they stand beside the gate’s own.
    policies: parsed.map(({ id, policy }) => ({ id: `${input.name}/${id}`, policy })),
    ...schema,
  }
  const entities = input.entities === null ? [] : readEntities(input.entities, input.schema)
  const plan = { name: input.name, detail }
  // What a gate thread will do with it is done here first.
  try {
    new Domain(plan, entityStatements(entities))
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : 'unknown'
    throw new SallyportError('policy-invalid', `${(input.entities ?? input.schema).file}: ${why}`, {}, error)
  }
  return { plan, entities, warnings }
}

function check(
  file: PolicyFile,
  schema: PolicyFile,
  parsed: ReturnType<typeof parseFiles>,
  faults: PolicyFault[],
  warnings: PolicyWarning[],
): void {
  const own = parsed.filter((policy) => policy.file === file)
  if (own.length === 0) return
  const spans = own.map(({ span }) => span)
  const answer = cedar.validate({
    schema: schema.text,
    policies: { staticPolicies: keepOnly(file.text, spans, spans) },
  })
  if (answer.type === 'failure') {
    const why = answer.errors.map(({ message }) => message).join('; ')
    faults.push(fault(file, 0, `the policies cannot be checked: ${why}`))
    return
  }
  const place = (found: cedar.ValidationError): PolicyFault => {
    const policy = own[Number(found.policyId.replace('policy', ''))]
    const [location] = found.error.sourceLocations ?? []
    const at = location === undefined ? (policy?.span.start ?? 0) : offsetOfByte(file.text, location.start)
    const { message, help } = found.error
    const plain = message.replaceAll(/for policy `[^`]*`[,:] /g, '')
    return fault(file, at, help ? `${plain} (${help})` : plain, policy?.id)
  }
  faults.push(...answer.validationErrors.map(place))
  warnings.push(...answer.validationWarnings.map(place))
}

function isActionType({ type }: EntityName): boolean {
  return type === 'Action' || type.endsWith('::Action')
}

function nameText({ type, id }: EntityName): string {
  return `${type}::${JSON.stringify(id)}`
}

function readEntities(file: PolicyFile, schema: PolicyFile): readonly EntityPlan[] {
  const refuse = (why: string): never => {
    throw new SallyportError('policy-invalid', `${file.file}: ${why}`, { file: file.file })
  }
  let stated: unknown
  try {
    stated = JSON.parse(file.text)
  } catch {
    return refuse('the entities are not JSON')
  }
  if (!Array.isArray(stated)) return refuse('the entities are not a list')
  if (stated.length > MAX_ENTITIES) return refuse(`there are more than ${MAX_ENTITIES} entities`)
  const answer = attempt(() =>
    cedar.checkParseEntities({ entities: stated as cedar.EntityJson[], schema: schema.text }),
  )
  if (answer === null) return refuse('the entities are nested too deeply')
  if (answer.type === 'failure') return refuse(answer.errors.map(({ message }) => message).join('; '))
  return stated.map((each: unknown, index) => entityPlan(each) ?? refuse(`entity ${index} has no uid`))
}

/** Cedar has checked the form; names stand as `{type, id}` or `{__entity: {type, id}}`. */
function entityPlan(each: unknown): EntityPlan | null {
  if (!isObject(each)) return null
  const uid = entityOf(each['uid'])
  const { attrs = {}, tags = {}, parents = [] } = each
  if (uid === null || !isObject(attrs) || !isObject(tags) || !Array.isArray(parents)) return null
  const names = parents.map(entityOf)
  return { uid, attrs, tags, parents: names.flatMap((name) => name ?? []) }
}

function attempt<T>(call: () => T): T | null {
  try {
    return call()
  } catch {
    return null
  }
}
