import type {
  DecisionInput,
  ItemDecisions,
  ItemInput,
  ItemRow,
  PolicyEngine,
  PolicyVerdict,
} from '../model/decision.ts'
import { sameObligations } from './obligations.ts'

/**
 * A list is judged item by item: each is an object of its own with the list's call around it. The same two functions
 * judge it when the answer comes and when its record is judged again.
 */

/** Which attributes tell items apart: those that policies read or records keep. */
export interface ItemReads {
  readonly owner: boolean
  readonly tenant: boolean
  readonly id: boolean
}

/** @param param The path parameter an item's id stands for; without one policies cannot name a single item. */
export function itemReads(paths: Iterable<string>, param: string | undefined): ItemReads {
  const reads = { owner: false, tenant: false, id: false }
  for (const path of paths) {
    if (path === 'resource.owner') reads.owner = true
    else if (path === 'resource.tenant') reads.tenant = true
    else if (param !== undefined && (path === 'resource.params' || path === `resource.params.${param}`))
      reads.id = true
  }
  return reads
}

/** Attribute paths that decide calls of the list's operation, as far as the engine tells operations apart. */
export function decidingReads(
  engine: PolicyEngine,
  { action, resource }: DecisionInput,
): ReadonlySet<string> {
  return engine.readsOf?.(resource.api, action) ?? engine.reads
}

/** Policies tell one item from another by its id, so that whoever is allowed the list may not be allowed all of it. */
export function namesItems(engine: PolicyEngine, list: DecisionInput, param: string | undefined): boolean {
  return itemReads(decidingReads(engine, list), param).id
}

/** The list's call as if it were about this one item. What the item does not state stays unknown. */
export function itemInput(list: DecisionInput, item: ItemInput, param: string | undefined): DecisionInput {
  const { resource } = list
  const { owner, tenant, id, action } = item
  return {
    ...list,
    ...(action === undefined ? {} : { action }),
    resource: {
      ...resource,
      params: id === undefined || param === undefined ? resource.params : { ...resource.params, [param]: id },
      ...(owner === undefined ? {} : { owner }),
      ...(tenant === undefined ? {} : { tenant }),
      unknown: resource.unknown.filter((name) => item[name] === undefined),
    },
  }
}

/**
 * Only what is allowed for certain is released: an item that leaves open whose it is, is not; nor is one without an id
 * where policies ask for it, since a forbid that names it would not be found.
 */
export function itemVerdict(
  engine: PolicyEngine,
  list: DecisionInput,
  item: ItemInput,
  param: string | undefined,
): Omit<ItemRow, 'count'> {
  if (item.id === undefined && namesItems(engine, list, param)) return { effect: 'deny', policies: [] }
  const { verdict, policies, obligations }: PolicyVerdict = engine.evaluate(itemInput(list, item, param))
  if (verdict !== 'allow') return { effect: 'deny', policies }
  return { effect: 'allow', policies, ...(obligations === undefined ? {} : { obligations }) }
}

/** Whether these policies say the same of every recorded row. */
export function sameRows(
  { rows }: ItemDecisions,
  items: readonly ItemInput[],
  engine: PolicyEngine,
  list: DecisionInput,
  param: string | undefined,
): boolean {
  return rows.every((row, index) => {
    const item = items[index]
    if (item === undefined) return false
    const now = itemVerdict(engine, list, item, param)
    if (!sameObligations(now.obligations, row.obligations)) return false
    return now.effect === row.effect && sameIds(now.policies, row.policies)
  })
}

/** The same ids, in whatever order. */
export function sameIds(left: readonly string[], right: readonly string[]): boolean {
  const wanted = new Set(left)
  return wanted.size === new Set(right).size && right.every((id) => wanted.has(id))
}
