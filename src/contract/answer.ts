import type { Finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { type AnswerItems, readItems, withoutItems } from './answer-items.ts'
import { chooseContent, type LinkedContent } from './content.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { dropUndeclared, type LinkedShape, type Stripped } from './sealed-walk.ts'

export interface AnswerCheck {
  readonly findings: readonly Finding[]
  /** What may go to the caller: the bytes given where nothing was dropped. */
  readonly body: Uint8Array
  /** What it says of the object, declared in the contract or not: read before anything was dropped. */
  readonly stated: StatedObject
  /** The items of a list whose object rule names them; null elsewhere, and where the answer was not read. */
  readonly items: AnswerItems | null
  /** JSON pointers, array indexes as `*`, without duplicates, at most 100. */
  readonly dropped: readonly string[]
  /** The answer was held against a schema. */
  readonly checked: boolean
}

/** The values at the object rule's pointers, unchecked; undefined where there is none. */
export interface StatedObject {
  readonly owner: unknown
  readonly tenant: unknown
}

export const NOTHING_STATED: StatedObject = Object.freeze({ owner: undefined, tenant: undefined })

export interface AnswerSet {
  readonly method: string
  readonly object: ObjectPlan | undefined
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
    stated: NOTHING_STATED,
    items: null,
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
  const stated = statedObject(scan.value, set.object)
  const listed = statedItems(scan.value, set.object)
  const { value, dropped }: Stripped =
    shape === null ? { value: scan.value, dropped: null } : dropUndeclared(scan.value, shape, MAX_DROPPED)
  const faults = check === null ? null : check.faults(value, bytes.length)
  const findings = faults === null ? NO_FINDINGS : checkFindings('response-invalid', faults, MAX_FINDINGS)
  const plan = set.object?.items
  const changed = dropped !== null && shape !== null
  const text = !changed ? null : scan.exact ? JSON.stringify(value) : stringifyExact(exactly(bytes, shape))
  const body = text === null ? bytes : Buffer.from(text)
  const items: AnswerItems | null =
    plan === undefined
      ? null
      : {
          stated: listed,
          without: (removed) =>
            removed.size === 0 && plan.counts === undefined
              ? body
              : Buffer.from(withoutItems(scan.exact ? value : exactly(bytes, shape), plan, removed)),
        }
  return { findings, body, stated, items, dropped: changed ? [...dropped] : NOTHING_DROPPED, checked: true }
}

function statedItems(value: unknown, object: ObjectPlan | undefined): AnswerItems['stated'] {
  return object?.items === undefined ? null : readItems(value, object, object.items)
}

function statedObject(value: unknown, object: ObjectPlan | undefined): StatedObject {
  if (object === undefined || object.items !== undefined) return NOTHING_STATED
  if (object.owner === undefined && object.tenant === undefined) return NOTHING_STATED
  const { owner, tenant } = object
  return {
    owner: owner === undefined ? undefined : readPointer(value, owner),
    tenant: tenant === undefined ? undefined : readPointer(value, tenant),
  }
}

/** What the contract declares for a status (OpenAPI 3.1 §4.8.16): its own response, its class's, else `default`. */
export function declaredContents(set: AnswerSet, status: number): readonly LinkedContent[] | undefined {
  return (
    set.byStatus.get(String(status)) ??
    set.byStatus.get(`${Math.trunc(status / 100)}XX`) ??
    set.byStatus.get('default')
  )
}

/** A double does not hold every number the upstream wrote: those are kept by their digits. */
function exactly(bytes: Uint8Array, shape: LinkedShape | null): unknown {
  const value = parseExact(bytes)
  return shape === null ? value : dropUndeclared(value, shape, MAX_DROPPED).value
}
