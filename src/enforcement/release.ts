import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { AnswerCheck, Operation } from '../contract/instantiate.ts'
import { checkScopes } from '../decision/floor.ts'
import { SallyportError } from '../model/errors.ts'
import type { Answer, Body } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { reason } from '../model/reason.ts'
import type { OutcomeEntry } from '../model/record.ts'
import { fieldValue } from '../syntax/http.ts'
import { isJson, parseMediaType } from '../syntax/media-type.ts'
import { collect, heldBack, rejoin } from './body.ts'
import { atCheckpoint, withObject } from './decision-input.ts'
import { callerFields } from './forward.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import type { Verdict } from './judge.ts'
import { judge } from './judge.ts'
import { objectFacts } from './object.ts'
import type { AdmittedCall } from './pipeline.ts'
import { jsonShape } from './shape.ts'
import { upstreamFinding } from './upstream-call.ts'

export type Released =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly verdict: Verdict }

/** What was read of the answer, and what may be said about it. */
interface ReadAnswer {
  readonly body: Body | null
  /** Null where the body was not held against the contract. */
  readonly check: AnswerCheck | null
  readonly findings: readonly Finding[]
  /** The bytes are no longer the upstream's own. */
  readonly changed: boolean
}

/**
 * The answer within its plan: contract findings, the owner it states, decide(response), outcome, release. The
 * outcome stands in the log before the last byte goes out.
 */
export async function release(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  journal: Journal,
  gate: Gate,
): Promise<Released> {
  let read: ReadAnswer
  try {
    read = await readAnswer(call, answer, journal)
  } catch (error) {
    return {
      ok: false,
      verdict: judge(journal, 'response', [upstreamFinding(error, call.exchange.id, gate)]),
    }
  }
  const verdict = judgeAnswer(call, answer, read, journal)
  if (verdict.stops) {
    answer.body.cancel('not released')
    return { ok: false, verdict }
  }

  const dropped = read.check?.dropped ?? []
  const mediaType = mediaTypeOf(fieldValue(answer.fields, 'content-type'))
  const { body } = read
  if (body === null || body instanceof Uint8Array) {
    const fields = callerFields(answer.fields, call.exchange.id, body?.byteLength ?? null, read.changed)
    const released = { ...shape(mediaType, body, gate), dropped, ...learned(call, answer, body) }
    const unwritten = await journal.outcome({ action: 'forwarded', status: answer.status, released })
    if (unwritten !== null) return { ok: false, verdict: judge(journal, 'response', [unwritten]) }
    return { ok: true, answer: { status: answer.status, fields, body } }
  }
  journal.notPlayed('response-contract')
  const streamed = heldBack(body, async (bytes) => {
    const released: OutcomeEntry['released'] = { bytes, mediaType, digest: '', query: [], dropped: [] }
    const unwritten = await journal.outcome({ action: 'forwarded', status: answer.status, released })
    if (unwritten !== null)
      throw new SallyportError('audit-write-failed', 'the outcome could not be recorded')
  })
  return {
    ok: true,
    answer: {
      status: answer.status,
      fields: callerFields(answer.fields, call.exchange.id, null, false),
      body: streamed,
    },
  }
}

/** JSON answers of declared operations are held whole; everything else passes as a stream. */
async function readAnswer(call: AdmittedCall, answer: UpstreamAnswer, journal: Journal): Promise<ReadAnswer> {
  const { operation, api, exchange } = call
  if (exchange.head.method === 'HEAD' || answer.status === 204 || answer.status === 304) {
    return { body: null, check: null, findings: undeclared(operation, answer), changed: false }
  }
  const contentType = fieldValue(answer.fields, 'content-type')
  const media = contentType === undefined ? null : parseMediaType(contentType)
  const json = media !== null && isJson(media)
  const enforced = api.plan.mode === 'enforce'
  if (!json && !(enforced && hidesBody(operation, answer))) {
    return { body: answer.body, check: null, findings: undeclared(operation, answer), changed: false }
  }
  const collected = await collect(answer.body, api.plan.maxAnswerBytes)
  if (!collected.ok) {
    if (!enforced)
      return {
        body: rejoin(collected.read, answer.body),
        check: null,
        findings: [tooLarge(api.plan.maxAnswerBytes)],
        changed: false,
      }
    return { body: null, check: null, findings: [tooLarge(api.plan.maxAnswerBytes)], changed: false }
  }
  if (operation === null) return { body: collected.bytes, check: null, findings: [], changed: false }
  const decoded = decode(
    collected.bytes,
    fieldValue(answer.fields, 'content-encoding'),
    api.plan.maxAnswerBytes,
  )
  if (decoded === null) {
    return {
      body: collected.bytes,
      check: null,
      findings: enforced
        ? [finding(reason('response-undeclared', 'contract', { rule: 'content-encoding' }))]
        : [],
      changed: false,
    }
  }
  const check = operation.checkAnswer(answer.status, contentType, decoded)
  if (!check.checked) journal.notPlayed('response-contract')
  // Observing changes nothing: what would have been dropped is in the record, the answer is the upstream's.
  if (!enforced) return { body: collected.bytes, check, findings: withDropped(check), changed: false }
  if (isUndeclared(check) && answer.status >= 400) {
    // An error the contract does not promise tells its status only (standards 1.9(23)).
    const problem = Buffer.from(
      `${JSON.stringify({ type: 'about:blank', title: 'The upstream answered with an error.', status: answer.status, exchange: exchange.id })}\n`,
    )
    return { body: problem, check: { ...check, dropped: ['/'] }, findings: [], changed: true }
  }
  return { body: check.body, check, findings: withDropped(check), changed: check.body !== collected.bytes }
}

function judgeAnswer(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  read: ReadAnswer,
  journal: Journal,
): Verdict {
  const { operation, subject, api } = call
  const carried = call.verdict.opposed ? call.verdict.findings : []
  const findings = [...carried, ...read.findings]
  if (operation === null || call.input === null) {
    return judge(journal, 'response', findings, {
      operation: null,
      subject,
      scopes: null,
      input: null,
      engine: api.policies,
      last: true,
    })
  }
  const object = operation.plan.object
  let input = atCheckpoint(call.input, 'response')
  if (object !== undefined && input.resource.unknown.length > 0) {
    if (answer.status === 404 && object.hideAbsent) findings.push(finding(reason('object-absent', 'object')))
    // Where the owner decides, an error that does not state it releases nothing; who is allowed anyway sees it.
    else if (answer.status >= 400 && call.verdict.decision.pending)
      findings.push(finding(reason('upstream-failed', 'object', { status: answer.status })))
    else if (answer.status < 400)
      input = withObject(input, 'response', objectFacts(object, read.check?.value))
  } else if (object?.hideAbsent === true && answer.status === 404) {
    findings.push(finding(reason('object-absent', 'object')))
  }
  const scopes = checkScopes(operation.plan.security, subject, api.plan.credential)
  return judge(journal, 'response', findings, {
    operation: operation.plan,
    subject,
    scopes,
    input,
    engine: api.policies,
    last: true,
    before: call.verdict,
  })
}

function withDropped(check: AnswerCheck): readonly Finding[] {
  if (check.dropped.length === 0) return check.findings
  return [...check.findings, finding(reason('response-field-dropped', 'contract', { fields: check.dropped }))]
}

function isUndeclared(check: AnswerCheck): boolean {
  return check.findings.some(({ reason }) => reason.code === 'response-undeclared')
}

/** Bodies whose status the contract does not declare are read, so that an error's text can be withheld. */
function hidesBody(operation: Operation | null, answer: UpstreamAnswer): boolean {
  return operation !== null && answer.status >= 400 && !operation.declares(answer.status)
}

function undeclared(operation: Operation | null, answer: UpstreamAnswer): readonly Finding[] {
  if (operation === null || operation.declares(answer.status) || answer.status === 304) return []
  return [finding(reason('response-undeclared', 'contract', { status: answer.status }))]
}

function tooLarge(limit: number): Finding {
  return finding(reason('response-too-large', 'contract', { limit }))
}

/** Upstreams are asked for identity coding; what comes coded all the same is decoded within the body plan. */
function decode(bytes: Uint8Array, coding: string | undefined, limit: number): Uint8Array | null {
  const name = coding?.trim().toLowerCase() ?? 'identity'
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

function shape(
  mediaType: string,
  body: Uint8Array | null,
  gate: Gate,
): Omit<OutcomeEntry['released'], 'dropped'> {
  if (body === null) return { bytes: 0, mediaType, digest: '', query: [] }
  return { bytes: body.byteLength, mediaType, digest: gate.digest(body), query: [] }
}

function learned(
  call: AdmittedCall,
  answer: UpstreamAnswer,
  body: Uint8Array | null,
): { readonly fields?: readonly string[] } {
  if (call.operation !== null || body === null) return {}
  const fields = jsonShape(fieldValue(answer.fields, 'content-type'), body)
  return fields === undefined ? {} : { fields }
}
