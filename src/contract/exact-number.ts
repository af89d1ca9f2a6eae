import { isRawNumber, type RawNumber } from './exact-json.ts'

/** A decimal number as `0.digits × 10^point`; digits without zeros at either end, empty for zero. */
interface Decimal {
  readonly negative: boolean
  readonly digits: string
  readonly point: number
}

/** Reads a JSON number literal (RFC 8259 §6). An exponent beyond what a double counts is taken for that bound. */
function readDecimal(literal: string): Decimal {
  const mark = literal.search(/[eE]/)
  const mantissa = mark < 0 ? literal : literal.slice(0, mark)
  const negative = mantissa.startsWith('-')
  const from = negative ? 1 : 0
  const dot = mantissa.indexOf('.')
  const whole = dot < 0 ? mantissa.length - from : dot - from
  const all = dot < 0 ? mantissa.slice(from) : mantissa.slice(from, dot) + mantissa.slice(dot + 1)
  let first = 0
  while (first < all.length && all.charCodeAt(first) === 0x30) first++
  let end = all.length
  while (end > first && all.charCodeAt(end - 1) === 0x30) end--
  if (first === end) return { negative: false, digits: '', point: 0 }
  const stated = mark < 0 ? 0 : Number(literal.slice(mark + 1))
  const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, stated))
  return { negative, digits: all.slice(first, end), point: whole - first + exponent }
}

const MAX_EXPONENT = 1_000_000_000_000_000

/** Less than, equal to or greater than zero, as the first number is to the second. */
export function compareNumbers(a: string, b: string): number {
  const left = readDecimal(a)
  const right = readDecimal(b)
  if (left.digits === '') return right.digits === '' ? 0 : right.negative ? 1 : -1
  if (right.digits === '') return left.negative ? -1 : 1
  if (left.negative !== right.negative) return left.negative ? -1 : 1
  const sign = left.negative ? -1 : 1
  if (left.point !== right.point) return left.point > right.point ? sign : -sign
  return left.digits === right.digits ? 0 : left.digits > right.digits ? sign : -sign
}

export function isWhole(literal: string): boolean {
  const { digits, point } = readDecimal(literal)
  return point >= digits.length
}

/** `divisor` is greater than zero. Linear in the number's length. */
export function isMultiple(literal: string, divisor: string): boolean {
  const number = readDecimal(literal)
  const unit = readDecimal(divisor)
  if (number.digits === '') return true
  const shift = number.point - number.digits.length - (unit.point - unit.digits.length)
  // Its last digit stands behind the divisor's last one and is not zero.
  if (shift < 0) return false
  if (unit.digits.length <= SMALL_DIGITS) {
    const small = Number(unit.digits)
    return (smallRemainder(number.digits, small) * smallPower(shift, small)) % small === 0
  }
  const modulus = BigInt(unit.digits)
  return (remainder(number.digits, modulus) * power(BigInt(shift), modulus)) % modulus === 0n
}

/** Divisors of so many digits: a remainder times 10^7, or times another remainder, is still a whole double. */
const SMALL_DIGITS = 7
const SMALL_CHUNK = 7

/** The same without BigInt, for what divisors are in practice: twenty times as fast. */
function smallRemainder(digits: string, modulus: number): number {
  let rest = 0
  for (let from = 0; from < digits.length; from += SMALL_CHUNK) {
    const to = Math.min(digits.length, from + SMALL_CHUNK)
    let chunk = 0
    let scale = 1
    for (let at = from; at < to; at++) {
      chunk = chunk * 10 + (digits.charCodeAt(at) - 0x30)
      scale *= 10
    }
    rest = (rest * scale + chunk) % modulus
  }
  return rest
}

function smallPower(exponent: number, modulus: number): number {
  let result = 1 % modulus
  let base = 10 % modulus
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

const CHUNK = 15

function remainder(digits: string, modulus: bigint): bigint {
  let rest = 0n
  for (let from = 0; from < digits.length; from += CHUNK) {
    const chunk = digits.slice(from, from + CHUNK)
    rest = (rest * 10n ** BigInt(chunk.length) + BigInt(chunk)) % modulus
  }
  return rest
}

/** 10 to the exponent, modulo. */
function power(exponent: bigint, modulus: bigint): bigint {
  let result = 1n % modulus
  let base = 10n % modulus
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * base) % modulus
    base = (base * base) % modulus
  }
  return result
}

/** Below this, as many digits as a double tells apart, whatever they are. */
const SAFE = 1e15

/** The same for doubles that print as the number that was sent; `places`: decimal places of the divisor. */
export function isMultipleOf(value: number, divisor: number, places: number, text: string): boolean {
  if (places === 0) return value % divisor === 0
  if (places > 15) return isMultiple(String(value), text)
  const scale = 10 ** places
  const scaled = Math.round(value * scale)
  const unit = Math.round(divisor * scale)
  if (!(Math.abs(scaled) < SAFE && unit < SAFE)) return isMultiple(String(value), text)
  return scaled / scale === value && scaled % unit === 0
}

/** Decimal places of a literal. */
export function decimalPlaces(literal: string): number {
  const { digits, point } = readDecimal(literal)
  return Math.max(0, digits.length - point)
}

/** One text for all literals of one number that no double holds. */
export function canonicalNumber({ rawJSON }: RawNumber): string {
  const { negative, digits, point } = readDecimal(rawJSON)
  return `${negative ? '-' : ''}0.${digits}e${point}`
}

/** Where the last look-up ended, since checks go through the items of one list, or the members of one object. */
const near: { root: unknown; parent: string; value: unknown } = {
  root: undefined,
  parent: '',
  value: undefined,
}

/** The value at a JSON pointer of Ajv's, in a value whose numbers are exact. */
export function exactAt(root: unknown, path: string): unknown {
  if (path === '') return root
  const end = path.lastIndexOf('/')
  if (near.root !== root || near.parent.length !== end || !path.startsWith(near.parent)) {
    const parent = path.slice(0, end)
    let value = root
    if (parent !== '') for (const token of parent.slice(1).split('/')) value = memberAt(value, token)
    near.root = root
    near.parent = parent
    near.value = value
  }
  return memberAt(near.value, path.slice(end + 1))
}

function memberAt(value: unknown, token: string): unknown {
  const name = token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token
  if (typeof value !== 'object' || value === null || isRawNumber(value) || !Object.hasOwn(value, name)) {
    throw new Error('the exact value has another form than the checked one')
  }
  return (value as Readonly<Record<string, unknown>>)[name]
}
