import { actionScope } from '../decision/cedar/est.ts'
import type { CompiledPolicy } from '../decision/cedar/plan.ts'
import { readPlan } from '../decision/cedar/plan.ts'
import { actionGroups } from '../decision/cedar/schema.ts'
import { decide, policyReasons } from '../decision/decide.ts'
import type { ApiPlan, BundleHead, PolicyPlan } from '../model/bundle.ts'
import type { Decision, FieldObligation, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import type { OperationPlan } from '../model/operation.ts'
import { CHECKPOINTS, callOf, type Draft, lastCheckpoint } from './draft.ts'

/** What is judged: a configuration with its contracts and policies, or a bundle of a store. */
export interface Side {
  readonly head: Pick<BundleHead, 'issuers' | 'networks' | 'zones' | 'flows' | 'timeZone'>
  readonly apis: readonly SideApi[]
  readonly policies: PolicyPlan
  readonly engine: PolicyEngine
}

export interface SideApi {
  readonly plan: ApiPlan
  readonly operations: readonly OperationPlan[]
}

/** An operation of a side, with the policies that can apply to its calls. */
export interface SideOperation {
  readonly api: SideApi
  readonly plan: OperationPlan
  readonly policies: readonly CompiledPolicy[]
}

export function operationsOf(side: Side): ReadonlyMap<string, SideOperation> {
  const all = readPlan(side.policies).policies
  const found = new Map<string, SideOperation>()
  for (const api of side.apis) {
    const own = all.filter(({ apis }) => apis.includes(api.plan.name))
    for (const plan of api.operations) {
      const actions = new Set([plan.key, ...actionGroups(plan)])
      const policies = own.filter(({ policy }) => applies(policy, actions))
      found.set(plan.key, { api, plan, policies })
    }
  }
  return found
}

function applies(policy: CompiledPolicy['policy'], actions: ReadonlySet<string>): boolean {
  if (policy.action.op === 'All') return true
  return actionScope(policy).some(({ id }) => actions.has(id))
}

/** `floor`: identity and scopes let it pass; `allowed`: the policies too, at every checkpoint. */
export interface Judgement {
  readonly floor: boolean
  readonly allowed: boolean
  /** Fields of the answer that are hidden, as `mask /email`; left out where none is. */
  readonly hides?: ReadonlySet<string>
}

const NEVER: Judgement = { floor: false, allowed: false }
const ALLOWS: PolicyVerdict = { verdict: 'allow', policies: [], errors: [] }

/** What of an answer obligations hide, each as `mask /email`. */
export function hiddenBy(obligations: readonly FieldObligation[]): ReadonlySet<string> {
  return new Set(obligations.flatMap(({ kind, fields }) => fields.map((field) => `${kind} ${field}`)))
}

export function judge(side: Side, operation: SideOperation | undefined, draft: Draft): Judgement {
  if (operation === undefined) return NEVER
  const { plan, api } = operation
  const last = lastCheckpoint(plan)
  let obligations: readonly FieldObligation[] | undefined
  for (const checkpoint of checkpointsOf(side, last)) {
    const isLast = CHECKPOINTS.indexOf(checkpoint) >= CHECKPOINTS.indexOf(last)
    const { input, subject, scopes } = callOf(draft, plan, checkpoint, api.plan)
    const judged = { checkpoint, mode: 'enforce', bundle: '', plan, subject, findings: [], scopes } as const
    const floor = decide({ ...judged, policy: ALLOWS, last: true }).effect === 'allow'
    if (!floor) return NEVER
    const verdict = side.engine.evaluate(input)
    const reasons = policyReasons(verdict, isLast)
    if (reasons.length > 0) return { floor, allowed: false }
    obligations = verdict.obligations
  }
  return {
    floor: true,
    allowed: true,
    ...(obligations === undefined ? {} : { hides: hiddenBy(obligations) }),
  }
}

/** The decision that ends the call, for an example: the first that denies, else the last. Null without operation. */
export function decisionFor(side: Side, operation: SideOperation | undefined, draft: Draft): Decision | null {
  if (operation === undefined) return null
  const { plan, api } = operation
  const last = lastCheckpoint(plan)
  let decision: Decision | null = null
  for (const checkpoint of checkpointsOf(side, last)) {
    const { input, subject, scopes } = callOf(draft, plan, checkpoint, api.plan)
    const policy = side.engine.evaluate(input)
    decision = decide({
      checkpoint,
      mode: 'enforce',
      bundle: '',
      plan,
      subject,
      findings: [],
      scopes,
      policy,
      input,
      last: CHECKPOINTS.indexOf(checkpoint) >= CHECKPOINTS.indexOf(last),
    })
    if (decision.effect !== 'allow') return decision
  }
  return decision
}

/** An earlier checkpoint denies what the last one allows only where a policy asks which one it is. */
function checkpointsOf(
  { engine }: Side,
  last: 'body' | 'response',
): readonly ('head' | 'body' | 'response')[] {
  if (!engine.reads.has('context.checkpoint')) return [last]
  return CHECKPOINTS
}
