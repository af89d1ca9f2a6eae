import { ByEntity, type Entity } from './entities.ts'
import type { Environment } from './environment.ts'
import type { Judged } from './generated/judge.ts'
import { type Generation, PolicyList, type Visitor } from './policy-list.ts'
import { type EntityScope, holds, type Scope } from './scope.ts'
import { PLACED_A_STEP, type Steps } from './steps.ts'
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

/** Positions of the policies that name one action, and the list's own number. */
interface NamedBy {
  readonly list: number
  readonly positions: number[]
}

export class PolicyIndex<P> {
  readonly #anyAction: ScopeIndex<P>
  readonly #byAction: ByEntity<ScopeIndex<P>>
  /** Policies that name actions: for an action that was not known when the index was made. */
  readonly #named: Members<P>

  private constructor(anyAction: ScopeIndex<P>, byAction: ByEntity<ScopeIndex<P>>, named: Members<P>) {
    this.#anyAction = anyAction
    this.#byAction = byAction
    this.#named = named
  }

  /** @param generation Makes one function of policies that are often found together; null for closures alone. */
  static *inSteps<P>(
    members: Members<P>,
    actions: Iterable<ActionAncestry>,
    generation: Generation<P> | null,
  ): Steps<PolicyIndex<P>> {
    const named: IndexedPolicy<P>[] = []
    const others: IndexedPolicy<P>[] = []
    const same = new ByEntity<NamedBy>()
    const below = new ByEntity<NamedBy>()
    let at = 0
    for (const member of members) {
      if (++at % PLACED_A_STEP === 0) yield
      const { action } = member.scope
      if (action === null) {
        others.push(member)
        continue
      }
      for (const uid of action.uids) append(action.below ? below : same, uid, named.length)
      named.push(member)
    }
    const linked = new LinkedActions<P>(named, same, below, generation)
    for (const { uid, ancestors } of actions) yield* linked.link(uid, ancestors)
    for (const names of [same, below]) {
      for (const [uid] of names.entries()) if (!linked.byAction.has(uid)) yield* linked.link(uid, [])
    }
    const anyAction = yield* ScopeIndex.inSteps(others, generation)
    return new PolicyIndex(anyAction, linked.byAction, named)
  }

  /** Takes every policy whose scope covers the request, each once. */
  visit(environment: Environment, visitor: Visitor<P>): void {
    this.#anyAction.visit(environment, visitor)
    const own = this.#byAction.get(environment.action)
    if (own !== undefined) own.visit(environment, visitor)
    else this.#visitUnknown(environment, visitor)
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

function append(lists: ByEntity<NamedBy>, uid: EntityUid, position: number): void {
  const named = lists.get(uid)
  if (named === undefined) lists.set(uid, { list: lists.size, positions: [position] })
  else if (named.positions.at(-1) !== position) named.positions.push(position)
}

/** Actions that match the same policies share one index. */
class LinkedActions<P> {
  readonly byAction = new ByEntity<ScopeIndex<P>>()
  readonly #named: Members<P>
  readonly #same: ByEntity<NamedBy>
  readonly #below: ByEntity<NamedBy>
  readonly #generation: Generation<P> | null
  /** By the lists that an action's policies stand in, and by the policies themselves. */
  readonly #byLists = new Map<string, ScopeIndex<P>>()
  readonly #byPolicies = new Map<string, ScopeIndex<P>>()

  constructor(
    named: Members<P>,
    same: ByEntity<NamedBy>,
    below: ByEntity<NamedBy>,
    generation: Generation<P> | null,
  ) {
    this.#named = named
    this.#same = same
    this.#below = below
    this.#generation = generation
  }

  *link(uid: EntityUid, ancestors: readonly EntityUid[]): Steps<void> {
    const same = this.#same.get(uid)
    const below: NamedBy[] = []
    for (const name of [uid, ...ancestors]) {
      const list = this.#below.get(name)
      if (list !== undefined && !below.includes(list)) below.push(list)
    }
    const lists = `${same?.list ?? ''}/${below.map(({ list }) => list).join()}`
    let index = this.#byLists.get(lists)
    if (index === undefined) {
      const positions = new Set(same?.positions)
      for (const list of below) for (const position of list.positions) positions.add(position)
      index = yield* this.#indexOf(Uint32Array.from(positions).sort())
      this.#byLists.set(lists, index)
    }
    this.byAction.set(uid, index)
    yield
  }

  *#indexOf(positions: Uint32Array): Steps<ScopeIndex<P>> {
    const policies = positions.join()
    const known = this.#byPolicies.get(policies)
    if (known !== undefined) return known
    const found: IndexedPolicy<P>[] = []
    for (const position of positions) {
      const member = this.#named[position]
      if (member !== undefined) found.push(member)
    }
    const index = yield* ScopeIndex.inSteps(found, this.#generation)
    this.#byPolicies.set(policies, index)
    return index
  }
}

/** Policies of one action by principal or resource. */
class ScopeIndex<P> {
  readonly #byPrincipal: EntityLists<P>
  readonly #byResource: EntityLists<P>
  readonly #rest: PolicyList<P>

  private constructor(generation: Generation<P> | null) {
    this.#byPrincipal = new EntityLists(generation)
    this.#byResource = new EntityLists(generation)
    this.#rest = new PolicyList(generation)
  }

  static *inSteps<P>(members: Members<P>, generation: Generation<P> | null): Steps<ScopeIndex<P>> {
    const index = new ScopeIndex(generation)
    const principals = new Sharers()
    const resources = new Sharers()
    let at = 0
    for (const { scope } of members) {
      if (++at % PLACED_A_STEP === 0) yield
      principals.count(scope.principal)
      resources.count(scope.resource)
    }
    for (const { scope, policy } of members) {
      if (++at % PLACED_A_STEP === 0) yield
      index.#add(policy, scope, principals.of(scope.principal) <= resources.of(scope.resource))
    }
    index.#byPrincipal.seal()
    index.#byResource.seal()
    return index
  }

  #add(policy: P, { principal, resource }: Scope, byPrincipal: boolean): void {
    const answered = byPrincipal ? principal : resource
    const entry = {
      policy,
      principal: left(principal, byPrincipal),
      resource: left(resource, !byPrincipal),
    }
    if (answered.same === undefined && answered.within === undefined && answered.type === undefined) {
      this.#rest.judged.push(entry)
    } else if (byPrincipal) this.#byPrincipal.add(answered, entry)
    else this.#byResource.add(answered, entry)
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
class Sharers {
  readonly #entities = new ByEntity<number>()
  readonly #types = new Map<string, number>()

  count({ same, within, type }: EntityScope): void {
    const uid = same ?? within
    if (uid !== undefined) this.#entities.set(uid, (this.#entities.get(uid) ?? 0) + 1)
    else if (type !== undefined) this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
  }

  of({ same, within, type }: EntityScope): number {
    const uid = same ?? within
    if (uid !== undefined) return this.#entities.get(uid) ?? 0
    return type === undefined ? Number.POSITIVE_INFINITY : (this.#types.get(type) ?? 0)
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
    if (same !== undefined) {
      const known = this.#same.get(same)
      if (known !== undefined) return known
      const made = new PolicyList(this.#generation)
      this.#same.set(same, made)
      return made
    }
    if (within !== undefined) {
      const known = this.#within.get(within)
      if (known !== undefined) return known.policies
      const policies = new PolicyList(this.#generation)
      this.#within.set(within, { uid: within, policies })
      return policies
    }
    if (type === undefined) return undefined
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const made = new PolicyList(this.#generation)
    this.#types.set(type, made)
    return made
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
