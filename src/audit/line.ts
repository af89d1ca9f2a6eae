import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * The form of every line of the record: ASCII JSON, one object a line,
 *
 *   {"v":1,"n":7,"p":"<hash of the line before>","t":"intent", … ,"c":"<crc32 of all before this member>"}
 *
 * `p` is SHA-256 (base64url) of the bytes of the line before, as written, without its newline: it chains. `c`
 * says of a line by itself that it is whole, so that the last line of all is guarded against accidents too and
 * a change is reported at the line it was made in.
 */
export const GENESIS = 'A'.repeat(43)

export const LINE_VERSION = 1

/** No line is longer (bytes, with its newline): the writer bounds every part, so a reader may refuse more. */
export const MAX_LINE_BYTES = 1 << 20

/** Where a chain stands: the next line's sequence number and the hash of the last line. */
export interface ChainPoint {
  readonly next: number
  readonly hash: string
}

export const CHAIN_START: ChainPoint = { next: 1, hash: GENESIS }

export function lineHash(line: string | Uint8Array): string {
  return hash('sha256', line, 'base64url')
}

/** A line up to its checksum. `body` is empty or starts with a comma: `,"id":"…"`. ASCII only; see `quote`. */
export function lineHead(next: number, previous: string, type: string, body: string): string {
  return `{"v":1,"n":${next},"p":"${previous}","t":"${type}"${body}`
}

/** What follows the head: `,"c":"<checksum>"}`. */
export function lineTail(head: Uint8Array): string {
  return `,"c":"${checksum(head)}"}`
}

export const TAIL_LENGTH = 16

export function checksum(text: string | Uint8Array): string {
  return (crc32(text) + 0x1_0000_0000).toString(16).slice(1)
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const NOT_ASCII = /[\x7f-\uffff]/g

/**
 * A JSON string in ASCII: what is not plain is escaped, so that no line separator of any alphabet (LF, NEL, LS)
 * ends a record for any reader, no terminal obeys it, and a character is a byte.
 */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(NOT_ASCII, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${(unit.charCodeAt(0) + 0x10000).toString(16).slice(1)}`
}

/** JSON of a plain value in ASCII. */
export function quoteValue(value: unknown): string {
  const text = JSON.stringify(value)
  return PLAIN_JSON.test(text) ? text : text.replace(NOT_ASCII, escapeUnit)
}

const PLAIN_JSON = /^[\x20-\x7e]*$/

/** What the envelope of a line says, found without parsing the whole. */
export interface Envelope {
  readonly sequence: number
  readonly previous: string
  readonly type: string
}

const ENVELOPE = /^\{"v":1,"n":([1-9]\d{0,15}),"p":"([\w-]{43})","t":"([a-z-]{1,24})"/
const TAIL = /^,"c":"([0-9a-f]{8})"\}$/
/** Null where the line is not one of ours or does not fit its own checksum. */
export function readEnvelope(line: Buffer): Envelope | null {
  if (line.length < TAIL_LENGTH) return null
  const head = ENVELOPE.exec(line.toString('latin1', 0, 120))
  const body = line.subarray(0, line.length - TAIL_LENGTH)
  const tail = TAIL.exec(line.toString('latin1', line.length - TAIL_LENGTH, line.length))
  if (head === null || tail === null || tail[1] !== checksum(body)) return null
  return { sequence: Number(head[1]), previous: head[2] ?? '', type: head[3] ?? '' }
}
