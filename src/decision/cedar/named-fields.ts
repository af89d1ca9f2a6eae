import type { OperationPlan } from '../../model/operation.ts'
import { KNOWN_CLASSES } from '../../model/operation.ts'
import { readObligations } from '../obligations.ts'
import type { ApiOperations } from './action-names.ts'
import { actionGroups } from './action-names.ts'
import type { CompiledPolicy } from './plan.ts'
import { covers } from './scope-cover.ts'

/** Sensitivity classes that some field of these APIs can have. */
export function classesOf(apis: readonly ApiOperations[]): readonly string[] {
  const plans = apis.flatMap(({ operations }) => operations)
  const stated = plans.flatMap(({ classes }) => [...(classes?.request ?? []), ...(classes?.answer ?? [])])
  return [...new Set([...KNOWN_CLASSES, ...stated])].sort()
}

export interface FieldsAround {
  readonly apis: readonly ApiOperations[]
  readonly declares?: (operation: string, pointer: string) => boolean
}

/**
 * Fields that a permit names and no answer of its operations has (`wrong`: the policy would hide nothing, which nobody
 * means), and classes that none of their fields has yet (`unmet`).
 */
export function fieldsNamed(
  policy: CompiledPolicy,
  { apis, declares }: FieldsAround,
): { readonly wrong: readonly string[]; readonly unmet: readonly string[] } {
  const asked = readObligations(policy.id, policy.policy.effect, policy.policy.annotations)
  if (typeof asked === 'string' || asked.length === 0) return { wrong: [], unmet: [] }
  const plans = apis.flatMap(({ api, operations }) =>
    operations.filter((plan) => covers(policy, api, plan.key, actionGroups(plan))),
  )
  const wrong: string[] = []
  const unmet: string[] = []
  for (const { kind, fields } of asked) {
    for (const field of fields) {
      if (field.startsWith('class:')) {
        const name = field.slice(6)
        if (plans.some(({ classes }) => classes?.answer.includes(name) === true)) continue
        unmet.push(`@${kind}: no answer of its operations has a field of class ${name}`)
      } else if (declares !== undefined && !plans.some((plan) => declaredBy(plan, field, declares)))
        wrong.push(`@${kind}: no answer of its operations declares ${field}`)
    }
  }
  return { wrong, unmet }
}

/** Of a list, a pointer may name a field of its items. */
function declaredBy(
  plan: OperationPlan,
  pointer: string,
  declares: NonNullable<FieldsAround['declares']>,
): boolean {
  if (declares(plan.key, pointer)) return true
  const at = plan.object?.items?.at
  return at !== undefined && declares(plan.key, `${at.map((step) => `/${step}`).join('')}/*${pointer}`)
}
