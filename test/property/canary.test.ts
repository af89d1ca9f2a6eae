import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInShare } from '../../src/enforcement/canary.ts'
import { keyedDigest } from '../../src/store/store-keys.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const share = fc.double({ min: 0, max: 100, noNaN: true })
const caller = fc.string({ maxLength: 100 })

describe('who a canary decides for', () => {
  it('is the same at every call and on every thread, and stays among them when the share grows', () => {
    fc.assert(
      fc.property(key, caller, share, share, (storeKey, who, one, other) => {
        const [threadA, threadB] = [keyedDigest(storeKey, 'canary'), keyedDigest(storeKey, 'canary')]
        const [small, large] = [Math.min(one, other), Math.max(one, other)]
        const among = isInShare('bundle', who, small, threadA)
        expect(isInShare('bundle', who, small, threadB)).toBe(among)
        if (among) expect(isInShare('bundle', who, large, threadA)).toBe(true)
        expect(isInShare('bundle', who, 0, threadA)).toBe(false)
        expect(isInShare('bundle', who, 100, threadA)).toBe(true)
      }),
    )
  })

  it('is near the share of callers, and another part of them for another candidate or store', () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 99 }), (storeKey, percent) => {
        const digest = keyedDigest(storeKey, 'canary')
        const callers = Array.from({ length: 4_000 }, (_, index) => `principal corp/user-${index}`)
        const among = callers.filter((each) => isInShare('one', each, percent, digest))
        // Six standard deviations.
        const bound = 6 * Math.sqrt(callers.length * (percent / 100) * (1 - percent / 100))
        expect(Math.abs(among.length - (callers.length * percent) / 100)).toBeLessThan(bound)
        const both = among.filter((each) => isInShare('two', each, percent, digest))
        if (percent <= 50 && among.length > 100) expect(both.length).toBeLessThan(among.length)
      }),
      { numRuns: 20 },
    )
  })
})
