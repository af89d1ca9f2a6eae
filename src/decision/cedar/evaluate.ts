import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput, ObjectTurn, PolicyEngine, PolicyVerdict } from '../../model/decision.ts'
import { SallyportError } from '../../model/errors.ts'
import { isDecidable, mayApply } from './bounds.ts'
import { ContextReads } from './call-context.ts'
import type { Policy } from './est.ts'
import { isObserved } from './observed-policy.ts'
import type { CedarPlan, CompiledPolicy } from './plan.ts'
import { readPlan } from './plan.ts'
import { type Authorization, PolicySet } from './policy-set.ts'
import { Call, type KnownApi, KnownOperation } from './request.ts'
import { operationReads } from './scope-cover.ts'
import { TriedPolicies } from './tried-policies.ts'
import { EntityUid } from './values.ts'

type ObjectAttribute = 'owner' | 'tenant'
const OBJECT_ATTRIBUTES: readonly ObjectAttribute[] = ['owner', 'tenant']
const BIT: Readonly<Record<ObjectAttribute, number>> = { owner: 1, tenant: 2 }

/** The policies of one API, and what of them can be said while object attributes are unknown. */
interface ApiPolicies extends KnownApi {
  readonly operations: ReadonlyMap<string, KnownOperation>
  /** Paths that the policies of an operation read, by its key; made where one is first asked for. */
  readonly operationReads: Map<string, ReadonlySet<string>>
  readonly all: PolicySet
  readonly forbids: ReadonlySet<string>
  /** Of the object's attributes, those that a policy reads, as bits. */
  readonly objectReads: number
  /** By the bits of the unknown attributes; none where no policy reads one of them. */
  readonly partial: readonly (PartialSets | undefined)[]
  /** Null where no policy is only observed. */
  readonly tried: TriedPolicies | null
}

interface PartialSets {
  /** Policies that read nothing unknown. */
  readonly decidable: PolicySet
  /** Upper bounds of the others, all as permits: what is listed may yet apply. */
  readonly may: PolicySet
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
  readonly #apis = new Map<string, ApiPolicies>()
  readonly #plan: CedarPlan
  readonly #failingForbidDenies: boolean

  /**
   * @param options `failingForbid` overrides the plan's: `ignore` is plain Cedar, where a forbid that fails does not apply.
   * `generated` is for tests: see `PolicySetOptions`.
   * @throws {SallyportError} `bundle-corrupt` where the plan is not of `compilePolicies`’ making.
   */
  constructor(
    plan: PolicyPlan,
    options: { readonly failingForbid?: 'deny' | 'ignore'; readonly generated?: 'always' | 'never' } = {},
  ) {
    this.#plan = readPlan(plan)
    const { policies, apis, failingForbid } = this.#plan
    this.reads = new Set(plan.reads)
    this.#failingForbidDenies = (options.failingForbid ?? failingForbid) !== 'ignore'
    try {
      for (const [api, { actions, zone }] of Object.entries(apis)) {
        const own = policies.filter((policy) => policy.apis.includes(api))
        this.#apis.set(api, prepare(api, zone, own, actions, this.#failingForbidDenies, options.generated))
      }
    } catch (error) {
      throw new SallyportError('bundle-corrupt', 'the bundle’s policies cannot be prepared', {}, error)
    }
  }

  /** Never throws: what fails inside is a deny that says so in `errors`, under the policy id `''`. */
  evaluate(input: DecisionInput): PolicyVerdict {
    try {
      const api = this.#apis.get(input.resource.api)
      if (api === undefined) return failed(`no policies are loaded for ${input.resource.api}`)
      const operation = api.operations.get(input.action)
      if (operation === undefined) return failed(`no operation ${input.action} is loaded`)
      const call = new Call(input, operation, api)
      const verdict = this.#judge(api, input, call)
      return api.tried === null ? verdict : withObserved(verdict, api.tried, input, call)
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

function prepare(
  api: string,
  zone: string | undefined,
  all: readonly CompiledPolicy[],
  actions: Readonly<Record<string, readonly string[]>>,
  failingForbidDenies: boolean,
  generated: 'always' | 'never' | undefined,
): ApiPolicies {
  const policies = all.filter(({ policy }) => !isObserved(policy))
  const tried = all.filter(({ policy }) => isObserved(policy))
  const operations = Object.entries(actions).map(([key, groups]) => new KnownOperation(key, groups))
  const known = operations.map((operation) => ({ uid: operation.uid, ancestors: operation.ancestors() }))
  const setOf = (members: readonly { readonly id: string; readonly policy: Policy }[]): PolicySet =>
    // Whether a forbid that fails denies is settled here, since a verdict names those apart.
    new PolicySet(members, known, {
      erroringForbidDenies: false,
      ...(generated === undefined ? {} : { generated }),
    })
  const reads = new Set(all.flatMap((policy) => policy.reads))
  const objectReads = OBJECT_ATTRIBUTES.reduce(
    (bits, name) => (reads.has(`resource.${name}`) ? bits | BIT[name] : bits),
    0,
  )
  return {
    zone,
    ancestors: [new EntityUid('Api', api), ...(zone === undefined ? [] : [new EntityUid('Zone', zone)])],
    context: new ContextReads(reads),
    objectsNamed: reads.has('resource.params'),
    objectReads,
    partial: [0, 1, 2, 3].map((unknown) => {
      if (unknown === 0 || (unknown & ~objectReads) !== 0) return undefined
      const names = OBJECT_ATTRIBUTES.filter((name) => (unknown & BIT[name]) !== 0)
      const paths = new Set(names.map((name) => `resource.${name}`))
      const open = policies.filter((policy) => !isDecidable(policy.reads, paths))
      return {
        decidable: setOf(policies.filter((policy) => isDecidable(policy.reads, paths))),
        may: setOf(open.map(({ id, policy }) => ({ id, policy: mayApply(policy, paths) }))),
      }
    }),
    operationReads: new Map(),
    operations: new Map(operations.map((operation) => [operation.uid.id, operation])),
    all: setOf(policies),
    tried: tried.length === 0 ? null : new TriedPolicies(tried, setOf, failingForbidDenies),
    forbids: new Set(policies.filter(({ policy }) => policy.effect === 'forbid').map(({ id }) => id)),
  }
}
