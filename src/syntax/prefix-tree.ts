import type { Cidr } from './cidr.ts'
import { isMappedIpv4 } from './ip.ts'

const BITS = 128
/** A mapped IPv4 address begins after these: its blocks have a root of their own. */
const MAPPED_BITS = 96
const IPV6_ROOT = 0
const IPV4_ROOT = 1

/**
 * Address blocks with a number each, and which of them is the longest that holds an address (RFC 4632 §5.1). A bit a
 * step, so that the answer takes at most 128 steps and no memory, however many blocks there are.
 */
export class PrefixTree {
  /** Per node: the child for a 0, the child for a 1 (0: none), and the block's number plus one (0: none). */
  #nodes = new Int32Array(3 * 64)
  #used = 2

  /** The number the very same block has already; null, and it is kept, where it is new. */
  add({ bytes, bits, mapped }: Cidr, value: number): number | null {
    let node = mapped ? IPV4_ROOT : IPV6_ROOT
    for (let bit = mapped ? MAPPED_BITS : 0; bit < bits; bit++) {
      const side = 3 * node + bitAt(bytes, bit)
      const next = this.#nodes[side] ?? 0
      node = next === 0 ? this.#grow(side) : next
    }
    const at = 3 * node + 2
    const before = this.#nodes[at] ?? 0
    if (before !== 0) return before - 1
    this.#nodes[at] = value + 1
    return null
  }

  /** The number of the longest block that holds the address (16 bytes, IPv4 mapped); -1 where none does. */
  longest(address: Uint8Array): number {
    const mapped = isMappedIpv4(address)
    const nodes = this.#nodes
    let node = mapped ? IPV4_ROOT : IPV6_ROOT
    let found = nodes[3 * node + 2] ?? 0
    for (let bit = mapped ? MAPPED_BITS : 0; bit < BITS; bit++) {
      node = nodes[3 * node + bitAt(address, bit)] ?? 0
      if (node === 0) break
      const value = nodes[3 * node + 2] ?? 0
      if (value !== 0) found = value
    }
    return found - 1
  }

  #grow(side: number): number {
    const made = this.#used++
    if (3 * this.#used > this.#nodes.length) {
      const larger = new Int32Array(this.#nodes.length * 2)
      larger.set(this.#nodes)
      this.#nodes = larger
    }
    this.#nodes[side] = made
    return made
  }
}

function bitAt(bytes: Uint8Array, bit: number): 0 | 1 {
  return ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) === 0 ? 0 : 1
}
