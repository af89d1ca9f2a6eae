import { describe, expect, it } from 'vitest'
import { holdsAddress, parseCidr } from './cidr.ts'
import { parseIp } from './ip.ts'
import { PrefixTree } from './prefix-tree.ts'

function tree(...blocks: readonly string[]): { longest(address: string): string | undefined } {
  const made = new PrefixTree()
  blocks.forEach((text, index) => {
    const block = parseCidr(text)
    if (block === null) throw new Error(text)
    made.add(block, index)
  })
  return { longest: (address) => blocks[made.longest(parseIp(address)?.bytes ?? new Uint8Array(16))] }
}

describe('the longest block that holds an address', () => {
  const nested = tree(
    '0.0.0.0/0',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '::/0',
    '2001:db8::/32',
    '2001:db8::1',
  )

  it.each([
    ['192.0.2.1', '0.0.0.0/0'],
    ['10.2.0.1', '10.0.0.0/8'],
    ['10.1.255.255', '10.1.0.0/16'],
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::1', '::/0'],
    ['2001:db8::2', '2001:db8::/32'],
    ['2001:db8::1', '2001:db8::1'],
  ])('%s lies in %s', (address, block) => {
    expect(nested.longest(address)).toBe(block)
  })

  it('keeps the families apart', () => {
    expect(tree('::/0').longest('10.0.0.1')).toBeUndefined()
    expect(tree('0.0.0.0/0').longest('::1')).toBeUndefined()
    expect(tree('0.0.0.0/0').longest('::ffff:10.0.0.1')).toBe('0.0.0.0/0')
  })

  it('says whose the very same block is already', () => {
    const made = new PrefixTree()
    const block = parseCidr('10.0.0.0/8')
    if (block === null) throw new Error('no block')
    expect([made.add(block, 0), made.add(block, 7), made.add(block, 8)]).toEqual([null, 0, 0])
  })

  it('agrees with asking every block, over many', () => {
    const texts: string[] = []
    for (let i = 0; i < 2_000; i++) {
      const bits = 8 + (i % 25)
      const start = ((i * 2_654_435_761) >>> 0) & (bits === 32 ? -1 : ~(0xffff_ffff >>> bits))
      texts.push(`${[24, 16, 8, 0].map((shift) => (start >>> shift) & 255).join('.')}/${bits}`)
    }
    const distinct = [...new Set(texts)]
    const blocks = distinct.map((text) => parseCidr(text))
    const made = tree(...distinct)
    for (let i = 0; i < 2_000; i++) {
      const value = (i * 40_503_001) >>> 0
      const address = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
      const bytes = parseIp(address)?.bytes ?? new Uint8Array(16)
      let best: string | undefined
      let most = -1
      blocks.forEach((block, index) => {
        if (block === null || block.bits <= most || !holdsAddress(block, bytes)) return
        most = block.bits
        best = distinct[index]
      })
      expect(made.longest(address)).toBe(best)
    }
  })
})
