import type { ScopeCheck } from '../decision/floor.ts'
import type { Checkpoint, DecisionInput, DeviceInput } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { principalId } from '../model/subject.ts'
import type { CleanHead } from './hygiene.ts'
import type { Surroundings } from './surroundings.ts'

const TYPE = { user: 'User', client: 'Client', workload: 'Workload', anonymous: 'Anonymous' } as const

const NONE: readonly string[] = Object.freeze([])

/** The attributes policies may read, as known at the head; later checkpoints add to them. */
export function headInput(
  exchange: Exchange,
  head: CleanHead,
  subject: Subject,
  operation: OperationPlan,
  params: Readonly<Record<string, string>>,
  scopes: ScopeCheck,
  surroundings: Surroundings,
  /** Of the trust zone the caller is in; empty: none. */
  zone = '',
): DecisionInput {
  const nowSeconds = exchange.received.wallMs / 1000
  return {
    checkpoint: 'head',
    principal: {
      type: TYPE[subject.kind],
      id: principalId(subject),
      groups: qualified(subject.issuer, subject.groups),
      ...(subject.roles === undefined ? {} : { roles: qualified(subject.issuer, subject.roles) }),
      ...(zone === '' ? {} : { zone }),
      client: subject.client,
      tenant: subject.tenant,
    },
    action: operation.key,
    resource: {
      api: operation.api,
      objectType: operation.object?.type ?? '',
      params,
      ...(operation.object?.items?.named === undefined ? {} : { named: operation.object.items.named }),
      // Also where nothing will ever state them: policies then see "not known", never "nobody's".
      unknown: unknownAttributes(operation),
    },
    context: {
      scopes: subject.scopes,
      scopesMet: scopes.met,
      issuer: subject.iss,
      audience: subject.audience,
      ...(subject.acr === undefined ? {} : { acr: subject.acr }),
      tokenAgeSeconds: subject.issuedAt === 0 ? 0 : ageOf(subject.issuedAt, nowSeconds),
      method: exchange.head.method,
      path: head.path,
      ip: exchange.caller.text,
      amr: subject.amr ?? NONE,
      requestClasses: operation.classes?.request ?? NONE,
      answerClasses: operation.classes?.answer ?? NONE,
      ...(subject.authTime === undefined ? {} : { authAgeSeconds: ageOf(subject.authTime, nowSeconds) }),
      ...(subject.device === undefined ? {} : { device: deviceOf(subject.issuer, subject.device) }),
      ...surroundings.of(exchange.caller.bytes, exchange.received.wallMs),
    },
  }
}

/** Whole seconds; a time that a jump of the clock put into the future has no age. */
function ageOf(seconds: number, nowSeconds: number): number {
  return Math.max(0, Math.floor(nowSeconds - seconds))
}

/** Entity ids: two issuers' groups of one name are two groups. */
function qualified(issuer: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? NONE : names.map((name) => `${issuer}/${name}`)
}

function deviceOf(issuer: string, device: NonNullable<Subject['device']>): DeviceInput {
  return { ...device, id: `${issuer}/${device.id}` }
}

function unknownAttributes(operation: OperationPlan): ('owner' | 'tenant')[] {
  const unknown: ('owner' | 'tenant')[] = []
  const { owner, tenant, requestOwner, requestTenant } = operation.object ?? {}
  if (owner || requestOwner) unknown.push('owner')
  if (tenant || requestTenant) unknown.push('tenant')
  return unknown
}

/** The same call at a later checkpoint, what is unknown unchanged. */
export function atCheckpoint(input: DecisionInput, checkpoint: Checkpoint): DecisionInput {
  return { ...input, checkpoint }
}

/** The same call with nothing known since: only the checkpoint differs, and no policy asks for that. */
export function isSameCall(
  earlier: DecisionInput,
  later: DecisionInput,
  reads: ReadonlySet<string>,
): boolean {
  const { principal, resource, context } = later
  const same = earlier.principal === principal && earlier.resource === resource && earlier.context === context
  return same && !reads.has('context.checkpoint') && !reads.has('context')
}

/** The object's owner and tenant as far as they have been stated by now; what nobody stated stays unknown. */
export function withObject(input: DecisionInput, checkpoint: Checkpoint, facts: ObjectFacts): DecisionInput {
  const { resource } = input
  if (facts.owner === undefined && facts.tenant === undefined) return { ...input, checkpoint }
  return {
    ...input,
    checkpoint,
    resource: {
      ...resource,
      ...facts,
      unknown: resource.unknown.filter((name) => facts[name] === undefined),
    },
  }
}

export interface ObjectFacts {
  /** Principal id of the owner. */
  readonly owner?: string
  readonly tenant?: string
}
