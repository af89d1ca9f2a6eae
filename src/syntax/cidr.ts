import { isMappedIpv4, parseIp } from './ip.ts'

/**
 * A block of addresses: RFC 4632 §3.1 for IPv4, RFC 4291 §2.3 for IPv6. Both are kept over 16 bytes, IPv4 mapped, so
 * that one comparison serves both; an IPv4 block never holds an IPv6 address, nor `::/0` an IPv4 one.
 */
export interface Cidr {
  readonly bytes: Uint8Array
  /** Leading bits that count, of 128. */
  readonly bits: number
  readonly mapped: boolean
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Null for anything else, bits set beyond the prefix included. */
export function parseCidr(text: string): Cidr | null {
  const [address = '', prefix, more] = text.split('/')
  if (more !== undefined || address.includes('%')) return null
  const parsed = parseIp(address)
  if (parsed === null) return null
  const mapped = isMappedIpv4(parsed.bytes)
  // `::ffff:10.0.0.0/104` would be read in two ways: as IPv6 it is not written here.
  if (mapped && address.includes(':')) return null
  const most = mapped ? 32 : 128
  if (prefix !== undefined && !/^(?:0|[1-9][0-9]{0,2})$/.test(prefix)) return null
  const length = prefix === undefined ? most : Number(prefix)
  if (length > most) return null
  const cidr = { bytes: parsed.bytes, bits: mapped ? length + 96 : length, mapped }
  return hasHostBits(cidr) ? null : cidr
}

/** Whether the block holds the address, 16 bytes in network order. */
export function holdsAddress({ bytes, bits, mapped }: Cidr, address: Uint8Array): boolean {
  const whole = bits >> 3
  for (let index = 0; index < whole; index++) if (bytes[index] !== address[index]) return false
  const rest = bits & 7
  if (rest !== 0 && ((bytes[whole] ?? 0) ^ (address[whole] ?? 0)) >> (8 - rest) !== 0) return false
  // A prefix of 96 bits or more that is mapped tells the families apart itself; a shorter one does not.
  return mapped || bits >= 96 || !isMappedIpv4(address)
}

function hasHostBits({ bytes, bits }: Cidr): boolean {
  for (let bit = bits; bit < 128; bit++) {
    if (((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) return true
  }
  return false
}
