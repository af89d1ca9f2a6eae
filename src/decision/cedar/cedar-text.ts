import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Expression, Policy } from './est.ts'

/** Longs a JavaScript number cannot hold stand in a plan as `{"__long": "…"}` (policy-text.ts). */
const EXACT_LONG = /\{\s*"__long":\s*"(-?\d{1,19})"\s*\}/g
const ANY = { op: 'All' } as const
const BODY = /when\s*\{([\s\S]*)\}\s*;\s*$/

/** A policy's JSON form as Cedar text; null for what Cedar cannot write: conditions of about sixty parts in this form. */
export function cedarText(policy: Policy): string | null {
  try {
    const answer = cedar.policyToText(structuredClone(policy) as unknown as cedar.PolicyJson)
    return answer.type === 'failure' ? null : answer.text.replace(EXACT_LONG, '$1')
  } catch {
    return null
  }
}

/**
 * A part of a condition in one line: `resource.owner == principal`. Cedar prints policies, so it is printed as one that
 * has no other. Null for what Cedar cannot write.
 */
export function expressionText(body: Expression): string | null {
  const scope = { principal: ANY, action: ANY, resource: ANY }
  const text = cedarText({ effect: 'permit', ...scope, conditions: [{ kind: 'when', body }] })
  return (
    BODY.exec(text ?? '')?.[1]
      ?.replace(/\s+/g, ' ')
      .trim() ?? null
  )
}
