import type { ObservableStage } from '../model/bundle.ts'
import type {
  Checkpoint,
  Decision,
  DecisionInput,
  ItemDecisions,
  Mode,
  Obligation,
  PolicyVerdict,
} from '../model/decision.ts'
import type { Finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { Reason, ReasonCode } from '../model/reason.ts'
import { opposes, reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import type { ScopeCheck } from './floor.ts'
import { isCheckable } from './floor.ts'
import { isObservedByRule, stageOf } from './observed.ts'

/** All that is known of a call at one checkpoint. */
export interface JudgeInput {
  readonly checkpoint: Checkpoint
  readonly mode: Mode
  /** Hash of the bundle the call is pinned to. */
  readonly bundle: string
  /** Null where no operation was found, or the API has no contract. */
  readonly plan: OperationPlan | null
  /** Null where identity said nothing: then nothing that asks for identity is allowed. */
  readonly subject: Subject | null
  readonly findings: readonly Finding[]
  /** Null only where a finding speaks against the call already, or nothing asks for scopes. */
  readonly scopes: ScopeCheck | null
  /** Null only where a finding speaks against the call already. */
  readonly policy: PolicyVerdict | null
  /** What the policies were evaluated over, where they were: a verdict about another call allows nothing. */
  readonly input?: DecisionInput | null
  /** No later checkpoint can allow: what waits is denied. */
  readonly last: boolean
  /** Of a list whose items were judged one by one: the call as a whole need not be allowed for certain then. */
  readonly items?: ItemDecisions
  /** Stages that are only observed: what they say against the call is told apart, and has no effect. */
  readonly observe?: readonly ObservableStage[]
}

/** Evidence stays small whatever a call or a bundle holds. */
const MAX_EVIDENCE = 20
const MAX_REASONS = 50

/**
 * The one place that judges. Pure and total: the same input gives the same decision, and no input throws; what
 * cannot be judged is denied (standards 1.5). Reasons that oppose come first, in the order findings were given,
 * then the floor's, then the policies'.
 *
 * In observe mode the decision is the same: who acts on it suspends the effect.
 */
export function decide(input: JudgeInput): Decision {
  try {
    return weigh(input)
  } catch {
    // `Object` lets even a missing input be read from.
    return decision(Object(input) as JudgeInput, 'deny', false, [unjudged('decide')], [])
  }
}

function weigh(input: JudgeInput): Decision {
  const against: Reason[] = []
  const observed: Reason[] = []
  const beside: Reason[] = []
  for (const found of input.findings) {
    if (!opposes(found.reason.code)) beside.push(found.reason)
    else (isSuspended(found, input) ? observed : against).push(found.reason)
  }
  if (input.plan === null) {
    if (against.length > 0) return decision(input, 'deny', false, against, [])
    // Without a contract there is nothing to judge by: fit to be watched, never to be enforced.
    if (input.mode === 'observe') return decision(input, 'allow', false, [reason('ungoverned', 'route')], [])
    return decision(input, 'deny', false, [unjudged('operation')], [])
  }
  const found = against.length
  const said: Reason[] = []
  floor(input, input.plan, found > 0 || observed.some((each) => stageOf(each) === 'identity'), said)
  // A policy's opinion on a call that a finding ends is not asked for, so its absence is no fault then.
  const policy = input.policy
  if (policy !== null) policies(input, input.plan, policy, said)
  else if (found === 0) said.push(unjudged('policy'))
  for (const each of said)
    (isSuspended({ reason: each, always: false }, input) ? observed : against).push(each)
  if (policy !== null) observed.push(...observedReasons(policy))
  const deciding = policy?.policies ?? []
  if (against.length > 0) {
    const denied = decision(input, 'deny', false, against, denying(policy), observed)
    // Which fields of a GraphQL call were denied, their rows say.
    const rows = policy?.fields === undefined ? undefined : input.items
    return rows === undefined ? denied : { ...denied, items: rows }
  }
  const pending = policy?.verdict === 'pending' && input.items === undefined
  const judged = decision(
    input,
    'allow',
    pending,
    [...inFavour(input.subject, input.scopes, policy, observed, input.items), ...beside],
    deciding,
    observed,
  )
  const allowed = policy?.obligations === undefined ? judged : { ...judged, obligations: policy.obligations }
  return input.items === undefined || policy === null ? allowed : { ...allowed, items: input.items }
}

/**
 * Only enforcing has effects to suspend; what holds in every mode is not among them. What the operation's rule for
 * unknown fields only observes has no effect in any mode.
 */
export function isSuspended(
  { reason: found, always }: Pick<Finding, 'reason' | 'always'>,
  { mode, observe }: { readonly mode: Mode; readonly observe?: readonly ObservableStage[] | undefined },
): boolean {
  if (always) return false
  if (isObservedByRule(found)) return true
  if (observe === undefined || mode !== 'enforce') return false
  const stage = stageOf(found)
  return stage !== null && observe.includes(stage)
}

/** Identity and scopes: what holds whatever policies permit. */
function floor(input: JudgeInput, plan: OperationPlan, opposed: boolean, against: Reason[]): void {
  const { subject, scopes } = input
  if (plan.security.need !== 'required') {
    if (subject === null && !opposed) against.push(unjudged('identity'))
    return
  }
  if (scopes === null || subject === null) {
    if (!opposed) against.push(unjudged(subject === null ? 'identity' : 'scopes'))
    return
  }
  if (scopes.met || scopes.leftToApi) {
    // Nothing but a verified token meets a requirement; what is left to the API is not claimed to be met.
    if (scopes.met && subject.kind === 'anonymous' && !opposed)
      against.push(reason('token-missing', 'identity'))
    return
  }
  if (subject.kind === 'anonymous') {
    if (opposed) return
    const readable = plan.security.alternatives.length === 0 || plan.security.alternatives.some(isCheckable)
    against.push(reason(readable ? 'token-missing' : 'scheme-unsupported', 'identity'))
  } else if (scopes.unsupported) {
    if (!opposed) against.push(reason('scheme-unsupported', 'identity'))
  } else {
    against.push(
      reason('insufficient-scope', 'policy', { scopes: bounded(scopes.missing) }, scopes.missing.join(' ')),
    )
  }
}

function policies(input: JudgeInput, plan: OperationPlan, verdict: PolicyVerdict, against: Reason[]): void {
  const about = input.input
  const elsewhere = about && (about.action !== plan.key || about.checkpoint !== input.checkpoint)
  against.push(
    ...(elsewhere ? [unjudged('policy')] : policyReasons(verdict, input.last && input.items === undefined)),
  )
}

/** What the policies' verdict says against a call; empty where it allows, or waits and may. */
export function policyReasons(verdict: PolicyVerdict, last: boolean): readonly Reason[] {
  if (verdict.verdict === 'allow') return []
  if (verdict.fields !== undefined) return fieldReasons(verdict, verdict.fields, last)
  if (verdict.verdict === 'pending') return last ? [unanswered(verdict)] : []
  const against: Reason[] = []
  const failing = new Set(verdict.errors.map(({ policy }) => policy))
  const failed = verdict.policies.filter((id) => failing.has(id))
  const forbidding = verdict.policies.filter((id) => !failing.has(id))
  if (forbidding.length > 0)
    against.push(reason('policy-forbids', 'policy', { policies: bounded(forbidding) }))
  if (failed.length > 0 || failing.has('')) {
    against.push(reason('policy-failed', 'policy', { policies: bounded(failed) }))
  }
  if (verdict.policies.length === 0 && !failing.has('')) against.push(nonePermits(verdict, failing))
  return against
}

/** Of a GraphQL call: the fields that are not allowed, told to the caller by the names it asked for. */
function fieldReasons(
  { verdict, policies }: PolicyVerdict,
  denied: readonly string[],
  last: boolean,
): readonly Reason[] {
  if (verdict === 'pending') return last ? [reason('field-unknowable', 'policy')] : []
  const names = new Set(denied.map((action) => action.slice(action.lastIndexOf('.') + 1)))
  const evidence = { fields: bounded(denied), policies: bounded(policies) }
  return [reason('field-denied', 'policy', evidence, bounded([...names]).join(', '))]
}

/** What policies that are only observed say against a call (`@mode("observe")`). */
export function observedReasons({ observed }: PolicyVerdict): readonly Reason[] {
  if (observed === undefined || observed.wouldForbid.length === 0) return []
  return [reason('policy-forbids', 'policy', { policies: bounded(observed.wouldForbid), mode: 'observe' })]
}

/** Codes that only the policies' verdict gives; all others come from findings and the floor. */
export const POLICY_CODES: ReadonlySet<ReasonCode> = new Set([
  'policy-forbids',
  'policy-failed',
  'policy-missing',
  'owner-differs',
  'owner-unknowable',
  'field-denied',
  'field-unknowable',
])

/** Default deny, said as closely as possible: someone else's object, an owner nobody states, or no permit at all. */
function nonePermits(verdict: PolicyVerdict, failing: ReadonlySet<string>): Reason {
  const would = verdict.observed?.wouldPermit ?? []
  const failed = {
    ...(failing.size === 0 ? {} : { failed: bounded([...failing]) }),
    ...(would.length === 0 ? {} : { wouldPermit: bounded(would) }),
  }
  const { object } = verdict
  if (object === undefined) return reason('policy-missing', 'policy', failed)
  const evidence = { policies: bounded(object.policies), attribute: object.attribute, ...failed }
  if (!object.known) return reason('owner-unknowable', 'object', evidence)
  if (object.attribute === 'owner') return reason('owner-differs', 'object', evidence)
  return reason('policy-missing', 'policy', evidence)
}

function unanswered(verdict: PolicyVerdict): Reason {
  const attribute = verdict.object?.attribute ?? 'owner'
  return reason('owner-unknowable', 'object', { policies: bounded(verdict.policies), attribute })
}

function inFavour(
  subject: Subject | null,
  scopes: ScopeCheck | null,
  policy: PolicyVerdict | null,
  observed: readonly Reason[],
  items: ItemDecisions | undefined,
): readonly Reason[] {
  const identified = subject !== null && subject.kind !== 'anonymous'
  const reasons: Reason[] = []
  if (identified)
    reasons.push(reason('identity-verified', 'identity', { issuer: subject.issuer, kind: subject.kind }))
  else if (!observed.some((each) => stageOf(each) === 'identity'))
    reasons.push(reason('anonymous-allowed', 'identity'))
  if (identified && scopes?.met === true) reasons.push(reason('scopes-met', 'policy'))
  if (policy !== null && policy.verdict !== 'deny' && policy.fields === undefined && items !== undefined) {
    const { judged, released } = items
    const evidence = { policies: bounded(policy.policies), judged, released }
    reasons.push(reason('list-filtered', 'policy', evidence))
  } else if (policy !== null && policy.verdict !== 'deny') {
    const code: ReasonCode = policy.verdict === 'pending' ? 'policy-pending' : 'policy-permits'
    reasons.push(reason(code, 'policy', { policies: bounded(policy.policies) }))
  }
  if (observed.length > 0) reasons.push(reason('only-observed', 'stage'))
  return reasons
}

function denying(policy: PolicyVerdict | null): readonly string[] {
  return policy === null || policy.verdict === 'allow' ? [] : policy.policies
}

/** Something that had to be stated was not: the gate's own fault, and a deny. */
function unjudged(stage: string): Reason {
  return reason('stage-failed', 'stage', { stage })
}

function bounded(list: readonly string[]): readonly string[] {
  return list.length <= MAX_EVIDENCE
    ? list
    : [...list.slice(0, MAX_EVIDENCE), `and ${list.length - MAX_EVIDENCE} more`]
}

const NO_OBLIGATIONS: readonly Obligation[] = Object.freeze([])

function decision(
  input: JudgeInput,
  effect: 'allow' | 'deny',
  pending: boolean,
  reasons: readonly Reason[],
  policies: readonly string[],
  observed: readonly Reason[] = [],
): Decision {
  const [first, ...rest] = reasons
  return {
    checkpoint: input.checkpoint,
    effect,
    pending,
    mode: input.mode,
    reasons: [first ?? unjudged('decide'), ...rest.slice(0, MAX_REASONS - 1)],
    obligations: NO_OBLIGATIONS,
    policies,
    bundle: input.bundle,
    ...(observed.length === 0 ? {} : { observed: observed.slice(0, MAX_REASONS) }),
  }
}
