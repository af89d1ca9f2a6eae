import { parseIp } from '../syntax/ip.ts'

/** One address for every way in which addresses can lie inside and outside the ranges. */
export interface AddressCell {
  readonly address: string
  /** The ranges that hold it, as written. */
  readonly within: readonly string[]
}

/**
 * Membership in ranges changes only at the first address of a range and at the one after its last, so the addresses
 * between two such points are alike; of cells that lie in the same ranges one is kept. IPv4 and IPv6 are told apart
 * (Cedar: a range of one family never holds an address of the other).
 */
export function addressCells(ranges: readonly string[]): readonly AddressCell[] {
  const parsed = [...new Set(ranges)].flatMap((text) => {
    const range = parseRange(text)
    return range === null ? [] : [{ text, ...range }]
  })
  const found = new Map<string, AddressCell>()
  for (const [family, bits, usual] of FAMILIES) {
    const own = parsed.filter((range) => range.family === family)
    const top = 1n << BigInt(bits)
    const points = own.flatMap(({ first, last }) => [first, last + 1n]).filter((point) => point < top)
    for (const point of [usual, 0n, ...points]) {
      const within = own.filter(({ first, last }) => point >= first && point <= last).map(({ text }) => text)
      const signature = `${family} ${within.join(' ')}`
      if (!found.has(signature)) found.set(signature, { address: textOf(point, family), within })
    }
  }
  return [...found.values()]
}

type Family = 4 | 6
/** Where an address of no range is looked for first: of the networks for examples (RFC 5737, RFC 3849). */
const FAMILIES: readonly (readonly [Family, number, bigint])[] = [
  [4, 32, 0xc0000201n],
  [6, 128, 0x20010db8_00000000_00000000_00000001n],
]

function parseRange(text: string): { family: Family; first: bigint; last: bigint } | null {
  const [literal = '', prefix] = text.split('/', 2)
  const address = parseIp(literal)
  if (address === null) return null
  const family: Family = literal.includes(':') ? 6 : 4
  const bits = family === 4 ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix)
  if (!Number.isInteger(length) || length < 0 || length > bits) return null
  let value = 0n
  for (const byte of address.bytes.subarray(family === 4 ? 12 : 0)) value = (value << 8n) | BigInt(byte)
  const host = BigInt(bits - length)
  const first = (value >> host) << host
  return { family, first, last: first + (1n << host) - 1n }
}

function textOf(value: bigint, family: Family): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  )
  return parseIp(groups.join(':'))?.text ?? groups.join(':')
}
