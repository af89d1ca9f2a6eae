import { SallyportError } from '../model/errors.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * Live at once at most beside a candidate: the one in force; one that calls under way still use; the one being
 * prepared. Were the candidate counted, one slow caller would keep a rollback from coming into force.
 */
const MAX_LIVE = 3

/** How long a prepare waits for calls under way to let go of an old bundle, in ms. */
const ROOM_TIMEOUT_MS = 60_000

/** Those that were given up and failed by themselves never come. */
const MAX_ABANDONED = 16

interface Held {
  readonly snapshot: Snapshot
  pins: number
  retired: boolean
}

/** A call's hold on the bundle it was admitted with; `unpin` is called once, at the exchange's end. */
export interface Pin {
  readonly snapshot: Snapshot
  /** The candidate beside it, pinned alike. */
  readonly candidate?: Candidate
  unpin(): void
}

export interface Candidate {
  readonly snapshot: Snapshot
  /** Percent of callers it judges; the others are judged by it without effect. */
  readonly share: number
}

export type SnapshotUse = 'live' | 'candidate'

/** A thread's bundles: which is in force, which waits for its commit, and which old ones calls still hold. */
export class PinnedSnapshots {
  #current: Held | null = null
  #candidate: Held | null = null
  #share = 0
  readonly #prepared = new Map<number, { readonly held: Held; readonly use: SnapshotUse }>()
  #live = 0
  /** Places of bundles that are being prepared. */
  #reserved = 0
  /** Epochs given up before their bundle was prepared, the latest last. */
  readonly #abandoned = new Set<number>()
  #freed: (() => void)[] = []
  readonly #early = new Set<number>()
  /** Candidates of these epochs and earlier are not wanted any more, however late they are ready. */
  #droppedUpTo = 0
  #lastEpoch = 0
  readonly #awaiting: (() => void)[] = []

  /** The bundle in force, pinned; null before the first commit. */
  pin(): Pin | null {
    const held = this.#current
    if (held === null) return null
    held.pins += 1
    const beside = this.#candidate
    if (beside === null) return { snapshot: held.snapshot, unpin: () => this.#unpin(held) }
    beside.pins += 1
    return {
      snapshot: held.snapshot,
      candidate: { snapshot: beside.snapshot, share: this.#share },
      unpin: () => {
        this.#unpin(held)
        this.#unpin(beside)
      },
    }
  }

  /** Percent of callers that the candidate judges; null drops it. */
  canary(share: number | null): void {
    this.#share = share ?? 0
    if (share !== null) return
    this.#droppedUpTo = this.#lastEpoch
    const dropped = this.#candidate
    if (dropped === null) return
    this.#candidate = null
    this.#retire(dropped)
  }

  /** Resolves once a bundle is in force. */
  ready(): Promise<void> {
    if (this.#current !== null) return Promise.resolve()
    return new Promise((resolve) => this.#awaiting.push(resolve))
  }

  /**
   * Resolves once one more bundle may live, whose place is then kept until it is prepared or `leaveRoom` is called;
   * rejects where calls hold the old ones for too long.
   */
  async room(): Promise<void> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#free()
    }, ROOM_TIMEOUT_MS)
    try {
      // Another one that waited may have taken the place that became free.
      while (this.#live + this.#reserved >= MAX_LIVE + (this.#candidate === null ? 0 : 1)) {
        if (late) throw new SallyportError('bundle-corrupt', 'calls under way still use the older bundles')
        await new Promise<void>((resolve) => this.#freed.push(resolve))
      }
      this.#reserved += 1
    } finally {
      clearTimeout(timer)
    }
  }

  /** The bundle that room was made for is not to come. */
  leaveRoom(): void {
    this.#reserved = Math.max(0, this.#reserved - 1)
    this.#free()
  }

  prepared(epoch: number, snapshot: Snapshot, use: SnapshotUse = 'live'): void {
    this.#reserved = Math.max(0, this.#reserved - 1)
    this.#live += 1
    if (this.#abandoned.delete(epoch)) return this.#retire({ snapshot, pins: 0, retired: false })
    this.#hold(epoch, { snapshot, pins: 0, retired: false }, use)
  }

  /** The candidate itself is what is to come into force: it is instantiated already. False where it is not. */
  preparedCandidate(epoch: number, bundle: string): boolean {
    const held = this.#candidate
    if (held?.snapshot.bundle !== bundle) return false
    this.#hold(epoch, held, 'live')
    return true
  }

  commit(epoch: number): boolean {
    this.#lastEpoch = Math.max(this.#lastEpoch, epoch)
    const prepared = this.#prepared.get(epoch)
    if (prepared === undefined) {
      this.#early.add(epoch)
      return false
    }
    this.#swap(epoch, prepared.held, prepared.use)
    return true
  }

  abandon(epoch: number): void {
    const held = this.#prepared.get(epoch)?.held
    if (held === undefined) {
      // It may still be on its way here, and would keep its place for good.
      this.#abandoned.add(epoch)
      const [oldest] = this.#abandoned
      if (this.#abandoned.size > MAX_ABANDONED && oldest !== undefined) this.#abandoned.delete(oldest)
      return
    }
    this.#prepared.delete(epoch)
    if (held !== this.#candidate) this.#retire(held)
  }

  #hold(epoch: number, held: Held, use: SnapshotUse): void {
    this.#prepared.set(epoch, { held, use })
    // A thread that replaces a dead one is told to prepare and commit in one breath.
    if (this.#early.has(epoch)) this.#swap(epoch, held, use)
  }

  #swap(epoch: number, held: Held, use: SnapshotUse): void {
    this.#early.delete(epoch)
    this.#prepared.delete(epoch)
    if (use === 'candidate') {
      if (epoch <= this.#droppedUpTo || held.snapshot.bundle === this.#current?.snapshot.bundle)
        return this.#retire(held)
      const before = this.#candidate
      this.#candidate = held
      if (before !== null) this.#retire(before)
      return
    }
    const before = this.#current
    this.#current = held
    this.#promote(held)
    for (const resolve of this.#awaiting.splice(0)) resolve()
    if (before !== null) this.#retire(before)
  }

  /** What came into force is no candidate any more. */
  #promote(held: Held): void {
    const candidate = this.#candidate
    if (candidate === null || candidate.snapshot.bundle !== held.snapshot.bundle) return
    this.#candidate = null
    this.#share = 0
    if (candidate !== held) this.#retire(candidate)
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
    this.#free()
  }

  #free(): void {
    const freed = this.#freed
    this.#freed = []
    for (const resolve of freed) resolve()
  }
}
