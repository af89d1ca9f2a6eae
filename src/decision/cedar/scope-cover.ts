import { ruleReads } from '../obligations.ts'
import { actionScope } from './est.ts'
import { isObserved } from './observed-policy.ts'
import type { CedarPlan, CompiledPolicy } from './plan.ts'

/** Whether a policy's action scope takes in the operation. */
export function covers(
  { apis, policy }: CompiledPolicy,
  api: string,
  operation: string,
  groups: readonly string[],
): boolean {
  if (!apis.includes(api)) return false
  if (policy.action.op === 'All') return true
  const named = actionScope(policy).map(({ id }) => id)
  return named.includes(operation) || (policy.action.op === 'in' && groups.some((id) => named.includes(id)))
}

/** The policies that can decide calls of the operation; those only observed decide none. */
export function decidingPolicies(
  { policies, apis }: CedarPlan,
  api: string,
  operation: string,
): readonly CompiledPolicy[] {
  const groups = apis[api]?.actions[operation] ?? []
  return policies.filter((policy) => covers(policy, api, operation, groups) && !isObserved(policy.policy))
}

/** Attribute paths they read. */
export function operationReads(plan: CedarPlan, api: string, operation: string): ReadonlySet<string> {
  const reads = decidingPolicies(plan, api, operation).flatMap((policy) => policy.reads)
  return new Set([...reads, ...ruleReads(plan.apis[api]?.fields?.[operation])])
}
