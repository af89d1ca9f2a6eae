import { expect, it } from 'vitest'
import { checkSequence } from './body-sequence.ts'
import { NOTHING_STATED } from './instantiate.ts'

it('takes no more items of one body than are checked in one go', () => {
  let checked = 0
  const of = (count: number): readonly (string | undefined)[] =>
    checkSequence('lines', Buffer.from('1\n'.repeat(count)), NOTHING_STATED, (bytes) => {
      checked++
      return { findings: [], bytes, dropped: [] }
    }).findings.map(({ reason }) => reason.forCaller)
  expect(of(10_000)).toEqual([])
  expect(checked).toBe(10_000)
  expect(of(10_001)).toEqual(['more than 10000 items'])
  expect(checked).toBe(10_000)
})
