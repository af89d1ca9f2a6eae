/** What becomes of a JSON number (RFC 8259 §6) in an IEEE double, the only number JavaScript's JSON.parse gives. */

/** `kept`: same number; `rounded`: another number, also where it underflows to zero; `overflow`: no number at all. */
export type NumberFate = 'kept' | 'rounded' | 'overflow'

/**
 * Judges one literal that already follows the grammar.
 *
 * A whole number is kept when the double is exactly it: identifiers and amounts are compared by digit, and an
 * upstream with big integers reads every one. A fraction is kept when the double's shortest form has the same digits;
 * demanding the exact binary value would call even 0.1 rounded. Time is linear in the literal: BigInt sees at most
 * the 309 digits of a finite double.
 */
export function numberFate(literal: string): NumberFate {
  const signed = Number(literal)
  const double = Math.abs(signed)
  if (double === Number.POSITIVE_INFINITY) return 'overflow'
  // The two common cases early: at most 15 digits always come back, and so does what a serializer printed.
  if (double < 2 ** 53 && (literal.length <= 15 ? double > 1e-290 : String(signed) === literal)) return 'kept'
  const [digits, exponent] = decimal(literal)
  if (digits === '') return 'kept'
  if (double === 0) return 'rounded'
  if (exponent >= 0) {
    const exact = BigInt(digits) * 10n ** BigInt(exponent)
    return BigInt(double) === exact ? 'kept' : 'rounded'
  }
  const [shortest, shortestExponent] = decimal(String(double))
  return digits === shortest && exponent === shortestExponent ? 'kept' : 'rounded'
}

/** The literal's size as significant digits times a power of ten, the digits without zeros at either end. */
function decimal(literal: string): readonly [digits: string, exponent: number] {
  const mark = literal.search(/[eE]/)
  const mantissa = mark < 0 ? literal : literal.slice(0, mark)
  const point = mantissa.indexOf('.')
  const whole = point < 0 ? mantissa : mantissa.slice(0, point)
  const all = (point < 0 ? whole : whole + mantissa.slice(point + 1)).replace('-', '')
  // By hand, because /0+$/ is quadratic on a long run of zeros that ends in another digit.
  let from = 0
  while (from < all.length && all.charCodeAt(from) === 0x30) from++
  let to = all.length
  while (to > from && all.charCodeAt(to - 1) === 0x30) to--
  const fraction = point < 0 ? 0 : mantissa.length - point - 1
  const exponent = mark < 0 ? 0 : Number(literal.slice(mark + 1))
  return [all.slice(from, to), exponent - fraction + (all.length - to)]
}
