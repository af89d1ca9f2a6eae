import type { ApiPlan } from '../../model/bundle.ts'
import type {
  Checkpoint,
  Decision,
  DecisionInput,
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
import { decide, POLICY_CODES } from '../decide.ts'
import { checkScopes, type ScopeCheck } from '../floor.ts'
import type { ApiOutline, BundleOutline, OperationOutline } from './outline.ts'

/** The bundle that recorded calls are held against. */
export interface ReplayBundle {
  readonly outline: BundleOutline
  readonly engine: PolicyEngine
  /** Where it routes a call; asked only where its routes differ from those the record was made with. */
  route(method: string, host: string, path: string): { readonly api: string; readonly operation: string }
  /** What trust zones say against the call; null where nothing. */
  zone(subject: Subject, address: string, api: ApiPlan, operation: OperationPlan): Finding | null
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
      readonly items?: { readonly from: number; readonly to: number }
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
  return judge(call, { api, operation, own, identity: made.apis.get(intent.api)?.identity }, by)
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

function judge(call: Call, against: Against, by: ReplayBundle): Replayed {
  const { api, operation, own } = against
  const { intent } = call.record
  const { subject } = intent
  if (subject === null) return undecidable('subject')
  const standing = recordedFindings(call)
  const identified = identityFindings(call, standing, against, subject)
  if (identified === null) return undecidable('identity')
  const sameContract = own !== undefined && own.contract === operation.contract
  const contract = standing.filter(({ reason: { source } }) => source === 'contract')
  const others = standing.filter(({ reason: { source } }) => source !== 'contract' && source !== 'identity')
  const zone = zoneFinding(call, subject, against, by)
  if (zone === undefined) return undecidable('address')
  const findings = [...identified, ...(zone === null ? [] : [zone]), ...others]
  if (sameContract) findings.push(...contract)
  // A refused token's subject stands in the record, but nobody was judged.
  const judged = identified.length > 0 ? null : subject
  const scopes = judged === null ? null : checkScopes(operation.plan.security, judged, api.plan.credential)
  const asked = policy(call, against, by, findings, scopes)
  if ('missing' in asked) return { kind: 'undecidable', missing: asked.missing }
  const decision = decide({
    checkpoint: asked.input?.checkpoint ?? 'head',
    mode: operation.plan.mode ?? api.plan.mode,
    bundle: by.outline.bundle,
    plan: operation.plan,
    subject: judged,
    findings,
    scopes,
    policy: asked.verdict,
    input: asked.input,
    last: true,
  })
  const enforced = (operation.plan.mode ?? api.plan.mode) === 'enforce'
  const always = findings.some(({ reason: { code } }) => ALWAYS.has(code))
  const to: Acted = decision.effect !== 'allow' && (enforced || always) ? 'deny' : 'allow'
  // What another contract would find in a call that goes on so far is not in the record.
  if (!sameContract && to === 'allow' && enforced) return undecidable('contract')
  return acted(call, to, decision.reasons, decision.policies, unplayed(call))
}

/** What stages stated against the call, each once. */
function recordedFindings({ decisions }: Call): Finding[] {
  const found = new Map<string, Finding>()
  for (const { reasons } of decisions) {
    for (const each of reasons) {
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
function zoneFinding(
  { record: { intent } }: Call,
  subject: Subject,
  { api, operation }: Against,
  by: ReplayBundle,
): Finding | null | undefined {
  if ((by.outline.head.zones ?? []).length === 0) return null
  if (intent.personal === null) return undefined
  return by.zone(subject, intent.personal.address, api.plan, operation.plan)
}

type Asked =
  | { readonly verdict: PolicyVerdict | null; readonly input: DecisionInput | null }
  | { readonly missing: readonly string[] }

function policy(
  call: Call,
  { operation, own }: Against,
  { engine }: ReplayBundle,
  findings: readonly Finding[],
  scopes: ScopeCheck | null,
): Asked {
  if (findings.length > 0 || scopes === null) return { verdict: null, input: null }
  const recorded = call.outcome.attributes ?? call.record.intent.attributes
  if (recorded === null) return { missing: ['attributes'] }
  const readsObject = engine.reads.has('resource.owner') || engine.reads.has('resource.tenant')
  if (readsObject && own?.object !== operation.object) return { missing: ['resource.owner'] }
  const replayed = replayInput(recorded, new Set([...engine.reads].filter((path) => path !== SCOPES_MET)))
  if (!replayed.ok) return { missing: replayed.missing }
  const input: DecisionInput = {
    ...replayed.input,
    action: operation.plan.key,
    resource: { ...replayed.input.resource, objectType: operation.plan.object?.type ?? '' },
    context: { ...replayed.input.context, scopesMet: scopes.met },
  }
  const early = engine.reads.has('context.checkpoint')
    ? deniedEarly(call, input, operation.plan, engine)
    : null
  if (early !== null) return early
  const verdict = engine.evaluate(input)
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

/** Worked out of the subject and the contract, whatever the record has of it. */
const SCOPES_MET = 'context.scopesMet'

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
): Replayed {
  if (before === to) return { kind: 'same', effect: to }
  return { kind: 'changed', from: before, to, reasons, policies, unplayed: to === 'allow' ? left : [] }
}

function undecidable(...missing: string[]): Replayed {
  return { kind: 'undecidable', missing }
}
