import type { Decision } from '../../model/decision.ts'
import type { EntranceName } from '../../model/exchange.ts'
import type { Finding } from '../../model/fact.ts'
import { finding } from '../../model/fact.ts'
import type { Reason, ReasonCode } from '../../model/reason.ts'
import { opposes, reason } from '../../model/reason.ts'
import type { ExchangeRecord } from '../../model/record.ts'
import { ANONYMOUS } from '../../model/subject.ts'
import { decide, isSuspended } from '../decide.ts'
import { checkScopes } from '../floor.ts'
import { observedStages } from '../observed.ts'
import type { ApiOutline, BundleOutline, OperationOutline } from './outline.ts'
import {
  identityFindings,
  readsToken,
  recordedFindings,
  route,
  standingOf,
  unplayed,
} from './recorded-facts.ts'
import { signalFindings } from './recorded-signals.ts'
import type {
  Acted,
  Against,
  Comparison,
  FieldsHidden,
  ItemsReleased,
  OperationReads,
  RecordedCall,
  ReplayBundle,
  Replayed,
} from './replayed.ts'
import {
  askPolicies,
  floorRefuses,
  hiddenFields,
  NOT_ASKED,
  releasedItems,
  upstreamTroubled,
  weighObject,
} from './replayed-policies.ts'

/** Hold in every mode, so that observing lets no such call through. */
const ALWAYS: ReadonlySet<ReasonCode> = new Set(['body-too-large', 'audit-unavailable', 'not-ready'])
/** Its proxy carries the call on as it came. */
const UNCHANGED: EntranceName = 'forward-auth'
/** Worked out again, whatever the record has of it. */
const RESTATED: ReadonlySet<string> = new Set([
  'context.requestClasses',
  'context.answerClasses',
  'context.scopesMet',
  'principal.zone',
  'resource.zone',
])

/** What of a request the contract does not declare, refused, taken out or only noted. */
const UNDECLARED: ReadonlySet<ReasonCode> = new Set([
  'field-undeclared',
  'field-read-only',
  'parameter-undeclared',
  'request-field-dropped',
])
/** What did not reach the caller of an answer, or would not have. */
const NOT_AS_IT_CAME: ReadonlySet<ReasonCode> = new Set([
  'response-field-dropped',
  'response-item-dropped',
  'response-error-replaced',
])

/** Findings that are weighed each in its own way. */
const SORTED: ReadonlySet<string> = new Set(['contract', 'identity', 'object', 'signal'])

/** What of two bundles is compared once for all records made with the one. */
export function compare(made: BundleOutline, by: ReplayBundle): Comparison {
  const { outline } = by
  const elsewhere: string[] = []
  if (JSON.stringify(made.head.networks ?? {}) !== JSON.stringify(outline.head.networks ?? {}))
    elsewhere.push('context.networks')
  if (made.head.timeZone !== outline.head.timeZone) elsewhere.push('context.time')
  const known = new Map<string, OperationReads>()
  const [then, now] = [made.head.limits, outline.head.limits]
  return {
    made,
    by,
    tighter:
      now.fieldBytes < then.fieldBytes ||
      now.fieldCount < then.fieldCount ||
      now.tokenBytes < then.tokenBytes,
    sameRoutes: made.routing === outline.routing,
    reads: ({ api, key }) => {
      const found = known.get(key)
      if (found !== undefined) return found
      const made = readsOf(by.reads(api, key), elsewhere)
      known.set(key, made)
      return made
    },
  }
}

function readsOf(paths: ReadonlySet<string>, elsewhere: readonly string[]): OperationReads {
  return {
    recorded: new Set([...paths].filter((path) => !RESTATED.has(path))),
    elsewhere: elsewhere.filter((path) => paths.has(path) || paths.has('context')),
    object: paths.has('resource.owner') || paths.has('resource.tenant'),
    params: [...paths].some((path) => path.startsWith('resource.params')),
    checkpoint: paths.has('context.checkpoint') || paths.has('context'),
  }
}

/**
 * Judges a recorded call by another bundle. Facts stand as recorded where that bundle would state them alike; what
 * can be stated again from the record (route, accepted issuer and audience, scopes, zone, policies) is. What cannot
 * is named, and never called the same.
 */
export function replayRecord(record: ExchangeRecord, between: Comparison): Replayed {
  const replayed = replayCall(record, between)
  // How long a call's fields were is not in its record.
  return between.tighter && goesOn(replayed) ? undecidable('limits') : replayed
}

function goesOn(replayed: Replayed): boolean {
  return replayed.kind === 'same'
    ? replayed.effect === 'allow'
    : replayed.kind === 'changed' && replayed.to === 'allow'
}

function replayCall(record: ExchangeRecord, between: Comparison): Replayed {
  const { made, by } = between
  const { outcome, intent } = record
  if (outcome === null || outcome === 'unknown') return undecidable('outcome')
  // What was asked of the gate is no call of its APIs: who asked stated all of it, and enforced modes at that.
  if (intent.entrance === 'authzen') return undecidable('question')
  const decisions = [...intent.decisions, ...outcome.decisions]
  const call: RecordedCall = {
    record,
    outcome,
    decisions,
    before: outcome.action === 'refused' ? 'deny' : 'allow',
  }
  const unclean = decisions.flatMap(({ reasons }) => reasons.filter(({ source }) => source === 'hygiene'))
  // What holds in every mode refuses before anything else is asked.
  if (unclean.some((each) => !isOfCarrier(each)))
    return made.limits === by.outline.limits ? { kind: 'same', effect: call.before } : undecidable('limits')
  const routed = route(call, between)
  if (routed === null) return undecidable('path')
  const { api, operation } = routed
  // Where no API is found the call is refused in every mode.
  if (api === null) return acted(call, 'deny', [reason('route-unknown', 'route')], [], [])
  const from = made.apis.get(intent.api)
  const own = from?.operations.get(intent.operation)
  const uncarried = uncarriedOtherwise(unclean.length > 0, record, { api, operation, own, from })
  if (operation === null) {
    const replayed = unrouted(call, api)
    return uncarried === null || !goesOn(replayed) ? replayed : undecidable(uncarried)
  }
  const asked = uncarried === null ? call : withoutHygiene(call)
  const replayed = judge(asked, { api, operation, own, from, identity: from?.identity }, between)
  // Refused for something else, it is refused whatever would have to be changed in it.
  return uncarried === null || !goesOn(replayed) ? replayed : undecidable(uncarried)
}

function withoutHygiene(call: RecordedCall): RecordedCall {
  const decisions = call.decisions.flatMap((each): readonly Decision[] => {
    const [first, ...more] = each.reasons.filter(({ source }) => source !== 'hygiene')
    return first === undefined ? [] : [{ ...each, reasons: [first, ...more] }]
  })
  return { ...call, decisions }
}

/** Stated where the call is carried on by somebody else: of what would have to be changed in it. */
function isOfCarrier({ code, evidence }: Reason): boolean {
  return code === 'field-not-strippable' || (code === 'target-invalid' && evidence['rule'] === 'semicolon')
}

/**
 * Which setting keeps it from being known whether what carries the call on would have to change it; null where both
 * bundles have it changed alike. The record names no fields.
 */
function uncarriedOtherwise(
  stated: boolean,
  { intent }: ExchangeRecord,
  {
    api,
    operation,
    own,
    from,
  }: Pick<Against, 'api' | 'own' | 'from'> & {
    readonly operation: OperationOutline | null
  },
): string | null {
  if (!stated && intent.entrance !== UNCHANGED) return null
  if (String(from?.plan.stripHeaders) !== String(api.plan.stripHeaders)) return 'stripHeaders'
  // Fields that a contract declares go on.
  if (stated && own?.contract !== operation?.contract) return 'contract'
  if (from?.plan.mode === api.plan.mode) return null
  // A semicolon is looked for where an API is enforced.
  if (stated) return 'mode'
  return api.plan.mode === 'enforce' && intent.request.query.length > 0 ? 'query' : null
}

/** A path the contract does not know, or an API without one. */
function unrouted(call: RecordedCall, { plan }: ApiOutline): Replayed {
  const stays = call.decisions.some(({ reasons }) => reasons.some(({ code }) => code === 'ungoverned'))
  if (plan.mode === 'observe' || (stays && !plan.governed))
    return acted(call, 'allow', [], [], unplayed(call))
  return acted(call, 'deny', [reason('route-unknown', 'route')], [], [])
}

function judge(call: RecordedCall, against: Against, between: Comparison): Replayed {
  const { api, operation, own, from } = against
  const { intent } = call.record
  const { subject } = intent
  if (subject === null) return undecidable('subject')
  if (!sameToken(against)) return undecidable('identity')
  const stated = recordedFindings(call)
  const identified = identityFindings(call, stated, against, subject, between)
  if (identified === null) return undecidable('identity')
  const signalled = signalFindings(call, stated, against)
  if (signalled === null) return undecidable('signals')
  const sameContract =
    own !== undefined && own.contract === operation.contract && isHandledAlike(call, own, operation)
  const contract = stated.filter(({ reason: { source } }) => source === 'contract')
  const others = stated.filter(({ reason: { source } }) => !SORTED.has(source))
  const mode = operation.plan.mode ?? api.plan.mode
  const observe = observedStages(api.plan, operation.plan)
  const holds = (each: Finding): boolean => !isSuspended(each, { mode, ...(observe && { observe }) })
  // A refused token's subject stands in the record, but nobody was judged.
  const judged = identified.length > 0 ? ANONYMOUS : subject
  const standing = standingOf(call, identified.some(holds) ? subject : judged, against, between)
  if (standing === undefined) return undecidable('address')
  const { zone } = standing
  const findings = [
    ...identified,
    ...(standing.against === null ? [] : [standing.against]),
    ...others,
    ...signalled,
  ]
  const scopes = checkScopes(operation.plan.security, judged, api.plan.credential)
  const who = { subject: judged, scopes, zone }
  const [atAnswer, before] = [contract.filter(isOfAnswer), contract.filter((each) => !isOfAnswer(each))]
  if (sameContract) findings.push(...before)
  else if (intent.request.bytes > api.plan.maxRequestBytes)
    findings.push(finding(reason('body-too-large', 'contract'), true))
  const opposed = (): boolean => findings.some((each) => opposes(each.reason.code) && holds(each))
  const about = stated.filter(({ reason: { source } }) => source === 'object')
  if (about.length > 0 && !opposed()) {
    const weighed = weighObject(call, against, between, who)
    if ('missing' in weighed) return { kind: 'undecidable', missing: weighed.missing }
    if (weighed.stands) findings.push(...about)
  }
  const asked = opposed() ? NOT_ASKED : askPolicies(call, against, between, who)
  if ('missing' in asked) return { kind: 'undecidable', missing: asked.missing }
  const denied = asked.verdict?.verdict === 'deny' && observe?.includes('policy') !== true
  const enforced = mode === 'enforce'
  if (upstreamTroubled(call) && !(enforced && (opposed() || denied || floorRefuses(against, scopes)))) {
    const then = from === undefined ? undefined : observedStages(from.plan, own?.plan ?? null)
    const alike = mode === intent.mode && String(observe ?? []) === String(then ?? [])
    const waited = call.decisions.some(({ pending }) => pending)
    const asWaiting = waited === (asked.verdict?.verdict === 'pending')
    const same = between.made.bundle === between.by.outline.bundle || (alike && sameContract && asWaiting)
    return same ? { kind: 'same', effect: call.before } : undecidable('upstream')
  }
  if (sameContract) findings.push(...atAnswer)
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
  const always = findings.some(({ reason: { code } }) => ALWAYS.has(code))
  const to: Acted = decision.effect !== 'allow' && (enforced || always) ? 'deny' : 'allow'
  // What another contract would find in a call that goes on so far is not in the record.
  const wasTooLarge = contract.some(({ reason: { code } }) => code === 'body-too-large')
  if (!sameContract && to === 'allow' && (enforced || wasTooLarge)) return undecidable('contract')
  const { reasons, policies } = decision
  const filters = enforced && observe?.includes('policy') !== true
  const released = to === 'allow' ? releasedItems(call, asked, against, filters) : undefined
  const hidden =
    to === 'allow' && asked.verdict !== null ? hiddenFields(call, asked, against, filters) : undefined
  return acted(call, to, reasons, policies, unplayed(call), released, hidden)
}

/** Where the contract does not declare something, what becomes of it is a setting: another may tell it otherwise. */
function isHandledAlike(
  { before, decisions }: RecordedCall,
  own: OperationOutline,
  by: OperationOutline,
): boolean {
  const states = (codes: ReadonlySet<ReasonCode>): boolean =>
    decisions.some(({ reasons, observed = [] }) =>
      [...reasons, ...observed].some(({ code }) => codes.has(code)),
    )
  if (own.unknownFields !== by.unknownFields) {
    // A refusal does not name what had been taken out beside.
    if (states(UNDECLARED) || (own.unknownFields === 'strip' && before === 'deny')) return false
  }
  return own.answers === by.answers || !states(NOT_AS_IT_CAME)
}

function isOfAnswer({ reason: { code } }: Finding): boolean {
  return code.startsWith('response-')
}

/** Of a token that one of the bundles does not look at, the record tells nothing to the other. */
function sameToken({ api, operation, own, from }: Against): boolean {
  return from !== undefined && readsToken(from.plan, own?.plan) === readsToken(api.plan, operation.plan)
}

function acted(
  { before }: RecordedCall,
  to: Acted,
  reasons: readonly Reason[],
  policies: readonly string[],
  left: readonly string[],
  items?: ItemsReleased,
  fields?: FieldsHidden,
): Replayed {
  const moved = before === to && items !== undefined && items.lost + items.gained > 0
  const showed = before === to && fields !== undefined
  if (before === to && !moved && !showed) return { kind: 'same', effect: to }
  const changed = { kind: 'changed', from: before, to, reasons, policies } as const
  return {
    ...changed,
    unplayed: to === 'allow' && before !== to ? left : [],
    ...(moved ? { items } : {}),
    ...(showed ? { fields } : {}),
  }
}

function undecidable(...missing: string[]): Replayed {
  return { kind: 'undecidable', missing }
}
