import { describe, expect, it } from 'vitest'
import type { Replayed } from '../decision/replay/replayed.ts'
import { reason } from '../model/reason.ts'
import { ReplayTally } from './replay-report.ts'

const SAME: Replayed = { kind: 'same', effect: 'allow' }
const UNDECIDABLE: Replayed = { kind: 'undecidable', missing: ['resource.owner', 'contract'] }
const changed = (more: Partial<Extract<Replayed, { kind: 'changed' }>> = {}): Replayed => ({
  kind: 'changed',
  from: 'allow',
  to: 'deny',
  reasons: [reason('scopes-met', 'policy'), reason('policy-missing', 'policy')],
  policies: [],
  unplayed: [],
  ...more,
})
const call = (id: string, at: number, more: { operation?: string; caller?: string } = {}) => ({
  operation: 'shop.getOrder',
  caller: 'corp/ana',
  id,
  at,
  ...more,
})

describe('a tally', () => {
  it('counts what came out, and changes that are alike as one row with its latest example', () => {
    const tally = new ReplayTally()
    tally.add(call('a', 1), SAME)
    tally.add(call('b', 5), changed())
    tally.add(call('c', 9), changed())
    tally.add(call('d', 7), changed())
    tally.add(call('e', 2), UNDECIDABLE)
    const report = tally.report()
    expect(report).toMatchObject({ records: 5, same: 1, changed: 3, undecidable: 1, uncounted: 0 })
    expect(report.rows).toEqual([
      {
        ...{ operation: 'shop.getOrder', caller: 'corp/ana', from: 'allow', to: 'deny' },
        ...{
          reason: 'policy-missing',
          policies: [],
          unplayed: [],
          count: 3,
          lost: 0,
          gained: 0,
          example: 'c',
        },
      },
    ])
    expect(report.undecided).toEqual([
      { operation: 'shop.getOrder', missing: 'resource.owner, contract', count: 1, example: 'e' },
    ])
  })

  it('keeps apart what differs, most frequent first', () => {
    const tally = new ReplayTally()
    tally.add(call('a', 1), changed({ policies: ['p'] }))
    tally.add(call('b', 1, { caller: 'corp/ben' }), changed())
    tally.add(call('c', 1, { operation: 'shop.listOrders' }), changed())
    tally.add(call('d', 1), changed({ from: 'deny', to: 'allow', reasons: [reason('scopes-met', 'policy')] }))
    tally.add(call('e', 1), changed({ unplayed: ['contract'] }))
    tally.add(call('f', 1), changed())
    tally.add(call('g', 1), changed())
    const { rows } = tally.report()
    expect(rows.map(({ count }) => count)).toEqual([2, 1, 1, 1, 1, 1])
    expect(rows.find(({ to }) => to === 'allow')?.reason).toBe('scopes-met')
  })

  it('adds up the items of lists, what is lost apart from what is gained', () => {
    const tally = new ReplayTally()
    tally.add(call('a', 1), changed({ to: 'allow', items: { lost: 2, gained: 0 } }))
    tally.add(call('b', 2), changed({ to: 'allow', items: { lost: 3, gained: 0 } }))
    tally.add(call('c', 3), changed({ to: 'allow', items: { lost: 0, gained: 4 } }))
    expect(tally.report().rows.map(({ count, lost, gained }) => [count, lost, gained])).toEqual([
      [2, 5, 0],
      [1, 0, 4],
    ])
  })
})

describe('tallies of several readers', () => {
  const filled = (calls: readonly (readonly [string, number, Replayed])[]): ReplayTally => {
    const tally = new ReplayTally()
    for (const [id, at, replayed] of calls) tally.add(call(id, at), replayed)
    return tally
  }
  const all = [
    ['a', 3, changed({ items: { lost: 1, gained: 1 } })],
    ['b', 9, changed({ items: { lost: 2, gained: 5 } })],
    ['c', 1, SAME],
    ['d', 4, UNDECIDABLE],
    ['e', 6, UNDECIDABLE],
    ['f', 2, changed()],
  ] as const

  it.each([0, 1, 3, 6])('come to what one reader would have counted, parted at %i', (at) => {
    const merged = filled(all.slice(0, at))
    // As it crosses between threads.
    merged.merge(structuredClone(filled(all.slice(at)).state()))
    expect(merged.report()).toEqual(filled(all).report())
  })
})

describe('more kinds than are kept', () => {
  const MANY = 20_000

  it('are counted as uncounted, never lost, and rows that are known go on counting', () => {
    const tally = new ReplayTally()
    for (let n = 0; n < MANY + 5; n++) tally.add(call('x', n, { caller: `corp/u${n}` }), changed())
    tally.add(call('y', MANY + 9, { caller: 'corp/u0' }), changed())
    const report = tally.report()
    expect([report.rows.length, report.changed, report.uncounted]).toEqual([MANY, MANY + 6, 5])
    expect(report.rows[0]).toMatchObject({ caller: 'corp/u0', count: 2, example: 'y' })

    const other = new ReplayTally()
    other.add(call('z', 1, { caller: 'corp/new' }), changed())
    other.add(call('z', 1, { caller: 'corp/new' }), changed())
    tally.merge(other.state())
    const { rows, changed: after, uncounted } = tally.report()
    expect([rows.length, after, uncounted]).toEqual([MANY, MANY + 8, 7])
    expect(rows.reduce((sum, { count }) => sum + count, 0) + uncounted).toBe(after)
  })
})
