import type { Finding } from '../../model/fact.ts'
import type { JsonLimits } from '../../syntax/json.ts'
import { isJson, isUtf8, type MediaType, matchesRange, parseMediaType } from '../../syntax/media-type.ts'
import { type Part, parseMultipart, withParts } from '../../syntax/multipart.ts'
import type { BodyReading } from '../body.ts'
import { stringifyExact } from '../exact-json.ts'
import type { Check } from '../runtime.ts'
import type { MultipartDetail, PartDetail, PartField } from './detail.ts'
import { isTakenFor } from './folded-names.ts'
import {
  below,
  invalid,
  malformed,
  readCuttable,
  reading,
  readJsonWithin,
  typed,
  undeclared,
  type Within,
} from './reading.ts'
import { decodeText } from './text.ts'

type Linked = MultipartDetail<Check | null>
type LinkedPart = PartDetail<Check | null>

/** Of a part that the schema welcomes and says nothing of. */
const ANY: LinkedPart = { kind: 'bytes', list: false, types: ['string'], ranges: [], fields: [] }
const TEXT = parseMediaType('text/plain')
/** Fields of a part that its schema cannot speak of, beside those of its `encoding`. */
const USUAL = new Set(['content-disposition', 'content-type', 'content-transfer-encoding'])

/** Multipart content as the object or list its schema describes (OpenAPI 3.1 §4.8.14.5, 3.2 §4.14.5). */
export function readMultipartBody(
  detail: Linked,
  media: MediaType,
  bytes: Uint8Array,
  limits: JsonLimits,
): BodyReading | Finding {
  return readCuttable(
    bytes,
    limits,
    (from, within) => readParts(detail, media, from, within),
    (kept) => cutParts(detail, media, bytes, reading(limits, true), kept),
  )
}

interface ReadParts {
  readonly value: unknown
  readonly parts: readonly Part[]
}

function readParts(detail: Linked, media: MediaType, bytes: Uint8Array, within: Within): ReadParts | Finding {
  for (const [name, value] of media.parameters) {
    // `boundary*0` is read by some; others look for the word in all of the field (PHP, regular expressions).
    if (name !== 'boundary' && /boundary/i.test(`${name}=${value}`)) return malformed('boundary', 0)
    // Of its parts, to some.
    if (name === 'charset' && !/^utf-8$/i.test(value)) return malformed('charset', 0)
  }
  const read = parseMultipart(bytes, media.parameters.get('boundary') ?? '')
  if (!read.ok) return malformed(read.rule, read.offset)
  const { parts } = read
  const value =
    detail.item === undefined
      ? named(detail, media, bytes, parts, within)
      : listed(detail, bytes, parts, within)
  return 'reason' in value ? value : { value: value.value, parts }
}

type Read = { readonly value: unknown } | Finding

function listed(
  { prefix = [], item = ANY }: Linked,
  bytes: Uint8Array,
  parts: readonly Part[],
  within: Within,
): Read {
  const list: unknown[] = []
  for (const [index, part] of parts.entries()) {
    const read = readPart(prefix[index] ?? item, part, bytes, below('', index), within)
    if ('reason' in read) return read
    list.push(read.value)
  }
  return { value: list }
}

function named(
  detail: Linked,
  media: MediaType,
  bytes: Uint8Array,
  parts: readonly Part[],
  within: Within,
): Read {
  const value: Record<string, unknown> = {}
  for (const [index, part] of parts.entries()) {
    const name = part.disposition?.name ?? null
    // RFC 7578 §4.2: every part of a form is form-data and has a name.
    if (name === null || (media.subtype === 'form-data' && part.disposition?.type !== 'form-data'))
      return invalid(below('', index), 'disposition')
    if (name === '__proto__') return malformed('forbidden-key', part.start)
    const own = Object.hasOwn(detail.named, name) ? detail.named[name] : undefined
    // `_charset_` (RFC 7578 §4.6) would change what the other parts say.
    if (own === undefined && name === '_charset_') return undeclared(below('', name))
    if (own === undefined && detail.others !== undefined && isTakenFor(name, detail.named))
      return undeclared(below('', name))
    const pointer = below('', name)
    const given = Object.hasOwn(value, name)
    if (given && own !== undefined && !own.list) return invalid(pointer, 'repeated')
    const read = readPart(own ?? detail.others ?? ANY, part, bytes, pointer, within)
    if ('reason' in read) return read
    if (own?.list === true || (given && own === undefined)) {
      const list = value[name]
      if (Array.isArray(list)) list.push(read.value)
      else value[name] = given ? [list, read.value] : [read.value]
    } else value[name] = read.value
  }
  return { value }
}

function readPart(detail: LinkedPart, part: Part, bytes: Uint8Array, pointer: string, within: Within): Read {
  const stated = part.fields.get('content-type')
  const media = stated === undefined ? TEXT : parseMediaType(stated)
  if (media === null || media.type === 'multipart' || media.type === 'message')
    return invalid(pointer, 'content-type')
  if (!fits(detail, media, stated !== undefined)) return invalid(pointer, 'content-type')
  const fault = fieldFault(detail, part, pointer, within)
  if (fault !== null) return fault
  const content = bytes.subarray(part.from, part.to)
  switch (detail.kind) {
    case 'json':
      return isUtf8(media) ? readJsonWithin(content, within, pointer) : invalid(pointer, 'content-type')
    case 'bytes':
      // A character a byte: what `maxLength` of a binary string counts.
      return { value: Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1') }
    case 'text': {
      // Readers keep files apart from fields: the one would not be found where the other is declared.
      if (part.disposition?.filename != null) return invalid(pointer, 'file')
      const read = decodeText(media, content)
      return 'reason' in read ? invalid(pointer, 'text') : { value: typed(read.text, detail.types, within) }
    }
  }
}

/** Its content type is one of the declared, or what a part of its kind is usually sent as. */
function fits({ ranges, kind }: LinkedPart, media: MediaType, stated: boolean): boolean {
  if (ranges.length > 0)
    return ranges.some((text) => {
      const range = parseMediaType(text)
      return range !== null && matchesRange(media, range)
    })
  if (kind === 'bytes') return true
  if (kind === 'json') return isJson(media) || !stated
  return media.essence === 'text/plain'
}

function fieldFault(detail: LinkedPart, part: Part, pointer: string, within: Within): Finding | null {
  const declared = detail.fields
  for (const [name, value] of part.fields) {
    if (USUAL.has(name) || declared.some((field) => field.name === name)) continue
    if (name === 'content-id' && part.disposition === null) continue
    if (name === 'content-length' && value === String(part.to - part.from)) continue
    return invalid(pointer, 'part-field')
  }
  for (const { name, required, types, check } of declared) {
    const value = part.fields.get(name)
    if (value === undefined ? required : !fitsField(value, types, check, within))
      return invalid(pointer, `part-field ${name}`)
  }
  return null
}

/** Held by its digits where a double does not have them all, in whichever way the parts are read. */
function fitsField(
  value: string,
  types: PartField['types'],
  check: Check | null,
  { limits }: Within,
): boolean {
  if (check === null) return true
  const doubles = reading(limits, false)
  const rounded = typed(value, types, doubles)
  const digits = doubles.reading.rounded ? typed(value, types, reading(limits, true)) : undefined
  return check.faults(rounded, value.length, digits) === null
}

/** The parts of what the value still has; JSON in one of them is written anew. */
function cutParts(
  detail: Linked,
  media: MediaType,
  bytes: Uint8Array,
  within: Within,
  kept: unknown,
): Uint8Array | null {
  const read = readParts(detail, media, bytes, within)
  if ('reason' in read || typeof kept !== 'object' || kept === null) return null
  const { parts } = read
  const seen = new Map<string, number>()
  const left: Part[] = []
  const anew = new Map<Part, Buffer>()
  for (const [index, part] of parts.entries()) {
    const name = detail.item === undefined ? (part.disposition?.name ?? '') : String(index)
    const place = seen.get(name) ?? 0
    seen.set(name, place + 1)
    if (!Object.hasOwn(kept, name)) continue
    left.push(part)
    const own = detail.item === undefined ? detail.named[name] : (detail.prefix?.[index] ?? detail.item)
    if (own?.kind !== 'json') continue
    const [now, before] = [kept, read.value].map((value) =>
      memberAt(value, name, own.list ? place : undefined),
    )
    const text = stringifyExact(now)
    if (text !== stringifyExact(before)) anew.set(part, Buffer.from(text))
  }
  if (anew.size === 0) return withParts(bytes, left, parts)
  const last = parts.at(-1)?.end ?? 0
  const pieces = left.flatMap((part) => {
    const content = anew.get(part)
    if (content === undefined) return [bytes.subarray(part.start, part.end)]
    return [bytes.subarray(part.start, part.from), content, bytes.subarray(part.to, part.end)]
  })
  return Buffer.concat([...pieces, bytes.subarray(last)])
}

function memberAt(value: unknown, name: string, place: number | undefined): unknown {
  const member = (value as Readonly<Record<string, unknown>>)[name]
  return place === undefined || !Array.isArray(member) ? member : member[place]
}
