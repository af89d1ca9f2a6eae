import type { ObservedPolicies } from '../../model/decision.ts'
import { isDecidable } from './bounds.ts'
import type { CompiledPolicy } from './plan.ts'
import type { Authorization, PolicySet } from './policy-set.ts'

type MakeSet = (policies: readonly CompiledPolicy[]) => PolicySet

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

  constructor(policies: readonly CompiledPolicy[], make: MakeSet, failingForbidDenies: boolean) {
    this.#failingForbidDenies = failingForbidDenies
    this.#whole = setsOf(policies, make)
    const without = UNKNOWN.map((names): [string, Sets] => {
      const paths = new Set(names.map((name) => `resource.${name}`))
      return [
        names.join(),
        setsOf(
          policies.filter(({ reads }) => isDecidable(reads, paths)),
          make,
        ),
      ]
    })
    this.#without = new Map(without)
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

function setsOf(policies: readonly CompiledPolicy[], make: MakeSet): Sets {
  return {
    permits: make(policies.filter(({ policy }) => policy.effect === 'permit')),
    forbids: make(policies.filter(({ policy }) => policy.effect === 'forbid')),
  }
}
