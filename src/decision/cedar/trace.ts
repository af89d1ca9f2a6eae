import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput } from '../../model/decision.ts'
import { ContextReads } from './call-context.ts'
import { clausesOf, clauseText } from './clauses.ts'
import type { Test } from './compiled.ts'
import { Environment } from './environment.ts'
import type { Expression } from './est.ts'
import { compileExpression } from './expression.ts'
import {
  type Formula,
  formulaOf,
  type Held,
  heldIf,
  type Joined,
  type Leaf,
  leavesOf,
  type Supposed,
} from './formula.ts'
import { isObserved } from './observed-policy.ts'
import { type CompiledPolicy, type PolicyLinkPlan, readPlan } from './plan.ts'
import { expressionReads } from './reads.ts'
import { Call, KnownOperation } from './request.ts'
import { covers } from './scope-cover.ts'
import { EntityUid } from './values.ts'

export interface TracedClause {
  /** Cedar text. */
  readonly text: string
  readonly held: Held
  /** What it reads of the call, and what that was; absent attributes are not in it. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Had it alone come out otherwise, wherever it stands, the policies’ verdict would have been the other. */
  readonly turns: boolean
  /** Of one that joins others: which of `parts` it asks for. Facts and `turns` are said of the parts. */
  readonly join?: Join
  readonly parts?: readonly TracedClause[]
}

export type Join = 'all' | 'any' | 'not-all' | 'none'

export interface TracedPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  /** Under `@mode("observe")`: it is evaluated, and decides nothing. */
  readonly observed: boolean
  readonly state: 'applies' | 'does-not-apply' | 'waits' | 'error'
  /** Exactly one condition kept it from applying. */
  readonly near: boolean
  readonly clauses: readonly TracedClause[]
  /** Of the link of a template. */
  readonly link?: PolicyLinkPlan
}

export interface PolicyTrace {
  readonly verdict: 'allow' | 'deny'
  /** Policies whose action scope fits: those that apply first, then those that nearly did; bounded. */
  readonly policies: readonly TracedPolicy[]
  /** How many more there are, none of which came near. */
  readonly further: number
}

/** Of the policies that an operation has, as many are told; all of them are weighed. */
const MAX_POLICIES = 200

interface Opened {
  readonly compiled: CompiledPolicy
  readonly forbid: boolean
  readonly observed: boolean
  readonly clauses: readonly Formula[]
  readonly leaves: readonly Leaf[]
}

/**
 * Why the policies decided as they did, condition by condition: for people, so in no hurry and apart from the
 * evaluator on the request path, whose closures it uses. Null where the bundle knows no such operation.
 */
export function tracePolicies(plan: PolicyPlan, input: DecisionInput): PolicyTrace | null {
  const { policies, apis, failingForbid } = readPlan(plan)
  const api = apis[input.resource.api]
  const groups = api?.actions[input.action]
  if (api === undefined || groups === undefined) return null
  const known = new KnownOperation(input.action, groups)
  const reads = new Set(policies.flatMap((policy) => policy.reads))
  const zone = api.zone
  const call = new Call(input, known, {
    zone,
    ancestors: [
      new EntityUid('Api', input.resource.api),
      ...(zone === undefined ? [] : [new EntityUid('Zone', zone)]),
    ],
    context: new ContextReads(reads),
    objectsNamed: reads.has('resource.params'),
  })
  const environment = new Environment(call, call)
  const { objectType, unknown } = input.resource
  const missing = new Set(objectType === '' ? [] : unknown.map((name) => `resource.${name}`))
  const opened = policies
    .filter((policy) => covers(policy, input.resource.api, input.action, groups))
    .map((policy) => open(policy, environment, missing))
  const weighed = new Weighed(opened, failingForbid === 'ignore')
  const ranked = opened
    .map((policy) => ({ policy, rank: rankOf(policy, weighed) }))
    .sort((one, other) => one.rank - other.rank)
  const traced = ranked.slice(0, MAX_POLICIES).map(({ policy }) => traceOf(policy, weighed, input))
  return { verdict: weighed.verdict, policies: traced, further: ranked.length - traced.length }
}

function open(compiled: CompiledPolicy, environment: Environment, unknown: ReadonlySet<string>): Opened {
  const { policy } = compiled
  const held = (expression: Expression): Held => heldOf(expression, environment, unknown)
  const clauses = clausesOf(policy).map((expression) => formulaOf(expression, held))
  const leaves = clauses.flatMap(leavesOf)
  return { compiled, forbid: policy.effect === 'forbid', observed: isObserved(policy), clauses, leaves }
}

/** Nothing is said of a condition that reads what nobody has stated, as the evaluator says nothing of its policy. */
function heldOf(expression: Expression, environment: Environment, unknown: ReadonlySet<string>): Held {
  for (const path of expressionReads(expression)) if (unknown.has(path)) return 'not-known'
  try {
    const test: Test = compileExpression(expression, {}).test
    return test(environment) ? 'holds' : 'fails'
  } catch {
    return 'error'
  }
}

/** A condition behind one that fails is never asked; behind one that is not known it may be guarded by that. */
function stateOf({ clauses }: Opened, supposed?: Supposed): TracedPolicy['state'] {
  let waits = false
  for (const clause of clauses) {
    const now = supposed === undefined ? clause.held : heldIf(clause, supposed)
    if (now === 'fails') return 'does-not-apply'
    if (now === 'error' && !waits) return 'error'
    if (now === 'not-known') waits = true
  }
  return waits ? 'waits' : 'applies'
}

/** The policies' verdict, and what becomes of it where one fact is another. */
class Weighed {
  readonly verdict: 'allow' | 'deny'
  readonly #plain: boolean
  readonly #byFact = new Map<string, Set<Opened>>()
  readonly #turning = new Map<string, boolean>()
  #permits = 0
  #forbids = 0

  /** @param plain A forbid that fails does not apply. */
  constructor(policies: readonly Opened[], plain: boolean) {
    this.#plain = plain
    for (const policy of policies) {
      if (policy.observed) continue
      const state = stateOf(policy)
      if (this.#forbidding(policy, state)) this.#forbids++
      if (permitting(policy, state)) this.#permits++
      for (const { fact } of policy.leaves)
        this.#byFact.set(fact, (this.#byFact.get(fact) ?? new Set()).add(policy))
    }
    this.verdict = this.#verdict(0, 0)
  }

  /** Whether the verdict hangs on the fact that a condition asks for. */
  turns({ fact, negated, held }: Leaf): boolean {
    const known = this.#turning.get(fact)
    if (known !== undefined) return known
    const settled = held === 'holds' || held === 'fails'
    const others = settled ? [(held === 'fails') !== negated] : [true, false]
    const turns = others.some((is) => this.#with({ fact, is }) !== this.verdict)
    this.#turning.set(fact, turns)
    return turns
  }

  #with(supposed: Supposed): 'allow' | 'deny' {
    let permits = 0
    let forbids = 0
    for (const policy of this.#byFact.get(supposed.fact) ?? []) {
      const [was, is] = [stateOf(policy), stateOf(policy, supposed)]
      permits += Number(permitting(policy, is)) - Number(permitting(policy, was))
      forbids += Number(this.#forbidding(policy, is)) - Number(this.#forbidding(policy, was))
    }
    return this.#verdict(permits, forbids)
  }

  #verdict(permits: number, forbids: number): 'allow' | 'deny' {
    return this.#forbids + forbids === 0 && this.#permits + permits > 0 ? 'allow' : 'deny'
  }

  /** A forbid that fails denies (standards 5.7) but in plain Cedar, and so does one that nobody could decide. */
  #forbidding({ forbid }: Opened, state: TracedPolicy['state']): boolean {
    return forbid && (state === 'error' ? !this.#plain : state !== 'does-not-apply')
  }
}

function permitting({ forbid }: Opened, state: TracedPolicy['state']): boolean {
  return !forbid && state === 'applies'
}

function traceOf(policy: Opened, weighed: Weighed, input: DecisionInput): TracedPolicy {
  const { id, link } = policy.compiled
  const turns = (leaf: Leaf): boolean => !policy.observed && weighed.turns(leaf)
  return {
    id,
    effect: policy.forbid ? 'forbid' : 'permit',
    observed: policy.observed,
    state: stateOf(policy),
    near: isNear(policy),
    clauses: policy.clauses.map((clause) => clauseOf(clause, input, turns)),
    ...(link === undefined ? {} : { link }),
  }
}

function clauseOf(clause: Formula, input: DecisionInput, turns: (leaf: Leaf) => boolean): TracedClause {
  const { expression, held } = clause
  const text = clauseText(expression)
  if (!('parts' in clause)) return { text, held, facts: factsOf(expression, input), turns: turns(clause) }
  const parts = clause.parts.map((part) => clauseOf(part, input, turns))
  return { text, held, facts: {}, turns: false, join: joinOf(clause), parts }
}

function joinOf({ join, negated }: Joined): Join {
  if (join === '&&') return negated ? 'not-all' : 'all'
  return negated ? 'none' : 'any'
}

function isNear({ clauses }: Opened): boolean {
  return clauses.filter(({ held }) => held !== 'holds').length === 1
}

function rankOf(policy: Opened, weighed: Weighed): number {
  const state = stateOf(policy)
  if (state === 'applies' || state === 'error') return policy.observed ? 1 : 0
  if (!policy.observed && policy.leaves.some((leaf) => weighed.turns(leaf))) return 2
  if (state === 'waits') return 3
  return isNear(policy) ? 4 : 5
}

function factsOf(expression: Expression, input: DecisionInput): Record<string, unknown> {
  const facts: Record<string, unknown> = {}
  const text = JSON.stringify(expression)
  if (text.includes('{"Var":"principal"}'))
    facts['principal'] = `${input.principal.type} ${input.principal.id}`
  for (const path of expressionReads(expression)) {
    const value = valueAt(input, path)
    if (value !== undefined) facts[path] = value
  }
  return facts
}

function valueAt(input: DecisionInput, path: string): unknown {
  if (path === 'context.checkpoint') return input.checkpoint
  const [variable = '', name = '', ...rest] = path.split('.')
  const under = { principal: input.principal, resource: input.resource, context: input.context }[variable]
  if (under === undefined || name === '' || !Object.hasOwn(under, name)) return
  const value = (under as unknown as Readonly<Record<string, unknown>>)[name]
  if (rest.length === 0) return value
  const inner = rest.join('.')
  return typeof value === 'object' && value !== null && Object.hasOwn(value, inner)
    ? (value as Readonly<Record<string, unknown>>)[inner]
    : undefined
}
