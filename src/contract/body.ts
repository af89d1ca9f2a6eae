import type { Finding } from '../model/fact.ts'
import type { ObjectPlan, RequestPlace } from '../model/operation.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { NOTHING_STATED, type StatedObject } from './answer.ts'
import { chooseContent, type LinkedContent } from './content.ts'
import { parseExact } from './exact-json.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { findUndeclared } from './sealed-walk.ts'

export interface BodySet {
  readonly required: boolean
  readonly contents: readonly LinkedContent[]
  readonly limits: JsonLimits
}

/** Holds a request body against its content; `set` is null where the operation declares none. */
export function checkBody(
  set: BodySet | null,
  contentType: string | undefined,
  bytes: Uint8Array | null,
): readonly Finding[] {
  const present = bytes !== null && bytes.length > 0
  if (set === null)
    return present ? [contractFinding('body-unexpected', { bytes: bytes.length })] : NO_FINDINGS
  if (!present) return set.required ? [contractFinding('body-missing', {})] : NO_FINDINGS
  const chosen = chooseContent(set.contents, contentType)
  if (chosen === null) {
    const declared = set.contents.map((content) => content.range.essence)
    return [contractFinding('media-type-unsupported', { declared: declared.join() }, declared.join(', '))]
  }
  if (!chosen.json) return NO_FINDINGS
  const scan = scanJson(bytes, set.limits)
  if (!scan.ok) {
    const { rule, pointer, offset } = scan.fault
    return [
      contractFinding(
        'body-malformed',
        { rule, pointer, offset },
        `${pointer === '' ? '/' : pointer}: ${rule}`,
      ),
    ]
  }
  const { check, shape } = chosen.content
  const undeclared = shape === null ? null : findUndeclared(scan.value, shape, MAX_FINDINGS)
  const findings =
    undeclared?.map((pointer) => contractFinding('field-undeclared', { pointer }, pointer)) ?? NO_FINDINGS
  const faults = check === null ? null : check.faults(scan.value, bytes.length)
  if (faults === null) return findings
  return [...findings, ...checkFindings('body-invalid', faults, MAX_FINDINGS - findings.length)]
}

/**
 * The values at an object rule's places in the body, unchecked; read again only for operations that have such a rule.
 * Null where the body says what cannot be told for sure: it is no JSON, or other readers hear another value.
 */
export function statedByBody(
  set: BodySet | null,
  object: ObjectPlan | undefined,
  contentType: string | undefined,
  bytes: Uint8Array,
): StatedObject {
  if (bytes.length === 0) return NOTHING_STATED
  const chosen = set === null ? null : chooseContent(set.contents, contentType)
  const scan = set !== null && chosen?.json === true ? scanJson(bytes, set.limits) : null
  // A number that a double does not hold is another number to others: its digits are kept, and are no id.
  const value = scan?.ok !== true ? undefined : scan.exact ? scan.value : parseExact(bytes)
  const at = (place: RequestPlace | undefined): unknown => {
    if (place?.in !== 'body') return undefined
    return value === undefined || hasTwin(value, place.pointer) ? null : readPointer(value, place.pointer)
  }
  return { owner: at(object?.requestOwner), tenant: at(object?.requestTenant) }
}

/** A name on the way stands there in another case too: some readers take both for one, and the last wins (Go). */
function hasTwin(value: unknown, segments: readonly string[]): boolean {
  let at = value
  for (const segment of segments) {
    if (typeof at !== 'object' || at === null) return false
    const folded = foldCase(segment)
    for (const name of Object.keys(at)) if (name !== segment && foldCase(name) === folded) return true
    at = readPointer(at, [segment])
  }
  return false
}

/** Letters whose upper case is one are one: `ſ` is an `s` to such readers. */
const foldCase = (text: string): string => text.toUpperCase().toLowerCase()
