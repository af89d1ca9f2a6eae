import { allOf, links } from './chain.ts'
import type { Test } from './compiled.ts'
import { CedarFormError, type Expression, isObject, type Policy } from './est.ts'
import { compileExpression } from './expression.ts'
import type { Slots } from './scope.ts'
import type { SharedTests } from './shared-tests.ts'

/** All of a policy but its scope; throws an `EvaluationError` where the policy's evaluation fails. */
export type CompiledCondition = Test

/**
 * What must hold one after the other: each part of a `when`, and of an `unless` that it does not.
 * @throws {CedarFormError}
 */
export function conditionParts(policy: Policy): readonly Expression[] {
  return policy.conditions.flatMap(({ kind, body }) => {
    if (kind === 'unless') return [{ '!': { arg: body } }]
    if (kind !== 'when') throw new CedarFormError('a condition is neither when nor unless')
    return links(body, '&&').map((part) => {
      if (!isObject(part)) throw new CedarFormError('an expression is no object')
      return part
    })
  })
}

/**
 * @param conditions A policy's `conditionParts`.
 * @param shared The conditions that several policies have; left out for the links of a template.
 */
export function compileConditions(
  conditions: readonly Expression[],
  slots: Slots,
  shared: SharedTests | undefined,
): CompiledCondition {
  return allOf(
    conditions.map((part) =>
      shared === undefined
        ? compileExpression(part, slots)
        : shared.compiled(part, () => compileExpression(part, slots)),
    ),
  ).test
}
