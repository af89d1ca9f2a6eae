import { type Finding, finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { JsonLimits } from '../syntax/json.ts'
import type { ChosenContent } from './content.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { isRecord, type JsonRecord, own } from './json-value.ts'
import type { MediaPlan } from './media/plan.ts'
import { readMedia } from './media/read.ts'
import { dropUndeclared } from './sealed-walk.ts'

/** What an answer that is XML, a form or text says, held against its schema. */
export interface MediaAnswer {
  readonly findings: readonly Finding[]
  readonly body: Uint8Array
  readonly dropped: readonly string[]
  /** What stood at each of them, as sights in the same order. */
  readonly types: readonly string[]
}

const MAX_DROPPED = 100
/** What a schema of text may say without saying which texts fit. */
const SAYS_NOTHING = new Set(['type', 'format', 'title', 'description', 'example', 'examples', 'deprecated'])

/**
 * Answers that are not JSON are read where their schema says more than that they are text: XML and forms by what they
 * hold, text by its bounds. All others pass as they come, since to hold a file is to hold it back.
 */
export function isReadable(plan: MediaPlan | null, member: JsonRecord): boolean {
  if (plan === null || plan.multipart !== undefined) return false
  if (plan.xml !== undefined || plan.form !== undefined) return true
  const schema = own(member, 'schema')
  return (
    plan.text !== undefined && isRecord(schema) && Object.keys(schema).some((name) => !SAYS_NOTHING.has(name))
  )
}

/** Null where nothing of it can be held. */
export function checkMediaAnswer(
  chosen: ChosenContent,
  status: number,
  bytes: Uint8Array,
  limits: JsonLimits,
  undeclared: 'strip' | 'block',
): MediaAnswer | null {
  const { check, shape, media } = chosen.content
  if (media === undefined) return null
  const reading = readMedia(chosen, bytes, limits)
  if (reading === null) return null
  if ('reason' in reading) {
    const { rule = 'grammar' } = reading.reason.evidence
    const findings = [contractFinding('response-malformed', { status, rule: String(rule) })]
    return { findings, body: bytes, dropped: [], types: [] }
  }
  const stripped = shape === null ? null : dropUndeclared(reading.value, shape, MAX_DROPPED, true)
  const value = stripped === null ? reading.value : stripped.value
  const dropped = stripped?.dropped ? [...stripped.dropped] : []
  const faults = check === null ? null : check.faults(value, bytes.length)
  const unfit = faults === null ? NO_FINDINGS : checkFindings('response-invalid', faults, MAX_FINDINGS, value)
  const types = stripped === null ? [] : stripped.types
  if (dropped.length === 0) return { findings: unfit, body: bytes, dropped, types }
  const exact =
    reading.digits === null || shape === null
      ? value
      : dropUndeclared(reading.digits(), shape, MAX_DROPPED).value
  const written = undeclared === 'block' ? null : reading.write(exact)
  if (written !== null) return { findings: unfit, body: written, dropped, types }
  const left = finding(reason('response-field-undeclared', 'contract', { fields: dropped, types }))
  return { findings: [left, ...unfit], body: bytes, dropped, types }
}
