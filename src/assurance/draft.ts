import { templateParameters } from '../decision/cedar/schema.ts'
import { checkScopes, type ScopeCheck } from '../decision/floor.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Checkpoint, ContextInput, DecisionInput, PrincipalInput } from '../model/decision.ts'
import { CHECKPOINT_ORDER } from '../model/decision.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'

/**
 * A request to be, as values by path: `principal.type`, `principal` (its id), `principal.groups`, `resource.owner`,
 * `resource.params.orderId`, `context.device.compliant`. What is absent has no entry. The same draft becomes the
 * decision's input of either side of a comparison, each by its own contract.
 */
export type Draft = Map<string, DraftValue>

export type DraftValue = string | number | boolean | readonly string[]

export const CHECKPOINTS = ['head', 'body', 'response'] as const

/** What one side of a comparison makes of a draft. */
export interface DraftCall {
  readonly subject: Subject
  readonly scopes: ScopeCheck
  readonly input: DecisionInput
}

const KIND = { User: 'user', Client: 'client', Workload: 'workload', Anonymous: 'anonymous' } as const

/** The last checkpoint that can still allow. */
export function lastCheckpoint(plan: OperationPlan): 'body' | 'response' {
  return plan.object?.ownerKnownAt === 'response' ? 'response' : 'body'
}

export function callOf(
  draft: Draft,
  plan: OperationPlan,
  checkpoint: Checkpoint,
  api: Pick<ApiPlan, 'credential' | 'basePath'>,
): DraftCall {
  const principal = principalOf(draft)
  const scopesHeld = list(draft, 'context.scopes')
  const subject: Subject = {
    ...ANONYMOUS,
    kind: KIND[principal.type],
    id: principal.id,
    scopes: scopesHeld,
    groups: principal.groups,
  }
  const scopes = checkScopes(plan.security, subject, api.credential)
  const context: ContextInput = {
    scopes: scopesHeld,
    scopesMet: scopes.met,
    // No token, no issuer.
    issuer: principal.type === 'Anonymous' ? '' : text(draft, 'context.issuer', ''),
    audience: list(draft, 'context.audience'),
    tokenAgeSeconds: number(draft, 'context.tokenAgeSeconds'),
    method: plan.method,
    path: api.basePath + pathOf(draft, plan),
    ip: text(draft, 'context.ip', '192.0.2.1'),
    amr: list(draft, 'context.amr'),
    networks: list(draft, 'context.networks'),
    requestClasses: plan.classes?.request ?? [],
    answerClasses: plan.classes?.answer ?? [],
    ...optionalContext(draft),
  }
  return {
    subject,
    scopes,
    input: {
      checkpoint,
      principal,
      action: plan.key,
      resource: resourceOf(draft, plan, checkpoint),
      context,
    },
  }
}

function principalOf(draft: Draft): PrincipalInput {
  const type = text(draft, 'principal.type', 'User') as PrincipalInput['type']
  const zone = draft.get('principal.zone')
  const rest = typeof zone === 'string' ? { zone } : {}
  if (type === 'Anonymous')
    return { type, id: 'anonymous', groups: [], client: '', tenant: 'default', ...rest }
  return {
    type,
    id: text(draft, 'principal', 'someone'),
    groups: list(draft, 'principal.groups'),
    roles: list(draft, 'principal.roles'),
    client: text(draft, 'principal.client', 'app'),
    tenant: text(draft, 'principal.tenant', 'default'),
    ...rest,
  }
}

function resourceOf(draft: Draft, plan: OperationPlan, checkpoint: Checkpoint): DecisionInput['resource'] {
  const { object } = plan
  const known = object !== undefined && isKnown(plan, checkpoint)
  const owner = known && statesOwner(plan) ? draft.get('resource.owner') : undefined
  const tenant = known && statesTenant(plan) ? draft.get('resource.tenant') : undefined
  const unknown: ('owner' | 'tenant')[] = []
  if (statesOwner(plan) && typeof owner !== 'string') unknown.push('owner')
  if (statesTenant(plan) && typeof tenant !== 'string') unknown.push('tenant')
  return {
    api: plan.api,
    objectType: object?.type ?? '',
    params: paramsOf(draft, plan),
    ...(object?.items?.named === undefined ? {} : { named: object.items.named }),
    ...(typeof owner === 'string' ? { owner } : {}),
    ...(typeof tenant === 'string' ? { tenant } : {}),
    unknown,
  }
}

export function statesOwner({ object }: OperationPlan): boolean {
  return object?.owner !== undefined || object?.requestOwner !== undefined
}

export function statesTenant({ object }: OperationPlan): boolean {
  return object?.tenant !== undefined || object?.requestTenant !== undefined
}

function isKnown({ object }: OperationPlan, checkpoint: Checkpoint): boolean {
  const at = object?.ownerKnownAt ?? 'never'
  return at !== 'never' && CHECKPOINT_ORDER[checkpoint] >= CHECKPOINT_ORDER[at]
}

function paramsOf(draft: Draft, plan: OperationPlan): Readonly<Record<string, string>> {
  const params = templateParameters(plan.template).map((name): readonly [string, string] => [
    name,
    text(draft, `resource.params.${name}`, 'example'),
  ])
  const item = itemParameter(plan)
  const id = item === undefined ? undefined : draft.get(`resource.params.${item}`)
  if (item !== undefined && typeof id === 'string') params.push([item, id])
  return Object.fromEntries(params)
}

/** Path parameters an object is named by; of a list, its items': each is judged by the id it states. */
export function objectParameterNames(plan: OperationPlan): readonly string[] {
  const item = itemParameter(plan)
  return item === undefined ? templateParameters(plan.template) : [...templateParameters(plan.template), item]
}

function itemParameter({ object, template }: OperationPlan): string | undefined {
  const { id, param } = object?.items ?? {}
  return id === undefined || param === undefined || templateParameters(template).includes(param)
    ? undefined
    : param
}

function pathOf(draft: Draft, plan: OperationPlan): string {
  let path = plan.template
  for (const [name, value] of Object.entries(paramsOf(draft, plan))) {
    path = path.replaceAll(`{${name}}`, () => encodeURIComponent(value))
  }
  return path
}

const FIXED: ReadonlySet<string> = new Set([
  'context.scopes',
  'context.scopesMet',
  'context.issuer',
  'context.audience',
  'context.tokenAgeSeconds',
  'context.method',
  'context.path',
  'context.ip',
  'context.amr',
  'context.networks',
  'context.requestClasses',
  'context.answerClasses',
  'context.checkpoint',
])

/** What a nested record holds at the least, where any of it is stated. */
const COMPANIONS: Readonly<Record<string, Readonly<Record<string, DraftValue>>>> = {
  device: { id: 'corp/device' },
  geo: { country: 'DE' },
  rates: { callerPerMinute: 0 },
  message: { kind: 'message', bytes: 0 },
  time: { epochMs: 1_767_603_600_000, zone: 'UTC', hour: 9, minute: 0, weekday: 'Monday' },
}

function optionalContext(draft: Draft): Partial<ContextInput> {
  const found: Record<string, unknown> = {}
  const records = new Map<string, Record<string, unknown>>()
  for (const [path, value] of draft) {
    if (!path.startsWith('context.') || FIXED.has(path)) continue
    const [, name = '', ...below] = path.split('.')
    const whole = WHOLE[name]
    if (below.length === 0 && value !== true && whole === undefined) found[name] = value
    else {
      const record = records.get(name) ?? { ...COMPANIONS[name] }
      records.set(name, record)
      found[name] = record
      const key = below.join('.')
      if (key !== '') record[TIME[path] ?? key] = value
      else if (whole !== undefined && typeof value === 'string') record[whole] = value
    }
  }
  return found as Partial<ContextInput>
}

/** A record that policies see as an entity: what its id is. */
const WHOLE: Readonly<Record<string, string>> = { device: 'id' }

/** Attributes whose name in policies is another than in the input. */
const TIME: Readonly<Record<string, string>> = { 'context.time.at': 'epochMs', 'context.time.now': 'epochMs' }

function text(draft: Draft, path: string, other: string): string {
  const value = draft.get(path)
  return typeof value === 'string' ? value : other
}

function number(draft: Draft, path: string): number {
  const value = draft.get(path)
  return typeof value === 'number' ? value : 0
}

function list(draft: Draft, path: string): readonly string[] {
  const value = draft.get(path)
  return Array.isArray(value) ? (value as readonly string[]) : []
}
