import type { Condition, Expression, Policy } from '../decision/cedar/est.ts'
import { conjuncts, disjuncts } from '../decision/cedar/est.ts'
import type { CedarPlan, CompiledPolicy } from '../decision/cedar/plan.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import { expressionReads } from '../decision/cedar/reads.ts'
import { prepareTests, type TestedApi } from '../decision/policy-test.ts'
import type { PolicyPlan } from '../model/bundle.ts'
import type { DecisionInput, PolicyEngine } from '../model/decision.ts'

/** What the policies' tests reach. */
export interface PolicyCoverage {
  readonly policies: readonly PolicyCovered[]
  /** Operations of enforced contracts that no test calls. */
  readonly untested: readonly string[]
  readonly operations: number
  /** Parts of conditions, and how many of them were seen both true and false. */
  readonly parts: { readonly all: number; readonly both: number }
}

export interface PolicyCovered {
  readonly id: string
  readonly place: string
  /** Tests in which it was among those that decided. */
  readonly decided: number
  /** Parts of its conditions that no test saw both ways. */
  readonly open: readonly OpenPart[]
}

export interface OpenPart {
  /** Cedar: `context.scopesMet`. */
  readonly text: string
  readonly kind: 'when' | 'unless'
  /** The one way it was seen; null: no test came as far. */
  readonly seen: 'true' | 'false' | null
}

export interface CoverageInput {
  readonly files: readonly { readonly file: string; readonly data: unknown }[]
  readonly apis: readonly TestedApi[]
  readonly policies: PolicyPlan
  readonly places: ReadonlyMap<string, string>
  readonly engineOf: (plan: PolicyPlan) => PolicyEngine & { close(): void }
  /** A condition's part as Cedar text. */
  readonly textOf: (expression: Expression) => string
}

interface Part {
  readonly kind: Condition['kind']
  readonly body: Expression
}

/**
 * Runs every test's call once more, each policy cut into steps: its scope alone, then one part of its conditions more
 * at each step, in the order Cedar evaluates them, so that a part that relies on an earlier `has` is never asked alone.
 * How far a call comes says which parts were true, and which one was false. What waits for an attribute counts as not
 * reached.
 */
export function measureCoverage(input: CoverageInput): PolicyCoverage {
  const { files, apis, policies: plan, places } = input
  const policies = readPlan(plan).policies
  const tests = prepareTests({ files, apis }).flatMap((test) => ('call' in test ? [test] : []))
  const parts = policies.map(({ policy }) => partsOf(policy))
  const seen = parts.map((own) => own.map(() => ({ true: 0, false: 0 })))
  const decided = new Map<string, number>()
  const engine = input.engineOf(plan)
  const steps = input.engineOf(stepPlan(plan, policies, parts))
  try {
    for (const { call } of tests) {
      for (const id of engine.evaluate(call.input).policies) decided.set(id, (decided.get(id) ?? 0) + 1)
      note(steps, call.input, parts, seen)
    }
  } finally {
    engine.close()
    steps.close()
  }
  const called = new Set(tests.map((test) => test.plan.key))
  const operations = apis.flatMap((api) => api.operations.map(({ key }) => key))
  const all = seen.flat()
  return {
    policies: policies.map(({ id }, index) => ({
      id,
      place: places.get(id) ?? '',
      decided: decided.get(id) ?? 0,
      open: openParts(parts[index] ?? [], seen[index] ?? [], input.textOf),
    })),
    untested: operations.filter((key) => !called.has(key)).sort(),
    operations: operations.length,
    parts: { all: all.length, both: all.filter((each) => each.true > 0 && each.false > 0).length },
  }
}

/** `unless { A || B }` is `unless { A } unless { B }`. */
function partsOf({ conditions }: Policy): readonly Part[] {
  return conditions.flatMap(({ kind, body }) =>
    (kind === 'when' ? conjuncts(body) : disjuncts(body)).map((part) => ({ kind, body: part })),
  )
}

/** Policy i's steps are `i:0` (its scope), `i:1` (with its first part) and so on, all permits. */
function stepPlan(
  plan: PolicyPlan,
  policies: readonly CompiledPolicy[],
  parts: readonly (readonly Part[])[],
): PolicyPlan {
  const steps = policies.flatMap((each, index) => {
    const own = parts[index] ?? []
    return Array.from({ length: own.length + 1 }, (_, length) => ({
      ...each,
      id: `${index}:${length}`,
      policy: { ...each.policy, effect: 'permit' as const, conditions: own.slice(0, length) },
    }))
  })
  const detail: CedarPlan = { ...readPlan(plan), policies: steps }
  return { detail, reads: plan.reads }
}

function note(
  steps: PolicyEngine,
  call: DecisionInput,
  parts: readonly (readonly Part[])[],
  seen: readonly (readonly { true: number; false: number }[])[],
): void {
  // A step that reads what is unknown is no determining policy of an allow, so it counts as not reached.
  const { verdict, policies, errors } = steps.evaluate(call)
  const reached = new Set(verdict === 'allow' ? policies : [])
  const failed = new Set(errors.map(({ policy }) => policy))
  const unknown = new Set(call.resource.unknown.map((name) => `resource.${name}`))
  parts.forEach((own, index) => {
    for (let step = 0; step <= own.length; step++) {
      if (!reached.has(`${index}:${step}`)) {
        const part = seen[index]?.[step - 1]
        const waits = unknown.size > 0 && readsUnknown(own[step - 1]?.body, unknown)
        if (step > 0 && part !== undefined && !failed.has(`${index}:${step}`) && !waits) part.false++
        return
      }
      const part = seen[index]?.[step - 1]
      if (part !== undefined) part.true++
    }
  })
}

function readsUnknown(body: Expression | undefined, unknown: ReadonlySet<string>): boolean {
  if (body === undefined) return false
  return [...expressionReads(body)].some((path) => unknown.has(path))
}

function openParts(
  parts: readonly Part[],
  seen: readonly { readonly true: number; readonly false: number }[],
  textOf: CoverageInput['textOf'],
): readonly OpenPart[] {
  return parts.flatMap(({ kind, body }, index) => {
    const own = seen[index] ?? { true: 0, false: 0 }
    if (own.true > 0 && own.false > 0) return []
    // `unless` holds where its part is false; what is told is the part as it is written.
    const [met, unmet] = kind === 'when' ? (['true', 'false'] as const) : (['false', 'true'] as const)
    const way = own.true > 0 ? met : own.false > 0 ? unmet : null
    return [{ text: textOf(body), kind, seen: way }]
  })
}
