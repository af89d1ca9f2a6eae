import type { Operation } from '../contract/instantiate.ts'
import { actionGroups } from '../decision/cedar/action-names.ts'
import { isSuspended } from '../decision/decide.ts'
import type { ApiPlan, FlowPlan, ZonePlan } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { type Cidr, holdsAddress, parseCidr } from '../syntax/cidr.ts'
import { PrefixTree } from '../syntax/prefix-tree.ts'
import type { Identification } from './identify.ts'
import type { ApiSnapshot } from './snapshot.ts'

/** Which trust zone a caller is in, and what put it there. */
export interface Placement {
  /** Empty: none. */
  readonly zone: string
  /** `elsewhere`: its identity belongs to a zone, but not from this address. */
  readonly by: 'workload' | 'client' | 'network' | 'elsewhere' | 'nothing'
}

export interface ZoneInput {
  readonly zones: readonly ZonePlan[]
  readonly flows: readonly FlowPlan[]
  readonly networks: Readonly<Record<string, readonly string[]>>
  /** All APIs of the bundle with their operations; none for an API without a contract. */
  readonly apis: readonly { readonly plan: ApiPlan; readonly operations: readonly OperationPlan[] }[]
}

const NOWHERE: Placement = Object.freeze({ zone: '', by: 'nothing' })
const ELSEWHERE: Placement = Object.freeze({ zone: '', by: 'elsewhere' })
/** Longer workload ids are matched whole only: a SPIFFE id has 2,048 bytes at most, and no such depth. */
const MAX_PREFIXES = 32

/** A zone that identities belong to; with `within`, only while they call from there. */
interface IdentityZone {
  readonly byWorkload: Placement
  readonly byClient: Placement
  readonly within: readonly Cidr[]
}

/** What calls a zone lets in from one other: all, or these operations. */
interface LetIn {
  all: boolean
  readonly operations: Set<string>
}

/**
 * Trust zones (micro-segmentation: NIST SP 800-207 §3.1.2; identity before network: SP 800-207A §2). A caller's zone
 * comes from its workload identity, else its token's client, else the longest network that holds its address; never
 * from anything the call says of itself. A zone with identities and networks asks for both: a stolen token is of no
 * use from elsewhere. Nothing is implied by where a caller stands: a zone's calls to its own APIs need a flow too
 * (SP 800-207 §2.1, tenet 2).
 */
export class ZoneTable {
  readonly #tree = new PrefixTree()
  readonly #byNetwork: Placement[] = []
  readonly #clients = new Map<string, Map<string, IdentityZone>>()
  readonly #workloads = new Map<string, Map<string, IdentityZone>>()
  /** Beginnings of workload ids, each ending with `/`. */
  readonly #prefixes = new Map<string, Map<string, IdentityZone>>()
  /** By the zone called, then the zone called from. */
  readonly #flows = new Map<string, Map<string, LetIn>>()

  /** @throws {SallyportError} `bundle-corrupt` where the bundle's zones are not as configuration checks them. */
  constructor({ zones, flows, networks, apis }: ZoneInput) {
    for (const zone of zones) this.#addZone(zone, networks)
    for (const flow of flows) this.#addFlow(flow, apis)
  }

  /** `address`: 16 bytes, IPv4 mapped, of the connection. */
  placeOf(subject: Subject, address: Uint8Array): Placement {
    if (subject.kind === 'workload') {
      const zone = this.#workloadZone(subject.issuer, subject.id)
      if (zone !== undefined) return isWithin(zone, address) ? zone.byWorkload : ELSEWHERE
    }
    if (subject.client !== '') {
      const zone = this.#clients.get(subject.issuer)?.get(subject.client)
      if (zone !== undefined) return isWithin(zone, address) ? zone.byClient : ELSEWHERE
    }
    return this.#byNetwork[this.#tree.longest(address)] ?? NOWHERE
  }

  /**
   * What speaks against a call from there to the API: null where the API stands in no zone, or a flow allows it. A path
   * without an operation is refused for that; here it counts as foreign only where the zone lets nothing in at all.
   */
  against(
    from: Placement,
    api: ApiPlan,
    operation: OperationPlan | null,
    contracted: boolean,
  ): Finding | null {
    const to = api.zone
    if (to === undefined) return null
    const letIn = from.zone === '' ? undefined : this.#flows.get(to)?.get(from.zone)
    if (letIn !== undefined) {
      if (letIn.all || (operation === null ? contracted : letIn.operations.has(operation.key))) return null
    }
    return finding(reason('lateral-movement', 'zone', { from: from.zone, to, by: from.by }))
  }

  #addZone({ name, networks, clients, workloads }: ZonePlan, declared: ZoneInput['networks']): void {
    const blocks = networks.flatMap((one) => declared[one] ?? [one]).map(blockOf)
    if (clients.length === 0 && workloads.length === 0) {
      const index = this.#byNetwork.push({ zone: name, by: 'network' }) - 1
      for (const block of blocks) this.#tree.add(block, index)
      return
    }
    const zone: IdentityZone = {
      byWorkload: { zone: name, by: 'workload' },
      byClient: { zone: name, by: 'client' },
      within: blocks,
    }
    for (const client of clients) put(this.#clients, client, zone)
    for (const workload of workloads) {
      if (workload.endsWith('*')) put(this.#prefixes, workload.slice(0, -1), zone)
      else put(this.#workloads, workload, zone)
    }
  }

  #addFlow({ from, to, operations }: FlowPlan, apis: ZoneInput['apis']): void {
    const letIn = this.#letIn(from, to)
    if (operations.length === 0) letIn.all = true
    const wanted = new Set(operations)
    for (const { plan, operations: own } of apis) {
      if (plan.zone !== to) continue
      for (const operation of own) {
        if (wanted.has(operation.key) || actionGroups(operation).some((group) => wanted.has(group)))
          letIn.operations.add(operation.key)
      }
    }
  }

  #letIn(from: string, to: string): LetIn {
    const sources = this.#flows.get(to) ?? new Map<string, LetIn>()
    const letIn = sources.get(from) ?? { all: false, operations: new Set() }
    this.#flows.set(to, sources.set(from, letIn))
    return letIn
  }

  /** The id itself, else its longest beginning that a zone names. */
  #workloadZone(issuer: string, id: string): IdentityZone | undefined {
    const exact = this.#workloads.get(issuer)?.get(id)
    if (exact !== undefined) return exact
    const prefixes = this.#prefixes.get(issuer)
    if (prefixes === undefined) return undefined
    let end = id.length
    for (let left = MAX_PREFIXES; left > 0 && end > 0; left--) {
      end = id.lastIndexOf('/', end - 1)
      if (end < 0) break
      const zone = prefixes.get(id.slice(0, end + 1))
      if (zone !== undefined) return zone
    }
    return prefixes.get('')
  }
}

/**
 * What the zones say of a call. A token that was proved but refused still tells whose it is: its caller is told to
 * renew it, not that it came from elsewhere. Where that refusal is only observed, nobody is identified.
 */
export function foreignCall(
  zones: ZoneTable,
  exchange: Exchange,
  { plan, contract }: ApiSnapshot,
  operation: Operation | null,
  { subject, named, finding: unidentified }: Identification,
): Finding | null {
  const { mode, observeStages } = plan
  const refused =
    unidentified !== null &&
    (observeStages === undefined || !isSuspended(unidentified, { mode, observe: observeStages }))
  const from = zones.placeOf(refused ? named.recordAs : subject, exchange.caller.bytes)
  return zones.against(from, plan, operation?.plan ?? null, contract !== null)
}

function isWithin({ within }: IdentityZone, address: Uint8Array): boolean {
  if (within.length === 0) return true
  for (const block of within) if (holdsAddress(block, address)) return true
  return false
}

function blockOf(text: string): Cidr {
  const block = parseCidr(text)
  if (block === null) throw new SallyportError('bundle-corrupt', 'a zone of the bundle has no such network')
  return block
}

/** `<issuer>/<rest>`: issuer names hold no `/`. */
function put(into: Map<string, Map<string, IdentityZone>>, named: string, zone: IdentityZone): void {
  const slash = named.indexOf('/')
  const issuer = named.slice(0, slash)
  const own = into.get(issuer) ?? new Map<string, IdentityZone>()
  into.set(issuer, own.set(named.slice(slash + 1), zone))
}
