import { describe, expect, it } from 'vitest'
import { columns, count, durationText, evidenceText, printable, timeText } from './printable.ts'

describe('text for a terminal', () => {
  it('holds nothing that moves the cursor or reorders text', () => {
    expect(printable('a\u001b[2Jb\r\nc\u202ed\u2028e\u0007')).toBe('a·[2Jb··c·d·e·')
    expect(columns([['x\u001b[31m', 'y']])).toEqual(['x·[31m  y'])
  })

  it('stands in columns, the last one ragged', () => {
    expect(columns([['a', 'long cell'], ['bcd', 'e'], ['alone in its row']])).toEqual([
      'a    long cell',
      'bcd  e',
      'alone in its row',
    ])
  })

  it('gives times, durations, counts and evidence as people read them', () => {
    expect(timeText(0)).toBe('1970-01-01 00:00:00.000Z')
    expect(timeText(Number.NaN)).toBe('NaN')
    expect([999, 1_500, 2_500_000].map(durationText)).toEqual(['999 µs', '1.5 ms', '2.50 s'])
    expect([count(1, 'call'), count(2, 'call')]).toEqual(['1 call', '2 calls'])
    expect(evidenceText({ scopes: ['a', 'b'], limit: 3 })).toBe('scopes=[a, b] limit=3')
  })
})
