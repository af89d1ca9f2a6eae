import type { Entities } from './entities.ts'
import type { AuthorizationRequest } from './environment.ts'
import { Environment } from './environment.ts'
import { CedarFormError, type Policy } from './est.ts'
import type { CompiledCondition } from './policy-condition.ts'
import { compileConditions, conditionParts } from './policy-condition.ts'
import { PolicyIndex } from './policy-index.ts'
import { compileScope, type Scope, type Slots } from './scope.ts'
import { SharedTests } from './shared-tests.ts'
import { type EntityUid, EvaluationError } from './values.ts'

/*
 * The evaluator's outside:
 *
 *   const set = new PolicySet(policies, actions, { erroringForbidDenies: true })   // once per bundle
 *   set.authorize({ principal, action, resource, context }, entities)             // per decision
 *
 * `principal`, `action` and `resource` are `EntityUid`s, `context` a `CedarRecord` (values.ts), `entities` an
 * `Entities` (entities.ts): `get(uid)` gives an `Entity` (attribute, tag, isIn, ancestors) or undefined. A general
 * store is `EntityStore` (entity-store.ts). The evaluator asks `entities.get` once for the principal and once for the
 * resource, compared by identity afterwards, and for others only where an expression reaches them.
 */

/** A static policy, or a template with the entities that fill its slots. */
export interface SetMember {
  readonly id: string
  readonly policy: Policy
  readonly slots?: Slots
}

/** An action that exists, with all its groups at any distance. */
export interface KnownAction {
  readonly uid: EntityUid
  readonly ancestors: readonly EntityUid[]
}

export interface PolicySetOptions {
  /** A forbid that fails denies, and is among the determining policies; false: it is skipped, as in plain Cedar. */
  readonly erroringForbidDenies: boolean
}

export interface PolicyError {
  readonly policy: string
  readonly message: string
}

export interface Authorization {
  readonly decision: 'allow' | 'deny'
  /** The satisfied forbids if there are any, else the satisfied permits; ordered by id. */
  readonly policies: readonly string[]
  /** Every policy whose evaluation failed, ordered by id. */
  readonly errors: readonly PolicyError[]
}

interface SetPolicy {
  readonly id: string
  /** Its place among all policies, ordered by id. */
  readonly place: number
  readonly forbid: boolean
  readonly condition: CompiledCondition
}

const NONE: readonly never[] = []
const DENIED: Authorization = { decision: 'deny', policies: NONE, errors: NONE }

/**
 * Policies compiled to closures and indexed by scope. Deny by default; a forbid beats every permit. Nothing of a
 * decision is kept.
 */
export class PolicySet {
  readonly #index: PolicyIndex<SetPolicy>
  readonly #ids: readonly string[]
  readonly #shared: SharedTests
  readonly #erroringForbidDenies: boolean

  /** @throws {CedarFormError} for a policy that Cedar does not write, an unfilled slot, or an id taken twice. */
  constructor(
    members: Iterable<SetMember>,
    actions: Iterable<KnownAction>,
    { erroringForbidDenies }: PolicySetOptions = { erroringForbidDenies: true },
  ) {
    this.#erroringForbidDenies = erroringForbidDenies
    const ordered = [...members].sort(byId)
    const shared = new SharedTests(
      ordered.flatMap(({ policy, slots }) => (slots === undefined ? conditionParts(policy) : [])),
    )
    const policies: SetPolicy[] = []
    const scopes: Scope[] = []
    for (const { id, policy, slots } of ordered) {
      if (policies.at(-1)?.id === id) throw new CedarFormError(`two policies have the id ${id}`)
      const condition = compileConditions(policy, slots ?? {}, slots === undefined ? shared : undefined)
      policies.push({ id, place: policies.length, forbid: policy.effect === 'forbid', condition })
      scopes.push(compileScope(policy, slots ?? {}))
    }
    this.#shared = shared
    const indexed = policies.flatMap((policy, place) => {
      const scope = scopes[place]
      return scope === undefined ? [] : [{ policy, scope }]
    })
    this.#ids = policies.map(({ id }) => id)
    this.#index = new PolicyIndex(indexed, actions)
  }

  /** Whether the request is allowed, and by which policies. Never throws for what a policy or the request holds. */
  authorize(request: AuthorizationRequest, entities: Entities): Authorization {
    const environment = new Environment(request, entities, this.#shared.next())
    const vote = new Vote(environment, this.#erroringForbidDenies)
    this.#index.visit(environment, vote)
    return vote.result(this.#ids)
  }
}

function byId(left: SetMember, right: SetMember): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

/** Collects what the policies that can apply say. Lists are made only where there is something to hold. */
class Vote {
  readonly #environment: Environment
  readonly #erroringForbidDenies: boolean
  #permits: number[] | undefined
  #forbids: number[] | undefined
  #errors: PolicyError[] | undefined

  constructor(environment: Environment, erroringForbidDenies: boolean) {
    this.#environment = environment
    this.#erroringForbidDenies = erroringForbidDenies
  }

  take(policy: SetPolicy): void {
    try {
      if (!policy.condition(this.#environment)) return
    } catch (error) {
      this.#fail(policy, error)
      return
    }
    if (policy.forbid) this.#forbids = put(this.#forbids, policy.place)
    else this.#permits = put(this.#permits, policy.place)
  }

  result(ids: readonly string[]): Authorization {
    const errors = this.#errors ?? NONE
    if (this.#errors !== undefined) this.#errors.sort((a, b) => (a.policy < b.policy ? -1 : 1))
    if (this.#forbids !== undefined) return { decision: 'deny', policies: named(this.#forbids, ids), errors }
    if (this.#permits !== undefined) return { decision: 'allow', policies: named(this.#permits, ids), errors }
    return this.#errors === undefined ? DENIED : { decision: 'deny', policies: NONE, errors }
  }

  #fail(policy: SetPolicy, error: unknown): void {
    // Anything else is a fault of the evaluator: it must not pass for a forbid that merely does not apply.
    const foreseen = error instanceof EvaluationError
    this.#errors ??= []
    this.#errors.push({ policy: policy.id, message: foreseen ? error.message : 'the evaluation broke' })
    if (policy.forbid && (this.#erroringForbidDenies || !foreseen))
      this.#forbids = put(this.#forbids, policy.place)
  }
}

function put(list: number[] | undefined, place: number): number[] {
  if (list === undefined) return [place]
  list.push(place)
  return list
}

/** Beyond it, looking at the head of every run for every place costs more than a sort does. */
const FEW_RUNS = 8

/** The ids at these places, ordered. Places come in ascending runs, one for each list of the index. */
function named(places: number[], ids: readonly string[]): readonly string[] {
  const heads = [0]
  for (let i = 1; i < places.length; i++) if (at(places, i) < at(places, i - 1)) heads.push(i)
  if (heads.length > FEW_RUNS) places.sort((left, right) => left - right)
  const names: string[] = []
  if (heads.length === 1 || heads.length > FEW_RUNS) {
    for (let i = 0; i < places.length; i++) names.push(ids[at(places, i)] ?? '')
    return names
  }
  const ends = [...heads.slice(1), places.length]
  while (names.length < places.length) {
    let first = -1
    let least = Number.POSITIVE_INFINITY
    for (let run = 0; run < heads.length; run++) {
      const head = at(heads, run)
      if (head === at(ends, run) || at(places, head) >= least) continue
      first = run
      least = at(places, head)
    }
    heads[first] = at(heads, first) + 1
    names.push(ids[least] ?? '')
  }
  return names
}

function at(numbers: readonly number[], index: number): number {
  return numbers[index] ?? -1
}
