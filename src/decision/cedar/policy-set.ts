import type { Entities } from './entities.ts'
import type { AuthorizationRequest } from './environment.ts'
import { Environment } from './environment.ts'
import { CedarFormError } from './est.ts'
import { generateJudge, type Judge, type Judged, type PolicyParts } from './generated/judge.ts'
import { conditionParts } from './policy-condition.ts'
import { type IndexedPolicy, PolicyIndex } from './policy-index.ts'
import type { Generation } from './policy-list.ts'
import { ReadyPolicies, type SetMember, type SetPolicy } from './ready-policies.ts'
import { atOnce, PLACED_A_STEP, type Steps } from './steps.ts'
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

export type { SetMember }

/** An action that exists, with all its groups at any distance. */
export interface KnownAction {
  readonly uid: EntityUid
  readonly ancestors: readonly EntityUid[]
}

export interface PolicySetOptions {
  /** A forbid that fails denies, and is among the determining policies; false: it is skipped, as in plain Cedar. */
  readonly erroringForbidDenies: boolean
  /**
   * Policies that are judged together become one generated function: once they are judged often, if left out; each at
   * its first evaluation (`always`); or closures judge all of them (`never`).
   */
  readonly generated?: 'always' | 'never'
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

const NONE: readonly never[] = []
const DENIED: Authorization = { decision: 'deny', policies: NONE, errors: NONE }

/** What a set consists of. */
interface SetParts {
  readonly index: PolicyIndex<SetPolicy>
  readonly ready: ReadyPolicies
}

const DEFAULT_OPTIONS: PolicySetOptions = { erroringForbidDenies: true }

/**
 * Policies compiled to closures, those judged often to functions of several, and indexed by scope. Deny by default; a
 * forbid beats every permit. Nothing of a decision is kept.
 */
export class PolicySet {
  readonly #index: PolicyIndex<SetPolicy>
  readonly #ready: ReadyPolicies
  /** Room to order what applied in; clear between evaluations. */
  readonly #words: Uint32Array
  readonly #erroringForbidDenies: boolean

  /**
   * @param parts What `inSteps` made of the others.
   * @throws {CedarFormError} for a policy that Cedar does not write, an unfilled slot, or an id taken twice.
   */
  constructor(
    members: Iterable<SetMember>,
    actions: Iterable<KnownAction>,
    options = DEFAULT_OPTIONS,
    parts: SetParts = atOnce(makeSet(members, actions, options)),
  ) {
    this.#erroringForbidDenies = options.erroringForbidDenies
    this.#ready = parts.ready
    this.#words = new Uint32Array(Math.ceil(parts.ready.ids.length / 32))
    this.#index = parts.index
  }

  /**
   * The same in steps.
   * @param ready The members, compiled for several sets; left out, they are compiled for this one.
   */
  static *inSteps(
    members: Iterable<SetMember>,
    actions: Iterable<KnownAction>,
    options = DEFAULT_OPTIONS,
    ready?: ReadyPolicies,
  ): Steps<PolicySet> {
    return new PolicySet([], [], options, yield* makeSet(members, actions, options, ready))
  }

  /** Whether the request is allowed, and by which policies. Never throws for what a policy or the request holds. */
  authorize(request: AuthorizationRequest, entities: Entities): Authorization {
    const environment = new Environment(request, entities, this.#ready.next())
    const vote = new Vote(environment, this.#erroringForbidDenies)
    this.#index.visit(environment, vote)
    return vote.result(this.#ready.ids, this.#words)
  }
}

export function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

function* makeSet(
  members: Iterable<SetMember>,
  actions: Iterable<KnownAction>,
  { generated }: PolicySetOptions,
  known?: ReadyPolicies,
): Steps<SetParts> {
  // Quick where they stand in order already, as those of an engine do.
  const ordered = [...members].sort(byId)
  const ready = known ?? (yield* ReadyPolicies.inSteps(ordered))
  const indexed: IndexedPolicy<SetPolicy>[] = []
  let last: string | undefined
  for (const member of ordered) {
    if (member.id === last) throw new CedarFormError(`two policies have the id ${last}`)
    last = member.id
    const policy = ready.get(member)
    if (policy === undefined) throw new CedarFormError(`${last} was not compiled`)
    if (indexed.push(policy) % PLACED_A_STEP === 0) yield
  }
  if (known === undefined) ready.taken()
  const generation = generated === 'never' ? null : generated === 'always' ? AT_ONCE : WHERE_OFTEN
  return { index: yield* PolicyIndex.inSteps(indexed, actions, generation), ready }
}

function partsOf({ policy, slots, condition }: SetPolicy): PolicyParts {
  return { parts: conditionParts(policy), slots, condition }
}

const generate = (judged: readonly Judged<SetPolicy>[]): Judge<SetPolicy> => generateJudge(judged, partsOf)
const WHERE_OFTEN: Generation<SetPolicy> = { generate, after: 64, least: 3 }
const AT_ONCE: Generation<SetPolicy> = { generate, after: 0, least: 1 }

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
      if (policy.condition(this.#environment)) this.hold(policy)
    } catch (error) {
      this.fail(policy, error)
    }
  }

  hold(policy: SetPolicy): void {
    if (policy.forbid) this.#forbids = put(this.#forbids, policy.place)
    else this.#permits = put(this.#permits, policy.place)
  }

  result(ids: readonly string[], words: Uint32Array): Authorization {
    const errors = this.#errors ?? NONE
    if (this.#errors !== undefined) this.#errors.sort((a, b) => (a.policy < b.policy ? -1 : 1))
    if (this.#forbids !== undefined)
      return { decision: 'deny', policies: named(this.#forbids, ids, words), errors }
    if (this.#permits !== undefined)
      return { decision: 'allow', policies: named(this.#permits, ids, words), errors }
    return this.#errors === undefined ? DENIED : { decision: 'deny', policies: NONE, errors }
  }

  fail(policy: SetPolicy, error: unknown): void {
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

/**
 * The ids at these places, ordered. Places come in ascending runs, one for each list of the index.
 * @param words A bit for each place, all clear, and clear again afterwards: cheaper than sorting.
 */
function named(places: readonly number[], ids: readonly string[], words: Uint32Array): readonly string[] {
  const names: string[] = []
  if (isAscending(places)) {
    for (let i = 0; i < places.length; i++) names.push(ids[places[i] ?? 0] ?? '')
    return names
  }
  let first = words.length
  let last = 0
  for (let i = 0; i < places.length; i++) {
    const place = places[i] ?? 0
    const word = place >>> 5
    words[word] = (words[word] ?? 0) | (1 << (place & 31))
    if (word < first) first = word
    if (word > last) last = word
  }
  for (let word = first; word <= last; word++) {
    let bits = words[word] ?? 0
    words[word] = 0
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits)
      names.push(ids[word * 32 + bit] ?? '')
      bits &= bits - 1
    }
  }
  return names
}

function isAscending(places: readonly number[]): boolean {
  for (let i = 1; i < places.length; i++) if ((places[i] ?? 0) < (places[i - 1] ?? 0)) return false
  return true
}
