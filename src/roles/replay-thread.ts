import type { MessagePort } from 'node:worker_threads'
import { readRecords } from '../audit/read.ts'
import { compare, replayRecord } from '../decision/replay/judge-record.ts'
import { type BundleOutline, OutlineBuilder } from '../decision/replay/outline.ts'
import type { Comparison, Replayed } from '../decision/replay/replayed.ts'
import { callerOf, operationOf } from '../management/record-view.ts'
import { ReplayTally, type TallyState } from '../management/replay-report.ts'
import { isFault } from '../model/errors.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { readBundle } from '../store/bundle-files.ts'
import { bundleFile } from '../store/bundle-versions.ts'
import { type DataDirectory, readDataDirectory } from '../store/data-directory.ts'
import { readStoreKey } from '../store/store-keys.ts'
import { verifyStoredBundle } from './open-bundle.ts'
import { readReplayBundle } from './replay-bundle.ts'

export interface ReplayThreadData {
  readonly role: 'replay'
  readonly store: string
  readonly bundle: { readonly file: string; readonly hash: string }
  readonly chains: readonly string[]
  readonly from?: number
  readonly to?: number
  readonly api?: string
}

export type ReplayMessage =
  | { readonly type: 'bytes'; readonly bytes: number }
  | { readonly type: 'done'; readonly tally: TallyState }

/** One of several readers of the log: judges the records of its chains by another bundle, and counts. */
export async function runReplayThread(data: ReplayThreadData, port: MessagePort): Promise<void> {
  const directory = readDataDirectory(data.store)
  const by = readReplayBundle(data.bundle.file, data.bundle.hash)
  const comparisons = new Map<string, Comparison | null>()
  const comparisonWith = (hash: string): Comparison | null => {
    const known = comparisons.get(hash)
    if (known !== undefined) return known
    const made = readOutline(directory, hash)
    const between = made === null ? null : compare(made, by)
    comparisons.set(hash, between)
    return between
  }
  const tally = new ReplayTally()
  const records = readRecords(directory.audit, {
    storeKey: readStoreKey(directory),
    chains: new Set(data.chains),
    cuts: false,
    filter: {
      ...(data.from === undefined ? {} : { from: data.from }),
      ...(data.to === undefined ? {} : { to: data.to }),
      ...(data.api === undefined ? {} : { api: data.api }),
    },
    onBytes: (bytes) => port.postMessage({ type: 'bytes', bytes } satisfies ReplayMessage),
  })
  for await (const record of records) {
    const between = comparisonWith(record.intent.bundle)
    const replayed: Replayed =
      between === null ? { kind: 'undecidable', missing: ['bundle'] } : replayRecord(record, between)
    tally.add(callOf(record), replayed)
  }
  port.postMessage({ type: 'done', tally: tally.state() } satisfies ReplayMessage)
  port.close()
}

function callOf(record: ExchangeRecord): Parameters<ReplayTally['add']>[0] {
  const { id, at } = record.intent
  return { operation: operationOf(record), caller: callerOf(record), id, at: at.wallMs }
}

/** Null where the store has no such bundle, or one that does not verify: facts could be said of what nobody made. */
function readOutline(store: DataDirectory, hash: string): BundleOutline | null {
  const builder = new OutlineBuilder(hash)
  try {
    verifyStoredBundle(store, hash)
    for (const part of readBundle(bundleFile(store.bundles, hash), hash)) builder.add(part)
    return builder.finish()
  } catch (error) {
    if (UNUSABLE.some((code) => isFault(error, code))) return null
    throw error
  }
}

const UNUSABLE = ['bundle-unknown', 'bundle-signature', 'bundle-corrupt'] as const
