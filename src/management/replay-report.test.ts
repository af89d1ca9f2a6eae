import { describe, expect, it } from 'vitest'
import type { Replayed } from '../decision/replay/replayed.ts'
import { reason } from '../model/reason.ts'
import { ReplayTally } from './replay-report.ts'

const CALL = { operation: 'shop.listOrders', caller: 'corp/ana', id: 'one', at: 1 }
const DENIED: Replayed = {
  kind: 'changed',
  from: 'allow',
  to: 'deny',
  reasons: [reason('identity-verified', 'identity'), reason('policy-missing', 'policy')],
  policies: [],
  unplayed: [],
}
const LIST: Replayed = {
  kind: 'changed',
  from: 'allow',
  to: 'allow',
  reasons: [reason('list-filtered', 'policy')],
  policies: ['own'],
  unplayed: [],
  items: { lost: 2, gained: 1 },
}

describe('a replay’s report', () => {
  it('counts by caller and operation, with the latest as an example and the reason against', () => {
    const tally = new ReplayTally()
    tally.add(CALL, DENIED)
    tally.add({ ...CALL, id: 'two', at: 3 }, DENIED)
    tally.add({ ...CALL, id: 'three', at: 2 }, DENIED)
    tally.add({ ...CALL, caller: 'corp/ben' }, DENIED)
    tally.add(CALL, { kind: 'same', effect: 'allow' })
    tally.add(CALL, { kind: 'undecidable', missing: ['context.time'] })
    const report = tally.report()
    expect(report).toMatchObject({ records: 6, same: 1, changed: 4, undecidable: 1, uncounted: 0 })
    const [first, second] = report.rows
    expect(first).toMatchObject({ caller: 'corp/ana', count: 3, example: 'two', reason: 'policy-missing' })
    expect(second).toMatchObject({ caller: 'corp/ben', count: 1 })
    expect(report.undecided).toMatchObject([{ missing: 'context.time', count: 1 }])
  })

  it('adds what items lists lose to the one side and what they gain to the other', () => {
    const [one, other] = [new ReplayTally(), new ReplayTally()]
    one.add(CALL, LIST)
    other.add({ ...CALL, id: 'later', at: 9 }, LIST)
    one.merge(other.state())
    const report = one.report()
    expect(report.changed).toBe(2)
    expect(report.rows).toMatchObject([{ count: 2, lost: 4, gained: 2, example: 'later' }])
  })
})
