import type { Expression, Policy } from './est.ts'
import { type CompiledCondition, compileConditions, conditionParts } from './policy-condition.ts'
import type { IndexedPolicy } from './policy-index.ts'
import { compileScope, type Slots } from './scope.ts'
import { SharedTests } from './shared-tests.ts'
import { COMPILED_A_STEP, type Steps } from './steps.ts'

/** A static policy, or a template with the entities that fill its slots. */
export interface SetMember {
  readonly id: string
  readonly policy: Policy
  readonly slots?: Slots
}

/** A policy as sets have it. */
export interface SetPolicy {
  readonly id: string
  /** Its id's place among all ids, in order. */
  readonly place: number
  readonly forbid: boolean
  readonly condition: CompiledCondition
  readonly policy: Policy
  readonly slots: Slots | undefined
}

/** Policies compiled once for all the sets that hold them, which number their evaluations together. */
export class ReadyPolicies {
  /** In order; several members may share one. */
  readonly ids: readonly string[]
  readonly #shared: SharedTests
  readonly #ready: Map<SetMember, IndexedPolicy<SetPolicy>>

  private constructor(
    ids: readonly string[],
    shared: SharedTests,
    ready: Map<SetMember, IndexedPolicy<SetPolicy>>,
  ) {
    this.ids = ids
    this.#shared = shared
    this.#ready = ready
  }

  /**
   * @param members Ordered by id.
   * @throws {CedarFormError}
   */
  static *inSteps(members: Iterable<SetMember>): Steps<ReadyPolicies> {
    const shared = new SharedTests()
    const parts = new Map<SetMember, readonly Expression[]>()
    for (const member of members) {
      const own = conditionParts(member.policy)
      // What a slot stands for differs from link to link.
      if (member.slots === undefined) for (const part of own) shared.count(part, member.id)
      parts.set(member, own)
      if (parts.size % COMPILED_A_STEP === 0) yield
    }
    shared.counted()
    const ids: string[] = []
    const ready = new Map<SetMember, IndexedPolicy<SetPolicy>>()
    for (const [member, own] of parts) {
      const { id, policy, slots } = member
      if (ids.at(-1) !== id) ids.push(id)
      const condition = compileConditions(own, slots ?? {}, slots === undefined ? shared : undefined)
      const forbid = policy.effect === 'forbid'
      ready.set(member, {
        policy: { id, place: ids.length - 1, forbid, condition, policy, slots },
        scope: compileScope(policy, slots ?? {}),
      })
      if (ready.size % COMPILED_A_STEP === 0) yield
    }
    shared.forget()
    return new ReadyPolicies(ids, shared, ready)
  }

  /** Undefined for what is none of them. */
  get(member: SetMember): IndexedPolicy<SetPolicy> | undefined {
    return this.#ready.get(member)
  }

  /** Every set was made: what only their making needs is let go. */
  taken(): void {
    this.#ready.clear()
  }

  /** A number for the next evaluation. */
  next(): number {
    return this.#shared.next()
  }
}
