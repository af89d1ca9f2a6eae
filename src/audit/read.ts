import { setImmediate } from 'node:timers/promises'
import type { CutEntry, ExchangeRecord } from '../model/record.ts'
import { decodeCut, parseLine } from './decode.ts'
import { readEnvelope } from './line.ts'
import { matches, type RecordFilter } from './record-filter.ts'
import { RecordJoin } from './record-join.ts'
import { scanLines } from './scan.ts'
import { listSegments, RECOVERY_THREAD, type SegmentName, segmentPath } from './segment.ts'
import { type KeyRing, openKeyRing } from './subject-keys.ts'

export interface ReadOptions {
  /** The store's key opens the sealed parts; without it every record reads as erased. */
  readonly storeKey: Uint8Array | null
  readonly filter?: RecordFilter
  /** Only these chains (`listSegments`), so that several readers share a folder. */
  readonly chains?: ReadonlySet<string>
  /** `false`: records without their cuts, which cost a pass of their own. */
  readonly cuts?: boolean
  /** Called after each stretch with the bytes read since the last call. */
  onBytes?(bytes: number): void
}

/** Later cuts than this many in one chain are not joined: what bounds memory against callers who always leave. */
const MAX_CUTS = 200_000
const LINES_A_TURN = 4_096

/**
 * The records of a folder of segments, chain after chain; in each the closed ones in the order of their outcomes,
 * then those still open. Memory is bounded by the exchanges open at one time.
 */
export async function* readRecords(
  directory: string,
  options: ReadOptions,
): AsyncGenerator<ExchangeRecord, void> {
  const filter = options.filter ?? {}
  let left = filter.limit ?? Number.POSITIVE_INFINITY
  const chains = listSegments(directory)
  const recovered = readRecovered(directory, chains)
  for (const [chain, segments] of chains) {
    if (chain.endsWith(`-${RECOVERY_THREAD}`) || options.chains?.has(chain) === false) continue
    for await (const record of readChain(directory, segments, options, recovered)) {
      if (left <= 0) return
      if (!matches(filter, record)) continue
      left--
      yield record
    }
  }
}

async function* readChain(
  directory: string,
  segments: readonly SegmentName[],
  options: ReadOptions,
  recovered: ReadonlySet<string>,
): AsyncGenerator<ExchangeRecord, void> {
  const cuts = options.cuts === false ? new Map<string, CutEntry>() : await readCuts(directory, segments)
  const join = new RecordJoin(options.filter)
  const withCut = (record: ExchangeRecord): ExchangeRecord => {
    const cut = cuts.get(record.intent.id)
    return cut === undefined ? record : { ...record, cut }
  }
  let lines = 0
  let bytes = 0
  for (const segment of segments) {
    const path = segmentPath(directory, segment)
    join.beginSegment(keysOf(path, segment, options))
    for (const line of scanLines(path)) {
      const joined = join.feed(line)
      if (joined?.kind === 'closed') yield withCut(joined.record)
      bytes += line.bytes.length + 1
      if (++lines % LINES_A_TURN !== 0) continue
      options.onBytes?.(bytes)
      bytes = 0
      await setImmediate()
    }
  }
  options.onBytes?.(bytes)
  for (const record of join.remaining(recovered)) yield withCut(record)
}

function keysOf(path: string, segment: SegmentName, options: ReadOptions): KeyRing | null {
  return options.storeKey === null ? null : openKeyRing(path, segment.file, options.storeKey)
}

const CUT_TYPE = '"t":"cut"'

/** A cut follows its outcome, at any distance, so cuts are gathered first: they are few. */
async function readCuts(directory: string, segments: readonly SegmentName[]): Promise<Map<string, CutEntry>> {
  const cuts = new Map<string, CutEntry>()
  let lines = 0
  for (const segment of segments) {
    for (const { bytes, terminated, overlong } of scanLines(segmentPath(directory, segment))) {
      if (++lines % LINES_A_TURN === 0) await setImmediate()
      if (!terminated || overlong || !bytes.toString('latin1', 0, 100).includes(CUT_TYPE)) continue
      if (readEnvelope(bytes)?.type !== 'cut' || cuts.size >= MAX_CUTS) continue
      const cut = decodeCut(parseLine(bytes.toString('latin1')))
      cuts.set(cut.id, cut)
    }
  }
  return cuts
}

/** Ids of the exchanges that recovery closed as `unknown`. */
export function readRecovered(
  directory: string,
  chains: ReadonlyMap<string, readonly SegmentName[]>,
): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const [chain, segments] of chains) {
    if (!chain.endsWith(`-${RECOVERY_THREAD}`)) continue
    for (const segment of segments) {
      for (const { bytes, terminated, overlong } of scanLines(segmentPath(directory, segment))) {
        if (!terminated || overlong || readEnvelope(bytes)?.type !== 'recovered') continue
        const id = parseLine(bytes.toString('latin1'))['id']
        if (typeof id === 'string') ids.add(id)
      }
    }
  }
  return ids
}
