import type { Contract } from '../contract/instantiate.ts'
import { ContractBuilder } from '../contract/instantiate.ts'
import type { EntityStatement } from '../decision/cedar/entity-store.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { JoinedPlan } from '../decision/cedar/plan-parts.ts'
import { atOnce, type Steps } from '../decision/cedar/steps.ts'
import { Domain, entityStatements } from '../decision/domain/domain.ts'
import { observedStages } from '../decision/observed.ts'
import { type IssuerIndex, indexIssuers } from '../identity/issuers.ts'
import type { ApiPlan, BundleHead, BundlePart, DomainPlan } from '../model/bundle.ts'
import type { UrlNameState } from '../model/channel.ts'
import type { PolicyEngine } from '../model/decision.ts'
import { SallyportError } from '../model/errors.ts'
import type { OperationPlan } from '../model/operation.ts'
import { ApiTable } from './route.ts'
import { Surroundings } from './surroundings.ts'
import { ZoneTable } from './zones.ts'

export interface ApiSnapshot {
  readonly plan: ApiPlan
  /** Null: the API has no contract and is observed only. */
  readonly contract: Contract | null
  readonly policies: PolicyEngine
  /** The same API in the other mode, where some operation has one of its own. */
  readonly otherMode?: ApiSnapshot
  /** The same API by operations that observe other stages of it: those with `answers` of their own. */
  readonly ownAnswers?: ReadonlyMap<OperationPlan, ApiSnapshot>
}

/** One thread's instance of one bundle; a call pins the one it was admitted with. */
export interface Snapshot {
  readonly bundle: string
  readonly head: BundleHead
  readonly apis: ApiTable
  readonly issuers: IssuerIndex
  readonly surroundings: Surroundings
  /** Null where none are declared. */
  readonly zones: ZoneTable | null
  /** Other applications' policies, by name. */
  readonly domains: ReadonlyMap<string, Domain>
  /** Frees what the policy engine holds outside the heap. */
  close(): void
}

/** The API as a call of the operation meets it: in the operation's own mode, where it has one. */
export function inModeOf(api: ApiSnapshot, operation: OperationPlan | null): ApiSnapshot {
  if (operation === null) return api
  const { mode } = operation
  return (
    api.ownAnswers?.get(operation) ??
    (mode === undefined || mode === api.plan.mode ? api : (api.otherMode ?? api))
  )
}

function withOwnSettings(given: ApiSnapshot): ApiSnapshot {
  const api = withOtherMode({ ...given, plan: observing(given.plan, null) })
  const own = new Map<OperationPlan, ApiSnapshot>()
  for (const { plan: operation } of given.contract?.operations.values() ?? []) {
    if (operation.answers === undefined) continue
    const plan = observing({ ...given.plan, mode: operation.mode ?? given.plan.mode }, operation)
    own.set(operation, { ...given, plan })
  }
  return own.size === 0 ? api : { ...api, ownAnswers: own }
}

/** `answers: observe` is one more stage that is only observed. */
function observing(plan: ApiPlan, operation: OperationPlan | null): ApiPlan {
  const observeStages = observedStages(plan, operation)
  return observeStages === plan.observeStages || observeStages === undefined
    ? plan
    : { ...plan, observeStages }
}

function withOtherMode(api: ApiSnapshot): ApiSnapshot {
  const { plan, contract } = api
  const mode = plan.mode === 'enforce' ? 'observe' : 'enforce'
  for (const operation of contract?.operations.values() ?? []) {
    if (operation.plan.mode === mode) return { ...api, otherMode: { ...api, plan: { ...plan, mode } } }
  }
  return api
}

function zonesOf(head: BundleHead, apis: readonly ApiSnapshot[]): ZoneTable | null {
  const { zones = [], flows = [], networks = {} } = head
  if (zones.length === 0) return null
  const called = apis.map(({ plan, contract }) => ({
    plan,
    operations: [...(contract?.operations.values() ?? [])].map((operation) => operation.plan),
  }))
  return new ZoneTable({ zones, flows, networks, apis: called })
}

/** Builds a snapshot part by part, so that a large bundle is instantiated in slices between calls. */
export class SnapshotBuilder {
  readonly #hash: string
  readonly #nameState: (name: string) => UrlNameState
  #head: BundleHead | null = null
  readonly #apis = new Map<string, { plan: ApiPlan; contract: ContractBuilder | null }>()
  readonly #policies = new JoinedPlan()
  #engine: CedarEngine | null = null
  readonly #domains = new Map<string, { plan: DomainPlan; entities: EntityStatement[] }>()

  /** `nameState`: of a name that a URL rule lists; left out where nothing resolves names, all count as public. */
  constructor(hash: string, nameState: (name: string) => UrlNameState = () => 'public') {
    this.#hash = hash
    this.#nameState = nameState
  }

  add(part: BundlePart): void {
    switch (part.part) {
      case 'head':
        this.#head = part.head
        return
      case 'api':
        this.#apis.set(part.api.name, {
          plan: part.api,
          contract: part.contracted ? new ContractBuilder(part.api, this.#nameState) : null,
        })
        return
      case 'module':
        this.#contract(part.api).addModule(part.name, part.source)
        return
      case 'operation':
        this.#contract(part.operation.plan.api).addOperation(part.operation)
        return
      case 'policies':
        this.#policies.start(part.policies)
        return
      case 'policy-list':
        this.#policies.add(part.policies)
        return
      case 'domain':
        this.#domains.set(part.domain.name, { plan: part.domain, entities: [] })
        return
      case 'entities':
        this.#entities(part.domain).push(...entityStatements(part.entities))
        return
    }
  }

  finish(): Snapshot {
    return atOnce(this.finishInSteps())
  }

  /** What takes long when there is much of it, the policies and the domains' entities, is made step by step. */
  *finishInSteps(): Steps<Snapshot> {
    const head = this.#head
    const plan = this.#policies.finish()
    if (head === null || plan === null) throw new SallyportError('bundle-corrupt', 'the bundle lacks a part')
    const policies = yield* CedarEngine.inSteps(plan)
    this.#engine = policies
    const domains = new Map<string, Domain>()
    for (const [name, { plan, entities }] of this.#domains)
      domains.set(name, yield* Domain.inSteps(plan, entities))
    for (const { contract } of this.#apis.values()) if (contract !== null) yield* contract.prepare()
    const apis = [...this.#apis.values()].map(({ plan, contract }) =>
      withOwnSettings({ plan, contract: contract?.finish() ?? null, policies }),
    )
    return {
      bundle: this.#hash,
      head,
      apis: new ApiTable(apis),
      issuers: indexIssuers(head.issuers),
      surroundings: new Surroundings(head, policies.reads),
      zones: zonesOf(head, apis),
      domains,
      close: () => policies.close(),
    }
  }

  /** Gives back what an abandoned half of a bundle holds. */
  discard(): void {
    this.#engine?.close()
  }

  #entities(domain: string): EntityStatement[] {
    const entities = this.#domains.get(domain)?.entities
    if (!entities) throw new SallyportError('bundle-corrupt', `the bundle names no domain ${domain}`)
    return entities
  }

  #contract(api: string): ContractBuilder {
    const builder = this.#apis.get(api)?.contract
    if (!builder) throw new SallyportError('bundle-corrupt', `the bundle names no contract for ${api}`)
    return builder
  }
}
