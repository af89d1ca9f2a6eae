import type { ExtensionFunction, ExtensionValue, Value } from '../values.ts'
import { EvaluationError } from '../values.ts'

/**
 * Cedar's `ipaddr`: one address or a CIDR range, IPv4 or IPv6. The address keeps the bits below its prefix, and counts
 * with them: `ip("10.0.0.1/8")` does not equal `ip("10.0.0.2/8")`, though each is in the range of the other.
 */
export class IpAddr implements ExtensionValue {
  readonly ext = 'ipaddr'
  readonly v6: boolean
  readonly prefix: number
  /** The address as words of 32 bits, most significant first; IPv4 has `a` alone. */
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number

  constructor(v6: boolean, prefix: number, a: number, b: number, c: number, d: number) {
    this.v6 = v6
    this.prefix = prefix
    this.a = a
    this.b = b
    this.c = c
    this.d = d
  }

  key(): string {
    const { v6, a, b, c, d, prefix } = this
    return v6 ? `6 ${a} ${b} ${c} ${d}/${prefix}` : `4 ${a}/${prefix}`
  }

  /** 127.0.0.0/8, or ::1. */
  isLoopback(): boolean {
    const { a, b, c, d, prefix } = this
    if (this.v6) return prefix === 128 && d === 1 && c === 0 && b === 0 && a === 0
    return prefix >= 8 && a >>> 24 === 127
  }

  /** 224.0.0.0/4, or ff00::/8. */
  isMulticast(): boolean {
    if (this.v6) return this.prefix >= 8 && this.a >>> 24 === 0xff
    return this.prefix >= 4 && this.a >>> 28 === 0xe
  }

  /** Whether all of this is in `range`; an IPv4 address is never in a range of IPv6. Allocates nothing. */
  isInRange(range: IpAddr): boolean {
    const { prefix } = range
    if (this.v6 !== range.v6 || this.prefix < prefix) return false
    if (differ(this.a, range.a, prefix)) return false
    if (prefix <= 32) return true
    if (differ(this.b, range.b, prefix - 32)) return false
    if (prefix <= 64) return true
    if (differ(this.c, range.c, prefix - 64)) return false
    return prefix <= 96 || !differ(this.d, range.d, prefix - 96)
  }
}

/** Whether two words differ in their first `bits` bits. */
function differ(left: number, right: number, bits: number): boolean {
  if (bits >= 32) return left !== right
  return bits > 0 && (left ^ right) >>> (32 - bits) !== 0
}

/** As long as the longest that is right: eight groups of four, and `/128`. */
const LONGEST = 43

/**
 * Reads an address or a range as strictly as Cedar does: no leading zeros in IPv4 or in the prefix, no IPv4 inside
 * IPv6, no zone, no brackets, no blanks. Null for all else.
 */
export function parseIpAddr(text: string): IpAddr | null {
  const { length } = text
  if (length > LONGEST) return null
  const slash = text.indexOf('/')
  const end = slash < 0 ? length : slash
  const v6 = text.includes(':')
  const most = v6 ? 128 : 32
  const prefix = slash < 0 ? most : parsePrefix(text, slash + 1, most)
  if (prefix < 0) return null
  return v6 ? parseV6(text, end, prefix) : parseV4(text, end, prefix)
}

/** −1 for what is no prefix. */
function parsePrefix(text: string, from: number, most: number): number {
  const { length } = text
  if (from === length || length - from > 3) return -1
  let value = 0
  for (let i = from; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  if (text.charCodeAt(from) === ZERO && length - from > 1) return -1
  return value > most ? -1 : value
}

function parseV4(text: string, end: number, prefix: number): IpAddr | null {
  let address = 0
  let octet = 0
  let digits = 0
  let dots = 0
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (digits === 0 || ++dots > 3) return null
      address = (address << 8) | octet
      octet = 0
      digits = 0
    } else {
      const digit = code - ZERO
      if (digit < 0 || digit > 9 || (digits > 0 && octet === 0)) return null
      octet = octet * 10 + digit
      digits++
      if (octet > 255) return null
    }
  }
  if (dots !== 3 || digits === 0) return null
  return new IpAddr(false, prefix, (address << 8) | octet, 0, 0, 0)
}

/** Of one address, while it is read. */
const groups = new Uint16Array(8)

function parseV6(text: string, end: number, prefix: number): IpAddr | null {
  let count = 0
  let gap = -1
  let i = 0
  if (text.startsWith('::')) {
    gap = 0
    i = 2
  }
  while (i < end) {
    if (count === 8) return null
    let group = 0
    const from = i
    for (; i < end && i - from < 4; i++) {
      const digit = hexDigit(text.charCodeAt(i))
      if (digit < 0) break
      group = group * 16 + digit
    }
    if (i === from) return null
    groups[count++] = group
    if (i === end) break
    if (text.charCodeAt(i++) !== COLON || i === end) return null
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return null
      gap = count
      i++
    }
  }
  // "::" stands for one group at least.
  if (gap < 0 ? count !== 8 : count === 8) return null
  if (gap >= 0) {
    groups.copyWithin(8 - (count - gap), gap, count)
    groups.fill(0, gap, 8 - (count - gap))
  }
  return new IpAddr(true, prefix, word(0), word(2), word(4), word(6))
}

const ZERO = 48
const DOT = 46
const COLON = 58

function hexDigit(code: number): number {
  if (code >= ZERO && code <= 57) return code - ZERO
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

function word(at: number): number {
  return ((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)
}

const MALFORMED = new EvaluationError('ip: not an address or a range')
const MISTYPED = new EvaluationError('type error: expected ipaddr')

function ipaddr(value: Value | undefined): IpAddr {
  if (value instanceof IpAddr) return value
  throw MISTYPED
}

export const IPADDR_FUNCTIONS: readonly ExtensionFunction[] = [
  {
    name: 'ip',
    style: 'function',
    arity: 1,
    apply: (text) => {
      const value = typeof text === 'string' ? parseIpAddr(text) : null
      if (value === null) throw MALFORMED
      return value
    },
  },
  { name: 'isIpv4', style: 'method', arity: 1, apply: (ip) => !ipaddr(ip).v6 },
  { name: 'isIpv6', style: 'method', arity: 1, apply: (ip) => ipaddr(ip).v6 },
  { name: 'isLoopback', style: 'method', arity: 1, apply: (ip) => ipaddr(ip).isLoopback() },
  { name: 'isMulticast', style: 'method', arity: 1, apply: (ip) => ipaddr(ip).isMulticast() },
  { name: 'isInRange', style: 'method', arity: 2, apply: (ip, range) => ipaddr(ip).isInRange(ipaddr(range)) },
]
