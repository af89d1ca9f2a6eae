import type { Decision, ItemDecisions } from '../model/decision.ts'
import type { Instant } from '../model/exchange.ts'
import type { Reason } from '../model/reason.ts'
import type {
  CandidateVerdict,
  CutEntry,
  IntentEntry,
  MessageShape,
  OutcomeEntry,
  RecordedInput,
} from '../model/record.ts'
import { quote } from './line.ts'
import { bounded, boundedList, callerNames, type Digest, MAX_PERSONAL, numeral } from './redact.ts'

/**
 * The clear members of each entry's line, as hand-written templates: a line costs well under a microsecond. The
 * member names are those of the model, so that the segments read by themselves; personal parts come in sealed as
 * `x`, under the key of the subject that `s` refers to.
 */
export function intentBody(entry: IntentEntry, subjectRef: number, sealed: string, digest: Digest): string {
  return (
    `,"id":${quote(entry.id)},"at":${instant(entry.at)},"s":${subjectRef},"entrance":${quote(entry.entrance)}` +
    `,"tenant":${bounded(entry.tenant)},"environment":${bounded(entry.environment)},"api":${bounded(entry.api)}` +
    `,"operation":${bounded(entry.operation)},"governed":${entry.governed},"mode":"${entry.mode}"` +
    `,"method":${bounded(entry.method, 32)},"template":${bounded(entry.template, 2_048)}` +
    `,"bundle":${bounded(entry.bundle)},"decisions":${decisions(entry.decisions, entry.bundle)}` +
    `,"request":{${shape(entry.request, digest)}},"x":"${sealed}"`
  )
}

/**
 * `bundle` is left out of a decision where it is the line's own; `x` where the attributes are the intent's, which
 * `same` says, or none.
 */
export function outcomeBody(
  entry: OutcomeEntry,
  subjectRef: number,
  sealed: string,
  same: boolean,
  digest: Digest,
): string {
  const bundle = entry.decisions[0]?.bundle ?? ''
  return (
    `,"id":${quote(entry.id)},"at":${instant(entry.at)},"s":${subjectRef},"action":"${entry.action}"` +
    `,"effect":"${entry.effect}","wouldDeny":${entry.wouldDeny},"status":${numeral(entry.status)}` +
    `,"bundle":${bounded(bundle)},"decisions":${decisions(entry.decisions, bundle)}` +
    `,"upstreamStatus":${numeral(entry.upstreamStatus)},"lookups":${lookups(entry.lookups)}` +
    `,"released":{${shape(entry.released, digest)},"dropped":${boundedList(entry.released.dropped)}}` +
    `,"notPlayed":${boundedList(entry.notPlayed)},"timings":[${numeral(entry.timings.total)},` +
    `${numeral(entry.timings.upstream)},${numeral(entry.timings.gate)}]` +
    (entry.candidate === undefined ? '' : candidate(entry.candidate)) +
    (sealed === '' ? (same ? ',"same":true' : '') : `,"x":"${sealed}"`)
  )
}

/** Why it came to what it did is kept where it came to something else. */
function candidate({ bundle, effect, changed, undecided, reasons: why, policies }: CandidateVerdict): string {
  let out = `,"candidate":{"bundle":${bounded(bundle)},"effect":"${effect}","changed":${changed}`
  if (undecided === true) out += ',"undecided":true'
  if (changed || undecided === true) out += `,"reasons":${reasons(why)},"policies":${boundedList(policies)}`
  return `${out}}`
}

export function cutBody(entry: CutEntry): string {
  return `,"id":${quote(entry.id)},"at":${instant(entry.at)},"bytes":${numeral(entry.bytes)},"why":${bounded(entry.why)}`
}

/** What is sealed of an intent, in this order: address, path, user agent, host, attributes. */
export function intentSecret(entry: IntentEntry): string {
  const { address, path, userAgent, host } = entry.personal
  return JSON.stringify([cut(address), cut(path), cut(userAgent), cut(host), boundedInput(entry.attributes)])
}

export function outcomeSecret(attributes: RecordedInput): string {
  return JSON.stringify(boundedInput(attributes))
}

const MAX_ATTRIBUTES = 65_536

/** Attributes are small by their limits (path, parameters, groups); what is not is left out rather than cut. */
function boundedInput(attributes: RecordedInput | null): RecordedInput | null {
  if (attributes === null) return null
  const params = attributes.resource.params
  const path = attributes.context.path
  const { groups = [], roles = [] } = attributes.principal
  let size = (path?.length ?? 0) + groups.length + roles.length
  for (const name in params) size += name.length + (params[name]?.length ?? 0)
  for (const group of groups) size += group.length
  for (const role of roles) size += role.length
  for (const { id, owner, tenant } of attributes.items ?? [])
    size += 32 + (id?.length ?? 0) + (owner?.length ?? 0) + (tenant?.length ?? 0)
  return size <= MAX_ATTRIBUTES ? attributes : null
}

function cut(text: string): string {
  return text.length <= MAX_PERSONAL ? text : `${text.slice(0, MAX_PERSONAL)}…`
}

function instant(at: Instant): string {
  return `[${numeral(at.wallMs)},${numeral(at.monoMs)}]`
}

function shape(message: MessageShape, digest: Digest): string {
  const fields = message.fields === undefined ? '' : `,"fields":${boundedList(message.fields)}`
  return (
    `"bytes":${numeral(message.bytes)},"mediaType":${bounded(message.mediaType, 128)}` +
    `,"digest":${bounded(message.digest, 64)},"query":${callerNames(message.query, digest)}${fields}`
  )
}

const MAX_DECISIONS = 64

function decisions(list: readonly Decision[], bundle: string): string {
  let out = '['
  const kept = Math.min(list.length, MAX_DECISIONS)
  for (let i = 0; i < kept; i++) {
    const one = list[i]
    if (one === undefined) break
    out += `${i === 0 ? '' : ','}{"checkpoint":"${one.checkpoint}","effect":"${one.effect}","pending":${one.pending}`
    out += `,"mode":"${one.mode}","reasons":${reasons(one.reasons)}`
    if (one.obligations.length > 0)
      out += `,"obligations":${boundedList(one.obligations.map(obligationKind))}`
    if (one.policies.length > 0) out += `,"policies":${boundedList(one.policies)}`
    if (one.observed !== undefined && one.observed.length > 0) out += `,"observed":${reasons(one.observed)}`
    if (one.items !== undefined) out += `,"items":${itemRows(one.items)}`
    if (one.bundle !== bundle) out += `,"bundle":${bounded(one.bundle)}`
    out += '}'
  }
  return `${out}]`
}

const MAX_ROWS = 256

/** A row is `[effect, count, policies]`; its item's attributes are sealed, at the same index. */
function itemRows({ judged, released, rows }: ItemDecisions): string {
  let out = `{"judged":${numeral(judged)},"released":${numeral(released)},"rows":[`
  const kept = Math.min(rows.length, MAX_ROWS)
  for (let i = 0; i < kept; i++) {
    const row = rows[i]
    if (row === undefined) break
    out += `${i === 0 ? '' : ','}["${row.effect}",${numeral(row.count)},${boundedList(row.policies)}]`
  }
  return `${out}]}`
}

function obligationKind(obligation: Decision['obligations'][number]): string {
  return obligation.kind
}

const MAX_REASONS = 64

function reasons(list: readonly Reason[]): string {
  let out = '['
  const kept = Math.min(list.length, MAX_REASONS)
  for (let i = 0; i < kept; i++) {
    const one = list[i]
    if (one === undefined) break
    out += `${i === 0 ? '' : ','}{"code":"${one.code}","source":"${one.source}"${evidence(one.evidence)}`
    out += one.forCaller === undefined ? '}' : `,"forCaller":${bounded(one.forCaller)}}`
  }
  return `${out}]`
}

const MAX_EVIDENCE = 32
const MAX_EVIDENCE_LIST = 4_096

/** Empty evidence, the usual one, is left out. */
function evidence(of: Reason['evidence']): string {
  let out = ''
  let count = 0
  for (const name in of) {
    const value = of[name]
    if (value === undefined || ++count > MAX_EVIDENCE) continue
    out += `${out === '' ? '' : ','}${bounded(name, 64)}:`
    if (typeof value === 'string') out += bounded(value)
    else if (typeof value === 'number') out += numeral(value)
    else if (typeof value === 'boolean') out += `${value}`
    else out += boundedList(value, MAX_EVIDENCE_LIST)
  }
  return out === '' ? '' : `,"evidence":{${out}}`
}

function lookups(list: OutcomeEntry['lookups']): string {
  let out = '['
  const kept = Math.min(list.length, MAX_REASONS)
  for (let i = 0; i < kept; i++) {
    const one = list[i]
    if (one === undefined) break
    out += `${i === 0 ? '' : ','}{"operation":${bounded(one.operation)},"status":${numeral(one.status)}}`
  }
  return `${out}]`
}
