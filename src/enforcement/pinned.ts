import { SallyportError } from '../model/errors.ts'
import type { Snapshot } from './snapshot.ts'

/** Live at once at most: the one in force, the one being prepared, and one that calls under way still use. */
const MAX_LIVE = 3

/** How long a prepare waits for calls under way to let go of an old bundle, in ms. */
const ROOM_TIMEOUT_MS = 60_000

interface Held {
  readonly snapshot: Snapshot
  pins: number
  retired: boolean
}

/** A call's hold on the bundle it was admitted with; `unpin` is called once, at the exchange's end. */
export interface Pin {
  readonly snapshot: Snapshot
  unpin(): void
}

/** A thread's bundles: which is in force, which waits for its commit, and which old ones calls still hold. */
export class PinnedSnapshots {
  #current: Held | null = null
  readonly #prepared = new Map<number, Held>()
  #live = 0
  #freed: (() => void)[] = []
  #early: number | null = null
  readonly #awaiting: (() => void)[] = []

  /** The bundle in force, pinned; null before the first commit. */
  pin(): Pin | null {
    const held = this.#current
    if (held === null) return null
    held.pins += 1
    return { snapshot: held.snapshot, unpin: () => this.#unpin(held) }
  }

  /** Resolves once a bundle is in force. */
  ready(): Promise<void> {
    if (this.#current !== null) return Promise.resolve()
    return new Promise((resolve) => this.#awaiting.push(resolve))
  }

  /** Resolves once one more bundle may live; rejects where calls hold the old ones for too long. */
  async room(): Promise<void> {
    if (this.#live < MAX_LIVE) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new SallyportError('bundle-corrupt', 'calls under way still use the older bundles')),
        ROOM_TIMEOUT_MS,
      )
      this.#freed.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  prepared(epoch: number, snapshot: Snapshot): void {
    this.#live += 1
    const held = { snapshot, pins: 0, retired: false }
    this.#prepared.set(epoch, held)
    // A thread that replaces a dead one is told to prepare and commit in one breath.
    if (this.#early === epoch) this.#swap(epoch, held)
  }

  commit(epoch: number): boolean {
    const held = this.#prepared.get(epoch)
    if (held === undefined) {
      this.#early = epoch
      return false
    }
    this.#swap(epoch, held)
    return true
  }

  abandon(epoch: number): void {
    const held = this.#prepared.get(epoch)
    if (held === undefined) return
    this.#prepared.delete(epoch)
    this.#retire(held)
  }

  #swap(epoch: number, held: Held): void {
    this.#early = null
    this.#prepared.delete(epoch)
    const before = this.#current
    this.#current = held
    for (const resolve of this.#awaiting.splice(0)) resolve()
    if (before !== null) this.#retire(before)
  }

  #unpin(held: Held): void {
    held.pins -= 1
    if (held.retired && held.pins === 0) this.#close(held)
  }

  #retire(held: Held): void {
    held.retired = true
    if (held.pins === 0) this.#close(held)
  }

  #close(held: Held): void {
    held.snapshot.close()
    this.#live -= 1
    const freed = this.#freed
    this.#freed = []
    for (const resolve of freed) resolve()
  }
}
