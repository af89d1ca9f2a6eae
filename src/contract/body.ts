import type { Finding } from '../model/fact.ts'
import type { ObjectPlan, RequestPlace, UnknownFields } from '../model/operation.ts'
import { DEFAULT_JSON_LIMITS, type JsonLimits, scanJson } from '../syntax/json.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { NOTHING_STATED, type StatedObject } from './answer.ts'
import { checkSequence } from './body-sequence.ts'
import { chooseContent, type LinkedContent } from './content.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { readMedia } from './media/read.ts'
import { toldPointer } from './told-pointer.ts'
import { foldCase } from './twin-names.ts'
import { sealValue } from './unknown-fields.ts'
import { sightOfContent } from './value-sight.ts'

export interface BodySet {
  readonly required: boolean
  readonly contents: readonly LinkedContent[]
  readonly limits: JsonLimits
}

/** What may go upstream of a body, and what speaks against it. */
export interface BodyCheck {
  /** At most 20; they name places and rules, never values. */
  readonly findings: readonly Finding[]
  /** The bytes given, unless something was taken out: then those written anew of the value that was checked. */
  readonly bytes: Uint8Array | null
  /** JSON pointers of what was, or under `rewrites: false` would be, taken out. */
  readonly dropped: readonly string[]
  /** What those bytes say at the object rule's places, unchecked; null where that cannot be told for sure. */
  readonly stated: StatedObject
  /** True of content that was let through unread, because its contract says nothing of it that can be held. */
  readonly unchecked?: true
}

/** A body as its media type reads it: the one value that is checked, sealed, read for facts and written. */
export interface BodyReading {
  readonly value: unknown
  /** The value with every number by its digits, where doubles do not hold them all: what is written then. */
  readonly digits: (() => unknown) | null
  /** Null where these bytes cannot say it. */
  readonly write: (value: unknown) => Uint8Array | null
}

/** Reads the bytes of one kind of media type, or says why they are none. */
export type BodyReader = (bytes: Uint8Array, limits: JsonLimits) => BodyReading | Finding

/**
 * Holds a request body against its content; `set` is null where the operation declares none. `mode`: what becomes of
 * undeclared fields; `rewrites` false: what would be taken out is only said, and no byte changes.
 */
export function checkBody(
  set: BodySet | null,
  object: ObjectPlan | undefined,
  contentType: string | undefined,
  bytes: Uint8Array | null,
  mode: UnknownFields,
  rewrites: boolean,
): BodyCheck {
  const unread = (stated: StatedObject, ...findings: readonly Finding[]): BodyCheck => ({
    findings: findings.length === 0 ? NO_FINDINGS : findings,
    bytes,
    dropped: NO_NAMES,
    stated,
  })
  const untold = statedAt(undefined, object)
  const present = bytes !== null && bytes.length > 0
  if (set === null) {
    if (!present) return unread(NOTHING_STATED)
    const seen = sightOfContent(contentType, bytes, DEFAULT_JSON_LIMITS)
    return unread(untold, contractFinding('body-unexpected', { bytes: bytes.length, ...seen }))
  }
  if (!present)
    return set.required ? unread(NOTHING_STATED, contractFinding('body-missing', {})) : unread(NOTHING_STATED)
  const chosen = chooseContent(set.contents, contentType)
  if (chosen === null) {
    const declared = set.contents.map((content) => content.range.essence)
    const evidence = { declared: declared.join(), ...sightOfContent(contentType, bytes, set.limits) }
    return unread(untold, contractFinding('media-type-unsupported', evidence, declared.join(', ')))
  }
  const { content } = chosen
  if (content.items === 'lines' || content.items === 'records') {
    const { items: framing } = content
    return checkSequence(framing, bytes, untold, (text) => {
      const item = readJson(text, set.limits)
      if ('reason' in item) return unread(untold, item)
      return checkReading(item, content, undefined, text, mode, rewrites)
    })
  }
  const reading = chosen.json ? readJson(bytes, set.limits) : readMedia(chosen, bytes, set.limits)
  if (reading === null) return { ...unread(untold), unchecked: true }
  if ('reason' in reading) return unread(untold, reading)
  // Of other media types only what is declared is sure: readers of forms make other names of undeclared ones.
  const told = chosen.json || isSealed(content.shape)
  const checked = checkReading(reading, content, told ? object : undefined, bytes, mode, rewrites)
  return told ? checked : { ...checked, stated: untold }
}

/** The same checks for whatever can be read into a value. */
function checkReading(
  reading: BodyReading,
  { check, shape }: LinkedContent,
  object: ObjectPlan | undefined,
  bytes: Uint8Array,
  mode: UnknownFields,
  rewrites: boolean,
): BodyCheck {
  const { digits } = reading
  // Taking out changes the value: what goes on as it came is read for its facts before that.
  const before =
    rewrites || !statedIn(object) ? null : statedAt(digits === null ? reading.value : digits(), object)
  const sealed = sealValue(reading.value, shape, mode)
  const told = (): unknown => (digits === null ? sealed.value : sealValue(digits(), shape, mode, false).value)
  const faults =
    check === null ? null : check.faults(sealed.value, bytes.length, digits === null ? undefined : told())
  const findings =
    faults === null
      ? sealed.findings
      : [
          ...sealed.findings,
          ...checkFindings('body-invalid', faults, MAX_FINDINGS - sealed.findings.length, sealed.value),
        ]
  if (!rewrites || sealed.dropped.length === 0) {
    const stated = before ?? (statedIn(object) ? statedAt(told(), object) : NOTHING_STATED)
    return { findings, bytes, dropped: sealed.dropped, stated }
  }
  const value = told()
  const stated = statedAt(value, object)
  const written = reading.write(value)
  if (written !== null) return { findings, bytes: written, dropped: sealed.dropped, stated }
  const left = sealed.dropped.slice(0, MAX_FINDINGS)
  return {
    findings: left.map((pointer) => contractFinding('field-undeclared', { pointer }, pointer)),
    bytes,
    dropped: NO_NAMES,
    stated,
  }
}

const isSealed = (shape: LinkedContent['shape']): boolean =>
  shape !== null && shape.names !== null && shape.others === undefined

const NO_NAMES: readonly string[] = Object.freeze([])

function readJson(bytes: Uint8Array, limits: JsonLimits): BodyReading | Finding {
  const scan = scanJson(bytes, limits)
  if (scan.ok)
    return { value: scan.value, digits: scan.exact ? null : () => parseExact(bytes), write: writeJson }
  const { rule, pointer, offset } = scan.fault
  const text = `${pointer === '' ? '/' : toldPointer(pointer)}: ${rule}`
  return contractFinding('body-malformed', { rule, pointer, offset }, text)
}

const writeJson = (value: unknown): Uint8Array => Buffer.from(stringifyExact(value))

/** The object rule reads something of the body. */
function statedIn(object: ObjectPlan | undefined): boolean {
  return object?.requestOwner?.in === 'body' || object?.requestTenant?.in === 'body'
}

/**
 * The values at an object rule's places, unchecked; null where the body says what cannot be told for sure: it was not
 * read (`value` undefined), or other readers hear another value. A number that a double does not hold is another number
 * to others: it is an opaque literal here, and no id.
 */
function statedAt(value: unknown, object: ObjectPlan | undefined): StatedObject {
  if (!statedIn(object)) return NOTHING_STATED
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
