import type { OperationPlan } from '../../model/operation.ts'
import { escapePointer, parsePointer } from '../../syntax/json-pointer.ts'
import { answerSchema, type Contract, member, propertiesOf, resolved, typesOf } from './contract-schema.ts'

/** A list the contract suggests: the collection above an object's path, whose items name the same owner. */
export interface ListSuggestion {
  readonly operation: OperationPlan
  /** JSON pointer to the array; empty: the answer is the array. */
  readonly items: string
  readonly id?: string
  readonly counts: readonly string[]
}

/** Numbers beside a list that count all there are, whoever owns them. */
const COUNTS = new Set(['total', 'count', 'totalcount', 'totalitems', 'totalresults', 'totalelements'])

/** @param owner Pointer to the owner in the object: items are taken to be such objects where they have it too. */
export function suggestList(
  root: Contract,
  operations: readonly OperationPlan[],
  template: string,
  owner: string,
): ListSuggestion | null {
  const above = template.slice(0, template.lastIndexOf('/'))
  const operation = operations.find((each) => each.method === 'GET' && each.template === above)
  if (operation === undefined || operation.security.need !== 'required') return null
  const schema = answerSchema(root, above)
  const found = arrayIn(root, schema, owner)
  if (found === null) return null
  const id = propertiesOf(root, found.item).has('id') ? { id: '/id' } : {}
  const counts = [...propertiesOf(root, schema)]
    .filter(([name, each]) => COUNTS.has(name.toLowerCase().replace(/[_-]/g, '')) && isNumber(root, each))
    .map(([name]) => `/${escapePointer(name)}`)
  return { operation, items: found.items, ...id, counts: counts.slice(0, 16) }
}

/** The answer itself, or the only member of it, whose items have the owner. */
function arrayIn(
  root: Contract,
  schema: unknown,
  owner: string,
): { readonly items: string; readonly item: unknown } | null {
  const direct = itemOf(root, schema, owner)
  if (direct !== null) return { items: '', item: direct }
  const within = [...propertiesOf(root, schema)].flatMap(([name, each]) => {
    const item = itemOf(root, each, owner)
    return item === null ? [] : [{ items: `/${escapePointer(name)}`, item }]
  })
  return within.length === 1 ? (within[0] ?? null) : null
}

function itemOf(root: Contract, schema: unknown, owner: string): unknown {
  const item = member(resolved(root, schema), 'items')
  if (item === undefined) return null
  let at: unknown = item
  for (const name of parsePointer(owner)) {
    at = propertiesOf(root, at).get(name)
    if (at === undefined) return null
  }
  return item
}

function isNumber(root: Contract, schema: unknown): boolean {
  return typesOf(root, schema).some((each) => each === 'integer' || each === 'number')
}
