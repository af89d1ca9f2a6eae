import type { Decision, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { Reason } from '../model/reason.ts'
import { opposes } from '../model/reason.ts'
import type { RecordedInput } from '../model/record.ts'
import { replayInput } from './attributes.ts'
import { POLICY_CODES, policyReasons } from './decide.ts'

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
  const { attributes } = record
  const decision =
    attributes === null
      ? record.decisions.at(-1)
      : record.decisions.findLast(({ checkpoint }) => checkpoint === attributes.checkpoint)
  if (decision === undefined) return { undecidable: ['decision'] }
  // Where a fact denied, or there was nothing to judge by, no policy could have changed the outcome.
  if (settledByFacts(decision)) return 'same'
  if (attributes === null) return { undecidable: ['attributes'] }
  const replayed = replayInput(attributes, engine.reads)
  if (!replayed.ok) return { undecidable: replayed.missing }
  return compare(decision, engine.evaluate(replayed.input))
}

function settledByFacts({ reasons }: Decision): boolean {
  return reasons.some(({ code }) => code === 'ungoverned' || (opposes(code) && !POLICY_CODES.has(code)))
}

function compare(decision: Decision, verdict: PolicyVerdict): 'same' | 'changed' {
  const denied = decision.effect === 'deny'
  // A recorded deny of what was still waiting shows that its checkpoint was the last.
  const last = denied
  const now = policyReasons(verdict, last)
  if (now.length > 0 !== denied) return 'changed'
  if (!denied && decision.pending !== (verdict.verdict === 'pending')) return 'changed'
  if (denied && codes(now) !== codes(decision.reasons)) return 'changed'
  return sameIds(decision.policies, verdict.policies) ? 'same' : 'changed'
}

function codes(reasons: readonly Reason[]): string {
  return reasons
    .map(({ code }) => code)
    .filter((code) => POLICY_CODES.has(code))
    .sort()
    .join()
}

function sameIds(left: readonly string[], right: readonly string[]): boolean {
  const wanted = new Set(left)
  return wanted.size === new Set(right).size && right.every((id) => wanted.has(id))
}
