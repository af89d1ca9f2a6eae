import { type Cidr, holdsAddress, parseCidr } from './cidr.ts'

/**
 * Blocks no server on the internet has an address in: IANA's special-purpose registries (RFC 6890), with multicast,
 * and what carries another address inside (6to4, Teredo).
 */
const IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Cloud services that are reached from inside only: Azure's wire server, Alibaba's metadata.
  '168.63.129.16/32',
  '100.100.100.200/32',
]
const IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
/** RFC 4291 §2.4: what global unicast is given from today. Loopback, ULA, link-local and multicast are outside. */
const GLOBAL = '2000::/3'
/** RFC 6052 §2.1: an IPv4 address in the last four bytes. */
const NAT64 = '64:ff9b::/96'

const blocks = (texts: readonly string[]): readonly Cidr[] =>
  texts.map((text) => {
    const block = parseCidr(text)
    if (block === null) throw new Error(`${text} is no block`)
    return block
  })
const [GLOBAL_BLOCK, NAT64_BLOCK] = blocks([GLOBAL, NAT64])
const SPECIAL_IPV4 = blocks(IPV4)
const SPECIAL_IPV6 = blocks(IPV6)

/** An address that stands for a server on the internet; 16 bytes, IPv4 mapped (ip.ts). */
export function isPublicAddress(bytes: Uint8Array): boolean {
  const address = NAT64_BLOCK !== undefined && holdsAddress(NAT64_BLOCK, bytes) ? mapped(bytes) : bytes
  if (isMapped(address)) return !SPECIAL_IPV4.some((block) => holdsAddress(block, address))
  if (GLOBAL_BLOCK === undefined || !holdsAddress(GLOBAL_BLOCK, address)) return false
  return !SPECIAL_IPV6.some((block) => holdsAddress(block, address))
}

function mapped(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  out[10] = 0xff
  out[11] = 0xff
  out.set(bytes.subarray(12), 12)
  return out
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false
  return bytes[10] === 0xff && bytes[11] === 0xff
}
