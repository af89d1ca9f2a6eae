import type { Environment } from './environment.ts'
import { CedarFormError, entityOf, type Policy, type ScopeConstraint } from './est.ts'
import { EntityUid } from './values.ts'

/** The entities that fill a template's `?principal` and `?resource`. */
export interface Slots {
  readonly principal?: EntityUid
  readonly resource?: EntityUid
}

/** What a scope asks of the principal or the resource; every part that is there must hold. */
export interface EntityScope {
  /** `== Type::"id"`. */
  readonly same?: EntityUid
  /** `in Type::"id"`. */
  readonly within?: EntityUid
  /** `is Type`. */
  readonly type?: string
}

/** What a scope asks of the action: null for any; else one of these, or with `below` in one of them. */
export interface ActionScope {
  readonly uids: readonly EntityUid[]
  readonly below: boolean
}

export interface Scope {
  readonly principal: EntityScope
  readonly action: ActionScope | null
  readonly resource: EntityScope
}

/** @throws {CedarFormError} for a scope no policy has, or a slot that nothing fills. */
export function compileScope(policy: Policy, slots: Slots): Scope {
  return {
    principal: entityScope(policy.principal, slots.principal),
    action: actionScope(policy.action),
    resource: entityScope(policy.resource, slots.resource),
  }
}

function entityScope(constraint: ScopeConstraint, filling: EntityUid | undefined): EntityScope {
  switch (constraint.op) {
    case 'All':
      return {}
    case '==':
      return { same: named(constraint, filling) }
    case 'in':
      return { within: named(constraint, filling) }
    case 'is': {
      const { entity_type: type } = constraint
      if (typeof type !== 'string') throw new CedarFormError('a scope has `is` without a type')
      return constraint.in === undefined ? { type } : { type, within: named(constraint.in, filling) }
    }
  }
}

function named(constraint: unknown, filling: EntityUid | undefined): EntityUid {
  if (typeof constraint !== 'object' || constraint === null) throw new CedarFormError('a scope names nothing')
  if ('slot' in constraint) {
    if (filling === undefined) throw new CedarFormError('a slot of the template is not filled')
    return filling
  }
  return entityUid('entity' in constraint ? constraint.entity : undefined)
}

function entityUid(stated: unknown): EntityUid {
  const name = entityOf(stated)
  if (name === null) throw new CedarFormError('a scope names something other than an entity')
  return new EntityUid(name.type, name.id)
}

function actionScope(constraint: ScopeConstraint): ActionScope | null {
  const { op, entity, entities } = constraint
  if (op === 'All') return null
  if (op === 'is') throw new CedarFormError('an action scope has `is`')
  return { uids: (entities ?? [entity]).map(entityUid), below: op === 'in' }
}

/** Whether the scope holds, for the parts that the index has not answered already. */
export function holds(scope: EntityScope, uid: EntityUid, environment: Environment): boolean {
  const { type, same, within } = scope
  if (type !== undefined && type !== uid.type) return false
  if (same !== undefined && (same.id !== uid.id || same.type !== uid.type)) return false
  return within === undefined || environment.isIn(uid, within)
}
