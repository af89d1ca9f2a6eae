import type { Test } from './compiled.ts'
import { CedarFormError, type Condition, type Expression, type Policy } from './est.ts'
import { compileExpression } from './expression.ts'
import type { Slots } from './scope.ts'

/** All of a policy but its scope; throws an `EvaluationError` where the policy's evaluation fails. */
export type CompiledCondition = Test

/** Every `when` holds and no `unless` does, tried in the order they are written. @throws {CedarFormError} */
export function compileConditions(policy: Policy, slots: Slots): CompiledCondition {
  const [first, ...rest] = policy.conditions.map(conditionOf)
  if (first === undefined) return ALWAYS
  return compileExpression(
    rest.reduce((left, right) => ({ '&&': { left, right } }), first),
    slots,
  ).test
}

const ALWAYS: CompiledCondition = () => true

function conditionOf({ kind, body }: Condition): Expression {
  if (kind === 'when') return body
  if (kind === 'unless') return { '!': { arg: body } }
  throw new CedarFormError('a condition is neither when nor unless')
}
