import type { AskedCall } from '../contract/instantiate.ts'
import { fieldsVerdict } from '../decision/fields.ts'
import type { DecisionInput, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { JudgedItems } from './list-items.ts'

/** The fields a GraphQL call asks for, and how often each. */
export type AskedFields = AskedCall['reading']['fields']

const NONE: ReadonlySet<number> = new Set()

/** Judges a GraphQL call field by field: the call's verdict, and a row of the record for each action. */
export function judgeFields(
  engine: PolicyEngine,
  call: DecisionInput,
  asked: AskedFields,
): { readonly policy: PolicyVerdict; readonly items: JudgedItems | undefined } {
  const inputs = asked.map(({ action }) => ({ action }))
  const { verdict, rows } = fieldsVerdict(engine, call, inputs)
  if (rows.length === 0) return { policy: verdict, items: undefined }
  const judged = asked.reduce((sum, { count }) => sum + count, 0)
  const decisions = {
    judged,
    released: verdict.verdict === 'allow' ? judged : 0,
    rows: rows.map((row, index) => ({ ...row, count: asked[index]?.count ?? 0 })),
  }
  return {
    policy: verdict,
    items: { decisions, inputs, param: undefined, byId: false, removed: NONE, kinds: [] },
  }
}
