import type { Expression, Policy } from './est.ts'
import { isObject, operands, operation, pathOf } from './est.ts'

/**
 * What no checkpoint can ever answer. Of an owner the gate knows the id alone: its groups and attributes belong to
 * someone who is not calling. Cedar's types would let such a policy pass, and it would then fail on every call.
 * @returns why, or null where the policy is fine.
 */
export function unanswerable(policy: Policy): string | null {
  return policy.conditions.some(({ body }) => asksOwner(body))
    ? 'of resource.owner only the id is known: compare it with principal or a User, not by its groups or attributes'
    : null
}

function asksOwner(expression: Expression): boolean {
  const [operator, operand] = operation(expression)
  if (isObject(operand)) {
    const left = isObject(operand['left']) ? pathOf(operand['left']) : null
    if (left?.[0] === 'resource' && left[1] === 'owner') {
      if (operator === '.' || operator === 'in') return true
      if (operator === 'has') return true
      if (operator === 'is' && operand['in'] !== undefined) return true
    }
    if (operator === 'has' && left?.join('.') === 'resource' && Array.isArray(operand['attr'])) {
      if (operand['attr'][0] === 'owner' && operand['attr'].length > 1) return true
    }
  }
  return operands(expression).some(asksOwner)
}
