import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Expression, Policy } from '../decision/cedar/est.ts'
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

/** Longs a JavaScript number cannot hold stand in a plan as `{"__long": "…"}` (policy-text.ts of decision). */
const EXACT_LONG = /\{\s*"__long":\s*"(-?\d{1,19})"\s*\}/g

/** Null for what Cedar cannot write: it takes conditions of about sixty parts in this form. */
function textOf(policy: Policy): string | null {
  try {
    const answer = cedar.policyToText(structuredClone(policy) as unknown as cedar.PolicyJson)
    if (answer.type === 'failure') return null
    const exact = answer.text.replace(EXACT_LONG, '$1')
    const formatted = cedar.formatPolicies({ policyText: exact, ...FORMAT })
    return (formatted.type === 'success' ? formatted.formatted_policy : exact).trim()
  } catch {
    return null
  }
}

/** A part of a condition as Cedar text in one line. */
export function expressionText(body: Expression): string {
  const all = { op: 'All' } as const
  const conditions = [{ kind: 'when', body }] as const
  const text = textOf({ effect: 'permit', principal: all, action: all, resource: all, conditions })
  return (/when\s*\{([\s\S]*)\}\s*;\s*$/.exec(text ?? '')?.[1] ?? '').replace(/\s+/g, ' ').trim()
}
