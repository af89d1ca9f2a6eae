import { expressionText } from './cedar-text.ts'
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

/** A condition as Cedar text. */
export function clauseText(expression: Expression): string {
  return expressionText(expression) ?? TOO_LONG
}

const TOO_LONG = '(a condition too long to print)'
