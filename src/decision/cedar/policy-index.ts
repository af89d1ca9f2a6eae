import { ByEntity, type Entity } from './entities.ts'
import type { Environment } from './environment.ts'
import { type EntityScope, holds, type Scope } from './scope.ts'
import type { EntityUid } from './values.ts'

/**
 * Finds the policies whose scope covers a call without trying the others: by action first, with the action's groups
 * resolved when the index is made, then by whichever of principal and resource fewer policies share.
 */

export interface IndexedPolicy<P> {
  readonly scope: Scope
  readonly policy: P
}

export interface Visitor<P> {
  take(policy: P): void
}

/** A policy with what is left to test of its scope once it was found; null where nothing is. */
interface Entry<P> {
  readonly policy: P
  readonly principal: EntityScope | null
  readonly resource: EntityScope | null
}

type Members<P> = readonly IndexedPolicy<P>[]

/** An action that exists, with all its groups at any distance. */
export interface ActionAncestry {
  readonly uid: EntityUid
  readonly ancestors: readonly EntityUid[]
}

export class PolicyIndex<P> {
  readonly #anyAction: ScopeIndex<P>
  readonly #byAction = new ByEntity<ScopeIndex<P>>()
  /** Policies that name actions: for an action that was not known when the index was made. */
  readonly #named: Members<P>

  constructor(members: Members<P>, actions: Iterable<ActionAncestry>) {
    this.#anyAction = new ScopeIndex(members.filter(({ scope }) => scope.action === null))
    this.#named = members.filter(({ scope }) => scope.action !== null)
    const same = new ByEntity<number[]>()
    const below = new ByEntity<number[]>()
    this.#named.forEach(({ scope }, position) => {
      for (const uid of scope.action?.uids ?? []) append(scope.action?.below ? below : same, uid, position)
    })
    const shared = new Map<string, ScopeIndex<P>>()
    for (const { uid, ancestors } of actions) this.#link(uid, ancestors, same, below, shared)
    for (const names of [same, below]) {
      for (const [uid] of names.entries()) {
        if (!this.#byAction.has(uid)) this.#link(uid, [], same, below, shared)
      }
    }
  }

  /** Takes every policy whose scope covers the request, each once. */
  visit(environment: Environment, visitor: Visitor<P>): void {
    this.#anyAction.visit(environment, visitor)
    const own = this.#byAction.get(environment.action)
    if (own !== undefined) own.visit(environment, visitor)
    else this.#visitUnknown(environment, visitor)
  }

  /** Actions that match the same policies share one index. */
  #link(
    uid: EntityUid,
    ancestors: readonly EntityUid[],
    same: ByEntity<number[]>,
    below: ByEntity<number[]>,
    shared: Map<string, ScopeIndex<P>>,
  ): void {
    const positions = new Set([...(same.get(uid) ?? []), ...(below.get(uid) ?? [])])
    for (const ancestor of ancestors)
      for (const position of below.get(ancestor) ?? []) positions.add(position)
    const ordered = [...positions].sort((left, right) => left - right)
    const key = ordered.join(',')
    let index = shared.get(key)
    if (index === undefined) {
      index = new ScopeIndex(ordered.flatMap((position) => this.#named[position] ?? []))
      shared.set(key, index)
    }
    this.#byAction.set(uid, index)
  }

  #visitUnknown(environment: Environment, visitor: Visitor<P>): void {
    const { action, principal, resource } = environment
    const entity = environment.find(action)
    if (entity === undefined || entity.ancestors().length === 0) return
    for (const { scope, policy } of this.#named) {
      if (scope.action === null || !scope.action.below) continue
      if (!scope.action.uids.some((uid) => entity.isIn(uid))) continue
      if (!holds(scope.principal, principal, environment)) continue
      if (holds(scope.resource, resource, environment)) visitor.take(policy)
    }
  }
}

function append(lists: ByEntity<number[]>, uid: EntityUid, position: number): void {
  const list = lists.get(uid)
  if (list === undefined) lists.set(uid, [position])
  else if (list.at(-1) !== position) list.push(position)
}

/** Policies of one action by principal or resource. */
class ScopeIndex<P> {
  readonly #byPrincipal = new EntityLists<P>()
  readonly #byResource = new EntityLists<P>()
  readonly #rest: Entry<P>[] = []

  constructor(members: Members<P>) {
    const principals = sharers(members.map(({ scope }) => scope.principal))
    const resources = sharers(members.map(({ scope }) => scope.resource))
    for (const { scope, policy } of members) {
      const { principal, resource } = scope
      const rarest = principals(principal) <= resources(resource) ? 'principal' : 'resource'
      const answered = rarest === 'principal' ? principal : resource
      const entry = {
        policy,
        principal: left(principal, rarest === 'principal'),
        resource: left(resource, rarest === 'resource'),
      }
      if (answered.same === undefined && answered.within === undefined && answered.type === undefined) {
        this.#rest.push(entry)
      } else if (rarest === 'principal') this.#byPrincipal.add(answered, entry)
      else this.#byResource.add(answered, entry)
    }
    this.#byPrincipal.seal()
    this.#byResource.seal()
  }

  visit(environment: Environment, visitor: Visitor<P>): void {
    takeAll(this.#rest, environment, visitor)
    if (!this.#byPrincipal.empty) {
      this.#byPrincipal.visit(environment.principal, environment.principalEntity, environment, visitor)
    }
    if (!this.#byResource.empty) {
      this.#byResource.visit(environment.resource, environment.resourceEntity, environment, visitor)
    }
  }
}

/** What is left to test of a scope: all of it, or what its list in the index does not answer. */
function left(scope: EntityScope, answered: boolean): EntityScope | null {
  const { same, within, type } = scope
  if (!answered) return same === undefined && within === undefined && type === undefined ? null : scope
  return within !== undefined && type !== undefined ? { type } : null
}

/** How many policies a scope would share its list with. */
function sharers(scopes: readonly EntityScope[]): (scope: EntityScope) => number {
  const entities = new ByEntity<number>()
  const types = new Map<string, number>()
  for (const { same, within, type } of scopes) {
    const uid = same ?? within
    if (uid !== undefined) entities.set(uid, (entities.get(uid) ?? 0) + 1)
    else if (type !== undefined) types.set(type, (types.get(type) ?? 0) + 1)
  }
  return ({ same, within, type }) => {
    const uid = same ?? within
    if (uid !== undefined) return entities.get(uid) ?? 0
    return type === undefined ? Number.POSITIVE_INFINITY : (types.get(type) ?? 0)
  }
}

interface Within<P> {
  readonly uid: EntityUid
  readonly entries: Entry<P>[]
}

/** Up to here every group that policies name is asked for; beyond it the shorter of both lists is gone through. */
const FEW_GROUPS = 8

/** Policies by the one entity, group or type that their scope names. */
class EntityLists<P> {
  readonly #same = new ByEntity<Entry<P>[]>()
  readonly #within = new ByEntity<Within<P>>()
  readonly #types = new Map<string, Entry<P>[]>()
  #groups: readonly Within<P>[] = []
  empty = true

  add(scope: EntityScope, entry: Entry<P>): void {
    this.empty = false
    if (scope.same !== undefined) {
      const list = this.#same.get(scope.same)
      if (list === undefined) this.#same.set(scope.same, [entry])
      else list.push(entry)
    } else if (scope.within !== undefined) {
      const list = this.#within.get(scope.within)
      if (list === undefined) this.#within.set(scope.within, { uid: scope.within, entries: [entry] })
      else list.entries.push(entry)
    } else if (scope.type !== undefined) {
      const list = this.#types.get(scope.type)
      if (list === undefined) this.#types.set(scope.type, [entry])
      else list.push(entry)
    }
  }

  seal(): void {
    this.#groups = [...this.#within.entries()].map(([, list]) => list)
  }

  visit(uid: EntityUid, entity: Entity | undefined, environment: Environment, visitor: Visitor<P>): void {
    if (this.#types.size > 0) takeAll(this.#types.get(uid.type), environment, visitor)
    if (this.#same.size > 0) takeAll(this.#same.get(uid), environment, visitor)
    const groups = this.#groups
    if (groups.length === 0) return
    takeAll(this.#within.get(uid)?.entries, environment, visitor)
    if (entity === undefined) return
    const ancestors = groups.length > FEW_GROUPS ? entity.ancestors() : null
    if (ancestors !== null && ancestors.length < groups.length) {
      for (let i = 0; i < ancestors.length; i++) {
        const ancestor = ancestors[i]
        if (ancestor !== undefined) takeAll(this.#within.get(ancestor)?.entries, environment, visitor)
      }
      return
    }
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      if (group !== undefined && entity.isIn(group.uid)) takeAll(group.entries, environment, visitor)
    }
  }
}

function takeAll<P>(
  entries: readonly Entry<P>[] | undefined,
  environment: Environment,
  visitor: Visitor<P>,
): void {
  if (entries === undefined) return
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]
    if (entry === undefined) continue
    if (entry.principal !== null && !holds(entry.principal, environment.principal, environment)) continue
    if (entry.resource !== null && !holds(entry.resource, environment.resource, environment)) continue
    visitor.take(entry.policy)
  }
}
