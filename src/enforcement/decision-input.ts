import type { ScopeCheck } from '../decision/floor.ts'
import type { Checkpoint, DecisionInput } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { principalId } from '../model/subject.ts'
import type { CleanHead } from './hygiene.ts'

const TYPE = { user: 'User', client: 'Client', workload: 'Workload', anonymous: 'Anonymous' } as const

/** The attributes policies may read, as known at the head; later checkpoints add to them. */
export function headInput(
  exchange: Exchange,
  head: CleanHead,
  subject: Subject,
  operation: OperationPlan,
  params: Readonly<Record<string, string>>,
  scopes: ScopeCheck,
): DecisionInput {
  const nowSeconds = exchange.received.wallMs / 1000
  return {
    checkpoint: 'head',
    principal: {
      type: TYPE[subject.kind],
      id: principalId(subject),
      groups: subject.groups.map((group) => `${subject.issuer}/${group}`),
      client: subject.client,
      tenant: subject.tenant,
    },
    action: operation.key,
    resource: {
      api: operation.api,
      objectType: operation.object?.type ?? '',
      params,
      // Also where nothing will ever state them: policies then see "not known", never "nobody's".
      unknown: unknownAttributes(operation),
    },
    context: {
      scopes: subject.scopes,
      scopesMet: scopes.met,
      issuer: subject.iss,
      audience: subject.audience,
      ...(subject.acr === undefined ? {} : { acr: subject.acr }),
      tokenAgeSeconds: subject.issuedAt === 0 ? 0 : Math.max(0, Math.floor(nowSeconds - subject.issuedAt)),
      method: exchange.head.method,
      path: head.path,
      ip: exchange.caller.text,
    },
  }
}

function unknownAttributes(operation: OperationPlan): ('owner' | 'tenant')[] {
  const unknown: ('owner' | 'tenant')[] = []
  if (operation.object?.owner) unknown.push('owner')
  if (operation.object?.tenant) unknown.push('tenant')
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
  return same && !reads.has('context.checkpoint')
}

/** The object's owner and tenant as its representation states them; what it does not state stays unknown. */
export function withObject(input: DecisionInput, checkpoint: Checkpoint, facts: ObjectFacts): DecisionInput {
  const { api, objectType, params, unknown } = input.resource
  return {
    ...input,
    checkpoint,
    resource: {
      api,
      objectType,
      params,
      ...facts,
      unknown: unknown.filter((name) => facts[name] === undefined),
    },
  }
}

export interface ObjectFacts {
  /** Principal id of the owner. */
  readonly owner?: string
  readonly tenant?: string
}
