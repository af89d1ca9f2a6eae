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
})
