import type { Slot } from '../../model/policy-link.ts'
import type { EntityName, Policy, ScopeConstraint } from './est.ts'
import { isObject } from './est.ts'

/** Cedar's slots; they stand in the scope alone, in place of an entity (docs.cedarpolicy.com, "Policy templates"). */
export const SLOTS = ['?principal', '?resource'] as const

export type { Slot }

/** The slots of a template; none of an ordinary policy. */
export function slotsOf({ principal, resource }: Policy): readonly Slot[] {
  const found = [slotIn(principal), slotIn(resource)]
  return SLOTS.filter((slot) => found.includes(slot))
}

function slotIn({ slot, in: within }: ScopeConstraint): unknown {
  return slot ?? (isObject(within) ? within['slot'] : undefined)
}

/**
 * A template with its slots filled: an ordinary policy, which means what the link means, because a slot stands where
 * an entity may and nowhere else. A slot without an entity stays, and is refused by whatever compiles the policy.
 */
export function filled(
  { principal, resource, ...rest }: Policy,
  entities: Readonly<Partial<Record<Slot, EntityName>>>,
): Policy {
  return {
    ...rest,
    principal: filledScope(principal, entities['?principal']),
    resource: filledScope(resource, entities['?resource']),
  }
}

function filledScope(scope: ScopeConstraint, entity: EntityName | undefined): ScopeConstraint {
  if (entity === undefined || slotIn(scope) === undefined) return scope
  if (scope.op === 'is') return { ...scope, in: { entity } }
  const { slot, ...rest } = scope
  return { ...rest, entity }
}
