import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditFault, ChainCheck } from './chain-check.ts'
import { scanLines } from './scan.ts'
import { isOfBoot, listSegments, type SegmentName, segmentPath } from './segment.ts'

export interface EndedChainsOptions {
  readonly directory: string
  /** Boots whose gate threads write now: their chains are left out. */
  readonly liveBoots: readonly string[]
  /** Ends the reading at the next pause. */
  readonly signal: AbortSignal
  /** No further segment is begun past so many bytes. */
  readonly maxBytes?: number
}

export interface EndedChainsReport {
  /** Corrupt places; ends that a crash left torn are recovery's to tell. */
  readonly faults: readonly AuditFault[]
  /** Chains that were not looked at. */
  readonly unread: number
}

const MAX_READ_BYTES = 256 * 1024 * 1024
const MAX_FAULTS = 1_000
const LINES_A_TURN = 512
/** Between turns of at most as long (ms), so that half a core or more is left to everything else. */
const PAUSE_MS = 5

/**
 * Reads the newest segment of each chain nobody writes to, newest first: recovery reads only chains without their
 * end, and damage to one that ended well must be seen at a start too. The whole log is for `verifyAudit`.
 */
export async function checkEndedChains(options: EndedChainsOptions): Promise<EndedChainsReport> {
  const { directory, liveBoots, signal, maxBytes = MAX_READ_BYTES } = options
  const faults: AuditFault[] = []
  const tell = (fault: AuditFault): void => {
    if (fault.kind !== 'torn' && faults.length < MAX_FAULTS) faults.push(fault)
  }
  let bytes = 0
  let unread = 0
  for (const { segment, size } of newestSegments(directory, liveBoots)) {
    if (signal.aborted || bytes >= maxBytes) {
      unread++
      continue
    }
    bytes += size
    const check = new ChainCheck(tell)
    if (segment.number > 1) check.resume()
    check.beginSegment(segment)
    let lines = 0
    for (const line of scanLines(segmentPath(directory, segment))) {
      check.line(line)
      if (++lines % LINES_A_TURN > 0) continue
      await sleep(PAUSE_MS, undefined, { ref: false })
      if (signal.aborted) break
    }
    check.endChain()
  }
  return { faults, unread }
}

function newestSegments(
  directory: string,
  liveBoots: readonly string[],
): { readonly segment: SegmentName; readonly size: number }[] {
  const found: { segment: SegmentName; size: number; at: number }[] = []
  for (const [chain, segments] of listSegments(directory)) {
    const segment = segments.at(-1)
    if (segment === undefined || isOfBoot(chain, liveBoots)) continue
    const { size, mtimeMs } = statSync(segmentPath(directory, segment))
    found.push({ segment, size, at: mtimeMs })
  }
  return found.sort((a, b) => b.at - a.at)
}
