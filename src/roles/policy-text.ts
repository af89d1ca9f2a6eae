import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { cedarText } from '../decision/cedar/cedar-text.ts'
import type { Policy } from '../decision/cedar/est.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import type { PolicyText } from '../management/record-actions.ts'
import type { PolicyPlan } from '../model/bundle.ts'

const FORMAT = { lineWidth: 100, indentWidth: 2 }

/** A bundle's policies of these ids as Cedar text: what the bundle holds is their JSON form. */
export function policyTexts(plan: PolicyPlan, ids: ReadonlySet<string>): readonly PolicyText[] {
  return readPlan(plan).policies.flatMap(({ id, policy, link }) => {
    if (!ids.has(id)) return []
    const text = textOf(policy)
    return text === null ? [] : [{ id, effect: policy.effect, text, ...(link === undefined ? {} : { link }) }]
  })
}

/** Null for what Cedar cannot write. */
function textOf(policy: Policy): string | null {
  const text = cedarText(policy)
  if (text === null) return null
  const formatted = cedar.formatPolicies({ policyText: text, ...FORMAT })
  return (formatted.type === 'success' ? formatted.formatted_policy : text).trim()
}
