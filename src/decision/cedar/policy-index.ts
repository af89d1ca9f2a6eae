import { ByEntity, type Entity } from './entities.ts'
import type { Environment } from './environment.ts'
import type { Judged } from './generated/judge.ts'
import { type Generation, PolicyList, type Visitor } from './policy-list.ts'
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

/** A policy with what is left to test of its scope once it was found; null where nothing is. */
type Entry<P> = Judged<P>

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
  readonly #generation: Generation<P> | null

  /** @param generation Makes one function of policies that are often found together; null for closures alone. */
  constructor(members: Members<P>, actions: Iterable<ActionAncestry>, generation: Generation<P> | null) {
    this.#generation = generation
    this.#anyAction = new ScopeIndex(
      members.filter(({ scope }) => scope.action === null),
      generation,
    )
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
      const found = ordered.flatMap((position) => this.#named[position] ?? [])
      index = new ScopeIndex(found, this.#generation)
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
  readonly #byPrincipal: EntityLists<P>
  readonly #byResource: EntityLists<P>
  readonly #rest: PolicyList<P>

  constructor(members: Members<P>, generation: Generation<P> | null) {
    this.#byPrincipal = new EntityLists(generation)
    this.#byResource = new EntityLists(generation)
    this.#rest = new PolicyList(generation)
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
        this.#rest.judged.push(entry)
      } else if (rarest === 'principal') this.#byPrincipal.add(answered, entry)
      else this.#byResource.add(answered, entry)
    }
    this.#byPrincipal.seal()
    this.#byResource.seal()
  }

  visit(environment: Environment, visitor: Visitor<P>): void {
    this.#rest.visit(environment, visitor)
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
  readonly policies: PolicyList<P>
}

/** Up to here every group that policies name is asked for; beyond it the shorter of both lists is gone through. */
const FEW_GROUPS = 8

/** Policies by the one entity, group or type that their scope names. */
class EntityLists<P> {
  readonly #same = new ByEntity<PolicyList<P>>()
  readonly #within = new ByEntity<Within<P>>()
  readonly #types = new Map<string, PolicyList<P>>()
  #groups: readonly Within<P>[] = []
  readonly #generation: Generation<P> | null
  empty = true

  constructor(generation: Generation<P> | null) {
    this.#generation = generation
  }

  add(scope: EntityScope, entry: Entry<P>): void {
    this.empty = false
    this.#list(scope)?.judged.push(entry)
  }

  #list({ same, within, type }: EntityScope): PolicyList<P> | undefined {
    const made = new PolicyList(this.#generation)
    if (same !== undefined) return kept(this.#same, same, made)
    if (within !== undefined) return kept(this.#within, within, { uid: within, policies: made }).policies
    if (type === undefined) return undefined
    const known = this.#types.get(type)
    if (known === undefined) this.#types.set(type, made)
    return known ?? made
  }

  seal(): void {
    this.#groups = [...this.#within.entries()].map(([, list]) => list)
  }

  visit(uid: EntityUid, entity: Entity | undefined, environment: Environment, visitor: Visitor<P>): void {
    if (this.#types.size > 0) this.#types.get(uid.type)?.visit(environment, visitor)
    if (this.#same.size > 0) this.#same.get(uid)?.visit(environment, visitor)
    const groups = this.#groups
    if (groups.length === 0) return
    this.#within.get(uid)?.policies.visit(environment, visitor)
    if (entity === undefined) return
    const ancestors = groups.length > FEW_GROUPS ? entity.ancestors() : null
    if (ancestors !== null && ancestors.length < groups.length) {
      for (let i = 0; i < ancestors.length; i++) {
        const ancestor = ancestors[i]
        if (ancestor !== undefined) this.#within.get(ancestor)?.policies.visit(environment, visitor)
      }
      return
    }
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]
      if (group !== undefined && entity.isIn(group.uid)) group.policies.visit(environment, visitor)
    }
  }
}

/** What there is already for an entity; else this, from now on. */
function kept<T>(lists: ByEntity<T>, uid: EntityUid, made: T): T {
  const known = lists.get(uid)
  if (known === undefined) lists.set(uid, made)
  return known ?? made
}
