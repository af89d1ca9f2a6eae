/**
 * Multipart bodies (RFC 2046 §5.1, RFC 7578) on whole, buffered bytes. The lenient parsers behind a gate differ on
 * nearly everything the grammar lets slide (bare line feeds, padding, preambles, folded and repeated fields,
 * backslashes in names), and a part that one of them sees and another does not is the attack: all of it is refused.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { type Disposition, readDisposition } from './content-disposition.ts'
import { isToken } from './http.ts'

export interface Part {
  /** From Content-Disposition; null where the part has none. */
  readonly disposition: Disposition | null
  /** Lower-case names, each once, values trimmed. */
  readonly fields: ReadonlyMap<string, string>
  /** The part's content. */
  readonly from: number
  readonly to: number
  /** All that goes when the part goes: its delimiter line up to the next one. */
  readonly start: number
  readonly end: number
}

export type MultipartFault =
  | 'boundary'
  | 'preamble'
  | 'delimiter'
  | 'unterminated'
  | 'epilogue'
  | 'no-parts'
  | 'too-many-parts'
  | 'part-fields'
  | 'part-fields-size'
  | 'transfer-encoding'
  | 'disposition'

export type Multipart =
  | { readonly ok: true; readonly parts: readonly Part[] }
  | { readonly ok: false; readonly rule: MultipartFault; readonly offset: number }

export const MAX_PARTS = 128
/** Fields of one part. Browsers send two; RFC 7578 §4.8 knows no others. */
const MAX_FIELDS = 8
/** Bytes of one part's fields together. */
const MAX_FIELD_BYTES = 4_096
/** RFC 2046 §5.1.1 without the space, which fields lose at their ends. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=?-]{1,70}$/
const CRLF = Buffer.from('\r\n')
const BLANK = Buffer.from('\r\n\r\n')
/** They change nothing (RFC 2045 §6.2), so nobody can read them otherwise. */
const IDENTITY = new Set(['binary', '8bit'])
/** Field values: no controls but the tab; what is beyond ASCII is UTF-8, as browsers write file names. */
const VALUE = /^[\t\x20-\x7e\u0080-\u{10ffff}]*$/u

/** The parts in order. Never throws; time is linear in the bytes. */
export function parseMultipart(bytes: Uint8Array, boundary: string, maxParts: number = MAX_PARTS): Multipart {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!BOUNDARY.test(boundary)) return refuse('boundary', 0)
  const mark = Buffer.from(`--${boundary}`, 'latin1')
  if (source.indexOf(mark) !== 0) return refuse('preamble', 0)
  const parts: Part[] = []
  let start = 0
  for (;;) {
    const after = start + mark.length
    if (isAt(source, after, '--')) return ended(source, after + 2, parts)
    if (!isAt(source, after, '\r\n')) return refuse('delimiter', after)
    if (parts.length === maxParts) return refuse('too-many-parts', start)
    // Wherever the mark stands it ends a part, or the body is refused: some readers look for less than a whole line.
    const next = source.indexOf(mark, after)
    if (next < 0) return refuse('unterminated', source.length)
    if (!isAt(source, next - 2, '\r\n')) return refuse('delimiter', next)
    const read = readPart(source, start, after + 2, next)
    if (!('fields' in read)) return read
    parts.push(read)
    start = next
  }
}

function ended(source: Buffer, at: number, parts: readonly Part[]): Multipart {
  const left = source.length - at
  if (left !== 0 && !(left === 2 && isAt(source, at, '\r\n'))) return refuse('epilogue', at)
  return parts.length === 0 ? refuse('no-parts', at) : { ok: true, parts }
}

const refuse = (rule: MultipartFault, offset: number): Extract<Multipart, { ok: false }> => ({
  ok: false,
  rule,
  offset,
})

function isAt(source: Buffer, at: number, two: '\r\n' | '--'): boolean {
  return source[at] === two.charCodeAt(0) && source[at + 1] === two.charCodeAt(1)
}

function readPart(
  source: Buffer,
  start: number,
  head: number,
  next: number,
): Part | Extract<Multipart, { ok: false }> {
  const end = next - CRLF.length
  let fields: ReadonlyMap<string, string> = new Map()
  let from = head + CRLF.length
  if (!isAt(source, head, '\r\n')) {
    const limit = Math.min(end, head + MAX_FIELD_BYTES)
    const blank = source.subarray(head, limit + BLANK.length).indexOf(BLANK)
    if (blank < 0) return refuse(limit < end ? 'part-fields-size' : 'part-fields', head)
    const read = readFields(source.subarray(head, head + blank))
    if (read === null) return refuse('part-fields', head)
    fields = read
    from = head + blank + BLANK.length
  }
  // The blank line's end cannot be the delimiter's beginning too.
  if (from > end) return refuse('part-fields', head)
  const coding = fields.get('content-transfer-encoding')
  if (coding !== undefined && !IDENTITY.has(coding.toLowerCase())) return refuse('transfer-encoding', head)
  const stated = fields.get('content-disposition')
  const disposition = stated === undefined ? null : readDisposition(stated)
  if (stated !== undefined && disposition === null) return refuse('disposition', head)
  return { disposition, fields, from, to: end, start, end: next }
}

function readFields(bytes: Buffer): ReadonlyMap<string, string> | null {
  if (!isUtf8(bytes)) return null
  const fields = new Map<string, string>()
  for (const line of bytes.toString('utf8').split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).toLowerCase()
    // A folded line begins with space, which no name does.
    if (!isToken(name) || fields.has(name) || fields.size === MAX_FIELDS) return null
    const value = line.slice(colon + 1)
    if (!VALUE.test(value)) return null
    fields.set(name, value.replace(/^[ \t]+/, '').trimEnd())
  }
  return fields
}

/** The body with these of its parts alone, which `parseMultipart` gave; the rest of the bytes is as it was. */
export function withParts(bytes: Uint8Array, left: readonly Part[], all: readonly Part[]): Uint8Array {
  const last = all.at(-1)?.end ?? 0
  return Buffer.concat([...left.map(({ start, end }) => bytes.subarray(start, end)), bytes.subarray(last)])
}
