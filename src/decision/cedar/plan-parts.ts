import type { PolicyPlan } from '../../model/bundle.ts'
import { SallyportError } from '../../model/errors.ts'
import { isObject } from './est.ts'
import { type CedarPlan, readPlan } from './plan.ts'

/** Policies in one part of a bundle: some 100 kB, parsed in about a millisecond. */
export const POLICIES_A_PART = 250

export interface PlanParts {
  /** As it was, where its policies are few; else with their number in place of them: no plan by itself. */
  readonly plan: PolicyPlan
  readonly policies: readonly (readonly unknown[])[]
}

/** A plan in parts, so that a thread which answers calls reads many policies between them. */
export function splitPlan(plan: PolicyPlan): PlanParts {
  const { policies, ...detail }: CedarPlan = readPlan(plan)
  if (policies.length <= POLICIES_A_PART) return { plan, policies: [] }
  const parts: unknown[][] = []
  for (let at = 0; at < policies.length; at += POLICIES_A_PART)
    parts.push(policies.slice(at, at + POLICIES_A_PART))
  return { plan: { ...plan, detail: { ...detail, policies: policies.length } }, policies: parts }
}

/** Puts a plan together from its parts. */
export class JoinedPlan {
  #plan: PolicyPlan | null = null
  readonly #policies: unknown[] = []

  start(plan: PolicyPlan): void {
    this.#plan = plan
  }

  add(policies: readonly unknown[]): void {
    for (const policy of policies) this.#policies.push(policy)
  }

  /**
   * Null where there is no plan at all.
   * @throws {SallyportError} `bundle-corrupt` where policies are missing or too many: not one may be lost.
   */
  finish(): PolicyPlan | null {
    const plan = this.#plan
    const stated = isObject(plan?.detail) ? plan.detail['policies'] : undefined
    const count = typeof stated === 'number' ? stated : 0
    if (count !== this.#policies.length)
      throw new SallyportError('bundle-corrupt', 'the bundle’s policies are not as many as it states')
    if (plan === null || !isObject(plan.detail) || typeof stated !== 'number') return plan
    return { ...plan, detail: { ...plan.detail, policies: this.#policies } }
  }
}
