import type { OperationPlan } from '../../model/operation.ts'

/** What policies call operations: names made of a contract, without Cedar itself. */

/** One API and the operations of its contract. */
export interface ApiOperations {
  readonly api: string
  readonly operations: readonly OperationPlan[]
  /** The trust zone the API stands in. */
  readonly zone?: string
}

/** Groups an operation's action belongs to. The slash keeps them apart from operations: API names hold none. */
export function actionGroups(plan: OperationPlan): readonly string[] {
  // What is asked of a GraphQL endpoint is read or written by its fields.
  if (plan.graphql === 'endpoint') return [`${plan.api}/all`]
  return [`${plan.api}/${plan.kind}`, ...plan.tags.map((tag) => `${plan.api}/tag/${tag}`), `${plan.api}/all`]
}

/** Every action id a policy may name for the API: its operations and their groups. */
export function actionIds(api: ApiOperations): ReadonlySet<string> {
  const ids = new Set([`${api.api}/read`, `${api.api}/write`, `${api.api}/all`])
  for (const plan of api.operations) {
    ids.add(plan.key)
    for (const group of actionGroups(plan)) ids.add(group)
  }
  return ids
}

/** Names of the template's parameters in order: `/orders/{orderId}` gives `['orderId']`. */
export function templateParameters(template: string): readonly string[] {
  const names: string[] = []
  for (let open = template.indexOf('{'); open !== -1; open = template.indexOf('{', open + 1)) {
    const close = template.indexOf('}', open)
    if (close === -1) break
    names.push(template.slice(open + 1, close))
    open = close
  }
  return names
}
