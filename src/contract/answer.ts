import type { Finding } from '../model/fact.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { chooseContent, type LinkedContent } from './content.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { dropUndeclared, type LinkedShape, type Stripped } from './sealed-walk.ts'

export interface AnswerCheck {
  readonly findings: readonly Finding[]
  /** What may go to the caller: the bytes given where nothing was dropped. */
  readonly body: Uint8Array
  /** The released JSON value; undefined where the answer was not read as JSON. */
  readonly value: unknown
  /** JSON pointers, array indexes as `*`, without duplicates, at most 100. */
  readonly dropped: readonly string[]
  /** The answer was held against a schema. */
  readonly checked: boolean
}

export interface AnswerSet {
  readonly method: string
  readonly byStatus: ReadonlyMap<string, readonly LinkedContent[]>
  readonly limits: JsonLimits
}

const MAX_DROPPED = 100
const NOTHING_DROPPED: readonly string[] = Object.freeze([])

/** Holds an answer against what the contract declares for its status, and takes out what it does not declare. */
export function checkAnswer(
  set: AnswerSet,
  status: number,
  contentType: string | undefined,
  bytes: Uint8Array,
): AnswerCheck {
  const unread = (findings: readonly Finding[]): AnswerCheck => ({
    findings,
    body: bytes,
    value: undefined,
    dropped: NOTHING_DROPPED,
    checked: false,
  })
  const declared = declaredContents(set, status)
  if (declared === undefined) return unread([contractFinding('response-undeclared', { status })])
  // RFC 9110 §6.4.1: these have no content, whatever is declared.
  if (
    declared.length === 0 ||
    bytes.length === 0 ||
    set.method === 'HEAD' ||
    status === 204 ||
    status === 304
  ) {
    return unread(NO_FINDINGS)
  }
  const chosen = chooseContent(declared, contentType)
  if (chosen === null) {
    return unread([contractFinding('response-undeclared', { status, rule: 'media type' })])
  }
  if (!chosen.json) return unread(NO_FINDINGS)
  const scan = scanJson(bytes, set.limits)
  if (!scan.ok) {
    const { rule, pointer, offset } = scan.fault
    return unread([contractFinding('response-malformed', { status, rule, pointer, offset })])
  }
  const { check, shape } = chosen.content
  const { value, dropped }: Stripped =
    shape === null ? { value: scan.value, dropped: null } : dropUndeclared(scan.value, shape, MAX_DROPPED)
  const faults = check === null ? null : check.faults(value, bytes.length)
  const findings = faults === null ? NO_FINDINGS : checkFindings('response-invalid', faults, MAX_FINDINGS)
  if (dropped === null || shape === null) {
    return { findings, body: bytes, value, dropped: NOTHING_DROPPED, checked: true }
  }
  const body = scan.exact ? JSON.stringify(value) : withExactNumbers(bytes, shape)
  return { findings, body: Buffer.from(body), value, dropped: [...dropped], checked: true }
}

/** What the contract declares for a status (OpenAPI 3.1 §4.8.16): its own response, its class's, else `default`. */
export function declaredContents(set: AnswerSet, status: number): readonly LinkedContent[] | undefined {
  return (
    set.byStatus.get(String(status)) ??
    set.byStatus.get(`${Math.trunc(status / 100)}XX`) ??
    set.byStatus.get('default')
  )
}

/** A double does not hold every number the upstream wrote: those are written back by their digits. */
function withExactNumbers(bytes: Uint8Array, shape: LinkedShape): string {
  return stringifyExact(dropUndeclared(parseExact(bytes), shape, MAX_DROPPED).value)
}
