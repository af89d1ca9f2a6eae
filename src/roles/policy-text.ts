import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { readPlan } from '../decision/cedar/plan.ts'
import type { PolicyText } from '../management/record-actions.ts'
import type { PolicyPlan } from '../model/bundle.ts'

const FORMAT = { lineWidth: 100, indentWidth: 2 }

/** A bundle's policies of these ids as Cedar text: what the bundle holds is their JSON form. */
export function policyTexts(plan: PolicyPlan, ids: ReadonlySet<string>): readonly PolicyText[] {
  return readPlan(plan).policies.flatMap(({ id, policy }) => {
    if (!ids.has(id)) return []
    // Read back under the closed schema of the plan; Cedar parses it anew and says where it is none.
    const answer = cedar.policyToText(structuredClone(policy) as unknown as cedar.PolicyJson)
    if (answer.type === 'failure') return []
    const formatted = cedar.formatPolicies({ policyText: answer.text, ...FORMAT })
    const text = formatted.type === 'success' ? formatted.formatted_policy : answer.text
    return [{ id, effect: policy.effect, text: text.trim() }]
  })
}
