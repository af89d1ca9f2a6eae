import type { PolicyPlan } from '../../model/bundle.ts'
import type { FieldObligation } from '../../model/decision.ts'
import { SallyportError } from '../../model/errors.ts'
import { FieldDuties, readObligations } from '../obligations.ts'
import { mayApply } from './bounds.ts'
import { ContextReads } from './call-context.ts'
import { CedarFormError } from './est.ts'
import { isObserved } from './observed-policy.ts'
import type { ApiActions, CedarPlan, CompiledPolicy } from './plan.ts'
import { readPlanInSteps } from './plan.ts'
import { byId, type KnownAction, PolicySet, type SetMember } from './policy-set.ts'
import { ReadyPolicies } from './ready-policies.ts'
import { type KnownApi, KnownOperation } from './request.ts'
import { COMPILED_A_STEP, PLACED_A_STEP, type Steps } from './steps.ts'
import { TriedPolicies } from './tried-policies.ts'
import { EntityUid } from './values.ts'

/** What an engine is made of. Each policy is compiled once, for all the sets and APIs it stands in. */

export type ObjectAttribute = 'owner' | 'tenant'
export const OBJECT_ATTRIBUTES: readonly ObjectAttribute[] = ['owner', 'tenant']
export const BIT: Readonly<Record<ObjectAttribute, number>> = { owner: 1, tenant: 2 }

export type Generated = 'always' | 'never'

/** The policies of one API, and what of them can be said while object attributes are unknown. */
export interface ApiPolicies extends KnownApi {
  readonly operations: ReadonlyMap<string, KnownOperation>
  /** Operations that are allowed where each field they ask for is. */
  readonly endpoints: ReadonlySet<string>
  /** By operation key; made where one is first asked for. */
  readonly operationReads: Map<string, ReadonlySet<string>>
  readonly all: PolicySet
  readonly forbids: ReadonlySet<string>
  /** Of the object's attributes, those that a policy reads, as bits. */
  readonly objectReads: number
  /** By the bits of the unknown attributes; none where no policy reads one of them. */
  readonly partial: readonly (PartialSets | undefined)[]
  /** Null where no policy is only observed. */
  readonly tried: TriedPolicies | null
  /** Null where no permit and no field rule asks for anything. */
  readonly duties: FieldDuties | null
}

export interface PartialSets {
  /** Policies that read nothing unknown. */
  readonly decidable: PolicySet
  /** Upper bounds of the others, all as permits: what is listed may yet apply. */
  readonly may: PolicySet
}

export interface EngineParts {
  readonly plan: CedarPlan
  readonly failingForbidDenies: boolean
  readonly apis: Map<string, ApiPolicies>
}

/** A policy with what an API's sets need of it. */
interface Prepared {
  readonly compiled: CompiledPolicy
  readonly observed: boolean
  /** Fields that the permit asks to hide. */
  readonly asked: readonly FieldObligation[]
  /** Of the object's attributes, those it reads, as bits. */
  readonly objectReads: number
  /** Its upper bounds by the bits of what is unknown of these. */
  readonly may: readonly (SetMember | undefined)[]
}

interface Options {
  readonly failingForbid?: 'deny' | 'ignore'
  readonly generated?: Generated
}

/** @throws {SallyportError} `bundle-corrupt` where the plan is not of `compilePolicies`’ making. */
export function* prepareEngine(plan: PolicyPlan, options: Options): Steps<EngineParts> {
  const read = yield* readPlanInSteps(plan)
  const failingForbidDenies = (options.failingForbid ?? read.failingForbid) !== 'ignore'
  try {
    const prepared: Prepared[] = []
    for (const compiled of [...read.policies].sort(byId)) {
      prepared.push(preparedPolicy(compiled))
      if (prepared.length % COMPILED_A_STEP === 0) yield
    }
    const ready = yield* ReadyPolicies.inSteps(membersOf(prepared))
    const own = yield* byApi(prepared)
    const apis = new Map<string, ApiPolicies>()
    for (const [api, actions] of Object.entries(read.apis)) {
      const policies = own.get(api) ?? []
      apis.set(
        api,
        yield* prepareApi(api, actions, policies, {
          ready,
          failingForbidDenies,
          generated: options.generated,
        }),
      )
      yield
    }
    ready.taken()
    return { plan: read, failingForbidDenies, apis }
  } catch (error) {
    throw new SallyportError('bundle-corrupt', 'the bundle’s policies cannot be prepared', {}, error)
  }
}

/** What is unknown at most: nothing, owner, tenant, both. */
const UNKNOWNS = [0, 1, 2, 3] as const

function preparedPolicy(compiled: CompiledPolicy): Prepared {
  const observed = isObserved(compiled.policy)
  const objectReads = bitsOf(compiled.reads)
  const may = UNKNOWNS.map((unknown) =>
    observed || unknown === 0 || (unknown & ~objectReads) !== 0
      ? undefined
      : { id: compiled.id, policy: mayApply(compiled.policy, pathsOf(unknown)) },
  )
  const { effect, annotations } = compiled.policy
  const asked = readObligations(compiled.id, effect, annotations)
  if (typeof asked === 'string') throw new CedarFormError(asked)
  return { compiled, observed, asked, objectReads, may }
}

function* membersOf(prepared: readonly Prepared[]): Generator<SetMember, void, undefined> {
  for (const { compiled, may } of prepared) {
    yield compiled
    for (const bound of may) if (bound !== undefined) yield bound
  }
}

function* byApi(prepared: readonly Prepared[]): Steps<ReadonlyMap<string, readonly Prepared[]>> {
  const found = new Map<string, Prepared[]>()
  let at = 0
  for (const policy of prepared) {
    for (const api of policy.compiled.apis) {
      if (++at % PLACED_A_STEP === 0) yield
      const own = found.get(api)
      if (own === undefined) found.set(api, [policy])
      else if (own.at(-1) !== policy) own.push(policy)
    }
  }
  return found
}

interface Making {
  readonly ready: ReadyPolicies
  readonly failingForbidDenies: boolean
  readonly generated: Generated | undefined
}

function* prepareApi(
  api: string,
  { actions, zone, fields = {}, endpoints = [] }: ApiActions,
  all: readonly Prepared[],
  { ready, failingForbidDenies, generated }: Making,
): Steps<ApiPolicies> {
  const operations: KnownOperation[] = []
  const known: KnownAction[] = []
  for (const [key, groups] of Object.entries(actions)) {
    const operation = new KnownOperation(key, groups)
    known.push({ uid: operation.uid, ancestors: operation.ancestors() })
    if (operations.push(operation) % PLACED_A_STEP === 0) yield
  }
  const setOf = (members: readonly SetMember[]): Steps<PolicySet> =>
    // Whether a forbid that fails denies is settled by the engine, since a verdict names those apart.
    PolicySet.inSteps(
      members,
      known,
      { erroringForbidDenies: false, ...(generated === undefined ? {} : { generated }) },
      ready,
    )
  const reads = new Set<string>()
  const tried: CompiledPolicy[] = []
  const policies: Prepared[] = []
  const forbids = new Set<string>()
  const permits = new Map<string, readonly FieldObligation[]>()
  let at = 0
  for (const policy of all) {
    const { compiled, observed } = policy
    for (const path of compiled.reads) reads.add(path)
    if (policy.asked.length > 0 && !observed) permits.set(compiled.id, policy.asked)
    if (observed) tried.push(compiled)
    else policies.push(policy)
    if (!observed && compiled.policy.effect === 'forbid') forbids.add(compiled.id)
    if (++at % PLACED_A_STEP === 0) yield
  }
  const objectReads = bitsOf([...reads])
  const partial: (PartialSets | undefined)[] = []
  for (const unknown of UNKNOWNS) {
    partial.push(
      unknown === 0 || (unknown & ~objectReads) !== 0
        ? undefined
        : yield* partialSets(policies, unknown, setOf),
    )
  }
  const duties = new FieldDuties(permits, new Map(Object.entries(fields)))
  return {
    duties: duties.none ? null : duties,
    zone,
    ancestors: [new EntityUid('Api', api), ...(zone === undefined ? [] : [new EntityUid('Zone', zone)])],
    context: new ContextReads(reads),
    objectsNamed: reads.has('resource.params'),
    objectReads,
    partial,
    endpoints: new Set(endpoints),
    operations: new Map(operations.map((operation) => [operation.uid.id, operation])),
    operationReads: new Map(),
    all: yield* setOf(policies.map(({ compiled }) => compiled)),
    tried: tried.length === 0 ? null : yield* TriedPolicies.inSteps(tried, setOf, failingForbidDenies),
    forbids,
  }
}

function* partialSets(
  policies: readonly Prepared[],
  unknown: number,
  setOf: (members: readonly SetMember[]) => Steps<PolicySet>,
): Steps<PartialSets> {
  const decidable: SetMember[] = []
  const may: SetMember[] = []
  let at = 0
  for (const { compiled, objectReads, may: bounds } of policies) {
    const bound = bounds[objectReads & unknown]
    if (bound === undefined) decidable.push(compiled)
    else may.push(bound)
    if (++at % PLACED_A_STEP === 0) yield
  }
  return { decidable: yield* setOf(decidable), may: yield* setOf(may) }
}

function bitsOf(reads: readonly string[]): number {
  let bits = 0
  for (const name of OBJECT_ATTRIBUTES) if (reads.includes(`resource.${name}`)) bits |= BIT[name]
  return bits
}

function pathsOf(bits: number): ReadonlySet<string> {
  const names = OBJECT_ATTRIBUTES.filter((name) => (bits & BIT[name]) !== 0)
  return new Set(names.map((name) => `resource.${name}`))
}
