import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { type AnswerCheck, NOTHING_STATED, type Operation } from '../contract/instantiate.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Body, RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { opposes, reason } from '../model/reason.ts'
import { fieldValue, fieldValues } from '../syntax/http.ts'
import { isJson, parseMediaType } from '../syntax/media-type.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { collectWithin, rejoin } from './body.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'

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
}

const NOTHING = new Uint8Array(0)
/** An answer that is held has this many times `timeouts.bodyMs` to come whole, however its parts come. */
const HELD_FACTOR = 4
/** Stands for a body that is not read: by it the contract says what it makes of a status and media type. */
const SOME_BYTE = Uint8Array.of(0)

/**
 * JSON is held whole, to be checked; so is, in enforce mode, whatever the contract does not promise. What it promises
 * and is not JSON passes as it comes. Observing changes no byte: what would be dropped or withheld is only noted.
 */
export async function readAnswer(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<ReadAnswer> {
  const { operation, api, exchange } = call
  const { status, fields } = answer
  const enforced = isAnswerHeld(api.plan)
  // RFC 9110 §6.4.1: these have no content.
  if (exchange.head.method === 'HEAD' || status === 204 || status === 304)
    return { body: null, fields, check: null, findings: undeclaredStatus(operation, status), changed: false }

  const types = fieldValues(fields, 'content-type')
  // Of two types a caller may read either: then there is none.
  const contentType = types.length === 1 ? types[0] : undefined
  const media = contentType === undefined ? null : parseMediaType(contentType)
  const json = media !== null && isJson(media)
  if (!json) {
    const findings = operation === null ? [] : asDeclared(operation, answer, contentType, journal)
    if (!enforced || findings.length === 0)
      return { body: answer.body, fields, check: null, findings, changed: false }
  }

  const limit = api.plan.maxAnswerBytes
  const started = gate.clock.now().monoMs
  const ms = api.plan.timeouts.bodyMs * HELD_FACTOR
  const collected = await collectWithin(answer.body, limit, ms, 'upstream-timeout')
  journal.answerTook(gate.clock.now().monoMs - started)
  if (!collected.ok) {
    const body = enforced ? null : rejoin(collected.read, answer.body)
    const findings = [finding(reason('response-too-large', 'contract', { limit }))]
    return { body, fields, check: null, findings, changed: false }
  }
  const { bytes } = collected
  if (operation === null) return { body: bytes, fields, check: null, findings: [], changed: false }
  const decoded = decode(bytes, fieldValues(fields, 'content-encoding').join(), limit)
  if (decoded === null || (status === 206 && json)) {
    const rule = decoded === null ? 'content-encoding' : 'partial'
    const findings = [finding(reason('response-undeclared', 'contract', { status, rule }))]
    return { body: bytes, fields, check: null, findings, changed: false }
  }
  const check = checked(operation, status, contentType, decoded, journal)
  if (!check.checked) journal.notPlayed('response-contract')
  if (decoded.byteLength > 0 && isUnpromised(operation, status, check)) {
    const kept = enforced ? withheld(answer, exchange.id) : { body: bytes, fields }
    const unseen = { ...check, stated: NOTHING_STATED, items: null, dropped: ['/'] }
    return { ...kept, check: unseen, findings: [dropped(unseen)], changed: enforced }
  }
  const findings = check.dropped.length === 0 ? check.findings : [...check.findings, dropped(check)]
  if (!enforced) return { body: bytes, fields, check, findings, changed: false }
  return { body: check.body, fields, check, findings, changed: check.body !== bytes }
}

/** What the contract does not promise is held back, unless answers are only observed. */
export function isAnswerHeld({ mode, observeStages }: ApiPlan): boolean {
  return mode === 'enforce' && observeStages?.includes('response') !== true
}

/** What the contract makes of an answer by its status and media type alone; empty where it promises it. */
function asDeclared(
  operation: Operation,
  answer: UpstreamAnswer,
  contentType: string | undefined,
  journal: Journal,
): readonly Finding[] {
  const { status, fields } = answer
  if (fieldValue(fields, 'content-length') === '0') return undeclaredStatus(operation, status)
  const check = checked(operation, status, contentType, SOME_BYTE, journal)
  return isUnpromised(operation, status, check) ? [dropped({ ...check, dropped: ['/'] })] : check.findings
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

/**
 * Content that is withheld while its status goes through: of a status declared without any, and of an error the
 * contract does not promise, which tells its status only (standards 1.9(23)).
 */
function isUnpromised(operation: Operation, status: number, check: AnswerCheck): boolean {
  if (operation.declares(status) && !operation.declaresContent(status)) return true
  return status >= 400 && check.findings.some(({ reason: { code } }) => code === 'response-undeclared')
}

function withheld(answer: UpstreamAnswer, exchange: string): Pick<ReadAnswer, 'body' | 'fields'> {
  const { status, fields } = answer
  if (status < 400) return { body: NOTHING, fields: without(fields, 'content-type') }
  const problem = { type: 'about:blank', title: 'The upstream answered with an error.', status, exchange }
  const wait = fieldValues(fields, 'retry-after').flatMap((value) => ['Retry-After', value])
  return {
    body: Buffer.from(`${JSON.stringify(problem)}\n`),
    fields: ['Content-Type', 'application/problem+json', 'Cache-Control', 'no-store', ...wait],
  }
}

function without(fields: RawFields, lowerName: string): RawFields {
  const left: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== lowerName) left.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return left
}

function dropped(check: AnswerCheck): Finding {
  return finding(reason('response-field-dropped', 'contract', { fields: check.dropped }))
}

function undeclaredStatus(operation: Operation | null, status: number): readonly Finding[] {
  if (operation === null || operation.declares(status) || status === 304) return []
  return [finding(reason('response-undeclared', 'contract', { status }))]
}

/** Something in the answer itself speaks against releasing it. */
export function isRefused({ findings }: ReadAnswer): boolean {
  return findings.some(({ reason: { code } }) => opposes(code))
}

/** Upstreams are asked for identity coding; what comes coded all the same is decoded within the body plan. */
function decode(bytes: Uint8Array, coding: string, limit: number): Uint8Array | null {
  const name = coding.trim().toLowerCase()
  if (name === 'identity' || name === '') return bytes
  const options = { maxOutputLength: limit }
  try {
    if (name === 'gzip' || name === 'x-gzip') return gunzipSync(bytes, options)
    if (name === 'br') return brotliDecompressSync(bytes, options)
    if (name === 'deflate') return inflateSync(bytes, options)
    if (name === 'zstd') return zstdDecompressSync(bytes, options)
  } catch {
    return null
  }
  return null
}
