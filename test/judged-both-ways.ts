import type { Entities } from '../src/decision/cedar/entities.ts'
import type { AuthorizationRequest } from '../src/decision/cedar/environment.ts'
import {
  type Authorization,
  type KnownAction,
  PolicySet,
  type PolicySetOptions,
  type SetMember,
} from '../src/decision/cedar/policy-set.ts'

/** A policy set judged by closures and by generated code: both must say the same, to the last message. */
export class JudgedBothWays {
  readonly #closures: PolicySet
  readonly #generated: PolicySet

  /** @throws {CedarFormError} as a policy set does. */
  constructor(
    members: readonly SetMember[],
    actions: readonly KnownAction[],
    options: PolicySetOptions = { erroringForbidDenies: true },
  ) {
    this.#closures = new PolicySet(members, actions, { ...options, generated: 'never' })
    this.#generated = new PolicySet(members, actions, { ...options, generated: 'always' })
  }

  /** @throws {Error} where they differ. */
  authorize(request: AuthorizationRequest, entities: Entities): Authorization {
    const closures = this.#closures.authorize(request, entities)
    // The first evaluation generates the first block only, each later one the next.
    for (let i = 0; i < EVALUATIONS; i++) {
      const generated = this.#generated.authorize(request, entities)
      if (JSON.stringify(generated) === JSON.stringify(closures)) continue
      throw new Error(`by closures ${JSON.stringify(closures)}, generated ${JSON.stringify(generated)}`)
    }
    return closures
  }
}

const EVALUATIONS = 3
