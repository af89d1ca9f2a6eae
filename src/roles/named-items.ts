import { Findings } from '../config/findings.ts'
import { ConfigError } from '../config/place.ts'
import type { ReadConfig } from '../config/read.ts'
import type { CompiledContract } from '../contract/compile.ts'
import { parameterNames } from '../contract/path-template.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import { decidingPolicies } from '../decision/cedar/scope-cover.ts'
import type { ApiPlan, PolicyPlan } from '../model/bundle.ts'
import type { OperationPlan } from '../model/operation.ts'

/**
 * Lists whose policies name single objects, while the list does not say which item is which: a forbid of one would
 * find none of them. @throws {ConfigError} at the rule of each such list.
 */
export function requireNamedItems(
  read: ReadConfig,
  apis: readonly { readonly plan: ApiPlan; readonly contract: CompiledContract | null }[],
  policies: PolicyPlan,
  places: ReadonlyMap<string, string>,
): void {
  const findings = new Findings()
  const plan = readPlan(policies)
  for (const { plan: api, contract } of apis) {
    const found = read.apis.find(({ name }) => name === api.name)
    if (found === undefined) continue
    const operations = contract?.operations.map((each) => each.plan) ?? []
    for (const list of operations) {
      const why = unnamed(list, operations)
      if (why === null) continue
      const { param } = list.object?.items ?? {}
      const naming = decidingPolicies(plan, api.name, list.key).find(({ reads }) =>
        reads.some((path) => path === 'resource.params' || path === `resource.params.${param}`),
      )
      if (naming === undefined) continue
      const rule = found.rules.find(({ type }) => type === list.object?.type)
      const at = places.get(naming.id)
      const policy = at === undefined ? naming.id : `${naming.id} (${at})`
      findings.problem(
        rule?.source ?? found.source,
        [],
        `the list ${list.operationId ?? list.key} ${why.message}, and the policy ${policy} names single objects: it would not find the one it means`,
        why.hint,
      )
    }
  }
  if (findings.problems.length > 0)
    throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
}

/** Why an item of the list cannot be called by its object's name; null where it can, and for what is no list. */
function unnamed(
  list: OperationPlan,
  operations: readonly OperationPlan[],
): { readonly message: string; readonly hint: string } | null {
  const { items, type } = list.object ?? {}
  if (items?.param === undefined) return null
  if (items.id === undefined)
    return { message: 'does not say where an item’s id stands', hint: 'Give the list an id: `id: /id`.' }
  const own = operations.find(({ object }) => object?.type === type && object?.items === undefined)
  const known = new Set(parameterNames(list.template))
  const missing = parameterNames(own?.template ?? '').filter(
    (name) => name !== items.param && !known.has(name),
  )
  if (missing.length === 0) return null
  return {
    message: `has no path parameter ${missing.join(', ')}, which is part of an object’s name`,
    hint: 'Leave the list’s operation out of that policy’s action scope, or out of the rule.',
  }
}
