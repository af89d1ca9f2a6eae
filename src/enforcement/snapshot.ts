import type { Contract } from '../contract/instantiate.ts'
import { ContractBuilder } from '../contract/instantiate.ts'
import type { EntityStatement } from '../decision/cedar/entity-store.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { Domain, entityStatements } from '../decision/domain/domain.ts'
import { type IssuerIndex, indexIssuers } from '../identity/issuers.ts'
import type { ApiPlan, BundleHead, BundlePart, DomainPlan } from '../model/bundle.ts'
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
  const mode = operation?.mode
  return mode === undefined || mode === api.plan.mode ? api : (api.otherMode ?? api)
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
  #head: BundleHead | null = null
  readonly #apis = new Map<string, { plan: ApiPlan; contract: ContractBuilder | null }>()
  #policies: CedarEngine | null = null
  readonly #domains = new Map<string, { plan: DomainPlan; entities: EntityStatement[] }>()

  constructor(hash: string) {
    this.#hash = hash
  }

  add(part: BundlePart): void {
    switch (part.part) {
      case 'head':
        this.#head = part.head
        return
      case 'api':
        this.#apis.set(part.api.name, {
          plan: part.api,
          contract: part.contracted ? new ContractBuilder(part.api) : null,
        })
        return
      case 'module':
        this.#contract(part.api).addModule(part.name, part.source)
        return
      case 'operation':
        this.#contract(part.operation.plan.api).addOperation(part.operation)
        return
      case 'policies':
        this.#policies = new CedarEngine(part.policies)
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
    const head = this.#head
    const policies = this.#policies
    if (head === null || policies === null)
      throw new SallyportError('bundle-corrupt', 'the bundle lacks a part')
    const apis = [...this.#apis.values()].map(({ plan, contract }) =>
      withOtherMode({ plan, contract: contract?.finish() ?? null, policies }),
    )
    return {
      bundle: this.#hash,
      head,
      apis: new ApiTable(apis),
      issuers: indexIssuers(head.issuers),
      surroundings: new Surroundings(head, policies.reads),
      zones: zonesOf(head, apis),
      domains: new Map(
        [...this.#domains].map(([name, { plan, entities }]) => [name, new Domain(plan, entities)]),
      ),
      close: () => policies.close(),
    }
  }

  /** Gives back what an abandoned half of a bundle holds. */
  discard(): void {
    this.#policies?.close()
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
