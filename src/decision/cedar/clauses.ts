import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Expression, Policy, ScopeConstraint } from './est.ts'
import { conjuncts, disjuncts } from './est.ts'

/**
 * A policy as a list of conditions that must all hold: its scope, but for the action, and the parts of its `when` and
 * `unless`; what follows `unless` stands with a `!`.
 */
export function clausesOf(policy: Policy): readonly Expression[] {
  return [
    ...scopeExpression('principal', policy.principal),
    ...scopeExpression('resource', policy.resource),
    ...policy.conditions.flatMap(({ kind, body }) =>
      // `unless { A || B }` is `when { !A } when { !B }`.
      kind === 'when' ? conjuncts(body) : disjuncts(body).map((part) => ({ '!': { arg: part } })),
    ),
  ]
}

function scopeExpression(variable: 'principal' | 'resource', scope: ScopeConstraint): readonly Expression[] {
  const left = { Var: variable }
  const entity = (of: unknown): Expression => ({ Value: { __entity: of } })
  switch (scope.op) {
    case 'All':
      return []
    case '==':
    case 'in':
      return [{ [scope.op]: { left, right: entity(scope.entity) } }]
    case 'is': {
      const within = scope.in as { readonly entity?: unknown } | undefined
      const base = { left, entity_type: scope.entity_type }
      return [{ is: within === undefined ? base : { ...base, in: entity(within.entity) } }]
    }
  }
}

const ANY = { op: 'All' } as const
const BEFORE = /^[\s\S]*?when\s*\{\s*/
const AFTER = /\s*\}\s*;\s*$/

/** A condition as Cedar text: `resource.owner == principal`. Cedar prints policies, so it is printed as one that has no other. */
export function clauseText(expression: Expression): string {
  const policy = {
    effect: 'permit',
    principal: ANY,
    action: ANY,
    resource: ANY,
    conditions: [{ kind: 'when', body: expression }],
  }
  try {
    const answer = cedar.policyToText(structuredClone(policy) as unknown as cedar.PolicyJson)
    if (answer.type === 'failure') return TOO_LONG
    return answer.text.replace(BEFORE, '').replace(AFTER, '').replace(EXACT_LONG, '$1').replace(/\s+/g, ' ')
  } catch {
    return TOO_LONG
  }
}

const TOO_LONG = '(a condition too long to print)'
/** Longs a JavaScript number cannot hold stand in a plan as `{"__long": "…"}` (policy-text.ts). */
const EXACT_LONG = /\{\s*"__long":\s*"(-?\d{1,19})"\s*\}/g
