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
import { redactExcerpt } from './redact-excerpt.ts'

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
 * `bundle` is left out of a decision where it is the line's own; attributes that are the intent's are not in `x`, which
 * `same` says; `x` is left out where nothing is sealed.
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
    `,"released":{${shape(entry.released, digest)},"dropped":${boundedList(entry.released.dropped)}${hidden(entry.released)}}` +
    sequence(entry.sequence) +
    `,"notPlayed":${boundedList(entry.notPlayed)},"timings":[${numeral(entry.timings.total)},` +
    `${numeral(entry.timings.upstream)},${numeral(entry.timings.gate)}]` +
    (entry.candidate === undefined ? '' : candidate(entry.candidate)) +
    (same ? ',"same":true' : '') +
    (sealed === '' ? '' : `,"x":"${sealed}"`)
  )
}

function sequence(shape: OutcomeEntry['sequence']): string {
  if (shape === undefined) return ''
  return `,"sequence":[${numeral(shape.items)},${numeral(shape.released)},${numeral(shape.unfit)}]`
}

/** Fields that went out otherwise than they came, as `kind pointer`, and classes found in values. */
function hidden({ kept, droppedTypes = [], redacted = [], detected = [] }: OutcomeEntry['released']): string {
  const changes = redacted.map(({ kind, pointer }) => `${kind} ${pointer}`)
  const found = detected.map((each) => `${each.class} ${each.pointer}`)
  return (
    (kept === true ? ',"kept":true' : '') +
    (droppedTypes.length === 0 ? '' : `,"droppedTypes":${boundedList(droppedTypes)}`) +
    (changes.length === 0 ? '' : `,"redacted":${boundedList(changes)}`) +
    (found.length === 0 ? '' : `,"detected":${boundedList(found)}`)
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

/** What is sealed of an outcome: the attributes alone, or in this order with what the upstream itself had said. */
export function outcomeSecret(attributes: RecordedInput | null, original?: string): string {
  const input = boundedInput(attributes)
  return JSON.stringify(original === undefined ? input : [input, redactExcerpt(original)])
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
  for (const { action, id, owner, tenant } of attributes.items ?? [])
    size += 32 + (action?.length ?? 0) + (id?.length ?? 0) + (owner?.length ?? 0) + (tenant?.length ?? 0)
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
    if (one.obligations.length > 0) out += `,"obligations":${obligations(one.obligations)}`
    if (one.policies.length > 0) out += `,"policies":${boundedList(one.policies)}`
    if (one.observed !== undefined && one.observed.length > 0) out += `,"observed":${reasons(one.observed)}`
    if (one.items !== undefined) out += `,"items":${itemRows(one.items)}`
    if (one.bundle !== bundle) out += `,"bundle":${bounded(one.bundle)}`
    out += '}'
  }
  return `${out}]`
}

const MAX_ROWS = 256

/** A row is `[effect, count, policies]`, with its obligations where there are any; its item's attributes are sealed, at the same index. */
function itemRows({ judged, released, rows }: ItemDecisions): string {
  let out = `{"judged":${numeral(judged)},"released":${numeral(released)},"rows":[`
  const kept = Math.min(rows.length, MAX_ROWS)
  for (let i = 0; i < kept; i++) {
    const row = rows[i]
    if (row === undefined) break
    const asked = row.obligations === undefined ? '' : `,${obligations(row.obligations)}`
    out += `${i === 0 ? '' : ','}["${row.effect}",${numeral(row.count)},${boundedList(row.policies)}${asked}]`
  }
  return `${out}]}`
}

const MAX_OBLIGATIONS = 256

/** A field obligation is `[kind, policy, fields]`, any other its kind. */
function obligations(list: Decision['obligations']): string {
  let out = '['
  const kept = Math.min(list.length, MAX_OBLIGATIONS)
  for (let i = 0; i < kept; i++) {
    const one = list[i]
    if (one === undefined) break
    if (i > 0) out += ','
    if (one.kind === 'drop-undeclared') out += `"${one.kind}"`
    else out += `["${one.kind}",${bounded(one.policy)},${boundedList(one.fields)}]`
  }
  return `${out}]`
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
