import { quote } from './line.ts'

/**
 * What callers choose and the record keeps in clear is bounded here, and made safe to keep: the entries hold no
 * values by contract, but a caller may write a secret where a name belongs.
 */
export const MAX_TEXT = 512
export const MAX_LIST = 256
export const MAX_LIST_BYTES = 65_536
export const MAX_PERSONAL = 16_384

export type Digest = (text: string) => string

/** A string in JSON, cut to `max` UTF-16 units with a visible mark. */
export function bounded(text: string, max = MAX_TEXT): string {
  return quote(text.length <= max ? text : `${text.slice(0, max)}…`)
}

/** A list of strings in JSON; past `MAX_LIST` strings or `room` bytes the rest is counted in a last element. */
export function boundedList(list: readonly string[], room = MAX_LIST_BYTES): string {
  if (list.length === 0) return '[]'
  let out = '['
  let kept = 0
  while (kept < list.length && kept < MAX_LIST && out.length < room) {
    out += kept === 0 ? bounded(list[kept] ?? '') : `,${bounded(list[kept] ?? '')}`
    kept++
  }
  return kept === list.length ? `${out}]` : `${out},"\\u2026+${list.length - kept}"]`
}

const PLAIN_NAME = /^[A-Za-z0-9_.$:~*[\]@-]{1,64}$/
const LONG_NUMBER = /\d{9}/
const TOKEN_LIKE = /[A-Za-z0-9_-]{33}/

/**
 * Names a caller made up (query parameters): what could be a token, a key or a card number in place of a name is
 * replaced by `~` and a keyed digest, which still correlates.
 */
export function callerNames(names: readonly string[], digest: Digest): string {
  if (names.length === 0) return '[]'
  const kept = Math.min(names.length, MAX_LIST)
  let out = '['
  for (let i = 0; i < kept; i++) {
    const name = callerName(names[i] ?? '', digest)
    out += i === 0 ? quote(name) : `,${quote(name)}`
  }
  return kept === names.length ? `${out}]` : `${out},"\\u2026+${names.length - kept}"]`
}

function callerName(name: string, digest: Digest): string {
  if (PLAIN_NAME.test(name) && !LONG_NUMBER.test(name) && !TOKEN_LIKE.test(name)) return name
  return `~${digest(name)}`
}

/** JSON has no NaN and no Infinity; a clock or counter that gives one must not break the line. */
export function numeral(value: number): string {
  return Number.isFinite(value) ? `${value}` : '0'
}
