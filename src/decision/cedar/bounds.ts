import type { Condition, Expression, Policy } from './est.ts'
import { conjuncts, disjuncts, operands, operation, pathOf } from './est.ts'
import { expressionReads } from './reads.ts'

/**
 * What can be said of a policy while `resource.owner` or `resource.tenant` is not known yet. A policy that reads
 * none of the unknown paths is decidable as it stands. Of one that does, `mayApply` makes an upper bound: a policy
 * that holds whenever the real one could hold (or, for a forbid, fail) under any value of the unknown.
 */

export function isDecidable(reads: readonly string[], unknown: ReadonlySet<string>): boolean {
  return !reads.some((path) => unknown.has(path))
}

/**
 * The policy with the parts dropped that read unknown paths, as a permit, so that an evaluation lists it by id.
 *
 * A permit holds only if every conjunct is true, so dropping some can only widen it. A forbid also denies by
 * failing; evaluation stops at the first false conjunct, so behind a dropped one that can fail nothing saves it,
 * and what follows is dropped as well.
 */
export function mayApply(policy: Policy, unknown: ReadonlySet<string>): Policy {
  const strict = policy.effect === 'forbid'
  const kept: Condition[] = []
  for (const { kind, body } of policy.conditions) {
    // `unless { A || B }` is `when { !A } when { !B }`.
    const parts = kind === 'when' ? conjuncts(body) : disjuncts(body)
    let open = false
    for (const part of parts) {
      const touched = [...expressionReads(part)].some((path) => unknown.has(path))
      if (!touched) kept.push({ kind, body: part })
      else if (strict && canFail(part)) {
        open = true
        break
      }
    }
    if (open) break
  }
  return { ...policy, effect: 'permit', conditions: kept }
}

/** Comparisons of extension values; every other call can meet a value it refuses. */
const SAFE_CALLS = new Set([
  'isIpv4',
  'isIpv6',
  'isLoopback',
  'isMulticast',
  'isInRange',
  'lessThan',
  'lessThanOrEqual',
  'greaterThan',
  'greaterThanOrEqual',
])
const SAFE_OPERATORS = new Set([
  'Value',
  'Var',
  '.',
  'has',
  'like',
  'is',
  'in',
  '==',
  '!=',
  '!',
  '<',
  '<=',
  '>',
  '>=',
  '&&',
  '||',
  'if-then-else',
  'contains',
  'containsAll',
  'containsAny',
  'isEmpty',
  'Set',
  'Record',
  ...SAFE_CALLS,
])

/**
 * A validated expression fails only by arithmetic overflow or in an extension's parser; strict validation rules
 * out wrong types and absent attributes (Cedar, "Policy validation": soundness). That holds of entities that exist:
 * whose attribute is read has to be seen, so what stands behind an `if` or is named may be somebody nobody knows.
 */
function canFail(expression: Expression): boolean {
  const [operator] = operation(expression)
  if (operator === '.' && pathOf(expression) === null) return true
  return !SAFE_OPERATORS.has(operator) || operands(expression).some(canFail)
}
