import type {
  Checkpoint,
  ContextInput,
  DecisionInput,
  ItemInput,
  ResourceInput,
  TimeInput,
} from '../model/decision.ts'
import { CHECKPOINT_ORDER } from '../model/decision.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS, principalId } from '../model/subject.ts'
import { templateParameters } from './cedar/schema.ts'
import { checkScopes, type ScopeCheck } from './floor.ts'
import type { PolicyTest, PolicyTestCall } from './policy-test-file.ts'
import { callOf } from './policy-test-file.ts'

/** A test's call as the gate would have it at one checkpoint. */
export interface TestedCall {
  readonly checkpoint: 'head' | 'body' | 'response'
  readonly last: boolean
  readonly subject: Subject
  readonly scopes: ScopeCheck
  readonly input: DecisionInput
}

interface Api {
  readonly api: string
  readonly issuer?: string
  readonly credential?: 'replace' | 'pass'
}

const KIND = { User: 'user', Client: 'client', Workload: 'workload' } as const

/** The call, or what the test lacks. */
export function testedCall(test: PolicyTest, plan: OperationPlan, api: Api): TestedCall | string {
  const subject = subjectOf(test, api)
  if (subject === null) return 'given.principal: write issuer, or id as <issuer>/<sub>'
  const call = callOf(test)
  const last = lastCheckpoint(plan)
  const checkpoint = call.checkpoint ?? last
  const scopes = checkScopes(plan.security, subject, api.credential)
  const params = paramsOf(test, plan)
  const { principal } = test.given
  const input: DecisionInput = {
    checkpoint,
    principal: {
      type: principal.type,
      id: principalId(subject),
      groups: subject.groups.map((group) => qualified(group, subject.issuer)),
      roles: (principal.roles ?? []).map((role) => qualified(role, subject.issuer)),
      ...(principal.zone === undefined ? {} : { zone: principal.zone }),
      client: subject.client,
      tenant: subject.tenant,
    },
    action: plan.key,
    resource: resourceOf(test, { plan, subject, checkpoint, params }),
    context: contextOf(test, { call, plan, subject, params, scopesMet: scopes.met }),
  }
  return { checkpoint, last: CHECKPOINT_ORDER[checkpoint] >= CHECKPOINT_ORDER[last], subject, scopes, input }
}

/** What the answer states of each item of a list; none where the operation answers no list. */
export function itemsOf(
  { answer }: PolicyTest,
  { subject }: TestedCall,
  { object }: OperationPlan,
): readonly ItemInput[] {
  if (object?.items === undefined) return []
  return (answer?.items ?? []).map(({ id, owner, tenant }) => ({
    ...(id === undefined ? {} : { id }),
    ...(owner === undefined ? {} : { owner: qualified(owner, object.issuer ?? subject.issuer) }),
    ...(tenant === undefined ? {} : { tenant }),
  }))
}

function subjectOf({ given: { principal } }: PolicyTest, api: Api): Subject | null {
  if (principal.type === 'Anonymous') return ANONYMOUS
  const id = principal.id ?? ''
  const slash = id.indexOf('/')
  const issuer = principal.issuer ?? (slash > 0 ? id.slice(0, slash) : api.issuer)
  if (issuer === undefined || id === '') return null
  const bare = principal.issuer === undefined && slash > 0 ? id.slice(slash + 1) : id
  return {
    ...ANONYMOUS,
    kind: KIND[principal.type],
    issuer,
    iss: issuer,
    id: bare,
    client: principal.client ?? (principal.type === 'Client' ? bare : ''),
    groups: principal.groups,
    scopes: principal.scopes,
    audience: [api.api],
    ...(principal.acr === undefined ? {} : { acr: principal.acr }),
    tenant: principal.tenant,
  }
}

function paramsOf({ given }: PolicyTest, { template }: OperationPlan): Readonly<Record<string, string>> {
  return Object.fromEntries(
    templateParameters(template).map((name) => [name, given.object.params[name] ?? 'example']),
  )
}

interface ResourceOf {
  readonly plan: OperationPlan
  readonly subject: Subject
  readonly checkpoint: Checkpoint
  readonly params: Readonly<Record<string, string>>
}

function resourceOf(
  { given, answer }: PolicyTest,
  { plan, subject, checkpoint, params }: ResourceOf,
): ResourceInput {
  const { object } = plan
  const at = object?.ownerKnownAt ?? 'never'
  const known = at !== 'never' && CHECKPOINT_ORDER[checkpoint] >= CHECKPOINT_ORDER[at]
  const [hasOwner, hasTenant] = [
    object?.owner !== undefined || object?.requestOwner !== undefined,
    object?.tenant !== undefined || object?.requestTenant !== undefined,
  ]
  const owner = known && hasOwner ? (answer?.owner ?? given.object.owner) : undefined
  const tenant = known && hasTenant ? (answer?.tenant ?? given.object.tenant) : undefined
  const unknown: ('owner' | 'tenant')[] = []
  if (hasOwner && owner === undefined) unknown.push('owner')
  if (hasTenant && tenant === undefined) unknown.push('tenant')
  return {
    api: plan.api,
    objectType: object?.type ?? '',
    params,
    ...(object?.items?.named === undefined ? {} : { named: object.items.named }),
    ...(owner === undefined ? {} : { owner: qualified(owner, object?.issuer ?? subject.issuer) }),
    ...(tenant === undefined ? {} : { tenant }),
    unknown,
  }
}

interface ContextOf {
  readonly call: PolicyTestCall
  readonly plan: OperationPlan
  readonly subject: Subject
  readonly params: Readonly<Record<string, string>>
  readonly scopesMet: boolean
}

function contextOf(
  { given: { principal }, context }: PolicyTest,
  { call, plan, subject, params, scopesMet }: ContextOf,
): ContextInput {
  const { device, authAgeSeconds } = principal
  const { geo, risk, rates, message } = context ?? {}
  return {
    scopes: subject.scopes,
    scopesMet,
    issuer: subject.iss,
    audience: subject.audience,
    ...(subject.acr === undefined ? {} : { acr: subject.acr }),
    tokenAgeSeconds: principal.tokenAgeSeconds,
    method: call.method ?? plan.method,
    path: call.path ?? filled(plan.template, params),
    ip: context?.ip ?? call.ip ?? '127.0.0.1',
    amr: principal.amr ?? [],
    ...(authAgeSeconds === undefined ? {} : { authAgeSeconds }),
    networks: context?.networks ?? [],
    requestClasses: plan.classes?.request ?? [],
    answerClasses: plan.classes?.answer ?? [],
    time: timeOf(context?.time?.at ?? NOON, context?.time?.zone ?? 'UTC'),
    ...(device === undefined
      ? {}
      : {
          device: {
            id: qualified(device.id, subject.issuer),
            ...(device.compliant === undefined ? {} : { compliant: device.compliant }),
            ...(device.managed === undefined ? {} : { managed: device.managed }),
          },
        }),
    ...(geo === undefined
      ? {}
      : { geo: geo.asn === undefined ? { country: geo.country } : { country: geo.country, asn: geo.asn } }),
    ...(risk === undefined ? {} : { risk }),
    ...(rates === undefined ? {} : { rates }),
    ...(message === undefined ? {} : { message }),
  }
}

/** A working day for tests that say no time: the same on every day they are run. */
const NOON = '2026-01-05T12:00:00Z'

function timeOf(at: string, zone: string): TimeInput {
  const epochMs = Date.parse(at)
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'long',
    hourCycle: 'h23',
  }).formatToParts(epochMs)
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? ''
  return {
    epochMs,
    zone,
    hour: Number(part('hour')),
    minute: Number(part('minute')),
    weekday: part('weekday'),
  }
}

/** `staff` of issuer corp is `corp/staff`; what has a slash is taken as written. */
function qualified(name: string, issuer: string): string {
  return name.includes('/') ? name : `${issuer}/${name}`
}

function filled(template: string, params: Readonly<Record<string, string>>): string {
  let path = template
  for (const [name, value] of Object.entries(params)) path = path.replaceAll(`{${name}}`, () => value)
  return path
}

/** The last checkpoint that can still allow: an answer's owner is judged with the answer, all else before. */
function lastCheckpoint(plan: OperationPlan): 'body' | 'response' {
  return plan.object?.ownerKnownAt === 'response' ? 'response' : 'body'
}
