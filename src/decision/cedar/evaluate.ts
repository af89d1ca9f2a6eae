import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyPlan } from '../../model/bundle.ts'
import type { DecisionInput, ObjectTurn, PolicyEngine, PolicyVerdict } from '../../model/decision.ts'
import { SallyportError } from '../../model/errors.ts'
import { isDecidable, mayApply } from './bounds.ts'
import type { Policy } from './est.ts'
import type { CompiledPolicy } from './plan.ts'
import { readPlan } from './plan.ts'
import { type CedarRequest, toRequest, type Wanted, wantedBy } from './request.ts'
import type { Slot } from './slots.ts'
import { giveSlot, takeSlot } from './slots.ts'

type ObjectAttribute = 'owner' | 'tenant'
const OBJECT_ATTRIBUTES: readonly ObjectAttribute[] = ['owner', 'tenant']

/** The policies of one API, and what of them can be said while object attributes are unknown. */
interface ApiPolicies {
  readonly actions: ReadonlyMap<string, readonly string[]>
  readonly all: Slot
  readonly wanted: Wanted
  readonly forbids: ReadonlySet<string>
  /** By the unknown attributes, `owner`, `tenant` or `owner,tenant`; only those that a policy reads. */
  readonly partial: ReadonlyMap<string, PartialSets>
}

interface PartialSets {
  /** Policies that read nothing unknown; null where there are none. */
  readonly decidable: Slot | null
  /** Upper bounds of the others, all as permits: what is listed may yet apply. */
  readonly may: Slot
}

interface Evaluated {
  readonly reasons: readonly string[]
  readonly allowed: boolean
  readonly errors: PolicyVerdict['errors']
}

const NOTHING: Evaluated = { reasons: [], allowed: false, errors: [] }

/**
 * The policies of one bundle, evaluated by cedar-wasm. Deny by default; a forbid beats every permit; a forbid that
 * fails denies (standards 5.7), a permit that fails does not apply.
 *
 * While an object attribute is unknown (`input.resource.unknown`), the verdict is `allow` only if nothing that
 * reads it could still forbid, `deny` only if nothing that reads it could still permit or a decidable forbid
 * applies, and `pending` otherwise.
 */
export class CedarEngine implements PolicyEngine {
  readonly reads: ReadonlySet<string>
  readonly #apis = new Map<string, ApiPolicies>()

  /** @throws {SallyportError} `bundle-corrupt` where the plan is not of `compilePolicies`’ making. */
  constructor(plan: PolicyPlan) {
    const { policies, apis } = readPlan(plan)
    this.reads = new Set(plan.reads)
    try {
      for (const [api, { actions }] of Object.entries(apis)) {
        const own = policies.filter((policy) => policy.apis.includes(api))
        this.#apis.set(api, prepare(own, new Map(Object.entries(actions))))
      }
    } catch (error) {
      this.close()
      throw new SallyportError('bundle-corrupt', 'the bundle’s policies cannot be prepared', {}, error)
    }
  }

  /** Never throws: what fails inside is a deny that says so in `errors`, under the policy id `''`. */
  evaluate(input: DecisionInput): PolicyVerdict {
    try {
      const api = this.#apis.get(input.resource.api)
      if (api === undefined) return failed(`no policies are loaded for ${input.resource.api}`)
      const groups = api.actions.get(input.action)
      if (groups === undefined) return failed(`no operation ${input.action} is loaded`)
      return judge(api, input, toRequest(input, groups, api.wanted))
    } catch (error) {
      return failed(error instanceof Error ? error.message : 'unknown')
    }
  }

  /** Gives the prepared sets back; every later evaluation denies. */
  close(): void {
    for (const { all, partial } of this.#apis.values()) {
      giveSlot(all)
      for (const { decidable, may } of partial.values()) {
        if (decidable !== null) giveSlot(decidable)
        giveSlot(may)
      }
    }
    this.#apis.clear()
  }
}

function judge(api: ApiPolicies, input: DecisionInput, request: CedarRequest): PolicyVerdict {
  const unknown = input.resource.objectType === '' ? [] : input.resource.unknown
  const sets = api.partial.get(keyOf(api, unknown))
  if (sets !== undefined) return judgePartly(api, sets, input, request)
  const verdict = settle(api, evaluate(request, api.all))
  if (verdict.verdict === 'allow' || verdict.policies.length > 0) return verdict
  const turn = objectTurn(api, input, request)
  return turn === null ? verdict : { ...verdict, object: turn }
}

function judgePartly(
  api: ApiPolicies,
  sets: PartialSets,
  input: DecisionInput,
  request: CedarRequest,
): PolicyVerdict {
  const now = settle(api, sets.decidable === null ? NOTHING : evaluate(request, sets.decidable))
  if (now.verdict === 'deny' && now.policies.length > 0) return now
  const open = evaluate(request, sets.may)
  if (now.verdict === 'allow') {
    const failing = open.errors.map(({ policy }) => policy)
    const against = [...open.reasons, ...failing].filter((id) => api.forbids.has(id))
    return against.length === 0 ? now : { ...now, verdict: 'pending', policies: against }
  }
  const permits = open.reasons.filter((id) => !api.forbids.has(id))
  if (permits.length === 0) return now
  const attribute = input.resource.unknown.includes('owner') ? 'owner' : 'tenant'
  return {
    ...now,
    verdict: 'pending',
    policies: permits,
    object: { attribute, known: false, policies: permits },
  }
}

/** Which permits would have applied but for the object's owner or tenant: why a call was denied, not whether. */
function objectTurn(api: ApiPolicies, input: DecisionInput, request: CedarRequest): ObjectTurn | null {
  if (input.resource.objectType === '') return null
  for (const attribute of OBJECT_ATTRIBUTES) {
    const sets = api.partial.get(attribute)
    if (sets === undefined || matches(input, attribute)) continue
    const policies = evaluate(request, sets.may).reasons.filter((id) => !api.forbids.has(id))
    if (policies.length > 0) return { attribute, known: input.resource[attribute] !== undefined, policies }
  }
  return null
}

/** The attribute is the caller's own: whatever else kept the permit from applying, this did not. */
function matches({ principal, resource }: DecisionInput, attribute: ObjectAttribute): boolean {
  if (attribute === 'tenant') return resource.tenant === principal.tenant
  return principal.type === 'User' && resource.owner === principal.id
}

function settle(api: ApiPolicies, { reasons, allowed, errors }: Evaluated): PolicyVerdict {
  const failing = errors.map(({ policy }) => policy).filter((id) => api.forbids.has(id))
  if (failing.length > 0) {
    const forbidding = allowed ? [] : reasons.filter((id) => api.forbids.has(id))
    return { verdict: 'deny', policies: [...forbidding, ...failing], errors }
  }
  return { verdict: allowed ? 'allow' : 'deny', policies: reasons, errors }
}

function evaluate(request: CedarRequest, slot: Slot): Evaluated {
  const answer = cedar.statefulIsAuthorized({ ...request, preparsedPolicySetId: slot })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const { decision, diagnostics } = answer.response
  return {
    // Cedar's sets have no order; a record's list must be the same every time.
    reasons: [...diagnostics.reason].sort(),
    allowed: decision === 'allow',
    errors: diagnostics.errors
      .map(({ policyId, error }) => ({ policy: policyId, message: error.message }))
      .sort((left, right) => (left.policy < right.policy ? -1 : 1)),
  }
}

function failed(message: string): PolicyVerdict {
  return { verdict: 'deny', policies: [], errors: [{ policy: '', message }] }
}

/** Unknown attributes that no policy of the API reads change nothing. */
function keyOf(api: ApiPolicies, unknown: readonly ObjectAttribute[]): string {
  return OBJECT_ATTRIBUTES.filter((name) => unknown.includes(name) && api.partial.has(name)).join(',')
}

function prepare(
  policies: readonly CompiledPolicy[],
  actions: ReadonlyMap<string, readonly string[]>,
): ApiPolicies {
  const taken: Slot[] = []
  const take = (set: readonly (readonly [string, Policy])[]): Slot => {
    const slot = takeSlot(Object.fromEntries(set))
    taken.push(slot)
    return slot
  }
  try {
    const all = take(policies.map(({ id, policy }) => [id, policy]))
    const forbids = new Set(policies.filter(({ policy }) => policy.effect === 'forbid').map(({ id }) => id))
    const partial = new Map<string, PartialSets>()
    for (const unknown of unknownCombinations(policies)) {
      const paths = new Set(unknown.map((name) => `resource.${name}`))
      const decidable = policies.filter(({ reads }) => isDecidable(reads, paths))
      const open = policies.filter(({ reads }) => !isDecidable(reads, paths))
      partial.set(unknown.join(','), {
        decidable: decidable.length === 0 ? null : take(decidable.map(({ id, policy }) => [id, policy])),
        may: take(open.map(({ id, policy }) => [id, mayApply(policy, paths)])),
      })
    }
    return { actions, all, wanted: wantedBy(policies.flatMap(({ reads }) => reads)), forbids, partial }
  } catch (error) {
    for (const slot of taken) giveSlot(slot)
    throw error
  }
}

function unknownCombinations(policies: readonly CompiledPolicy[]): readonly (readonly ObjectAttribute[])[] {
  const read = OBJECT_ATTRIBUTES.filter((name) =>
    policies.some(({ reads }) => reads.includes(`resource.${name}`)),
  )
  return read.length === 2 ? [['owner'], ['tenant'], ['owner', 'tenant']] : read.map((name) => [name])
}
