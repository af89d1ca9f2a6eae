import type { ObservedPolicies } from '../../model/decision.ts'
import { isDecidable } from './bounds.ts'
import type { CompiledPolicy } from './plan.ts'
import type { Authorization, PolicySet } from './policy-set.ts'
import { PLACED_A_STEP, type Steps } from './steps.ts'

type MakeSet = (policies: readonly CompiledPolicy[]) => Steps<PolicySet>

interface Sets {
  readonly permits: PolicySet
  readonly forbids: PolicySet
}

/**
 * The policies of one API that are only observed (`@mode("observe")`), evaluated apart from those that decide. While an
 * attribute they read is unknown nothing is said of them: a later checkpoint may know it.
 */
export class TriedPolicies {
  readonly #whole: Sets
  readonly #without: ReadonlyMap<string, Sets>
  readonly #failingForbidDenies: boolean

  private constructor(whole: Sets, without: ReadonlyMap<string, Sets>, failingForbidDenies: boolean) {
    this.#whole = whole
    this.#without = without
    this.#failingForbidDenies = failingForbidDenies
  }

  static *inSteps(
    policies: readonly CompiledPolicy[],
    make: MakeSet,
    failingForbidDenies: boolean,
  ): Steps<TriedPolicies> {
    const whole = yield* setsOf(policies, make)
    const without = new Map<string, Sets>()
    for (const names of UNKNOWN) {
      const paths = new Set(names.map((name) => `resource.${name}`))
      const decidable = policies.filter(({ reads }) => isDecidable(reads, paths))
      // What reads none of them has its sets already.
      const sets = decidable.length === policies.length ? whole : yield* setsOf(decidable, make)
      without.set(names.join(), sets)
    }
    return new TriedPolicies(whole, without, failingForbidDenies)
  }

  /** `unknown`: the object's attributes nothing has stated yet. Null where none of the policies applies. */
  evaluate(
    authorize: (set: PolicySet) => Authorization,
    unknown: readonly ('owner' | 'tenant')[],
  ): ObservedPolicies | null {
    const key = UNKNOWN.find(
      (names) => names.length === unknown.length && names.every((name) => unknown.includes(name)),
    )
    const { permits, forbids } =
      key === undefined ? this.#whole : (this.#without.get(key.join()) ?? this.#whole)
    const wouldPermit = authorize(permits).policies
    const { policies, errors } = authorize(forbids)
    const failing = this.#failingForbidDenies ? errors.map(({ policy }) => policy) : []
    const wouldForbid = [...policies, ...failing]
    return wouldPermit.length === 0 && wouldForbid.length === 0 ? null : { wouldPermit, wouldForbid }
  }
}

const UNKNOWN: readonly (readonly ('owner' | 'tenant')[])[] = [['owner'], ['tenant'], ['owner', 'tenant']]

function* setsOf(policies: readonly CompiledPolicy[], make: MakeSet): Steps<Sets> {
  const permits: CompiledPolicy[] = []
  const forbids: CompiledPolicy[] = []
  let at = 0
  for (const each of policies) {
    if (each.policy.effect === 'permit') permits.push(each)
    else forbids.push(each)
    if (++at % PLACED_A_STEP === 0) yield
  }
  return { permits: yield* make(permits), forbids: yield* make(forbids) }
}
