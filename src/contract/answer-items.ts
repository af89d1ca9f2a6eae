import type { ItemsPlan, ObjectPlan } from '../model/operation.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { isRawNumber } from './exact-json.ts'

/** One item of a list as the upstream states it: values unchecked, undefined where there is none. */
export interface StatedItem {
  readonly owner: unknown
  readonly tenant: unknown
  readonly id: unknown
}

/** The items of an answer, and the answer without some of them. */
export interface AnswerItems {
  /** In order; null for an item that is no object. Null altogether where no array stands at the declared place. */
  readonly stated: readonly (StatedItem | null)[] | null
  /**
   * The checked answer without the items at these indexes, its declared counts set to the number left; all other
   * values as they came, numbers by their digits. To be called once.
   */
  without(removed: ReadonlySet<number>): Uint8Array
}

/** What each item says, read before undeclared fields are dropped; null where no array stands at the place. */
export function readItems(
  value: unknown,
  object: ObjectPlan,
  plan: ItemsPlan,
): readonly (StatedItem | null)[] | null {
  const list = readPointer(value, plan.at)
  if (!Array.isArray(list)) return null
  return list.map((item: unknown) => statedItem(item, object, plan))
}

/** What one item says; null for one that is no object. */
export function statedItem(item: unknown, object: ObjectPlan, plan: ItemsPlan): StatedItem | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null
  const { owner, tenant } = object
  return {
    owner: owner === undefined ? undefined : readPointer(item, owner),
    tenant: tenant === undefined ? undefined : readPointer(item, tenant),
    id: plan.id === undefined ? undefined : readPointer(item, plan.id),
  }
}

/**
 * Takes items out of a parsed answer and sets its counts; `value` is changed. An array that the contract does not
 * declare is no longer in it, and nothing is left to take out.
 */
export function withoutItems(value: unknown, plan: ItemsPlan, removed: ReadonlySet<number>): unknown {
  const list = readPointer(value, plan.at)
  let left = 0
  if (Array.isArray(list)) {
    for (let index = 0; index < list.length; index++) if (!removed.has(index)) list[left++] = list[index]
    list.length = left
  }
  for (const count of plan.counts ?? []) setCount(value, count, left)
  return value
}

function setCount(value: unknown, place: readonly string[], count: number): void {
  const name = place.at(-1)
  const holder = readPointer(value, place.slice(0, -1))
  if (name === undefined || typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name))
    return
  const members = holder as Record<string, unknown>
  const given = members[name]
  const isNumber =
    typeof given === 'number' || (typeof given === 'object' && given !== null && isRawNumber(given))
  if (isNumber) members[name] = count
}
