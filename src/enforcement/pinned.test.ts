import { describe, expect, it } from 'vitest'
import { PinnedSnapshots } from './pinned.ts'
import type { Snapshot } from './snapshot.ts'

function snapshot(bundle: string, closed: string[]): Snapshot {
  return { bundle, close: () => void closed.push(bundle) } as Partial<Snapshot> as Snapshot
}

describe('pinned snapshots', () => {
  it('a call keeps its bundle over a swap; the bundle goes with its last call', () => {
    const closed: string[] = []
    const pinned = new PinnedSnapshots()
    expect(pinned.pin()).toBeNull()
    pinned.prepared(1, snapshot('a', closed))
    expect(pinned.pin()).toBeNull()
    expect(pinned.commit(1)).toBe(true)
    const [one, two] = [pinned.pin(), pinned.pin()]
    pinned.prepared(2, snapshot('b', closed))
    pinned.commit(2)
    expect([one?.snapshot.bundle, pinned.pin()?.snapshot.bundle, closed]).toEqual(['a', 'b', []])
    one?.unpin()
    expect(closed).toEqual([])
    two?.unpin()
    expect(closed).toEqual(['a'])
  })

  it('what is abandoned is closed and never comes into force', () => {
    const closed: string[] = []
    const pinned = new PinnedSnapshots()
    pinned.prepared(1, snapshot('a', closed))
    pinned.abandon(1)
    expect([closed, pinned.commit(1), pinned.pin()]).toEqual([['a'], false, null])
  })

  it('a commit that comes before its bundle takes effect with it', async () => {
    const pinned = new PinnedSnapshots()
    expect(pinned.commit(1)).toBe(false)
    const ready = pinned.ready()
    pinned.prepared(1, snapshot('a', []))
    await ready
    expect(pinned.pin()?.snapshot.bundle).toBe('a')
  })

  it('a candidate takes no room from the bundles in force', async () => {
    const pinned = new PinnedSnapshots()
    for (const [epoch, use] of [
      [1, 'live'],
      [2, 'live'],
      [3, 'candidate'],
    ] as const) {
      await pinned.room()
      pinned.prepared(epoch, snapshot(String(epoch), []), use)
      pinned.commit(epoch)
      // One slow caller still uses the first.
      if (epoch === 1) pinned.pin()
    }
    let room = false
    void pinned.room().then(() => {
      room = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(room).toBe(true)
  })

  it('at most three live at once: a fourth waits until calls let one go', async () => {
    const pinned = new PinnedSnapshots()
    const pins = []
    for (const epoch of [1, 2, 3]) {
      await pinned.room()
      pinned.prepared(epoch, snapshot(String(epoch), []))
      pinned.commit(epoch)
      pins.push(pinned.pin())
    }
    let room = false
    const waiting = pinned.room().then(() => {
      room = true
    })
    await Promise.resolve()
    expect(room).toBe(false)
    pins[0]?.unpin()
    await waiting
  })

  it('keeps a place for each that is being prepared: two at once do not share one', async () => {
    const pinned = new PinnedSnapshots()
    pinned.prepared(1, snapshot('a', []))
    pinned.commit(1)
    pinned.pin()
    let rooms = 0
    const took = () => {
      rooms += 1
    }
    const all = [pinned.room().then(took), pinned.room().then(took), pinned.room().then(took)]
    await new Promise((resolve) => setImmediate(resolve))
    expect(rooms).toBe(2)
    pinned.leaveRoom()
    await Promise.all(all)
    expect(rooms).toBe(3)
  })

  it('what is abandoned before it is prepared takes no place for good', async () => {
    const closed: string[] = []
    const pinned = new PinnedSnapshots()
    for (const epoch of [1, 2, 3, 4]) {
      await pinned.room()
      pinned.abandon(epoch)
      pinned.prepared(epoch, snapshot(String(epoch), closed))
    }
    expect([closed, pinned.pin()]).toEqual([['1', '2', '3', '4'], null])
  })

  it('a candidate is pinned beside the one in force, and comes into force without being made again', () => {
    const closed: string[] = []
    const pinned = new PinnedSnapshots()
    pinned.prepared(1, snapshot('a', closed))
    pinned.commit(1)
    pinned.prepared(2, snapshot('b', closed), 'candidate')
    const early = pinned.pin()
    expect(early?.candidate).toBeUndefined()
    early?.unpin()
    pinned.commit(2)
    pinned.canary(10)
    const before = pinned.pin()
    expect([before?.snapshot.bundle, before?.candidate?.snapshot.bundle, before?.candidate?.share]).toEqual([
      'a',
      'b',
      10,
    ])
    expect(pinned.preparedCandidate(3, 'c')).toBe(false)
    expect(pinned.preparedCandidate(3, 'b')).toBe(true)
    pinned.commit(3)
    const after = pinned.pin()
    expect([after?.snapshot.bundle, after?.candidate, closed]).toEqual(['b', undefined, []])
    before?.unpin()
    expect(closed).toEqual(['a'])
    after?.unpin()
    expect(closed).toEqual(['a'])
  })

  it('a candidate that is dropped goes with its last call; one that is ready too late is not taken', () => {
    const closed: string[] = []
    const pinned = new PinnedSnapshots()
    pinned.prepared(1, snapshot('a', closed))
    pinned.commit(1)
    pinned.prepared(2, snapshot('b', closed), 'candidate')
    pinned.commit(2)
    const pin = pinned.pin()
    pinned.canary(null)
    expect([pinned.pin()?.candidate, closed]).toEqual([undefined, []])
    pin?.unpin()
    expect(closed).toEqual(['b'])
    // As a thread that takes a dead one's place is told, in one breath.
    pinned.commit(3)
    pinned.canary(null)
    pinned.prepared(3, snapshot('c', closed), 'candidate')
    expect([pinned.pin()?.candidate, closed]).toEqual([undefined, ['b', 'c']])
    // An abandoned promotion leaves the candidate where it was.
    pinned.prepared(4, snapshot('d', closed), 'candidate')
    pinned.commit(4)
    pinned.preparedCandidate(5, 'd')
    pinned.abandon(5)
    expect(pinned.pin()?.candidate?.snapshot.bundle).toBe('d')
  })
})
