import type { ApiPlan } from '../../model/bundle.ts'
import type {
  Checkpoint,
  Decision,
  DecisionInput,
  ItemDecisions,
  PolicyEngine,
  PolicyVerdict,
} from '../../model/decision.ts'
import type { Finding } from '../../model/fact.ts'
import { finding } from '../../model/fact.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { Reason, ReasonCode } from '../../model/reason.ts'
import { opposes, reason } from '../../model/reason.ts'
import type { ExchangeRecord, OutcomeEntry, RecordedInput } from '../../model/record.ts'
import type { Subject } from '../../model/subject.ts'
import { replayInput } from '../attributes.ts'
import { decide, isSuspended, POLICY_CODES } from '../decide.ts'
import { checkScopes, type ScopeCheck } from '../floor.ts'
import { itemReads, itemVerdict } from '../items.ts'
import type { ApiOutline, BundleOutline, OperationOutline } from './outline.ts'

/** The bundle that recorded calls are held against. */
export interface ReplayBundle {
  readonly outline: BundleOutline
  readonly engine: PolicyEngine
  /** Where it routes a call; asked only where its routes differ from those the record was made with. */
  route(method: string, host: string, path: string): { readonly api: string; readonly operation: string }
  /** Where the caller stands among its trust zones, and what they say against the call; null where it has none. */
  readonly zone:
    | ((subject: Subject, address: string, api: ApiPlan, operation: OperationPlan) => Standing)
    | null
}

export interface Standing {
  /** Empty: in none. */
  readonly zone: string
  readonly against: Finding | null
}

/** What may come of a call: what is acted upon, so that a call only observed is allowed. */
export type Acted = 'allow' | 'deny'

export type Replayed =
  | { readonly kind: 'same'; readonly effect: Acted }
  | {
      readonly kind: 'changed'
      readonly from: Acted
      readonly to: Acted
      /** Of the new decision. */
      readonly reasons: readonly Reason[]
      readonly policies: readonly string[]
      /** What the recorded call did not get to, and may still refuse an allowed one: `contract`, `response`. */
      readonly unplayed: readonly string[]
      /** Of a list: items released, before and now. */
      readonly items?: ItemsReleased
    }
  | { readonly kind: 'undecidable'; readonly missing: readonly string[] }

/** Stated by the floor of `decide`, which is asked again. */
const FLOOR: ReadonlySet<ReasonCode> = new Set(['token-missing', 'scheme-unsupported', 'insufficient-scope'])
/** Hold in every mode, so that observing lets no such call through. */
const ALWAYS: ReadonlySet<ReasonCode> = new Set(['body-too-large', 'audit-unavailable', 'not-ready'])
const ORDER: Readonly<Record<Checkpoint, number>> = { head: 0, body: 1, response: 2, message: 3 }

interface Call {
  readonly record: ExchangeRecord
  readonly outcome: OutcomeEntry
  readonly decisions: readonly Decision[]
  readonly before: Acted
}

/**
 * Judges a recorded call by another bundle. Facts stand as recorded where that bundle would state them alike; what
 * can be stated again from the record (route, accepted issuer and audience, scopes, zone, policies) is. What cannot
 * is named, and never called the same.
 */
export function replayRecord(record: ExchangeRecord, made: BundleOutline, by: ReplayBundle): Replayed {
  const { outcome, intent } = record
  if (outcome === null || outcome === 'unknown') return undecidable('outcome')
  const decisions = [...intent.decisions, ...outcome.decisions]
  const call: Call = { record, outcome, decisions, before: outcome.action === 'refused' ? 'deny' : 'allow' }
  if (decisions.some(({ reasons }) => reasons.some(({ source }) => source === 'hygiene')))
    return made.limits === by.outline.limits ? { kind: 'same', effect: call.before } : undecidable('limits')
  const routed = route(call, made, by)
  if (routed === null) return undecidable('path')
  const { api, operation } = routed
  // Where no API is found the call is refused in every mode.
  if (api === null) return acted(call, 'deny', [], [], [])
  if (operation === null) return unrouted(call, api)
  const own = made.apis.get(intent.api)?.operations.get(intent.operation)
  return judge(call, { api, operation, own, identity: made.apis.get(intent.api)?.identity }, made, by)
}

interface Routed {
  readonly api: ApiOutline | null
  readonly operation: OperationOutline | null
}

function route({ record: { intent } }: Call, made: BundleOutline, by: ReplayBundle): Routed | null {
  const { outline } = by
  let { api, operation } = intent
  if (made.routing !== outline.routing) {
    if (intent.personal === null) return null
    const { host, path } = intent.personal
    ;({ api, operation } = by.route(intent.method, host, path))
  }
  const found = outline.apis.get(api) ?? null
  return { api: found, operation: found?.operations.get(operation) ?? null }
}

/** A path the contract does not know, or an API without one. */
function unrouted(call: Call, { plan }: ApiOutline): Replayed {
  const stays = call.decisions.some(({ reasons }) => reasons.some(({ code }) => code === 'ungoverned'))
  if (plan.mode === 'observe' || (stays && !plan.governed))
    return acted(call, 'allow', [], [], unplayed(call))
  return acted(call, 'deny', [reason('route-unknown', 'route')], [], [])
}

interface Against {
  readonly api: ApiOutline
  readonly operation: OperationOutline
  /** The operation the record was made of, and how its API identified; undefined where it had none. */
  readonly own: OperationOutline | undefined
  readonly identity: string | undefined
}

function judge(call: Call, against: Against, made: BundleOutline, by: ReplayBundle): Replayed {
  const { api, operation, own } = against
  const { intent } = call.record
  const { subject } = intent
  if (subject === null) return undecidable('subject')
  const stated = recordedFindings(call)
  const identified = identityFindings(call, stated, against, subject)
  if (identified === null) return undecidable('identity')
  const sameContract = own !== undefined && own.contract === operation.contract
  const contract = stated.filter(({ reason: { source } }) => source === 'contract')
  const others = stated.filter(({ reason: { source } }) => source !== 'contract' && source !== 'identity')
  const standing = standingOf(call, subject, against, by)
  if (standing === undefined) return undecidable('address')
  const findings = [...identified, ...(standing.against === null ? [] : [standing.against]), ...others]
  if (sameContract) findings.push(...contract)
  // A refused token's subject stands in the record, but nobody was judged.
  const judged = identified.length > 0 ? null : subject
  const scopes = judged === null ? null : checkScopes(operation.plan.security, judged, api.plan.credential)
  const mode = operation.plan.mode ?? api.plan.mode
  const observe = api.plan.observeStages
  const opposed = findings.some(
    (each) => opposes(each.reason.code) && !isSuspended(each, { mode, ...(observe && { observe }) }),
  )
  const asked =
    opposed || scopes === null ? NOT_ASKED : policy(call, against, made, by, scopes, standing.zone)
  if ('missing' in asked) return { kind: 'undecidable', missing: asked.missing }
  const decision = decide({
    checkpoint: asked.input?.checkpoint ?? 'head',
    mode,
    bundle: by.outline.bundle,
    plan: operation.plan,
    subject: judged,
    findings,
    scopes,
    policy: asked.verdict,
    input: asked.input,
    last: true,
    ...(asked.items === undefined ? {} : { items: asked.items }),
    ...(observe === undefined ? {} : { observe }),
  })
  const enforced = mode === 'enforce'
  const always = findings.some(({ reason: { code } }) => ALWAYS.has(code))
  const to: Acted = decision.effect !== 'allow' && (enforced || always) ? 'deny' : 'allow'
  // What another contract would find in a call that goes on so far is not in the record.
  if (!sameContract && to === 'allow' && enforced) return undecidable('contract')
  const { reasons, policies } = decision
  const released = to === 'allow' && enforced ? releasedItems(call, asked) : undefined
  return acted(call, to, reasons, policies, unplayed(call), released)
}

/** What stages stated against the call, each once. */
function recordedFindings({ decisions }: Call): Finding[] {
  const found = new Map<string, Finding>()
  for (const { reasons, observed = [] } of decisions) {
    for (const each of [...reasons, ...observed]) {
      if (!opposes(each.code) || POLICY_CODES.has(each.code) || FLOOR.has(each.code)) continue
      // The upstream's own trouble says nothing about what is decided of the call.
      if (each.source === 'upstream' || each.source === 'route' || each.code === 'lateral-movement') continue
      found.set(`${each.source} ${each.code}`, finding(each))
    }
  }
  return [...found.values()]
}

/** Null where what identity found cannot be said again. */
function identityFindings(
  { record }: Call,
  standing: readonly Finding[],
  { api, identity }: Against,
  subject: Subject,
): readonly Finding[] | null {
  const found = standing.filter(({ reason: { source } }) => source === 'identity')
  if (identity === api.identity) return found
  if (found.length > 0) return null
  if (subject.kind === 'anonymous') return []
  const { accept, audience, maxTokenAgeSeconds } = api.plan
  if (!accept.includes(subject.issuer)) return [finding(reason('issuer-refused', 'identity'))]
  if (!subject.audience.some((each) => audience.includes(each)))
    return [finding(reason('audience-mismatch', 'identity'))]
  const age = record.intent.at.wallMs / 1000 - subject.issuedAt
  return maxTokenAgeSeconds !== undefined && age > maxTokenAgeSeconds
    ? [finding(reason('token-too-old', 'identity'))]
    : []
}

/** Undefined where the address it needs was erased. */
function standingOf(
  { record: { intent } }: Call,
  subject: Subject,
  { api, operation }: Against,
  by: ReplayBundle,
): Standing | undefined {
  if (by.zone === null) return NOWHERE
  if (intent.personal === null) return undefined
  return by.zone(subject, intent.personal.address, api.plan, operation.plan)
}

const NOWHERE: Standing = { zone: '', against: null }

interface Answered {
  readonly verdict: PolicyVerdict | null
  readonly input: DecisionInput | null
  /** Of a list whose items are told apart. */
  readonly items?: ItemDecisions
}

type Asked = Answered | { readonly missing: readonly string[] }

const NOT_ASKED: Answered = { verdict: null, input: null }

function policy(
  call: Call,
  { operation, own }: Against,
  made: BundleOutline,
  by: ReplayBundle,
  scopes: ScopeCheck,
  zone: string,
): Asked {
  const { engine, zone: zones } = by
  const recorded = call.outcome.attributes ?? call.record.intent.attributes
  if (recorded === null) return { missing: ['attributes'] }
  const readsObject = engine.reads.has('resource.owner') || engine.reads.has('resource.tenant')
  if (readsObject && own?.object !== operation.object) return { missing: ['resource.owner'] }
  const elsewhere = restatedElsewhere(made, by).filter((path) => engine.reads.has(path))
  if (elsewhere.length > 0) return { missing: elsewhere }
  const replayed = replayInput(recorded, new Set([...engine.reads].filter((path) => !RESTATED.has(path))))
  if (!replayed.ok) return { missing: replayed.missing }
  const input: DecisionInput = {
    ...replayed.input,
    action: operation.plan.key,
    principal: { ...replayed.input.principal, zone: zones === null ? '' : zone },
    resource: { ...replayed.input.resource, objectType: operation.plan.object?.type ?? '' },
    context: { ...replayed.input.context, scopesMet: scopes.met },
  }
  const early = engine.reads.has('context.checkpoint')
    ? deniedEarly(call, input, operation.plan, engine)
    : null
  if (early !== null) return early
  const verdict = engine.evaluate(input)
  if (
    verdict.verdict === 'pending' &&
    operation.plan.object?.items !== undefined &&
    recorded.items !== undefined
  )
    return judgeItems(call, recorded, engine, input, verdict)
  if (verdict.verdict === 'pending' && !reachedEnd(recorded, operation.plan)) {
    // The floor refuses whatever the policies would come to.
    if (operation.plan.security.need === 'required' && !scopes.met && !scopes.leftToApi)
      return { verdict, input }
    return { missing: input.resource.unknown.map((name) => `resource.${name}`) }
  }
  return { verdict, input }
}

/** Policies that ask which checkpoint they are at may deny before the last one, whatever is known there. */
function deniedEarly(
  { decisions }: Call,
  input: DecisionInput,
  { object }: OperationPlan,
  engine: PolicyEngine,
): { readonly verdict: PolicyVerdict; readonly input: DecisionInput } | null {
  for (const { checkpoint } of decisions) {
    if (ORDER[checkpoint] >= ORDER[input.checkpoint]) return null
    const stated = object !== undefined && ORDER[object.ownerKnownAt as Checkpoint] <= ORDER[checkpoint]
    const { owner: _, tenant: __, ...resource } = input.resource
    const names = ['owner', 'tenant'] as const
    const unknown = names.filter((name) => object?.[name] !== undefined)
    const earlier = { ...input, checkpoint, resource: stated ? input.resource : { ...resource, unknown } }
    const verdict = engine.evaluate(earlier)
    if (verdict.verdict === 'deny') return { verdict, input: earlier }
  }
  return null
}

/** Worked out again, whatever the record has of it. */
const RESTATED: ReadonlySet<string> = new Set(['context.scopesMet', 'principal.zone', 'resource.zone'])

/** Attributes that the two bundles would state differently of one and the same call. */
function restatedElsewhere(made: BundleOutline, { outline }: ReplayBundle): readonly string[] {
  const differing: string[] = []
  if (JSON.stringify(made.head.networks ?? {}) !== JSON.stringify(outline.head.networks ?? {}))
    differing.push('context.networks')
  if (made.head.timeZone !== outline.head.timeZone) differing.push('context.time')
  return differing
}

/** Every kind of item the record tells apart, by these policies. */
function judgeItems(
  { decisions }: Call,
  { items = [], itemParam, kept = [] }: RecordedInput,
  engine: PolicyEngine,
  input: DecisionInput,
  verdict: PolicyVerdict,
): Asked {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined || decided.rows.length !== items.length) return { missing: ['items'] }
  if (itemReads(engine.reads, itemParam).id && !itemReads(kept, itemParam).id)
    return { missing: ['items.id'] }
  const rows = decided.rows.map(({ count }, index) => ({
    ...itemVerdict(engine, input, items[index] ?? {}, itemParam),
    count,
  }))
  const counts = rows.map(({ effect, count }) => (effect === 'allow' ? count : 0))
  const released = counts.reduce((sum, count) => sum + count, 0)
  return { verdict, input, items: { judged: decided.judged, released, rows } }
}

/** Items before and now, where the recorded call's were told apart. */
function releasedItems({ decisions }: Call, { items }: Answered): ItemsReleased | undefined {
  const decided = decisions.findLast((decision) => decision.items !== undefined)?.items
  if (decided === undefined) return undefined
  return { from: decided.released, to: items?.released ?? decided.judged }
}

interface ItemsReleased {
  readonly from: number
  readonly to: number
}

/** The recorded call came to the checkpoint where the object's owner is known: what is unknown there stays so. */
function reachedEnd(recorded: RecordedInput, { object }: OperationPlan): boolean {
  const last = object?.ownerKnownAt === 'response' ? 'response' : 'body'
  return ORDER[recorded.checkpoint] >= ORDER[last]
}

/** What a call that was refused did not get to. */
function unplayed({ decisions, outcome }: Call): readonly string[] {
  if (outcome.action !== 'refused') return []
  const last = decisions.at(-1)?.checkpoint ?? 'head'
  if (last === 'response') return []
  return last === 'head' ? ['contract', 'upstream', 'response'] : ['upstream', 'response']
}

function acted(
  { before }: Call,
  to: Acted,
  reasons: readonly Reason[],
  policies: readonly string[],
  left: readonly string[],
  items?: ItemsReleased,
): Replayed {
  const moved = before === to && items !== undefined && items.from !== items.to
  if (before === to && !moved) return { kind: 'same', effect: to }
  const changed = { kind: 'changed', from: before, to, reasons, policies } as const
  return { ...changed, unplayed: to === 'allow' && before !== to ? left : [], ...(moved ? { items } : {}) }
}

function undecidable(...missing: string[]): Replayed {
  return { kind: 'undecidable', missing }
}
