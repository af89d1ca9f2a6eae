import type {
  Checkpoint,
  DecisionInput,
  ItemDecisions,
  PolicyEngine,
  PolicyVerdict,
} from '../../model/decision.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { RecordedInput } from '../../model/record.ts'
import { replayInput } from '../attributes.ts'
import type { ScopeCheck } from '../floor.ts'
import { itemReads, itemVerdict } from '../items.ts'
import type { Against, Comparison, ItemsReleased, RecordedCall } from './replayed.ts'

const ORDER: Readonly<Record<Checkpoint, number>> = { head: 0, body: 1, response: 2, message: 3 }

export interface Answered {
  readonly verdict: PolicyVerdict | null
  readonly input: DecisionInput | null
  /** Of a list whose items are told apart. */
  readonly items?: ItemDecisions
}

export type Asked = Answered | { readonly missing: readonly string[] }

export const NOT_ASKED: Answered = { verdict: null, input: null }

/** What the policies say of a recorded call; or what of it they ask for and the record does not tell. */
export function askPolicies(
  call: RecordedCall,
  { operation, own }: Against,
  { by, elsewhere, reads }: Comparison,
  scopes: ScopeCheck,
  zone: string,
): Asked {
  const { engine, zone: zones } = by
  const recorded = call.outcome.attributes ?? call.record.intent.attributes
  if (recorded === null) return { missing: ['attributes'] }
  const readsObject = engine.reads.has('resource.owner') || engine.reads.has('resource.tenant')
  if (readsObject && own?.object !== operation.object) return { missing: ['resource.owner'] }
  if (elsewhere.length > 0) return { missing: elsewhere }
  const replayed = replayInput(recorded, reads)
  if (!replayed.ok) return { missing: replayed.missing }
  const input: DecisionInput = {
    ...replayed.input,
    action: operation.plan.key,
    principal: { ...replayed.input.principal, zone: zones === null ? '' : zone },
    resource: { ...replayed.input.resource, objectType: operation.plan.object?.type ?? '' },
    context: { ...replayed.input.context, scopesMet: scopes.met },
  }
  const early = engine.reads.has('context.checkpoint')
    ? deniedEarly(call, input, operation.plan, engine)
    : null
  if (early !== null) return early
  const verdict = engine.evaluate(input)
  if (
    verdict.verdict === 'pending' &&
    operation.plan.object?.items !== undefined &&
    recorded.items !== undefined
  )
    return judgeItems(call, recorded, engine, input, verdict)
  if (verdict.verdict === 'pending' && !reachedEnd(recorded, operation.plan)) {
    // The floor refuses whatever the policies would come to.
    if (operation.plan.security.need === 'required' && !scopes.met && !scopes.leftToApi)
      return { verdict, input }
    return { missing: input.resource.unknown.map((name) => `resource.${name}`) }
  }
  return { verdict, input }
}

/** Policies that ask which checkpoint they are at may deny before the last one, whatever is known there. */
function deniedEarly(
  { decisions }: RecordedCall,
  input: DecisionInput,
  { object }: OperationPlan,
  engine: PolicyEngine,
): { readonly verdict: PolicyVerdict; readonly input: DecisionInput } | null {
  for (const { checkpoint } of decisions) {
    if (ORDER[checkpoint] >= ORDER[input.checkpoint]) return null
    const stated = object !== undefined && ORDER[object.ownerKnownAt as Checkpoint] <= ORDER[checkpoint]
    const { owner: _, tenant: __, ...resource } = input.resource
    const names = ['owner', 'tenant'] as const
    const unknown = names.filter((name) => object?.[name] !== undefined)
    const earlier = { ...input, checkpoint, resource: stated ? input.resource : { ...resource, unknown } }
    const verdict = engine.evaluate(earlier)
    if (verdict.verdict === 'deny') return { verdict, input: earlier }
  }
  return null
}

/** Every kind of item the record tells apart, by these policies. */
function judgeItems(
  { decisions }: RecordedCall,
  { items = [], itemParam, kept = [] }: RecordedInput,
  engine: PolicyEngine,
  input: DecisionInput,
  verdict: PolicyVerdict,
): Asked {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined || decided.rows.length !== items.length) return { missing: ['items'] }
  if (itemReads(engine.reads, itemParam).id && !itemReads(kept, itemParam).id)
    return { missing: ['items.id'] }
  const rows = decided.rows.map(({ count }, index) => ({
    ...itemVerdict(engine, input, items[index] ?? {}, itemParam),
    count,
  }))
  const counts = rows.map(({ effect, count }) => (effect === 'allow' ? count : 0))
  const released = counts.reduce((sum, count) => sum + count, 0)
  return { verdict, input, items: { judged: decided.judged, released, rows } }
}

/** Items before and now, where the recorded call's were told apart. */
export function releasedItems({ decisions }: RecordedCall, { items }: Answered): ItemsReleased | undefined {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined) return undefined
  return { from: decided.released, to: items?.released ?? decided.judged }
}

/** The recorded call came to the checkpoint where the object's owner is known: what is unknown there stays so. */
function reachedEnd(recorded: RecordedInput, { object }: OperationPlan): boolean {
  const last = object?.ownerKnownAt === 'response' ? 'response' : 'body'
  return ORDER[recorded.checkpoint] >= ORDER[last]
}
