/** The tokens of JSON (RFC 8259 §§2-7) in bytes: each function gives where its token ends, never behind `end`. */
import type { Buffer } from 'node:buffer'

/** Bytes that stand in a string as they are: not the quote, the backslash or U+0000 to U+001F (RFC 8259 §7). */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte !== 0x22 && byte !== 0x5c ? 1 : 0,
)

export function spaceEnd(bytes: Buffer, from: number, end: number): number {
  let i = from
  while (i < end) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    i++
  }
  return i
}

export function plainEnd(bytes: Buffer, from: number, end: number): number {
  let i = from
  while (i < end && PLAIN[bytes[i] ?? 0] === 1) i++
  return i
}

/** The closing quote, or ~offset of the byte at fault. */
export function stringEnd(bytes: Buffer, from: number, end: number): number {
  let i = plainEnd(bytes, from, end)
  while (i < end && bytes[i] === 0x5c) {
    const unit = escapeUnit(bytes, i, end)
    if (unit === BAD_ESCAPE) return ~i
    if (unit === SHORT_ESCAPE) {
      i += 2
    } else if (unit < 0xd800 || unit > 0xdfff) {
      i += 6
    } else {
      // RFC 8259 §8.2: what a lone surrogate becomes is unpredictable; RFC 7493 §2.1 forbids it.
      const low = unit < 0xdc00 ? escapeUnit(bytes, i + 6, end) : BAD_ESCAPE
      if (low < 0xdc00 || low > 0xdfff) return ~i
      i += 12
    }
    i = plainEnd(bytes, i, end)
  }
  return i < end && bytes[i] === 0x22 ? i : ~i
}

export const BAD_ESCAPE = -1
const SHORT_ESCAPE = -2

/** The code unit of the \u escape that begins here, or which other case it is. */
export function escapeUnit(bytes: Buffer, at: number, end: number): number {
  if (at + 1 >= end || bytes[at] !== 0x5c) return BAD_ESCAPE
  const letter = bytes[at + 1] ?? 0
  if (letter !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(letter)) ? SHORT_ESCAPE : BAD_ESCAPE
  if (at + 6 > end) return BAD_ESCAPE
  let unit = 0
  for (let i = at + 2; i < at + 6; i++) {
    const byte = bytes[i] ?? 0
    const lower = byte | 0x20
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57
    else return BAD_ESCAPE
  }
  return unit
}

/** Behind `true`, `false` or `null`, or -1. */
export function nameEnd(bytes: Buffer, at: number, end: number): number {
  const name = bytes[at] === 0x74 ? 'true' : bytes[at] === 0x66 ? 'false' : 'null'
  if (at + name.length > end) return -1
  for (let i = 1; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return -1
  return at + name.length
}

/** Behind the number (RFC 8259 §6), or ~offset of the byte at fault. */
export function numberEnd(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at] === 0x2d ? at + 1 : at
  let i = digitsEnd(bytes, first, end)
  if (i === first) return ~i
  if (bytes[first] === 0x30 && i > first + 1) return ~(first + 1)
  if (i < end && bytes[i] === 0x2e) {
    const from = i + 1
    i = digitsEnd(bytes, from, end)
    if (i === from) return ~i
  }
  if (i < end && (bytes[i] === 0x65 || bytes[i] === 0x45)) {
    i++
    if (i < end && (bytes[i] === 0x2b || bytes[i] === 0x2d)) i++
    const from = i
    i = digitsEnd(bytes, from, end)
    if (i === from) return ~i
  }
  return i
}

function digitsEnd(bytes: Buffer, from: number, end: number): number {
  let i = from
  while (i < end) {
    const byte = bytes[i] ?? 0
    if (byte < 0x30 || byte > 0x39) break
    i++
  }
  return i
}

export function hasExponent(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === 0x65 || bytes[i] === 0x45) return true
  return false
}

/** The first byte of the first ill-formed sequence (Unicode, table 3-7); only called where there is one. */
export function invalidUtf8At(bytes: Buffer): number {
  let i = 0
  while (i < bytes.length) {
    const lead = bytes[i] ?? 0
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
    if (more < 0) return i
    for (let k = 1; k <= more; k++) {
      // The second byte alone excludes overlong forms, surrogates and what is beyond U+10FFFF.
      const low = k > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
      const high = k > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
      const byte = bytes[i + k] ?? 0
      if (byte < low || byte > high) return i
    }
    i += more + 1
  }
  return i
}
