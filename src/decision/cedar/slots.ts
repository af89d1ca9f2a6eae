import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { Policy } from './est.ts'

/**
 * Policy sets prepared inside cedar-wasm. It keeps a set by name until the name is used again, and has no call to
 * forget one: names are taken from a list and given back, so that a thread holds as many as its live bundles need.
 */

export type Slot = string & { readonly __brand: 'Slot' }

const free: Slot[] = []
let made = 0

/** Prepares the policies, keyed by id. @throws {Error} what cedar-wasm says against them. */
export function takeSlot(policies: Readonly<Record<string, Policy>>): Slot {
  const slot = free.pop() ?? (`sallyport-${made++}` as Slot)
  try {
    fill(slot, policies)
  } catch (error) {
    free.push(slot)
    throw error
  }
  return slot
}

/** Empties the set, so that what it held is freed, and gives the name back. */
export function giveSlot(slot: Slot): void {
  fill(slot, {})
  free.push(slot)
}

function fill(slot: Slot, policies: Readonly<Record<string, Policy>>): void {
  const answer = cedar.preparsePolicySet(slot, { staticPolicies: policies as cedar.StaticPolicySet })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
}
