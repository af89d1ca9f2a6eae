import type { ExtensionFunction, ExtensionValue, Long, Value } from '../values.ts'
import { EvaluationError } from '../values.ts'
import { inRange, signedLong } from './digits.ts'

/** Cedar's `duration`: whole milliseconds in 64 bits, of either sign. */
export class Duration implements ExtensionValue {
  readonly ext = 'duration'
  readonly ms: Long

  constructor(ms: Long) {
    this.ms = ms
  }

  key(): string {
    return String(this.ms)
  }
}

/** Largest first: the only order they may stand in, each once at most. */
const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]

/** `1d2h3m4s5ms`, a minus ahead of it all if any. Null for all else and outside the range. */
export function parseDuration(text: string): Duration | null {
  const { length } = text
  const negative = text.startsWith('-')
  let at = negative ? 1 : 0
  if (at === length) return null
  let next = 0
  let sum: Long = 0
  while (at < length) {
    const from = at
    while (at < length && isDigit(text.charCodeAt(at))) at++
    const amount = signedLong(negative, text.slice(from, at))
    if (amount === null) return null
    const name = text.charAt(at) === 'm' && text.charAt(at + 1) === 's' ? 'ms' : text.charAt(at)
    while (next < UNITS.length && UNITS[next]?.[0] !== name) next++
    const unit = UNITS[next]
    if (unit === undefined) return null
    const added = sumOfProduct(sum, amount, unit[1])
    if (added === null) return null
    sum = added
    at += name.length
    next++
  }
  return new Duration(sum)
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function sumOfProduct(sum: Long, amount: Long, ms: number): Long | null {
  if (typeof sum === 'number' && typeof amount === 'number') {
    const whole = sum + amount * ms
    if (Number.isSafeInteger(whole)) return whole
  }
  return inRange(BigInt(sum) + BigInt(amount) * BigInt(ms))
}

/** How many whole units, towards zero. */
function inUnits(ms: Long, unit: number): Long {
  // Adding 0 makes −0, of a part below one unit, the one zero there is.
  if (typeof ms === 'number') return (ms - (ms % unit)) / unit + 0
  return inRange(ms / BigInt(unit)) ?? 0
}

const MALFORMED = new EvaluationError('duration: not of the form 1d2h3m4s5ms, or beyond 64 bits')
const MISTYPED = new EvaluationError('type error: expected duration')

export function durationMs(value: Value | undefined): Long {
  if (value instanceof Duration) return value.ms
  throw MISTYPED
}

export const DURATION_FUNCTIONS: readonly ExtensionFunction[] = [
  {
    name: 'duration',
    style: 'function',
    arity: 1,
    apply: (text) => {
      const value = typeof text === 'string' ? parseDuration(text) : null
      if (value === null) throw MALFORMED
      return value
    },
  },
  { name: 'toMilliseconds', style: 'method', arity: 1, apply: (a) => durationMs(a) },
  { name: 'toSeconds', style: 'method', arity: 1, apply: (a) => inUnits(durationMs(a), 1_000) },
  { name: 'toMinutes', style: 'method', arity: 1, apply: (a) => inUnits(durationMs(a), 60_000) },
  { name: 'toHours', style: 'method', arity: 1, apply: (a) => inUnits(durationMs(a), 3_600_000) },
  { name: 'toDays', style: 'method', arity: 1, apply: (a) => inUnits(durationMs(a), DAY) },
]

export const DAY = 86_400_000
