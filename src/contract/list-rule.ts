import type { ItemsPlan } from '../model/operation.ts'
import { parsePointer } from '../syntax/json-pointer.ts'
import type { Fault, ObjectRule, RuledOperation } from './object-rule.ts'
import { parameterNames, templateForm } from './path-template.ts'

/** An operation that answers a list of a rule's objects, and where its items are. */
export interface ListRule {
  /** operationId, or `GET /orders`. */
  readonly operation: string
  /** JSON pointer to the array in the answer; empty: the answer is the array. */
  readonly items: string
  /** JSON pointer to an item's id. */
  readonly id?: string
  /** JSON pointers to numbers that count the items, and answer fields: set to how many are released. */
  readonly counts?: readonly (string | { readonly header: string })[]
}

/** A search by POST reads too; whatever else writes cannot be undone by leaving items out of its answer. */
const LISTS: ReadonlySet<string> = new Set(['GET', 'POST'])

/** The rule's lists by operation key. @throws {SallyportError} `config-invalid` for one that cannot be filtered. */
export function listedOperations(
  api: string,
  rule: ObjectRule,
  operations: readonly RuledOperation[],
  fault: Fault,
): ReadonlyMap<string, ItemsPlan> {
  const found = new Map<string, ItemsPlan>()
  // Policies know the object's id by the name that its own operations give it.
  const form = templateForm(rule.path)
  const own = operations.find(({ plan }) => templateForm(plan.template) === form)?.plan.template ?? rule.path
  for (const { operation, items, id, counts = [] } of rule.lists ?? []) {
    const key = `${api}.${operation}`
    const plan = operations
      .map((each) => each.plan)
      .find((each) => each.key === key || `${each.method} ${each.template}` === operation)
    if (plan === undefined) throw fault(`list: the contract has no operation ${operation}`)
    if (!LISTS.has(plan.method)) throw fault(`list: ${operation} is neither GET nor POST, so it is no list`)
    if (rule.owner === undefined && rule.tenant === undefined)
      throw fault(`list: owner or tenant has to name a field of the items of ${operation}: /customerId`)
    if (found.has(plan.key)) throw fault(`list: ${operation} is named twice`)
    const names = parameterNames(own)
    const param = names.at(-1)
    found.set(plan.key, {
      at: pointer(items, fault),
      ...(id === undefined ? {} : { id: pointer(id, fault) }),
      ...(param === undefined ? {} : { param }),
      ...(names.length === 0 ? {} : { named: names }),
      ...countsOf(counts, fault),
    })
  }
  return found
}

function countsOf(
  counts: NonNullable<ListRule['counts']>,
  fault: Fault,
): Pick<ItemsPlan, 'counts' | 'countFields'> {
  const pointers = counts.flatMap((each) => (typeof each === 'string' ? [pointer(each, fault)] : []))
  const fields = counts.flatMap((each) => (typeof each === 'string' ? [] : [each.header.toLowerCase()]))
  return {
    ...(pointers.length === 0 ? {} : { counts: pointers }),
    ...(fields.length === 0 ? {} : { countFields: fields }),
  }
}

function pointer(text: string, fault: Fault): readonly string[] {
  try {
    return parsePointer(text)
  } catch {
    throw fault(`list: ${text.slice(0, 60)} is not a JSON pointer (RFC 6901)`)
  }
}
