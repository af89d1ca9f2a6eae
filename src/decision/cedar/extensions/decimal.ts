import type { ExtensionFunction, ExtensionValue, Long, Value } from '../values.ts'
import { EvaluationError } from '../values.ts'
import { signedLong } from './digits.ts'

/** Cedar's `decimal`: four digits after the point, in 64 bits. It has no `<`, only methods. */
export class Decimal implements ExtensionValue {
  readonly ext = 'decimal'
  /** Ten-thousandths. */
  readonly units: Long

  constructor(units: Long) {
    this.units = units
  }

  key(): string {
    return String(this.units)
  }
}

/** `-12.34`: an optional minus, digits, a point, one to four digits. Null for all else and outside the range. */
export function parseDecimal(text: string): Decimal | null {
  const negative = text.startsWith('-')
  const from = negative ? 1 : 0
  const point = text.indexOf('.')
  const places = text.length - point - 1
  if (point <= from || places < 1 || places > PLACES) return null
  const units = signedLong(negative, text.slice(from, point) + text.slice(point + 1).padEnd(PLACES, '0'))
  return units === null ? null : new Decimal(units)
}

const PLACES = 4

const MALFORMED = new EvaluationError('decimal: not a decimal number of up to four places in 64 bits')
const MISTYPED = new EvaluationError('type error: expected decimal')

function units(value: Value | undefined): Long {
  if (value instanceof Decimal) return value.units
  throw MISTYPED
}

export const DECIMAL_FUNCTIONS: readonly ExtensionFunction[] = [
  {
    name: 'decimal',
    style: 'function',
    arity: 1,
    apply: (text) => {
      const value = typeof text === 'string' ? parseDecimal(text) : null
      if (value === null) throw MALFORMED
      return value
    },
  },
  { name: 'lessThan', style: 'method', arity: 2, apply: (a, b) => units(a) < units(b) },
  { name: 'lessThanOrEqual', style: 'method', arity: 2, apply: (a, b) => units(a) <= units(b) },
  { name: 'greaterThan', style: 'method', arity: 2, apply: (a, b) => units(a) > units(b) },
  { name: 'greaterThanOrEqual', style: 'method', arity: 2, apply: (a, b) => units(a) >= units(b) },
]
