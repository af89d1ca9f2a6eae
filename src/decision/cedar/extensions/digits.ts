import type { Long } from '../values.ts'
import { longOf } from '../values.ts'

/** Of 2^63. */
const MOST_DIGITS = 19

/** A whole number of ASCII digits alone, any number of zeros ahead; null for all else and outside 64 bits. */
export function signedLong(negative: boolean, digits: string): Long | null {
  const { length } = digits
  let value = 0
  let from = -1
  for (let i = 0; i < length; i++) {
    const digit = digits.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return null
    if (from < 0 && digit > 0) from = i
    value = value * 10 + digit
  }
  if (length === 0) return null
  if (value <= Number.MAX_SAFE_INTEGER) return negative && value > 0 ? -value : value
  if (length - from > MOST_DIGITS) return null
  const exact = BigInt(digits.slice(from))
  return inRange(negative ? -exact : exact)
}

/** Null outside 64 bits. */
export function inRange(exact: bigint): Long | null {
  return BigInt.asIntN(64, exact) === exact ? longOf(exact) : null
}
