import type { DecisionInput, ItemInput, ItemRow, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { RecordedInput } from '../model/record.ts'
import { itemInput, sameIds } from './items.ts'

/**
 * A GraphQL call is judged field by field: each field it asks for is an action of its own, with the call around it, and
 * the call is allowed where all of them are. The same function judges it when it comes and when its record is judged
 * again.
 */

export interface FieldsVerdict {
  readonly verdict: PolicyVerdict
  /** One for each field, in their order; empty where the call itself is forbidden. */
  readonly rows: readonly Omit<ItemRow, 'count'>[]
}

export function fieldsVerdict(
  engine: PolicyEngine,
  call: DecisionInput,
  fields: readonly ItemInput[],
): FieldsVerdict {
  const own = engine.evaluate(call)
  if (own.verdict === 'deny' || fields.length === 0) return { verdict: own, rows: [] }
  const rows: Omit<ItemRow, 'count'>[] = []
  const denied: string[] = []
  const permitting = new Set<string>()
  const denying = new Set<string>()
  const errors: PolicyVerdict['errors'][number][] = []
  const would = { permit: new Set<string>(), forbid: new Set(own.observed?.wouldForbid) }
  for (const field of fields) {
    const said = engine.evaluate(itemInput(call, field, undefined))
    // Which members of an answer an obligation means, aliases leave open: what cannot be kept is not promised.
    const allowed = said.verdict === 'allow' && said.obligations === undefined && field.action !== undefined
    rows.push({ effect: allowed ? 'allow' : 'deny', policies: said.policies })
    for (const id of said.policies) (allowed ? permitting : denying).add(id)
    if (!allowed) denied.push(field.action ?? '')
    errors.push(...said.errors)
    for (const id of said.observed?.wouldForbid ?? []) would.forbid.add(id)
    for (const id of said.observed?.wouldPermit ?? []) would.permit.add(id)
  }
  const observed =
    would.permit.size + would.forbid.size === 0
      ? {}
      : { observed: { wouldPermit: [...would.permit], wouldForbid: [...would.forbid] } }
  const verdict: PolicyVerdict =
    denied.length === 0
      ? { verdict: 'allow', policies: [...permitting], errors, fields: denied, ...observed }
      : { verdict: 'deny', policies: [...denying], errors, fields: denied, ...observed }
  return { verdict, rows }
}

/** The fields a recorded GraphQL call asked for; null where the record is of no such call, or they were not known. */
export function recordedFields({ items }: RecordedInput): readonly ItemInput[] | null {
  return items !== undefined && items.length > 0 && items.every(({ action }) => action !== undefined)
    ? items
    : null
}

/** Whether each field is judged as it was. */
export function sameFields(recorded: FieldsVerdict['rows'], rows: FieldsVerdict['rows']): boolean {
  return (
    recorded.length === rows.length &&
    recorded.every((row, index) => {
      const now = rows[index]
      return now !== undefined && now.effect === row.effect && sameIds(now.policies, row.policies)
    })
  )
}
