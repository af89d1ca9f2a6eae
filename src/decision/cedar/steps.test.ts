import { describe, expect, it } from 'vitest'
import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput } from '../../model/decision.ts'
import { CedarEngine } from './evaluate.ts'
import type { CedarPlan, CompiledPolicy } from './plan.ts'
import { JoinedPlan, POLICIES_A_PART, splitPlan } from './plan-parts.ts'
import { PolicySet } from './policy-set.ts'
import { parsePolicyText } from './policy-text.ts'
import { policyReads } from './reads.ts'
import { atOnce, COMPILED_A_STEP, PLACED_A_STEP } from './steps.ts'
import { EntityUid } from './values.ts'

const KINDS = [
  (i: number) =>
    `permit(principal, action, resource) when { context.scopesMet && resource.owner == principal && ${i} > 0 };`,
  (i: number) =>
    `forbid(principal, action == Action::"shop.get", resource) when { resource.tenant == "t${i}" };`,
  (i: number) => `permit(principal in Group::"g${i}", action, resource) when { context.scopesMet };`,
  (i: number) =>
    `@mode("observe") permit(principal == User::"u${i}", action, resource) unless { resource.owner == principal };`,
]

function planOf(count: number): PolicyPlan {
  const policies = Array.from({ length: count }, (_, i): CompiledPolicy => {
    const parsed = parsePolicyText(KINDS[i % KINDS.length]?.(i) ?? '')
    if (!parsed.ok) throw new Error(parsed.errors[0]?.message)
    return { id: `p#${i}`, apis: ['shop', 'back'], reads: policyReads(parsed.policy), policy: parsed.policy }
  })
  const detail: CedarPlan = {
    format: 1,
    policies,
    apis: { shop: { actions: { 'shop.get': ['shop'] } }, back: { actions: { 'back.get': ['back'] } } },
  }
  return { detail, reads: [...new Set(policies.flatMap(({ reads }) => reads))] }
}

describe('an engine made in steps', () => {
  it('looks at a bounded number of policies in each', () => {
    const touched = new Set<string>()
    const plan = planOf(1_200)
    const { policies, ...rest } = plan.detail as CedarPlan
    const watched = policies.map((compiled) => ({
      ...compiled,
      get policy() {
        touched.add(compiled.id)
        return compiled.policy
      },
    }))
    const making = CedarEngine.inSteps({ ...plan, detail: { ...rest, policies: watched } })
    let most = 0
    let steps = 0
    for (let step = making.next(); step.done !== true; step = making.next()) {
      most = Math.max(most, touched.size)
      touched.clear()
      steps++
    }
    expect(most).toBeLessThanOrEqual(2 * PLACED_A_STEP)
    expect(steps).toBeGreaterThan(1_200 / COMPILED_A_STEP)
  })

  it('compiles a few policies in each, however many sets they stand in', () => {
    const members = (planOf(600).detail as CedarPlan).policies
    let compiled = 0
    const watched = members.map(({ id, policy }) => ({
      id,
      policy: {
        ...policy,
        get conditions() {
          compiled++
          return policy.conditions
        },
      },
    }))
    const making = PolicySet.inSteps(watched, [{ uid: new EntityUid('Action', 'shop.get'), ancestors: [] }])
    let most = 0
    for (let step = making.next(); step.done !== true; step = making.next()) {
      most = Math.max(most, compiled)
      compiled = 0
    }
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(COMPILED_A_STEP)
  })

  it('says what one made at once says', () => {
    const plan = planOf(60)
    const atOnceMade = new CedarEngine(plan)
    const making = CedarEngine.inSteps(plan)
    let step = making.next()
    while (step.done !== true) step = making.next()
    const verdicts = new Set<string>()
    for (const unknown of [[], ['owner'], ['tenant'], ['owner', 'tenant']] as const) {
      for (let i = 0; i < 60; i++) {
        const input = callOf(i, unknown)
        const verdict = step.value.evaluate(input)
        expect(verdict).toEqual(atOnceMade.evaluate(input))
        verdicts.add(verdict.observed === undefined ? verdict.verdict : `${verdict.verdict} observed`)
      }
    }
    expect([...verdicts].sort()).toEqual(['allow', 'deny', 'deny observed', 'pending'])
  })

  it('throws what one made at once throws', () => {
    const plan = planOf(3)
    const detail = { ...(plan.detail as CedarPlan), policies: [{}] }
    expect(() => atOnce(CedarEngine.inSteps({ ...plan, detail }))).toThrow(
      expect.objectContaining({ code: 'bundle-corrupt' }),
    )
  })
})

describe('a plan in parts', () => {
  it('is the same again once they are joined', () => {
    for (const count of [3, POLICIES_A_PART, POLICIES_A_PART + 1, 3 * POLICIES_A_PART]) {
      const plan = planOf(count)
      const { plan: first, policies } = splitPlan(plan)
      expect(policies).toHaveLength(count <= POLICIES_A_PART ? 0 : Math.ceil(count / POLICIES_A_PART))
      expect(joined(first, policies).finish()).toEqual(plan)
    }
    expect(new JoinedPlan().finish()).toBeNull()
  })

  it('is none where policies are missing or too many', () => {
    const { plan, policies } = splitPlan(planOf(2 * POLICIES_A_PART))
    for (const lists of [policies.slice(1), [...policies, [{}]], []])
      expect(() => joined(plan, lists).finish()).toThrow(expect.objectContaining({ code: 'bundle-corrupt' }))
    // What does not know of parts takes it for no plan, not for one with fewer forbids.
    expect(() => new CedarEngine(plan)).toThrow(expect.objectContaining({ code: 'bundle-corrupt' }))
  })
})

function callOf(i: number, unknown: readonly ('owner' | 'tenant')[]): DecisionInput {
  const known = {
    ...(unknown.includes('owner') ? {} : { owner: `u${i + (i % 2)}` }),
    ...(unknown.includes('tenant') ? {} : { tenant: `t${i}` }),
  }
  return {
    checkpoint: 'response',
    principal: { type: 'User', id: `u${i}`, groups: i % 3 === 0 ? [`g${i}`] : [], roles: [] },
    action: 'shop.get',
    resource: { api: 'shop', objectType: 'order', params: {}, unknown, ...known },
    context: { scopes: [], scopesMet: i % 5 !== 0, audience: [], method: 'GET', path: '/' },
  } as unknown as DecisionInput
}

function joined(plan: PolicyPlan, lists: readonly (readonly unknown[])[]): JoinedPlan {
  const made = new JoinedPlan()
  made.start(plan)
  for (const list of lists) made.add(list)
  return made
}
