import type { Finding } from '../model/fact.ts'
import type { ObjectPlan, RequestPlace } from '../model/operation.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { NOTHING_STATED, type StatedObject } from './answer.ts'
import { chooseContent, type LinkedContent } from './content.ts'
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

/** The values at an object rule's places in the body, unchecked; read again only for operations that have such a rule. */
export function statedByBody(
  set: BodySet | null,
  object: ObjectPlan | undefined,
  contentType: string | undefined,
  bytes: Uint8Array,
): StatedObject {
  const chosen = set === null || bytes.length === 0 ? null : chooseContent(set.contents, contentType)
  if (set === null || chosen === null || !chosen.json) return NOTHING_STATED
  const scan = scanJson(bytes, set.limits)
  if (!scan.ok) return NOTHING_STATED
  const at = (place: RequestPlace | undefined): unknown =>
    place?.in === 'body' ? readPointer(scan.value, place.pointer) : undefined
  return { owner: at(object?.requestOwner), tenant: at(object?.requestTenant) }
}
