import { readMediaType } from '../contract/content.ts'
import { type AnswerCheck, type ItemRule, NOTHING_STATED, type Operation } from '../contract/instantiate.ts'
import { sightOfContent } from '../contract/value-sight.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Body, RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { opposes, type Reason, reason } from '../model/reason.ts'
import { CODINGS, decodeContent } from '../syntax/content-coding.ts'
import { fieldValues } from '../syntax/http.ts'
import { DEFAULT_JSON_LIMITS } from '../syntax/json.ts'
import { isJson } from '../syntax/media-type.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { type Collected, collectFor, collectWithin, rejoin } from './body.ts'
import { bytesSource } from './bytes-source.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'
import { filtersItems, type ItemJudge } from './list-items.ts'
import { genericError, isContentUnpromised, withoutContent } from './withheld-answer.ts'

/** What was read of the answer, and what may be said about it. */
export interface ReadAnswer {
  readonly body: Body | null
  /** The fields that go with it. */
  readonly fields: RawFields
  /** Null where the body was not held against the contract. */
  readonly check: AnswerCheck | null
  readonly findings: readonly Finding[]
  /** The bytes are no longer the upstream's own. */
  readonly changed: boolean
  /** The body is a sequence of items that are each held against the contract as they come. */
  readonly items?: ItemRule
  /** The body was decoded to read its items: the bytes as they came. */
  readonly asCame?: Uint8Array
  /** Judges whose each item of such a body is, as they come. */
  readonly judge?: ItemJudge
  /** The upstream's own words, where callers get others: for the record alone. */
  readonly original?: Uint8Array
}

/** An answer that is held has this many times `timeouts.bodyMs` to come whole, however its parts come. */
const HELD_FACTOR = 4
/** An answer that is only observed and that no contract promises is waited for so long, in ms, to see how it ends. */
const OBSERVED_MS = 1_000
/** Enough to see what went wrong. */
const MAX_ORIGINAL = 8_192

/**
 * JSON is held whole, to be checked; so is, when enforcing, whatever the contract does not promise, and every error.
 * What it promises and is not read passes as it comes, or item by item. Observing changes no byte: what would be
 * dropped, withheld or refused is found in the same way, and only noted.
 */
export async function readAnswer(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<ReadAnswer> {
  const { operation, api, exchange } = call
  const { status, fields } = answer
  // RFC 9110 §6.4.1: these have no content.
  if (exchange.head.method === 'HEAD' || status === 204 || status === 304) {
    const findings = [...undeclaredStatus(operation, status), ...fieldFindings(operation, answer)]
    return { body: null, fields, check: null, findings, changed: false }
  }
  const contentType = contentTypeOf(fields)
  const media = contentType === undefined ? null : readMediaType(contentType)
  const json = media !== null && isJson(media)
  if (operation === null) return readUngoverned(call, answer, json, journal, gate)

  const promise = operation.promise(status, contentType)
  if (promise === 'items') return readSequence(call, operation, answer, contentType, journal, gate)
  if (promise === 'passed' && status < 400) {
    const findings = fieldFindings(operation, answer)
    return { body: answer.body, fields, check: null, findings, changed: false }
  }
  const held = isAnswerHeld(api.plan)
  const watched = !held && promise === 'none' && !json
  const collected = watched
    ? await collectFor(answer.body, api.plan.maxAnswerBytes, OBSERVED_MS)
    : await hold(call, answer, journal, gate)
  if (!collected.ok)
    return unread(call, operation, answer, { contentType, promise, collected }, journal, gate)
  return checkedAnswer(call, operation, answer, contentType, collected.bytes, journal)
}

/** What a contract holds an answer by: of two types a caller may read either, then there is none. */
function contentTypeOf(fields: RawFields): string | undefined {
  const types = fieldValues(fields, 'content-type')
  return types.length === 1 ? types[0] : undefined
}

async function hold(
  { api }: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<Collected> {
  const started = gate.clock.now().monoMs
  const ms = api.plan.timeouts.bodyMs * HELD_FACTOR
  const collected = await collectWithin(answer.body, api.plan.maxAnswerBytes, ms, 'upstream-timeout')
  journal.answerTook(gate.clock.now().monoMs - started)
  return collected
}

/** Without a contract JSON is read for its form alone. */
async function readUngoverned(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  json: boolean,
  journal: Journal,
  gate: Gate,
): Promise<ReadAnswer> {
  const { fields, body } = answer
  const passed = { body, fields, check: null, findings: [], changed: false }
  if (!json) return passed
  const collected = await hold(call, answer, journal, gate)
  if (collected.ok) return { ...passed, body: collected.bytes }
  const findings = [tooLarge(call.api.plan)]
  return { ...passed, body: isAnswerHeld(call.api.plan) ? null : rejoin(collected.read, body), findings }
}

/**
 * Items pass as they come; coded ones are held, since decoding as they come is not the gate thread's work, and errors
 * are, since what makes one up may tell of the upstream's inside.
 */
async function readSequence(
  call: AdmittedCall,
  operation: Operation,
  answer: UpstreamAnswer,
  contentType: string | undefined,
  journal: Journal,
  gate: Gate,
): Promise<ReadAnswer> {
  const { status, fields } = answer
  const items = operation.itemsOf(status, contentType)
  const findings = fieldFindings(operation, answer)
  const coding = fieldValues(fields, 'content-encoding').join()
  if (items === null) return { body: answer.body, fields, check: null, findings, changed: false }
  // Where a part begins and ends is the caller's to say: it may be the inside of an item (RFC 9110 §14.2).
  if (status === 206) {
    const partial = [...findings, undecodable(status, 'partial', call.api.plan)]
    return { body: answer.body, fields, check: null, findings: partial, changed: false }
  }
  if (status < 400 && (coding === '' || coding.toLowerCase() === 'identity'))
    return { body: answer.body, fields, check: null, findings, changed: false, items }
  const collected = await hold(call, answer, journal, gate)
  if (!collected.ok)
    return unread(call, operation, answer, { contentType, promise: 'items', collected }, journal, gate)
  const decoded = decodeContent(collected.bytes, coding, CODINGS, call.api.plan.maxAnswerBytes)
  if (!decoded.ok) {
    if (status >= 400) return error(call, answer, collected.bytes, null, [replaced('content-encoding')])
    const undecoded = [...findings, undecodable(status, decoded.why, call.api.plan)]
    return { body: collected.bytes, fields, check: null, findings: undecoded, changed: false }
  }
  const { leak } = status < 400 ? {} : checked(operation, status, contentType, decoded.bytes, journal)
  if (leak !== undefined) return error(call, answer, decoded.bytes, collected.bytes, [replaced(leak)])
  const body = bytesSource(decoded.bytes)
  return { body, fields, check: null, findings, changed: false, items, asCame: collected.bytes }
}

interface Unread {
  readonly contentType: string | undefined
  readonly promise: ReturnType<Operation['promise']>
  readonly collected: Extract<Collected, { readonly ok: false }>
}

/** More than is held, or than was waited for: what status and type alone say of it, and that it is too large. */
function unread(
  call: AdmittedCall,
  operation: Operation,
  answer: UpstreamAnswer,
  { contentType, promise, collected }: Unread,
  journal: Journal,
  gate: Gate,
): ReadAnswer {
  const { status, fields } = answer
  const { plan } = call.api
  const held = isAnswerHeld(plan)
  const rest = rejoin(collected.read, collected.late ?? answer.body)
  const found = fieldFindings(operation, answer)
  if (status >= 400) {
    const findings = [replaced('size')]
    if (!held) return { body: rest, fields, check: null, findings, changed: false }
    answer.body.cancel('not released')
    const original = collected.read[0]?.subarray(0, MAX_ORIGINAL) ?? new Uint8Array(0)
    return { ...genericError(answer, call.exchange.id), check: null, findings, changed: true, original }
  }
  if (promise === 'none') {
    const { findings } = checked(operation, status, contentType, SOME_BYTE, journal)
    const late = collected.late === undefined ? [tooLarge(plan)] : []
    if (isContentUnpromised(operation, status) && late.length === 0) found.push(dropped(['/']))
    return { body: rest, fields, check: null, findings: [...late, ...findings, ...found], changed: false }
  }
  if (plan.largeAnswers === 'pass' && !mustBeRead(call)) {
    journal.notPlayed('response-contract')
    gate.count('sallyport_unread_answers_total', 1, plan.name)
    return { body: rest, fields, check: null, findings: found, changed: false }
  }
  return { body: rest, fields, check: null, findings: [tooLarge(plan), ...found], changed: false }
}

/** Stands for a body that is not read: by it the contract says what it makes of a status and media type. */
const SOME_BYTE = Uint8Array.of(0)

/** A decision, or what of the answer the caller may have, turns on what it says: it cannot pass unread. */
function mustBeRead({ operation, verdict, input, api }: AdmittedCall): boolean {
  const object = operation?.plan.object
  return verdict.decision.pending || filtersItems(object, input, api.policies)
}

function checkedAnswer(
  call: AdmittedCall,
  operation: Operation,
  answer: UpstreamAnswer,
  contentType: string | undefined,
  bytes: Uint8Array,
  journal: Journal,
): ReadAnswer {
  const { status, fields } = answer
  const { plan } = call.api
  const held = isAnswerHeld(plan)
  const field = fieldValues(fields, 'content-encoding').join()
  const decoded = decodeContent(bytes, field, CODINGS, plan.maxAnswerBytes)
  // A part cannot be held against the schema of the whole (RFC 9110 §14.4).
  if (!decoded.ok || status === 206) {
    const why = decoded.ok ? 'partial' : decoded.why
    if (status >= 400) return error(call, answer, bytes, null, [replaced('content-encoding')])
    const findings = [undecodable(status, why, plan)]
    return { body: bytes, fields, check: null, findings, changed: false }
  }
  const check = checked(operation, status, contentType, decoded.bytes, journal)
  if (!check.checked) journal.notPlayed('response-contract')
  const found = fieldFindings(operation, answer)
  const findings = found.length === 0 ? check.findings : [...check.findings, ...found]
  const content = decoded.bytes.byteLength > 0
  if (content && isContentUnpromised(operation, status)) {
    const unseen = { ...check, stated: NOTHING_STATED, items: null, dropped: ['/'] }
    const kept = held ? withoutContent(answer) : { body: bytes, fields }
    const { mediaType = '', type = '' } = sightOfContent(contentType, decoded.bytes, DEFAULT_JSON_LIMITS)
    const whole = finding(
      reason('response-field-dropped', 'contract', { fields: ['/'], types: [type], mediaType }),
    )
    return { ...kept, check: unseen, findings: [whole, ...found], changed: held }
  }
  if (status >= 400) {
    const against = findings.find(({ reason: { code } }) => opposes(code))?.reason
    const rule = check.leak ?? against?.code
    if (rule !== undefined && rule !== 'stage-failed')
      return error(call, answer, decoded.bytes, bytes, [replaced(rule, against)], check)
  }
  const blocked = findings.some(({ reason: { code } }) => code === 'response-field-undeclared')
  const noted =
    check.dropped.length === 0 || blocked ? findings : [...findings, dropped(check.dropped, check.types)]
  // Of an answer that is no error by its status, what told of the upstream's inside is made another (GraphQL).
  const safe = check.leak === undefined ? noted : [...noted, replaced(check.leak)]
  if (!held) return { body: bytes, fields, check, findings: safe, changed: false }
  // What is checked and changed goes out decoded; bytes that nothing was done to go as they came.
  const changed = check.checked && (check.body !== bytes || decoded.bytes !== bytes)
  const told = check.told === undefined ? {} : { original: check.told.subarray(0, MAX_ORIGINAL) }
  return { body: changed ? check.body : bytes, fields, check, findings: safe, changed, ...told }
}

/** An error that callers get the status of. What it says of whose object it is about is not read. */
function error(
  { api, exchange }: AdmittedCall,
  answer: UpstreamAnswer,
  original: Uint8Array,
  asCame: Uint8Array | null,
  findings: readonly Finding[],
  check?: AnswerCheck,
): ReadAnswer {
  const unseen =
    check === undefined ? null : { ...check, stated: NOTHING_STATED, items: null, dropped: ['/'] }
  if (!isAnswerHeld(api.plan)) {
    const { fields } = answer
    return { body: asCame ?? original, fields, check: unseen, findings, changed: false }
  }
  const excerpt = original.subarray(0, MAX_ORIGINAL)
  return { ...genericError(answer, exchange.id), check: unseen, findings, changed: true, original: excerpt }
}

/** What the contract does not promise is held back, unless answers are only observed. */
export function isAnswerHeld({ mode, observeStages }: ApiPlan): boolean {
  return mode === 'enforce' && observeStages?.includes('response') !== true
}

function checked(
  operation: Operation,
  status: number,
  contentType: string | undefined,
  bytes: Uint8Array,
  journal: Journal,
): AnswerCheck {
  try {
    return operation.checkAnswer(status, contentType, bytes)
  } catch (error) {
    journal.fault('contract', error)
    const findings = [finding(reason('stage-failed', 'stage', { stage: 'contract' }))]
    return { findings, body: bytes, stated: NOTHING_STATED, items: null, dropped: [], checked: false }
  }
}

function fieldFindings(operation: Operation | null, { status, fields }: UpstreamAnswer): Finding[] {
  return operation === null ? [] : [...operation.checkAnswerFields(status, fields)]
}

function dropped(fields: readonly string[], types: readonly string[] = []): Finding {
  return finding(reason('response-field-dropped', 'contract', { fields, types }))
}

/** @param against What the contract says against it: told too, since nothing else of it is recorded. */
function replaced(rule: string, against?: Reason): Finding {
  const { rule: broken, ...told } = against?.evidence ?? {}
  const code =
    against === undefined ? {} : { code: against.code, ...(broken === undefined ? {} : { broken }) }
  return finding(reason('response-error-replaced', 'contract', { ...told, ...code, rule }))
}

function tooLarge({ maxAnswerBytes }: ApiPlan): Finding {
  return finding(reason('response-too-large', 'contract', { limit: maxAnswerBytes }))
}

function undecodable(status: number, why: string, plan: ApiPlan): Finding {
  if (why === 'too-large') return tooLarge(plan)
  const rule = why === 'partial' ? why : 'content-encoding'
  return finding(reason('response-undeclared', 'contract', { status, rule }))
}

function undeclaredStatus(operation: Operation | null, status: number): readonly Finding[] {
  if (operation === null || operation.declares(status) || status === 304) return []
  return [finding(reason('response-undeclared', 'contract', { status }))]
}

/** Something in the answer itself speaks against releasing it. */
export function isRefused({ findings }: ReadAnswer): boolean {
  return findings.some(({ reason: { code } }) => opposes(code))
}
