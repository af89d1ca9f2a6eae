import { isIPv4, isIPv6 } from 'node:net'

/**
 * Internet addresses as 16 bytes in network order, IPv4 mapped into ::ffff:0:0/96 (RFC 4291 §2.5.5.2), so that
 * `127.0.0.1` and `::ffff:127.0.0.1` are one address for limits and policies.
 */
export interface IpAddress {
  readonly bytes: Uint8Array
  /** Dotted for IPv4 and mapped IPv4; otherwise RFC 5952 without zone. */
  readonly text: string
}

/** Parses an address literal; a zone (`%eth0`) is dropped. Null for anything else, brackets included. */
export function parseIp(text: string): IpAddress | null {
  if (isIPv4(text)) return fromBytes(mapped(text))
  const plain = text.split('%', 1)[0] ?? ''
  if (!isIPv6(plain)) return null
  return fromBytes(ipv6Bytes(plain))
}

function mapped(dotted: string): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes[10] = 0xff
  bytes[11] = 0xff
  bytes.set(dotted.split('.').map(Number), 12)
  return bytes
}

function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  const lastColon = text.lastIndexOf(':')
  const tail = text.slice(lastColon + 1)
  const dotted = tail.includes('.') ? mapped(tail).subarray(12) : null
  const groups = dotted ? `${text.slice(0, lastColon + 1)}${word(dotted, 0)}:${word(dotted, 2)}` : text
  const [left = '', right] = groups.split('::', 2)
  const before = left === '' ? [] : left.split(':')
  const after = right === undefined || right === '' ? [] : right.split(':')
  const all =
    right === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill('0'), ...after]
  all.forEach((group, index) => {
    const value = Number.parseInt(group, 16)
    bytes[index * 2] = value >> 8
    bytes[index * 2 + 1] = value & 0xff
  })
  return bytes
}

function word(bytes: Uint8Array, offset: number): string {
  return (((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)).toString(16)
}

function fromBytes(bytes: Uint8Array): IpAddress {
  return { bytes, text: formatIp(bytes) }
}

export function isMappedIpv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}

/** RFC 5952 §4: lower case, no leading zeros, the longest run of zero groups (of two or more) shortened. */
export function formatIp(bytes: Uint8Array): string {
  if (isMappedIpv4(bytes)) return Array.from(bytes.subarray(12)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => word(bytes, index * 2))
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let run = 0
    while (i + run < 8 && groups[i + run] === '0') run++
    if (run > length) {
      start = i
      length = run
    }
    i += run
  }
  if (start < 0) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/** 127.0.0.0/8 and ::1: where plain `http:` needs no leave. */
export function isLoopback(address: IpAddress): boolean {
  if (isMappedIpv4(address.bytes)) return address.bytes[12] === 127
  return address.text === '::1'
}
