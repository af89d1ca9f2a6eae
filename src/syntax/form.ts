/**
 * application/x-www-form-urlencoded (WHATWG URL §5.1), read once and strictly: what parsers of forms are known to read
 * differently (`;` between pairs, names without `=`, NUL, bytes that are no UTF-8) is refused by name.
 */
import { Buffer } from 'node:buffer'

export interface FormPair {
  readonly name: string
  readonly value: string
  /** The pair's bytes, without the `&` around it. */
  readonly from: number
  readonly to: number
}

export type FormFault =
  | 'character'
  | 'semicolon'
  | 'percent-encoding'
  | 'invalid-utf8'
  | 'nul'
  | 'no-equals'
  | 'empty-name'
  | 'too-many-pairs'
  | 'name-size'

export type Form =
  | { readonly ok: true; readonly pairs: readonly FormPair[] }
  | { readonly ok: false; readonly rule: FormFault; readonly offset: number }

/** Forms of people have tens of fields; PHP stops at 1,000 and drops the rest unsaid. */
export const MAX_PAIRS = 1_000
/** Of a decoded name, in UTF-16 units. */
const MAX_NAME = 256

/** Visible ASCII; everything else has to be escaped. */
const PLAIN = /^[\x21-\x7e]*$/
const NOT_PLAIN = /[^\x21-\x7e]/
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/

/** Ordered pairs, each decoded once: `+` is a space. Empty pieces (`a=1&&b=2`) are left out. Never throws. */
export function parseForm(bytes: Uint8Array, maxPairs: number = MAX_PAIRS): Form {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (!PLAIN.test(text)) return refuse('character', text.search(NOT_PLAIN))
  const parted = text.indexOf(';')
  if (parted >= 0) return refuse('semicolon', parted)
  const bad = text.search(BAD_ESCAPE)
  if (bad >= 0) return refuse('percent-encoding', bad)
  const pairs: FormPair[] = []
  for (let from = 0; from <= text.length; ) {
    const next = text.indexOf('&', from)
    const to = next < 0 ? text.length : next
    if (to > from) {
      if (pairs.length === maxPairs) return refuse('too-many-pairs', from)
      const mark = text.indexOf('=', from)
      // `a` alone is an empty text to some, nothing or null to others.
      if (mark < 0 || mark >= to) return refuse('no-equals', from)
      const name = decode(text.slice(from, mark))
      const value = decode(text.slice(mark + 1, to))
      if (name === null || value === null) return refuse('invalid-utf8', from)
      if (name === '') return refuse('empty-name', from)
      if (name.length > MAX_NAME) return refuse('name-size', from)
      if (name.includes('\0') || value.includes('\0')) return refuse('nul', from)
      pairs.push({ name, value, from, to })
    }
    from = to + 1
  }
  return { ok: true, pairs }
}

const refuse = (rule: FormFault, offset: number): Form => ({ ok: false, rule, offset })

function decode(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return null
  }
}

/** The form without the pairs at these places, which `parseForm` gave: their bytes are cut out, the rest is as it was. */
export function withoutPairs(bytes: Uint8Array, left: readonly FormPair[]): Uint8Array {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Buffer.from(left.map(({ from, to }) => source.toString('latin1', from, to)).join('&'), 'latin1')
}
