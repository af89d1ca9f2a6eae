import type { Reason, ReasonCode } from '../../model/reason.ts'
import { opposes, reason } from '../../model/reason.ts'
import type { ExchangeRecord } from '../../model/record.ts'
import { ANONYMOUS } from '../../model/subject.ts'
import { decide, isSuspended } from '../decide.ts'
import { checkScopes } from '../floor.ts'
import type { ApiOutline, BundleOutline } from './outline.ts'
import { identityFindings, recordedFindings, route, standingOf, unplayed } from './recorded-facts.ts'
import type {
  Acted,
  Against,
  Comparison,
  ItemsReleased,
  RecordedCall,
  ReplayBundle,
  Replayed,
} from './replayed.ts'
import { askPolicies, NOT_ASKED, releasedItems } from './replayed-policies.ts'

/** Hold in every mode, so that observing lets no such call through. */
const ALWAYS: ReadonlySet<ReasonCode> = new Set(['body-too-large', 'audit-unavailable', 'not-ready'])
/** Worked out again, whatever the record has of it. */
const RESTATED: ReadonlySet<string> = new Set(['context.scopesMet', 'principal.zone', 'resource.zone'])

/** What of two bundles is compared once for all records made with the one. */
export function compare(made: BundleOutline, by: ReplayBundle): Comparison {
  const { outline, engine } = by
  const elsewhere: string[] = []
  if (JSON.stringify(made.head.networks ?? {}) !== JSON.stringify(outline.head.networks ?? {}))
    elsewhere.push('context.networks')
  if (made.head.timeZone !== outline.head.timeZone) elsewhere.push('context.time')
  return {
    made,
    by,
    sameRoutes: made.routing === outline.routing,
    elsewhere: elsewhere.filter((path) => engine.reads.has(path) || engine.reads.has('context')),
    reads: new Set([...engine.reads].filter((path) => !RESTATED.has(path))),
  }
}

/**
 * Judges a recorded call by another bundle. Facts stand as recorded where that bundle would state them alike; what
 * can be stated again from the record (route, accepted issuer and audience, scopes, zone, policies) is. What cannot
 * is named, and never called the same.
 */
export function replayRecord(record: ExchangeRecord, between: Comparison): Replayed {
  const { made, by } = between
  const { outcome, intent } = record
  if (outcome === null || outcome === 'unknown') return undecidable('outcome')
  const decisions = [...intent.decisions, ...outcome.decisions]
  const call: RecordedCall = {
    record,
    outcome,
    decisions,
    before: outcome.action === 'refused' ? 'deny' : 'allow',
  }
  if (decisions.some(({ reasons }) => reasons.some(({ source }) => source === 'hygiene')))
    return made.limits === by.outline.limits ? { kind: 'same', effect: call.before } : undecidable('limits')
  const routed = route(call, between)
  if (routed === null) return undecidable('path')
  const { api, operation } = routed
  // Where no API is found the call is refused in every mode.
  if (api === null) return acted(call, 'deny', [], [], [])
  if (operation === null) return unrouted(call, api)
  const own = made.apis.get(intent.api)?.operations.get(intent.operation)
  return judge(call, { api, operation, own, identity: made.apis.get(intent.api)?.identity }, between)
}

/** A path the contract does not know, or an API without one. */
function unrouted(call: RecordedCall, { plan }: ApiOutline): Replayed {
  const stays = call.decisions.some(({ reasons }) => reasons.some(({ code }) => code === 'ungoverned'))
  if (plan.mode === 'observe' || (stays && !plan.governed))
    return acted(call, 'allow', [], [], unplayed(call))
  return acted(call, 'deny', [reason('route-unknown', 'route')], [], [])
}

function judge(call: RecordedCall, against: Against, between: Comparison): Replayed {
  const { api, operation, own } = against
  const { intent } = call.record
  const { subject } = intent
  if (subject === null) return undecidable('subject')
  const stated = recordedFindings(call)
  const identified = identityFindings(call, stated, against, subject, between)
  if (identified === null) return undecidable('identity')
  const sameContract = own !== undefined && own.contract === operation.contract
  const contract = stated.filter(({ reason: { source } }) => source === 'contract')
  const others = stated.filter(({ reason: { source } }) => source !== 'contract' && source !== 'identity')
  const standing = standingOf(call, subject, against, between)
  if (standing === undefined) return undecidable('address')
  const findings = [...identified, ...(standing.against === null ? [] : [standing.against]), ...others]
  if (sameContract) findings.push(...contract)
  // A refused token's subject stands in the record, but nobody was judged.
  const judged = identified.length > 0 ? ANONYMOUS : subject
  const scopes = checkScopes(operation.plan.security, judged, api.plan.credential)
  const mode = operation.plan.mode ?? api.plan.mode
  const observe = api.plan.observeStages
  const opposed = findings.some(
    (each) => opposes(each.reason.code) && !isSuspended(each, { mode, ...(observe && { observe }) }),
  )
  const asked = opposed ? NOT_ASKED : askPolicies(call, against, between, scopes, standing.zone)
  if ('missing' in asked) return { kind: 'undecidable', missing: asked.missing }
  const decision = decide({
    checkpoint: asked.input?.checkpoint ?? 'head',
    mode,
    bundle: between.by.outline.bundle,
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

function acted(
  { before }: RecordedCall,
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
