import { actionScope } from '../decision/cedar/est.ts'
import type { CedarPlan, CompiledPolicy } from '../decision/cedar/plan.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import { FIELD_KINDS } from '../decision/obligations.ts'
import type { PolicyPlan } from '../model/bundle.ts'
import type { PolicyEngine } from '../model/decision.ts'
import { type Application, applyingAt } from './application.ts'
import { operationsOf, type Side } from './side.ts'

export type LintRule =
  | 'never-applies'
  | 'allows-everyone'
  | 'duplicate'
  | 'covered'
  | 'always-forbidden'
  | 'changes-nothing'

export interface LintFinding {
  readonly rule: LintRule
  readonly policy: string
  readonly message: string
  /** `decided`: over every request the policies can tell apart, of every operation it covers; else over a sample. */
  readonly how: 'decided' | 'sampled'
  readonly operations: readonly string[]
}

export interface LintReport {
  readonly findings: readonly LintFinding[]
  readonly operations: number
  readonly decided: number
  readonly requests: number
}

export interface LintOptions {
  readonly bound: number
  readonly engineOf: (plan: PolicyPlan) => PolicyEngine & { close(): void }
  readonly onProgress?: (done: number) => void
}

/** What was seen of one policy over all operations it covers. */
interface Seen {
  readonly operations: string[]
  sampled: boolean
  applied: number
  /** Times it made a difference: a permit no other permit and no forbid stood beside, a forbid over a permit alone. */
  mattered: number
  /** Of a permit: times a forbid did not apply as well. */
  effective: number
  /** Policies of its effect that applied whenever it did; null before it did once. */
  always: Set<number> | null
  /** Operations whose callers it does not tell apart. */
  readonly everyone: string[]
}

/** What in the policies has no effect, or more than its writer may have meant. */
export function lintPolicies(side: Side, options: LintOptions): LintReport {
  const { policies } = readPlan(side.policies)
  const index = new Map(policies.map(({ id }, at) => [id, at]))
  const seen = policies.map(
    (): Seen => ({
      operations: [],
      sampled: false,
      applied: 0,
      mattered: 0,
      effective: 0,
      always: null,
      everyone: [],
    }),
  )
  const operations = [...operationsOf(side).values()]
  const counted = { operations: operations.length, decided: 0, requests: 0 }
  const engine = options.engineOf(allPermits(side.policies))
  try {
    operations.forEach((operation, at) => {
      options.onProgress?.(at / operations.length)
      if (operation.policies.length === 0) {
        counted.decided++
        return
      }
      const application = applyingAt(side, operation, { engine, index, bound: options.bound })
      counted.requests += application.requests
      if (application.exhaustive) counted.decided++
      note(application, operation.plan.key, operation.policies, policies, index, seen)
    })
  } finally {
    engine.close()
  }
  options.onProgress?.(1)
  return { findings: findingsOf(policies, seen), ...counted }
}

/** Every policy as a permit: a verdict then names all that apply, whatever their effect. */
function allPermits(plan: PolicyPlan): PolicyPlan {
  const { policies, ...rest } = readPlan(plan)
  const permits = policies.map((each) => ({
    ...each,
    policy: { ...each.policy, effect: 'permit' as const },
  }))
  const detail: CedarPlan = { ...rest, policies: permits }
  return { detail, reads: plan.reads }
}

function note(
  application: Application,
  key: string,
  covering: readonly CompiledPolicy[],
  policies: readonly CompiledPolicy[],
  index: ReadonlyMap<string, number>,
  seen: readonly Seen[],
): void {
  for (const { id } of covering) {
    const own = seen[index.get(id) ?? -1]
    own?.operations.push(key)
    if (own !== undefined && !application.exhaustive) own.sampled = true
    if (application.everyone.has(index.get(id) ?? -1)) own?.everyone.push(key)
  }
  const isForbid = (at: number): boolean => policies[at]?.policy.effect === 'forbid'
  for (const applied of application.sets) {
    const forbids = applied.filter(isForbid)
    const permits = applied.filter((at) => !isForbid(at))
    for (const at of applied) {
      const own = seen[at]
      if (own === undefined) continue
      const alike = isForbid(at) ? forbids : permits
      own.applied++
      own.always = new Set(own.always === null ? alike : alike.filter((each) => own.always?.has(each)))
      if (isForbid(at)) {
        if (permits.length > 0) own.effective++
        if (permits.length > 0 && forbids.length === 1) own.mattered++
      } else {
        if (forbids.length === 0) own.effective++
        if (forbids.length === 0 && permits.length === 1) own.mattered++
      }
    }
  }
}

function findingsOf(policies: readonly CompiledPolicy[], seen: readonly Seen[]): readonly LintFinding[] {
  const findings: LintFinding[] = []
  policies.forEach(({ id, policy }, at) => {
    const own = seen[at]
    if (own === undefined) return
    const { operations } = own
    const found = (rule: LintRule, message: string, where: readonly string[] = operations): void => {
      findings.push({
        rule,
        policy: id,
        message,
        how: own.sampled ? 'sampled' : 'decided',
        operations: where,
      })
    }
    if (own.applied === 0) {
      const nothing = operations.length === 0 && actionScope(policy).length > 0
      found(
        'never-applies',
        nothing ? 'its action scope covers no operation' : 'no request meets its conditions',
      )
      return
    }
    const beside = [...(own.always ?? [])].filter((other) => other !== at)
    const twins = beside.filter(
      (other) => seen[other]?.always?.has(at) && seen[other].applied === own.applied,
    )
    const [earlier] = twins.filter((other) => other < at)
    const wider = beside.filter((other) => !twins.includes(other))
    const name = (other: number | undefined): string => policies[other ?? -1]?.id ?? ''
    if (policy.effect === 'permit') {
      if (own.everyone.length > 0) {
        found('allows-everyone', 'nothing in it asks who calls: whoever meets the contract may', own.everyone)
      }
      // Beside another permit, one that hides fields still hides them.
      const hides = FIELD_KINDS.some((kind) => policy.annotations?.[kind] !== undefined)
      if (own.effective === 0) found('always-forbidden', 'whatever it permits, a forbid refuses')
      else if (hides) return
      else if (earlier !== undefined) found('duplicate', `${name(earlier)} permits exactly the same`)
      else if (wider.length > 0) found('covered', `${name(wider[0])} permits all that it permits, and more`)
      else if (own.mattered === 0 && twins.length === 0)
        found('covered', 'each call it permits is permitted by another policy as well')
    } else if (earlier !== undefined) found('duplicate', `${name(earlier)} forbids exactly the same`)
    else if (wider.length > 0) found('covered', `${name(wider[0])} forbids all that it forbids, and more`)
    else if (own.effective === 0) found('changes-nothing', 'no permit allows any call it forbids')
    else if (own.mattered === 0 && twins.length === 0)
      found('covered', 'each call it forbids is forbidden by another policy as well')
  })
  return findings
}
