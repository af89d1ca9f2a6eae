import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput } from '../../model/decision.ts'
import { ContextReads } from './call-context.ts'
import { type Clause, clausesOf } from './clauses.ts'
import type { Test } from './compiled.ts'
import { Environment } from './environment.ts'
import { actionScope } from './est.ts'
import { compileExpression } from './expression.ts'
import { type CompiledPolicy, readPlan } from './plan.ts'
import { expressionReads } from './reads.ts'
import { Call, KnownOperation } from './request.ts'
import { EntityUid } from './values.ts'

/** What one condition of a policy came to. */
export type Held = 'holds' | 'fails' | 'not-known' | 'error'

export interface TracedClause {
  /** Cedar text. */
  readonly text: string
  readonly held: Held
  /** What it reads of the call, and what that was; absent attributes are not in it. */
  readonly facts: Readonly<Record<string, unknown>>
  /** Had it alone come out otherwise, wherever it stands, the policies’ verdict would have been the other. */
  readonly turns: boolean
}

export interface TracedPolicy {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly state: 'applies' | 'does-not-apply' | 'waits' | 'error'
  /** Exactly one condition kept it from applying. */
  readonly near: boolean
  readonly clauses: readonly TracedClause[]
}

export interface PolicyTrace {
  readonly verdict: 'allow' | 'deny'
  /** Every policy whose action scope fits: those that apply first, then the near ones. */
  readonly policies: readonly TracedPolicy[]
}

/** A policy of ten thousand operations has few that fit one call; beyond this the rest is left out. */
const MAX_POLICIES = 200

interface Opened {
  readonly id: string
  readonly forbid: boolean
  readonly clauses: readonly { readonly clause: Clause; held: Held }[]
}

/**
 * Why the policies decided as they did, condition by condition: for people, so in no hurry and apart from the
 * evaluator on the request path, whose closures it uses. Null where the bundle knows no such operation.
 */
export function tracePolicies(plan: PolicyPlan, input: DecisionInput): PolicyTrace | null {
  const { policies, apis } = readPlan(plan)
  const api = apis[input.resource.api]
  const groups = api?.actions[input.action]
  if (api === undefined || groups === undefined) return null
  const operation = new KnownOperation(input.action, groups)
  const reads = new Set(policies.flatMap((policy) => policy.reads))
  const zone = api.zone
  const call = new Call(input, operation, {
    zone,
    ancestors: [
      new EntityUid('Api', input.resource.api),
      ...(zone === undefined ? [] : [new EntityUid('Zone', zone)]),
    ],
    context: new ContextReads(reads),
    objectsNamed: reads.has('resource.params'),
  })
  const environment = new Environment(call, call)
  const own = policies.filter((policy) => covers(policy, input, groups)).slice(0, MAX_POLICIES)
  const unknown = new Set(input.resource.unknown.map((name) => `resource.${name}`))
  const opened = own.map((policy) => open(policy, environment, unknown))
  const verdict = verdictOf(opened)
  const traced = opened.map((policy) => traceOf(policy, opened, verdict, input))
  return { verdict, policies: traced.sort((one, other) => rank(one) - rank(other)) }
}

function covers({ apis, policy }: CompiledPolicy, input: DecisionInput, groups: readonly string[]): boolean {
  if (!apis.includes(input.resource.api)) return false
  if (policy.action.op === 'All') return true
  const named = actionScope(policy).map(({ id }) => id)
  return (
    named.includes(input.action) || (policy.action.op === 'in' && groups.some((id) => named.includes(id)))
  )
}

function open(
  { id, policy }: CompiledPolicy,
  environment: Environment,
  unknown: ReadonlySet<string>,
): Opened {
  return {
    id,
    forbid: policy.effect === 'forbid',
    clauses: clausesOf(policy).map((clause) => ({ clause, held: heldOf(clause, environment, unknown) })),
  }
}

function heldOf({ expression }: Clause, environment: Environment, unknown: ReadonlySet<string>): Held {
  try {
    const test: Test = compileExpression(expression, {}).test
    return test(environment) ? 'holds' : 'fails'
  } catch {
    return [...expressionReads(expression)].some((path) => unknown.has(path)) ? 'not-known' : 'error'
  }
}

/** A condition behind one that fails is never asked: what it would have thrown does not count. */
function stateOf({ clauses }: Opened, flipped?: string): TracedPolicy['state'] {
  for (const { clause, held } of clauses) {
    const now = clause.text === flipped ? FLIPPED[held] : held
    if (now === 'fails') return 'does-not-apply'
    if (now === 'not-known') return 'waits'
    if (now === 'error') return 'error'
  }
  return 'applies'
}

const FLIPPED: Readonly<Record<Held, Held>> = {
  holds: 'fails',
  fails: 'holds',
  'not-known': 'holds',
  error: 'holds',
}

function verdictOf(policies: readonly Opened[], flipped?: string): 'allow' | 'deny' {
  let permitted = false
  for (const policy of policies) {
    const state = stateOf(policy, flipped)
    // A forbid that fails denies (standards 5.7), and so does one that nobody could decide.
    if (policy.forbid && state !== 'does-not-apply') return 'deny'
    permitted ||= !policy.forbid && state === 'applies'
  }
  return permitted ? 'allow' : 'deny'
}

function traceOf(
  policy: Opened,
  all: readonly Opened[],
  verdict: 'allow' | 'deny',
  input: DecisionInput,
): TracedPolicy {
  const missing = policy.clauses.filter(({ held }) => held !== 'holds').length
  return {
    id: policy.id,
    effect: policy.forbid ? 'forbid' : 'permit',
    state: stateOf(policy),
    near: missing === 1,
    clauses: policy.clauses.map(({ clause, held }) => ({
      text: clause.text,
      held,
      facts: factsOf(clause, input),
      turns: verdictOf(all, clause.text) !== verdict,
    })),
  }
}

function rank({ state, near, clauses }: TracedPolicy): number {
  if (state === 'applies' || state === 'error') return 0
  if (clauses.some(({ turns }) => turns)) return 1
  return near ? 2 : 3
}

function factsOf({ expression }: Clause, input: DecisionInput): Record<string, unknown> {
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
