import { isCheckable } from '../../decision/floor.ts'
import type { OperationPlan } from '../../model/operation.ts'

/** A contract's operations by what it says of who may call them; each stands in exactly one list. */
export interface Survey {
  /** Every way of calling it by token asks for a scope: the contract says who, and `context.scopesMet` tells. */
  readonly scoped: readonly OperationPlan[]
  /** Any token would do: the contract does not say who. */
  readonly unscoped: readonly OperationPlan[]
  /** `security: []`: no token is read. */
  readonly anonymous: readonly OperationPlan[]
  /** The list holds `{}`: a token is not needed, and its scopes are not asked for. */
  readonly optional: readonly OperationPlan[]
  /** Only by schemes the gate cannot check: refused, unless the API has `credential: pass`. */
  readonly uncheckable: readonly OperationPlan[]
}

export function surveyAccess(operations: readonly OperationPlan[]): Survey {
  const survey = {
    scoped: [] as OperationPlan[],
    unscoped: [] as OperationPlan[],
    anonymous: [] as OperationPlan[],
    optional: [] as OperationPlan[],
    uncheckable: [] as OperationPlan[],
  }
  for (const plan of operations) survey[accessOf(plan)].push(plan)
  return survey
}

function accessOf({ security }: OperationPlan): keyof Survey {
  if (security.need !== 'required') return security.need
  if (security.alternatives.length === 0) return 'unscoped'
  const checkable = security.alternatives.filter(isCheckable)
  if (checkable.length === 0) return 'uncheckable'
  // One alternative without a scope makes scopesMet true of every token: a permit by it would be for everyone.
  return checkable.every(({ schemes }) => schemes.some(({ scopes }) => scopes.length > 0))
    ? 'scoped'
    : 'unscoped'
}

/** A scheme of the contract that the gate cannot check, and what that costs. */
export interface UncheckableScheme {
  readonly name: string
  /** Operations that name it. */
  readonly operations: number
  /** Those that no token opens either. */
  readonly closed: number
}

export function uncheckableSchemes({
  scoped,
  unscoped,
  optional,
  uncheckable,
}: Survey): readonly UncheckableScheme[] {
  const found = new Map<string, { operations: number; closed: number }>()
  for (const list of [scoped, unscoped, optional, uncheckable]) {
    for (const { security } of list) {
      const schemes = security.alternatives.flatMap((alternative) => alternative.schemes)
      const names = new Set(schemes.filter(({ kind }) => kind === 'unsupported').map(({ name }) => name))
      for (const name of names) {
        const entry = found.get(name) ?? { operations: 0, closed: 0 }
        entry.operations++
        if (list === uncheckable) entry.closed++
        found.set(name, entry)
      }
    }
  }
  return [...found].map(([name, counts]) => ({ name, ...counts }))
}
