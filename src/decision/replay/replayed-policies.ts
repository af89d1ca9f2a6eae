import type {
  DecisionInput,
  ItemDecisions,
  ItemRow,
  Obligation,
  PolicyEngine,
  PolicyVerdict,
} from '../../model/decision.ts'
import { CHECKPOINT_ORDER } from '../../model/decision.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { opposes } from '../../model/reason.ts'
import type { RecordedInput } from '../../model/record.ts'
import { principalId } from '../../model/subject.ts'
import { replayInput } from '../attributes.ts'
import { fieldsVerdict, recordedFields } from '../fields.ts'
import type { ScopeCheck } from '../floor.ts'
import { itemReads, itemVerdict, namesItems } from '../items.ts'
import { fieldObligations } from '../obligations.ts'
import type { Against, Caller, Comparison, FieldsHidden, ItemsReleased, RecordedCall } from './replayed.ts'
import { restated } from './restated.ts'

export interface Answered {
  readonly verdict: PolicyVerdict | null
  readonly input: DecisionInput | null
  /** Of a list whose items are told apart. */
  readonly items?: ItemDecisions
}

/** `waits`: all that is missing is what the object would have stated. */
export type Asked = Answered | { readonly missing: readonly string[]; readonly waits?: true }

export const NOT_ASKED: Answered = { verdict: null, input: null }

/** What the policies say of a recorded call; or what of it they ask for and the record does not tell. */
export function askPolicies(
  call: RecordedCall,
  against: Against,
  { by, reads: readsOf }: Comparison,
  { subject, scopes, zone }: Caller,
): Asked {
  const { operation, own } = against
  const { engine, zone: zones } = by
  const recorded = call.outcome.attributes ?? call.record.intent.attributes
  if (recorded === null) return { missing: ['attributes'] }
  // The attributes are of somebody else than who would be judged.
  if (recorded.principal.id !== principalId(subject)) return { missing: ['identity'] }
  const reads = readsOf(operation.plan)
  for (const { action } of recordedFields(recorded) ?? []) {
    if (action === undefined) continue
    const { elsewhere, recorded: paths } = readsOf({ ...operation.plan, key: action })
    const unstated = replayInput(recorded, paths)
    if (elsewhere.length > 0) return { missing: elsewhere }
    if (!unstated.ok) return { missing: unstated.missing }
  }
  if (reads.object && own?.object !== operation.object) return { missing: ['resource.owner'] }
  if (reads.elsewhere.length > 0) return { missing: reads.elsewhere }
  // Parameters stand in the record by the names that the template then gave them.
  if (reads.params && own?.plan.template !== operation.plan.template) return { missing: ['resource.params'] }
  let replayed = replayInput(recorded, reads.recorded)
  if (!replayed.ok) replayed = replayInput(restated(recorded, call.record, subject), reads.recorded)
  if (!replayed.ok) return { missing: replayed.missing }
  const input: DecisionInput = {
    ...replayed.input,
    action: operation.plan.key,
    principal: { ...replayed.input.principal, zone: zones === null ? '' : zone },
    resource: { ...replayed.input.resource, objectType: operation.plan.object?.type ?? '' },
    context: {
      ...replayed.input.context,
      scopesMet: scopes.met,
      requestClasses: operation.plan.classes?.request ?? [],
      answerClasses: operation.plan.classes?.answer ?? [],
    },
  }
  const early = reads.checkpoint ? deniedEarly(call, input, operation.plan, engine) : null
  if (early !== null) return early
  const verdict = engine.evaluate(input)
  const late = reads.checkpoint && verdict.verdict !== 'deny' ? deniedLate(call, input, engine) : null
  if (late !== null) return late
  if (operation.plan.graphql === 'endpoint')
    return verdict.verdict === 'deny' ? { verdict, input } : judgeFields(call, recorded, engine, input)
  const list = operation.plan.object?.items
  const filters = verdict.verdict === 'allow' && list !== undefined && namesItems(engine, input, list.param)
  if (verdict.verdict !== 'pending' && !filters) return { verdict, input }
  // The floor refuses whatever the policies would come to; an upstream that failed has nothing more to say.
  if (floorRefuses(against, scopes) || upstreamTroubled(call)) return { verdict, input }
  if (list !== undefined) {
    // Whoever was allowed all of a list has no items in the record.
    if (recorded.items === undefined) return { missing: ['items'], waits: true }
    return judgeItems(call, recorded, engine, reads.recorded, input, verdict)
  }
  if (reachedEnd(call, operation.plan)) return { verdict, input }
  return { missing: input.resource.unknown.map((name) => `resource.${name}`), waits: true }
}

export function floorRefuses({ operation: { plan }, api }: Against, { met, leftToApi }: ScopeCheck): boolean {
  const observed = api.plan.observeStages?.includes('identity') === true
  return plan.security.need === 'required' && !met && !leftToApi && !observed
}

/** The upstream had trouble of its own: what it did not state then, nobody knows now. */
export function upstreamTroubled({ decisions, outcome }: RecordedCall): boolean {
  const said = decisions.flatMap(({ reasons, observed = [] }) => [...reasons, ...observed])
  return (
    outcome.upstreamStatus >= 500 || said.some(({ code, source }) => source === 'upstream' && opposes(code))
  )
}

/** Facts stand in the record once, at the checkpoint that brought the last of them; the call went on from there. */
function deniedLate(
  { decisions, outcome }: RecordedCall,
  input: DecisionInput,
  engine: PolicyEngine,
): { readonly verdict: PolicyVerdict; readonly input: DecisionInput } | null {
  for (const { checkpoint } of decisions) {
    if (CHECKPOINT_ORDER[checkpoint] <= CHECKPOINT_ORDER[input.checkpoint]) continue
    // No answer came that policies were asked about.
    if (checkpoint === 'response' && outcome.action === 'failed') continue
    const later = { ...input, checkpoint }
    const verdict = engine.evaluate(later)
    if (verdict.verdict === 'deny') return { verdict, input: later }
  }
  return null
}

/** Policies that ask which checkpoint they are at may deny before the last one, whatever is known there. */
function deniedEarly(
  { decisions }: RecordedCall,
  input: DecisionInput,
  { object }: OperationPlan,
  engine: PolicyEngine,
): { readonly verdict: PolicyVerdict; readonly input: DecisionInput } | null {
  for (const { checkpoint } of decisions) {
    if (CHECKPOINT_ORDER[checkpoint] >= CHECKPOINT_ORDER[input.checkpoint]) return null
    const at = object?.ownerKnownAt
    const stated = at !== undefined && at !== 'never' && CHECKPOINT_ORDER[at] <= CHECKPOINT_ORDER[checkpoint]
    const { owner: _, tenant: __, ...resource } = input.resource
    const names = ['owner', 'tenant'] as const
    const unknown = names.filter((name) => object?.[name] !== undefined)
    const earlier = { ...input, checkpoint, resource: stated ? input.resource : { ...resource, unknown } }
    const verdict = engine.evaluate(earlier)
    if (verdict.verdict === 'deny') return { verdict, input: earlier }
  }
  return null
}

/** Every field that a GraphQL call asked for, by these policies; a call whose document was not read tells none. */
function judgeFields(
  { decisions }: RecordedCall,
  recorded: RecordedInput,
  engine: PolicyEngine,
  input: DecisionInput,
): Asked {
  const fields = recordedFields(recorded)
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (fields === null || decided === undefined) return { missing: ['fields'] }
  const { verdict, rows } = fieldsVerdict(engine, input, fields)
  if (decided.rows.length !== rows.length) return { missing: ['fields'] }
  const counted = rows.map((row, index) => ({ ...row, count: decided.rows[index]?.count ?? 0 }))
  const { judged } = decided
  return {
    verdict,
    input,
    items: { judged, released: verdict.verdict === 'allow' ? judged : 0, rows: counted },
  }
}

/** Every kind of item the record tells apart, by these policies. */
function judgeItems(
  { decisions }: RecordedCall,
  { items = [], itemParam, itemIds, kept = [] }: RecordedInput,
  engine: PolicyEngine,
  reads: ReadonlySet<string>,
  input: DecisionInput,
  verdict: PolicyVerdict,
): Asked {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined || decided.rows.length !== items.length) return { missing: ['items'] }
  const known = itemIds !== false && itemReads(kept, itemParam).id
  if (itemReads(reads, itemParam).id && !known) return { missing: ['items.id'] }
  const rows = decided.rows.map(({ count }, index) => ({
    ...itemVerdict(engine, input, items[index] ?? {}, itemParam),
    count,
  }))
  const allowed = (all: readonly ItemRow[]): number =>
    all.reduce((sum, { effect, count }) => sum + (effect === 'allow' ? count : 0), 0)
  // Entries that are no objects are taken out whoever is allowed what.
  if (allowed(decided.rows) !== decided.released) return { missing: ['items'] }
  const released = allowed(rows)
  return { verdict, input, items: { judged: decided.judged, released, rows } }
}

/** What would be hidden of the answer otherwise than it was; undefined where nothing would. */
export function hiddenFields(
  { decisions, record: { intent }, outcome }: RecordedCall,
  { verdict, items }: Answered,
  { from }: Against,
  hides: boolean,
): FieldsHidden | undefined {
  // What came of the call was no answer of the upstream's.
  if (outcome.action !== 'forwarded') return undefined
  const hid = intent.mode === 'enforce' && from?.plan.observeStages?.includes('policy') !== true
  const last = decisions.findLast(({ effect }) => effect === 'allow')
  const textsOf = (
    own: readonly Obligation[] = [],
    rows: readonly Omit<ItemRow, 'count'>[] = [],
  ): ReadonlySet<string> => {
    const all = [...fieldObligations(own), ...rows.flatMap((row) => row.obligations ?? [])]
    return new Set(all.flatMap(({ kind, fields }) => fields.map((field) => `${kind} ${field}`)))
  }
  const before = hid ? textsOf(last?.obligations, last?.items?.rows) : new Set<string>()
  const now = hides ? textsOf(verdict?.obligations, items?.rows) : new Set<string>()
  const narrowed = [...now].filter((text) => !before.has(text)).sort()
  const widened = [...before].filter((text) => !now.has(text)).sort()
  return narrowed.length + widened.length === 0 ? undefined : { narrowed, widened }
}

/** What a list whose items were told apart would lose and gain. `filters`: observing leaves a list whole. */
export function releasedItems(
  { decisions, record: { intent } }: RecordedCall,
  { items }: Answered,
  { from }: Against,
  filters: boolean,
): ItemsReleased | undefined {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined) return undefined
  const filtered = intent.mode === 'enforce' && from?.plan.observeStages?.includes('policy') !== true
  let lost = 0
  let gained = 0
  decided.rows.forEach(({ effect, count }, index) => {
    const before = !filtered || effect === 'allow'
    const now = !filters || items === undefined || items.rows[index]?.effect === 'allow'
    if (before && !now) lost += count
    if (now && !before) gained += count
  })
  return { lost, gained }
}

/**
 * Whether what was found about the call's object would be found again. A write's look-up is made whatever policies
 * say; an answer is only asked for an owner while they wait for one.
 */
export function weighObject(
  call: RecordedCall,
  against: Against,
  between: Comparison,
  who: Caller,
): { readonly stands: boolean } | { readonly missing: readonly string[] } {
  const { operation, own } = against
  if (own?.object !== operation.object) return { missing: ['object'] }
  const { ownerKnownAt, hideAbsent } = operation.plan.object ?? {}
  const codes = call.decisions.flatMap(({ reasons, observed = [] }) => [...reasons, ...observed])
  const absent = codes.some(({ code }) => code === 'object-absent')
  if (ownerKnownAt === 'body' || (absent && hideAbsent === true)) return { stands: true }
  const asked = askPolicies(call, against, between, who)
  if ('missing' in asked) return asked.waits === true ? { stands: true } : asked
  if (asked.verdict?.verdict === 'allow') return { missing: ['object'] }
  return { stands: asked.verdict?.verdict === 'pending' }
}

/** The recorded call came to the checkpoint where the object's owner is known: what is unknown there stays so. */
function reachedEnd({ decisions, outcome }: RecordedCall, { object }: OperationPlan): boolean {
  const last = object?.ownerKnownAt === 'response' ? 'response' : 'body'
  if (!decisions.some(({ checkpoint }) => CHECKPOINT_ORDER[checkpoint] >= CHECKPOINT_ORDER[last]))
    return false
  if (last === 'response') return true
  // Observed, a call goes on that its head spoke against; but nothing is asked about its object then.
  const opposed = decisions.some(({ checkpoint, effect }) => checkpoint === 'head' && effect !== 'allow')
  return !opposed && (object?.lookup === undefined || outcome.lookups.length > 0)
}
