import type { Expression, Policy } from './est.ts'
import { type CompiledCondition, compileConditions, conditionParts } from './policy-condition.ts'
import { compileScope, type Scope, type Slots } from './scope.ts'
import { SharedTests } from './shared-tests.ts'
import { COMPILED_A_STEP, type Steps } from './steps.ts'

export interface ReadyPolicy {
  readonly condition: CompiledCondition
  readonly scope: Scope
}

interface Named {
  readonly id: string
  readonly policy: Policy
  readonly slots?: Slots
}

/** Policies compiled once for all the sets that hold them, which number their evaluations together. */
export class ReadyPolicies {
  readonly #shared: SharedTests
  readonly #ready: Map<Policy, ReadyPolicy>

  private constructor(shared: SharedTests, ready: Map<Policy, ReadyPolicy>) {
    this.#shared = shared
    this.#ready = ready
  }

  /**
   * @param policies Links of a template, which have slots, are compiled where a set asks for them.
   * @throws {CedarFormError}
   */
  static *inSteps(policies: Iterable<Named>): Steps<ReadyPolicies> {
    const shared = new SharedTests()
    const parts = new Map<Policy, readonly Expression[]>()
    let at = 0
    for (const { id, policy, slots } of policies) {
      if (++at % COMPILED_A_STEP === 0) yield
      if (slots !== undefined || parts.has(policy)) continue
      const own = conditionParts(policy)
      for (const part of own) shared.count(part, id)
      parts.set(policy, own)
    }
    shared.counted()
    const ready = new Map<Policy, ReadyPolicy>()
    for (const [policy, own] of parts) {
      ready.set(policy, {
        condition: compileConditions(own, {}, shared),
        scope: compileScope(policy, {}),
      })
      if (ready.size % COMPILED_A_STEP === 0) yield
    }
    shared.forget()
    return new ReadyPolicies(shared, ready)
  }

  /** @throws {CedarFormError} */
  get({ policy, slots }: Named): ReadyPolicy {
    const known = slots === undefined ? this.#ready.get(policy) : undefined
    if (known !== undefined) return known
    const filled = slots ?? {}
    return {
      condition: compileConditions(conditionParts(policy), filled, undefined),
      scope: compileScope(policy, filled),
    }
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
