import type { FieldObligation } from '../../model/decision.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { type FieldEdits, fieldEdits } from './edit-fields.ts'
import type { AnswerLabels } from './linked-labels.ts'

/**
 * What obligations ask of one operation's answers, remembered by the list of them: a permit's are the same list at
 * every call. Null where none can concern an answer of this operation: their classes and places are not among what its
 * contract declares, and it has no answer that a pointer could point into.
 */
export function fieldEditsFor(
  plan: OperationPlan,
  labels: AnswerLabels,
): (obligations: readonly FieldObligation[]) => FieldEdits | null {
  const classes = new Set(plan.classes?.answer)
  const places = new Set(plan.fieldRules?.map(({ at }) => at))
  const known = new WeakMap<readonly FieldObligation[], FieldEdits>()
  const concerns = (field: string): boolean => {
    if (field.startsWith('class:')) return classes.has(field.slice(6))
    return field.startsWith('#') ? places.has(field) : labels.json
  }
  return (obligations) => {
    const kept = known.get(obligations)
    if (kept !== undefined) return kept
    if (!obligations.some(({ fields }) => fields.some(concerns))) return null
    const made = fieldEdits(obligations, plan.object?.items?.at)
    known.set(obligations, made)
    return made
  }
}
