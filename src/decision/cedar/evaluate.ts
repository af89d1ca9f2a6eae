import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput, ObjectTurn, PolicyEngine, PolicyVerdict } from '../../model/decision.ts'
import type { FieldDuties } from '../obligations.ts'
import {
  type ApiPolicies,
  BIT,
  type EngineParts,
  type Generated,
  OBJECT_ATTRIBUTES,
  type ObjectAttribute,
  type PartialSets,
  prepareEngine,
} from './engine-parts.ts'
import type { CedarPlan } from './plan.ts'
import type { Authorization } from './policy-set.ts'
import { Call } from './request.ts'
import { operationReads } from './scope-cover.ts'
import { atOnce, type Steps } from './steps.ts'
import type { TriedPolicies } from './tried-policies.ts'

export interface EngineOptions {
  /** Overrides the plan's: `ignore` is plain Cedar, where a forbid that fails does not apply. */
  readonly failingForbid?: 'deny' | 'ignore'
  /** For tests: see `PolicySetOptions`. */
  readonly generated?: Generated
}

/**
 * The policies of one bundle, compiled to closures. Deny by default; a forbid beats every permit; a forbid that fails
 * denies (standards 5.7) unless the bundle asks for plain Cedar, a permit that fails does not apply. Policies under `@mode("observe")` decide nothing: what they
 * would do stands beside the verdict.
 *
 * While an object attribute is unknown (`input.resource.unknown`), the verdict is `allow` only if nothing that
 * reads it could still forbid, `deny` only if nothing that reads it could still permit or a decidable forbid
 * applies, and `pending` otherwise.
 */
export class CedarEngine implements PolicyEngine {
  readonly reads: ReadonlySet<string>
  readonly #apis: Map<string, ApiPolicies>
  readonly #plan: CedarPlan
  readonly #failingForbidDenies: boolean

  /**
   * @param parts What `inSteps` made of the others.
   * @throws {SallyportError} `bundle-corrupt` where the plan is not of `compilePolicies`’ making.
   */
  constructor(
    plan: PolicyPlan,
    options: EngineOptions = {},
    parts: EngineParts = atOnce(prepareEngine(plan, options)),
  ) {
    this.#plan = parts.plan
    this.reads = new Set(plan.reads)
    this.#failingForbidDenies = parts.failingForbidDenies
    this.#apis = parts.apis
  }

  /** The same in steps, for a thread that answers calls meanwhile. Throws as the constructor does. */
  static *inSteps(plan: PolicyPlan, options: EngineOptions = {}): Steps<CedarEngine> {
    return new CedarEngine(plan, options, yield* prepareEngine(plan, options))
  }

  /** Never throws: what fails inside is a deny that says so in `errors`, under the policy id `''`. */
  evaluate(input: DecisionInput): PolicyVerdict {
    try {
      const api = this.#apis.get(input.resource.api)
      if (api === undefined) return failed(`no policies are loaded for ${input.resource.api}`)
      const operation = api.operations.get(input.action)
      if (operation === undefined) return failed(`no operation ${input.action} is loaded`)
      const call = new Call(input, operation, api)
      const judged = this.#judge(api, input, call)
      const verdict = api.endpoints.has(input.action) ? leftToFields(judged) : judged
      const dutiful = api.duties === null ? verdict : withFields(verdict, api.duties, input)
      return api.tried === null ? dutiful : withObserved(dutiful, api.tried, input, call)
    } catch (error) {
      return failed(error instanceof Error ? error.message : 'unknown')
    }
  }

  readsOf(api: string, operation: string): ReadonlySet<string> {
    const own = this.#apis.get(api)
    if (own?.operations.has(operation) !== true) return this.reads
    const known = own.operationReads.get(operation)
    if (known !== undefined) return known
    const reads = operationReads(this.#plan, api, operation)
    own.operationReads.set(operation, reads)
    return reads
  }

  /** Lets go of the policies; every later evaluation denies. */
  close(): void {
    this.#apis.clear()
  }

  #judge(api: ApiPolicies, input: DecisionInput, call: Call): PolicyVerdict {
    const sets = api.partial[unknownBits(input) & api.objectReads]
    if (sets !== undefined) return this.#judgePartly(api, sets, input, call)
    const verdict = this.#settle(api, api.all.authorize(call, call))
    if (verdict.verdict === 'allow' || verdict.policies.length > 0) return verdict
    const turn = objectTurn(api, input, call)
    return turn === null ? verdict : { ...verdict, object: turn }
  }

  #judgePartly(api: ApiPolicies, sets: PartialSets, input: DecisionInput, call: Call): PolicyVerdict {
    const now = this.#settle(api, sets.decidable.authorize(call, call))
    if (now.verdict === 'deny' && now.policies.length > 0) return now
    const open = sets.may.authorize(call, call)
    if (now.verdict === 'allow') {
      const failing = this.#failingForbidDenies ? open.errors.map(({ policy }) => policy) : []
      const against = [...open.policies, ...failing].filter((id) => api.forbids.has(id))
      return against.length === 0 ? now : { ...now, verdict: 'pending', policies: against }
    }
    const permits = open.policies.filter((id) => !api.forbids.has(id))
    if (permits.length === 0) return now
    const attribute = input.resource.unknown.includes('owner') ? 'owner' : 'tenant'
    return {
      ...now,
      verdict: 'pending',
      policies: permits,
      object: { attribute, known: false, policies: permits },
    }
  }

  #settle(api: ApiPolicies, { decision, policies, errors }: Authorization): PolicyVerdict {
    const failing = errors.filter(({ policy }) => api.forbids.has(policy)).map(({ policy }) => policy)
    if (failing.length > 0 && this.#failingForbidDenies) {
      const forbidding = decision === 'allow' ? [] : policies
      return { verdict: 'deny', policies: [...forbidding, ...failing], errors }
    }
    return { verdict: decision, policies, errors }
  }
}

/** A permit of the endpoint allows none of its fields; a forbid of it forbids them all. */
function leftToFields(verdict: PolicyVerdict): PolicyVerdict {
  if (verdict.verdict === 'deny' && verdict.policies.length > 0) return verdict
  return { verdict: 'pending', policies: [], errors: verdict.errors, fields: [] }
}

function unknownBits({ resource: { objectType, unknown } }: DecisionInput): number {
  if (objectType === '') return 0
  return (unknown.includes('owner') ? BIT.owner : 0) | (unknown.includes('tenant') ? BIT.tenant : 0)
}

/** Which permits would have applied but for the object's owner or tenant: why a call was denied, not whether. */
function objectTurn(api: ApiPolicies, input: DecisionInput, call: Call): ObjectTurn | null {
  if (input.resource.objectType === '') return null
  for (const attribute of OBJECT_ATTRIBUTES) {
    const sets = api.partial[BIT[attribute]]
    if (sets === undefined || matches(input, attribute)) continue
    const policies = sets.may.authorize(call, call).policies.filter((id) => !api.forbids.has(id))
    if (policies.length > 0) return { attribute, known: input.resource[attribute] !== undefined, policies }
  }
  return null
}

/** The attribute is the caller's own: whatever else kept the permit from applying, this did not. */
function matches({ principal, resource }: DecisionInput, attribute: ObjectAttribute): boolean {
  if (attribute === 'tenant') return resource.tenant === principal.tenant
  return principal.type === 'User' && resource.owner === principal.id
}

function failed(message: string): PolicyVerdict {
  return { verdict: 'deny', policies: [], errors: [{ policy: '', message }] }
}

/** While it waits, whose permit will decide is not known: only what the contract asks of any. */
function withFields(verdict: PolicyVerdict, duties: FieldDuties, input: DecisionInput): PolicyVerdict {
  if (verdict.verdict === 'deny') return verdict
  const obligations = duties.of(verdict.verdict === 'allow' ? verdict.policies : [], input)
  return obligations === undefined ? verdict : { ...verdict, obligations }
}

function withObserved(
  verdict: PolicyVerdict,
  tried: TriedPolicies,
  input: DecisionInput,
  call: Call,
): PolicyVerdict {
  const { objectType, unknown } = input.resource
  const observed = tried.evaluate((set) => set.authorize(call, call), objectType === '' ? [] : unknown)
  return observed === null ? verdict : { ...verdict, observed }
}
