import { readPlan } from '../decision/cedar/plan.ts'
import type { ApiPlan, IssuerPlan, UrlPlan } from '../model/bundle.ts'
import type { Mode } from '../model/decision.ts'
import type { AnswerMode, OperationPlan, UnknownFields } from '../model/operation.ts'
import type { Side } from './side.ts'

/** A setting outside the policies that lets more, or fewer, calls through. */
export interface SettingChange {
  /** `apis.shop.mode`, `identity.issuers.corp.algorithms`, `flows`. */
  readonly setting: string
  readonly widened: boolean
  readonly words: string
}

/**
 * What decides besides contracts and policies: modes, whom an API trusts, how long, and which zones may call which.
 * An API or operation that is there on one side only is told with its operations.
 */
export function diffSettings(before: Side, after: Side): readonly SettingChange[] {
  const changes: SettingChange[] = []
  for (const { plan: next, operations } of after.apis) {
    const previous = before.apis.find(({ plan }) => plan.name === next.name)
    if (previous === undefined) {
      modes(`apis.${next.name}.mode`, 'enforce', next.mode, changes)
      members(`apis.${next.name}.observe`, [], next.observeStages ?? [], 'only observes', changes)
    } else diffApi(previous.plan, next, changes)
    for (const operation of operations) {
      const old = previous?.operations.find(({ key }) => key === operation.key)
      const mode = operation.mode ?? next.mode
      const own = operation.answers ?? next.answers
      if (operation.answers !== undefined || old?.answers !== undefined)
        answers(
          `answers of ${operation.key}`,
          old === undefined ? 'strip' : (old.answers ?? previous?.plan.answers),
          own,
          changes,
        )
      const unknown = operation.unknownFields ?? next.unknownFields
      if (operation.unknownFields !== undefined || old?.unknownFields !== undefined) {
        const was = old === undefined ? 'reject' : (old.unknownFields ?? previous?.plan.unknownFields)
        unknownFields(`unknownFields of ${operation.key}`, was, unknown, changes)
      }
      // What follows its API is told with it; where no operation was, a call was refused.
      if (operation.mode !== undefined || old?.mode !== undefined)
        modes(`mode of ${operation.key}`, old?.mode ?? previous?.plan.mode ?? 'enforce', mode, changes)
      else if (old === undefined && previous?.plan.mode === 'observe')
        modes(`mode of ${operation.key}`, 'enforce', mode, changes)
      if (old === undefined) continue
      diffObject(old, operation, changes)
      diffSensitivity(old, operation, changes)
      const [was, is] = [old, operation].map(({ method, template }) => `${method} ${template}`)
      // Policies name the operation, and permit calls of something else by it now.
      value(`call of ${operation.key}`, was, is, true, changes)
    }
  }
  diffPolicySettings(before, after, changes)
  const issuers = new Map(before.head.issuers.map((issuer) => [issuer.name, issuer]))
  for (const issuer of after.head.issuers) {
    const old = issuers.get(issuer.name)
    if (old !== undefined) diffIssuer(old, issuer, changes)
  }
  diffZones(before, after, changes)
  return changes
}

function diffApi(before: ApiPlan, after: ApiPlan, changes: SettingChange[]): void {
  const at = `apis.${after.name}`
  modes(`${at}.mode`, before.mode, after.mode, changes)
  members(`${at}.identity.accept`, before.accept, after.accept, 'accepts tokens of', changes)
  members(`${at}.identity.audience`, before.audience, after.audience, 'takes tokens for', changes)
  limit(`${at}.identity.maxTokenAge`, before.maxTokenAgeSeconds, after.maxTokenAgeSeconds, changes)
  members(`${at}.observe`, before.observeStages ?? [], after.observeStages ?? [], 'only observes', changes)
  answers(`${at}.answers`, before.answers, after.answers, changes)
  const large = after.largeAnswers ?? 'refuse'
  value(`${at}.largeAnswers`, before.largeAnswers ?? 'refuse', large, large === 'pass', changes)
  unknownFields(`${at}.unknownFields`, before.unknownFields, after.unknownFields, changes)
  choices(`${at}.requestCodings`, before.requestCodings, after.requestCodings, 'takes bodies in', changes)
  diffUrls(`${at}.urls`, before.urls ?? {}, after.urls ?? {}, changes)
  // A source states facts for policies and may refuse by itself: fewer may let more through, and so may others.
  const signals = (plan: ApiPlan): readonly string[] =>
    (plan.signals ?? []).map((each) => JSON.stringify(each))
  members(`${at}.signals`, signals(before), signals(after), 'asks', changes, true)
  hosts(`${at}.hosts`, before.hosts, after.hosts, changes)
  // Callers reach by it what they did not, and no longer what they did.
  value(`${at}.basePath`, before.basePath || '/', after.basePath || '/', true, changes)
  const upstream = ({ upstream: { origin, basePath } }: ApiPlan): string => origin + basePath
  value(`${at}.upstream`, upstream(before), upstream(after), false, changes)
  // Calls that cannot be recorded are refused, or go on.
  const { onAuditFailure } = after
  value(`${at}.onAuditFailure`, before.onAuditFailure, onAuditFailure, onAuditFailure === 'allow', changes)
  if (before.zone !== after.zone) {
    const words = `stands in ${after.zone ?? 'no zone'} instead of ${before.zone ?? 'none'}`
    changes.push({ setting: `${at}.zone`, widened: true, words })
  }
}

/** Whom URLs in requests may name. */
function diffUrls(at: string, before: UrlPlan, after: UrlPlan, changes: SettingChange[]): void {
  for (const name of ['hosts', 'schemes'] as const)
    choices(`${at}.${name}`, before[name], after[name], 'lets URLs name', changes)
  choices(`${at}.ports`, before.ports?.map(String), after.ports?.map(String), 'lets URLs name', changes)
  const inside = after.private ?? 'deny'
  value(`${at}.private`, before.private ?? 'deny', inside, inside === 'allow', changes)
}

/** A list that is absent lets all through; an empty one nothing. */
function choices(
  setting: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
  verb: string,
  changes: SettingChange[],
): void {
  if (before !== undefined && after !== undefined) return members(setting, before, after, verb, changes)
  if (before === after) return
  const words = after === undefined ? `${verb} any` : `${verb} ${after.join(', ') || 'none'} alone`
  changes.push({ setting, widened: after === undefined, words })
}

/** Without hosts an API answers under all of them. */
function hosts(
  setting: string,
  before: readonly string[],
  after: readonly string[],
  changes: SettingChange[],
): void {
  if ((before.length === 0) === (after.length === 0))
    return members(setting, before, after, 'answers for', changes)
  const words = after.length === 0 ? 'answers for every host' : `answers for ${after.join(', ')} alone`
  changes.push({ setting, widened: after.length === 0, words })
}

/** Policies say the same of an owner; who that is may be somebody else. */
function diffObject(before: OperationPlan, after: OperationPlan, changes: SettingChange[]): void {
  const [old, next] = [before.object, after.object]
  if (old === undefined || next === undefined) return
  const said = ({ type: _, hideAbsent: __, ownerKnownAt: ___, ...rest }: typeof old): string =>
    JSON.stringify(rest)
  if (said(old) === said(next)) return
  const words = 'reads from elsewhere whose object it is about'
  changes.push({ setting: `object rule of ${after.key}`, widened: true, words })
}

/** Policies forbid by a class, permit by it, or hide what has it: either way more may be let through. */
function diffSensitivity(before: OperationPlan, after: OperationPlan, changes: SettingChange[]): void {
  for (const side of ['request', 'answer'] as const) {
    const [was, is] = [before.classes?.[side] ?? [], after.classes?.[side] ?? []]
    members(`${side} classes of ${after.key}`, was, is, 'has', changes, true)
  }
  const rules = ({ fieldRules = [] }: OperationPlan): string => JSON.stringify(fieldRules)
  if (rules(before) === rules(after)) return
  const words = 'shows or hides other fields by the contract’s own rules'
  changes.push({ setting: `field rules of ${after.key}`, widened: true, words })
}

/** What policies ask may be answered otherwise by what stands outside them. */
function diffPolicySettings(before: Side, after: Side, changes: SettingChange[]): void {
  const forbids = ({ policies }: Side): string => readPlan(policies).failingForbid ?? 'deny'
  value('failingForbid', forbids(before), forbids(after), forbids(after) === 'ignore', changes)
  const zone = ({ head, engine }: Side): string | undefined =>
    engine.reads.has('context') || engine.reads.has('context.time') ? (head.timeZone ?? 'UTC') : undefined
  const [old, next] = [zone(before), zone(after)]
  if (old !== undefined && next !== undefined) value('timeZone', old, next, true, changes)
}

function value(
  setting: string,
  before: string | undefined,
  after: string | undefined,
  widened: boolean,
  changes: SettingChange[],
): void {
  if (before !== after)
    changes.push({ setting, widened, words: `is ${after ?? 'not set'} instead of ${before ?? 'not set'}` })
}

/** Who a token says its bearer is, and what of. */
const CLAIMS = ['groupsClaim', 'rolesClaim', 'tenantClaim', 'deviceClaim', 'subjects'] as const

function diffIssuer(before: IssuerPlan, after: IssuerPlan, changes: SettingChange[]): void {
  const at = `identity.issuers.${after.name}`
  for (const name of CLAIMS) value(`${at}.${name}`, before[name], after[name], true, changes)
  if (before.iss !== after.iss) {
    changes.push({
      setting: `${at}.issuer`,
      widened: true,
      words: `is ${after.iss} instead of ${before.iss}`,
    })
  }
  if (before.jwks !== after.jwks) {
    changes.push({ setting: `${at}.jwks`, widened: true, words: 'takes its keys from elsewhere' })
  }
  members(`${at}.algorithms`, before.algorithms, after.algorithms, 'takes', changes)
  members(`${at}.types`, before.types, after.types, 'takes typ', changes)
  limit(`${at}.skewSeconds`, before.skewSeconds, after.skewSeconds, changes)
  // For so long a key is trusted that the issuer may have taken back.
  const stale = ({ keys }: IssuerPlan): number => keys.maxStaleSeconds
  limit(`${at}.keys.maxStaleSeconds`, stale(before), stale(after), changes)
}

function diffZones(before: Side, after: Side, changes: SettingChange[]): void {
  const flows = ({ head }: Side): readonly string[] =>
    (head.flows ?? []).flatMap(({ from, to, operations }) =>
      (operations.length === 0 ? ['every operation'] : operations).map(
        (name) => `${name} from ${from} to ${to}`,
      ),
    )
  members('flows', flows(before), flows(after), 'allows', changes)
  // Who is in a zone gains what it may call and loses what the zone they were in could: said both ways.
  const zones = ({ head }: Side): readonly string[] =>
    (head.zones ?? []).flatMap(({ name, networks, clients, workloads }) =>
      [...networks, ...clients, ...workloads].map((member) => `${member} in zone ${name}`),
    )
  members('zones', zones(before), zones(after), 'counts', changes, true)
  const networks = ({ head }: Side): readonly string[] =>
    Object.entries(head.networks ?? {}).flatMap(([name, ranges]) =>
      ranges.map((range) => `${range} in network ${name}`),
    )
  members('networks', networks(before), networks(after), 'counts', changes, true)
}

function modes(setting: string, before: Mode, after: Mode, changes: SettingChange[]): void {
  if (before === after) return
  const widened = after === 'observe'
  changes.push({
    setting,
    widened,
    words: widened
      ? 'only observes: a refusal has no effect any more'
      : 'enforces: a refusal takes effect now',
  })
}

const STRICTNESS = ['block', 'strip', 'observe'] as const

/** What reaches callers of an answer that is not as its contract says. */
function answers(
  setting: string,
  before: AnswerMode | undefined,
  now: AnswerMode | undefined,
  changes: SettingChange[],
): void {
  const [was, after] = [before ?? 'strip', now ?? 'strip']
  value(setting, was, after, STRICTNESS.indexOf(after) > STRICTNESS.indexOf(was), changes)
}

/** What becomes of what a contract does not declare in requests: refused, taken out, or passed on. */
const TAKING = ['reject', 'strip', 'observe'] as const

function unknownFields(
  setting: string,
  before: UnknownFields | undefined,
  now: UnknownFields | undefined,
  changes: SettingChange[],
): void {
  const [was, after] = [before ?? 'reject', now ?? 'reject']
  value(setting, was, after, TAKING.indexOf(after) > TAKING.indexOf(was), changes)
}

function members(
  setting: string,
  before: readonly string[],
  after: readonly string[],
  verb: string,
  changes: SettingChange[],
  /** Being left out widens as well: a policy may forbid those who are in. */
  eitherWay = false,
): void {
  const added = after.filter((name) => !before.includes(name))
  const removed = before.filter((name) => !after.includes(name))
  if (added.length > 0) changes.push({ setting, widened: true, words: `${verb} ${added.join(', ')}` })
  if (removed.length > 0) {
    changes.push({ setting, widened: eitherWay, words: `no longer ${verb} ${removed.join(', ')}` })
  }
}

/** A limit that is absent bounds nothing. */
function limit(
  setting: string,
  before: number | undefined,
  after: number | undefined,
  changes: SettingChange[],
): void {
  if (before === after) return
  const widened = (after ?? Number.POSITIVE_INFINITY) > (before ?? Number.POSITIVE_INFINITY)
  changes.push({ setting, widened, words: `is ${after ?? 'unbounded'} instead of ${before ?? 'unbounded'}` })
}
