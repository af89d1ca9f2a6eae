import type { KeyObject } from 'node:crypto'
import type { PinnedSnapshots } from '../enforcement/pinned.ts'
import { SnapshotBuilder } from '../enforcement/snapshot.ts'
import type { UrlNameState } from '../model/channel.ts'
import type { BundleRef, BundleUse } from '../processes/messages.ts'
import { readBundle, verifyBundleBytes } from '../store/bundle-files.ts'
import { readStatement } from '../store/bundle-versions.ts'

/** Between calls, a thread works on a bundle for about this long at one go, in ms. */
const SLICE_MS = 2

/**
 * Instantiates a bundle in slices, so that calls go on meanwhile. Resolves with the longest stretch the thread was
 * busy with it and the whole time, in ms; rejects with `bundle-signature` or `bundle-corrupt`, the thread's bundle
 * unchanged. Nothing of the file is used before its signature and all of its bytes are verified.
 */
export async function instantiate(
  bundle: BundleRef,
  snapshots: PinnedSnapshots,
  epoch: number,
  use: BundleUse,
  publicKey: KeyObject,
  nameState: (name: string) => UrlNameState,
): Promise<{ readonly longestStepMs: number; readonly totalMs: number }> {
  const started = performance.now()
  if (use === 'live' && snapshots.preparedCandidate(epoch, bundle.hash))
    return { longestStepMs: 0, totalMs: performance.now() - started }
  readStatement(bundle.file, bundle.hash, publicKey)
  await snapshots.room()
  const builder = new SnapshotBuilder(bundle.hash, nameState)
  let from = performance.now()
  let longestStepMs = 0
  const pause = async (): Promise<void> => {
    const busy = performance.now() - from
    if (busy < SLICE_MS) return
    longestStepMs = Math.max(longestStepMs, busy)
    await new Promise((resolve) => setImmediate(resolve))
    from = performance.now()
  }
  try {
    const verifying = verifyBundleBytes(bundle.file, bundle.hash)
    let verified = verifying.next()
    for (; !verified.done; verified = verifying.next()) await pause()
    for (const part of readBundle(bundle.file, bundle.hash, verified.value)) {
      builder.add(part)
      await pause()
    }
    const finishing = builder.finishInSteps()
    let finished = finishing.next()
    for (; !finished.done; finished = finishing.next()) await pause()
    snapshots.prepared(epoch, finished.value, use)
  } catch (error) {
    builder.discard()
    snapshots.leaveRoom()
    throw error
  }
  const now = performance.now()
  return { longestStepMs: Math.max(longestStepMs, now - from), totalMs: now - started }
}
