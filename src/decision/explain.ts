import type { Decision, DecisionInput, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { Reason } from '../model/reason.ts'
import { opposes } from '../model/reason.ts'
import type { RecordedInput } from '../model/record.ts'
import { replayInput } from './attributes.ts'
import { observedReasons, POLICY_CODES, policyReasons } from './decide.ts'
import { fieldsVerdict, recordedFields, sameFields } from './fields.ts'
import { itemReads, namesItems, sameIds, sameRows } from './items.ts'
import { sameObligations } from './obligations.ts'

export type Reevaluation = 'same' | 'changed' | { readonly undecidable: readonly string[] }

/** The parts of a record that a decision can be made of again. */
export interface RecordedDecision {
  /** In order; the last one at the attributes' checkpoint is judged. */
  readonly decisions: readonly Decision[]
  /** Null where no policy was asked, or the personal parts are erased. */
  readonly attributes: RecordedInput | null
}

/**
 * Judges a record again with these policies: the facts (identity, contract, findings) stand as recorded, the
 * policies are evaluated over the recorded attributes. `same` means effect, pending and deciding policies are all
 * equal; where an attribute the policies read was not recorded, that is said, and never called same.
 */
export function reevaluate(record: RecordedDecision, engine: PolicyEngine): Reevaluation {
  const { attributes, decisions } = record
  const first =
    attributes === null
      ? decisions.length - 1
      : decisions.findLastIndex(({ checkpoint }) => checkpoint === attributes.checkpoint)
  // Nothing became known after the attributes' checkpoint: whatever was decided there, was by the same.
  const judged = first === -1 ? [] : decisions.slice(first)
  if (judged.length === 0) return { undecidable: ['decision'] }
  const open = judged.filter((decision) => !settledByFacts(decision))
  // Where a fact denied, or there was nothing to judge by, no policy could have changed the outcome.
  if (open.length === 0) return 'same'
  if (attributes === null) return { undecidable: ['attributes'] }
  const replayed = replayInput(attributes, engine.reads)
  if (!replayed.ok) return { undecidable: replayed.missing }
  const fields = recordedFields(attributes)
  const asked = fields === null ? null : fieldsVerdict(engine, replayed.input, fields)
  const verdict = asked?.verdict ?? engine.evaluate(replayed.input)
  for (const decision of open) {
    if (asked !== null && !sameFields(decision.items?.rows ?? asked.rows, asked.rows)) return 'changed'
    const one =
      decision.items === undefined || asked !== null
        ? compare(decision, verdict)
        : compareItems(decision, attributes, replayed.input, verdict, engine)
    if (one !== 'same') return one
  }
  return 'same'
}

/** A list: the call as a whole, then every kind of item. Rows that were cut cannot be judged again. */
function compareItems(
  decision: Decision,
  { items = [], itemParam, itemIds, kept = [] }: RecordedInput,
  input: DecisionInput,
  verdict: PolicyVerdict,
  engine: PolicyEngine,
): Reevaluation {
  const { items: decided } = decision
  if (decided === undefined || decided.rows.length !== items.length) return { undecidable: ['items'] }
  // Items whose ids were not told apart cannot be judged by policies that name one.
  const known = itemIds !== false && itemReads(kept, itemParam).id
  if (!known && namesItems(engine, input, itemParam)) return { undecidable: ['items.id'] }
  if (verdict.verdict === 'deny' || !sameIds(decision.policies, verdict.policies)) return 'changed'
  if (!sameObligations(verdict.obligations, decision.obligations)) return 'changed'
  return sameRows(decided, items, engine, input, itemParam) ? 'same' : 'changed'
}

function settledByFacts({ reasons }: Decision): boolean {
  return reasons.some(({ code }) => code === 'ungoverned' || (opposes(code) && !POLICY_CODES.has(code)))
}

function compare(decision: Decision, verdict: PolicyVerdict): 'same' | 'changed' {
  const denied = decision.effect === 'deny'
  // A recorded deny of what was still waiting shows that its checkpoint was the last.
  const { observed = [] } = decision
  const last = denied || observed.some((each) => POLICY_CODES.has(each.code) && !isOfPolicy(each))
  const now = [...policyReasons(verdict, last), ...observedReasons(verdict)]
  if (codes(now) !== codes([...decision.reasons, ...observed])) return 'changed'
  if (!denied && decision.pending !== (verdict.verdict === 'pending')) return 'changed'
  if (!denied && !sameObligations(verdict.obligations, decision.obligations)) return 'changed'
  return sameIds(decision.policies, verdict.policies) ? 'same' : 'changed'
}

/** Of a single policy that is only observed, in contrast to an observed stage. */
function isOfPolicy({ evidence }: Reason): boolean {
  return evidence['mode'] === 'observe'
}

function codes(reasons: readonly Reason[]): string {
  return reasons
    .map(({ code }) => code)
    .filter((code) => POLICY_CODES.has(code))
    .sort()
    .join()
}
