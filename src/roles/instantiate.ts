import type { PinnedSnapshots } from '../enforcement/pinned.ts'
import { SnapshotBuilder } from '../enforcement/snapshot.ts'
import type { BundleRef } from '../processes/messages.ts'
import { readBundle } from '../store/bundle-files.ts'

/** Between calls, a thread works on a bundle for about this long at one go, in ms. */
const SLICE_MS = 2

/**
 * Instantiates a bundle in slices, so that calls go on meanwhile. Resolves with the longest stretch the thread was
 * busy with it and the whole time, in ms; rejects with `bundle-corrupt`, the thread's bundle unchanged.
 */
export async function instantiate(
  bundle: BundleRef,
  snapshots: PinnedSnapshots,
  epoch: number,
): Promise<{ readonly longestStepMs: number; readonly totalMs: number }> {
  await snapshots.room()
  const builder = new SnapshotBuilder(bundle.hash)
  const started = performance.now()
  let from = started
  let longestStepMs = 0
  try {
    for (const part of readBundle(bundle.file, bundle.hash)) {
      builder.add(part)
      const busy = performance.now() - from
      if (busy < SLICE_MS) continue
      longestStepMs = Math.max(longestStepMs, busy)
      await new Promise((resolve) => setImmediate(resolve))
      from = performance.now()
    }
    snapshots.prepared(epoch, builder.finish())
  } catch (error) {
    builder.discard()
    throw error
  }
  const now = performance.now()
  return { longestStepMs: Math.max(longestStepMs, now - from), totalMs: now - started }
}
