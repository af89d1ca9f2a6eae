import type { KeyObject } from 'node:crypto'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { segmentEnd } from './chain.ts'
import { type AuditFault, ChainCheck, type TellFault } from './chain-check.ts'
import { CHECKPOINT_FILE, checkpointLines, type SegmentHeadPoint } from './checkpoint.ts'
import { lineHash } from './line.ts'
import { chainedLines } from './log-check.ts'
import { MANAGEMENT_FILE } from './management-log.ts'
import { scanLines } from './scan.ts'
import { isOfBoot, listSegments, parseSegmentName, segmentPath } from './segment.ts'

export interface VerifyOptions {
  /** Verifies the checkpoints' signatures; without it they are read and said to be unverified. */
  readonly publicKey?: KeyObject | null
  /**
   * Boots of gates that run on this folder now: their chains need no end yet. Asked only where a chain has none;
   * without it nobody writes.
   */
  readonly liveBoots?: () => Promise<Iterable<string>>
  /** Called about every MiB. */
  readonly onProgress?: (progress: VerifyProgress) => void
}

export interface VerifyProgress {
  readonly bytes: number
  readonly totalBytes: number
}

export interface VerifyReport {
  /** No fault other than torn ends, which a crash leaves and nobody needs to have made. */
  readonly ok: boolean
  readonly segments: number
  readonly lines: number
  /** Exchanges: intents. */
  readonly records: number
  readonly checkpoints: number
  /** `unverified`: without a key. `none`: no checkpoint was there to verify. */
  readonly signatures: 'verified' | 'unverified' | 'none'
  /** The first thousand; `faultCount` counts all. */
  readonly faults: readonly AuditFault[]
  readonly faultCount: number
}

const OWN_FILES: ReadonlySet<string> = new Set([CHECKPOINT_FILE, MANAGEMENT_FILE])
const MAX_FAULTS = 1_000
const LINES_A_TURN = 1_024
/** A gate that has just lost its control, or is about to have one, answers for itself by then. */
const SETTLE_MS = 300

/**
 * Reads a folder of segments as whoever wants proof reads it: it shares the form of a line with the writer and
 * nothing else, needs no key but the checkpoints' public one, changes nothing, and holds 1 MiB at a time.
 *
 * What it cannot prove without a witness elsewhere: that the whole folder, checkpoints included, was not put back to
 * an earlier moment at which every chain had its end, or that a start has not since taken a chain cut off in this way
 * for one that a crash left. Checkpoints copied to another machine are such a witness; so are records delivered.
 */
export async function verifyAudit(directory: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const publicKey = options.publicKey ?? null
  const faults: AuditFault[] = []
  let faultCount = 0
  let untorn = 0
  const tell = (fault: AuditFault): void => {
    faultCount++
    if (fault.kind !== 'torn') untorn++
    if (faults.length < MAX_FAULTS) faults.push(fault)
  }

  const heads = new Map<string, SegmentHeadPoint>()
  let checkpoints = 0
  for (const line of checkpointLines(directory, publicKey, tell)) {
    checkpoints++
    for (const head of line.heads) heads.set(head.segment, head)
  }
  const chains = listSegments(directory)
  // From its first moment a store has one: the key is as old as that.
  if (publicKey !== null && checkpoints === 0 && untorn === 0 && chains.size > 0) tell(WITHOUT_CHECKPOINTS)

  checkManagement(directory, heads, tell)
  foreignFiles(directory, tell)
  const names = [...chains.values()].flat()
  const totalBytes = names.reduce((sum, name) => sum + statSync(segmentPath(directory, name)).size, 0)
  let bytes = 0
  let lines = 0
  let records = 0
  const recovered = new Set<string>()
  const open: OpenChain[] = []
  for (const [chain, segments] of chains) {
    const check = new ChainCheck(tell)
    for (const segment of segments) {
      check.beginSegment(segment)
      const head = heads.get(segment.file)
      let headSeen = head === undefined
      for (const line of scanLines(segmentPath(directory, segment))) {
        const envelope = check.line(line)
        if (envelope?.type === 'intent') records++
        else if (envelope?.type === 'recovered-chain') recovered.add(recoveredSegment(line.bytes))
        if (line.terminated) lines++
        const end = line.offset + line.bytes.length + 1
        if (head !== undefined && !headSeen && line.terminated && end >= head.bytes) {
          headSeen = true
          if (end !== head.bytes || lineHash(line.bytes) !== head.hash) {
            const detail =
              'a signed checkpoint has another hash for the chain up to here: it was written anew'
            tell({ segment: segment.file, line: line.number, byte: line.offset, kind: 'edited', detail })
          }
        }
        if (lines % LINES_A_TURN === 0) {
          options.onProgress?.({ bytes: bytes + line.offset, totalBytes })
          await setImmediate()
        }
      }
      const end = check.endSegment()
      bytes += end.bytes
      if (!headSeen && head !== undefined) tell(shortened(end.lines, end.bytes, head))
      heads.delete(segment.file)
      if (segment === segments.at(-1) && !check.final)
        open.push({ chain, segment: segment.file, line: end.lines + 1, byte: end.bytes })
    }
    check.endChain()
  }
  const left = open.filter(({ segment }) => !recovered.has(segment))
  for (const one of await unfinished(directory, left, options.liveBoots)) tell(one)
  for (const head of heads.values()) tell(gone(head))
  options.onProgress?.({ bytes: totalBytes, totalBytes })
  return {
    ok: untorn === 0,
    segments: names.length,
    lines,
    records,
    checkpoints,
    signatures: checkpoints === 0 ? 'none' : publicKey === null ? 'unverified' : 'verified',
    faults,
    faultCount,
  }
}

interface OpenChain extends Pick<AuditFault, 'segment' | 'line' | 'byte'> {
  readonly chain: string
}

/** Of chains without an end those that nobody writes to: a gate may have ended its own since they were read. */
async function unfinished(
  directory: string,
  open: readonly OpenChain[],
  liveBoots: VerifyOptions['liveBoots'],
): Promise<AuditFault[]> {
  let left = open
  for (let asked = 0; left.length > 0 && liveBoots !== undefined && asked < 2; asked++) {
    if (asked > 0) await sleep(SETTLE_MS)
    const live = [...(await liveBoots())]
    left = left.filter(({ chain }) => !isOfBoot(chain, live) && !hasEnded(directory, chain))
  }
  const detail =
    'the chain has no end, no running gate writes it, and no start has recovered it yet: what a crash leaves, and also a log put back to an earlier moment'
  return left.map(({ segment, line, byte }) => ({ segment, line, byte, kind: 'unfinished', detail }))
}

const RECOVERED = /,"segment":"([\w.-]{1,200})"/

function recoveredSegment(line: Buffer): string {
  return RECOVERED.exec(line.toString('latin1', 0, 512))?.[1] ?? ''
}

function hasEnded(directory: string, chain: string): boolean {
  const last = listSegments(directory).get(chain)?.at(-1)
  return last !== undefined && segmentEnd(segmentPath(directory, last))?.final === true
}

const WITHOUT_CHECKPOINTS: AuditFault = {
  segment: CHECKPOINT_FILE,
  line: 1,
  byte: 0,
  kind: 'deleted',
  detail: 'segments and the key of the checkpoints are there, and no checkpoint is',
}

/** Control's own record is one chain in one file, with its head in the checkpoints like any segment's. */
function checkManagement(directory: string, heads: Map<string, SegmentHeadPoint>, tell: TellFault): void {
  const head = heads.get(MANAGEMENT_FILE)
  let seen = head === undefined
  let last = { line: 0, end: 0 }
  for (const line of chainedLines(directory, MANAGEMENT_FILE, tell)) {
    if (head !== undefined && !seen && line.end >= head.bytes) {
      seen = true
      if (line.end !== head.bytes || line.hash !== head.hash)
        tell(rewritten(MANAGEMENT_FILE, line.line, line.byte))
    }
    last = line
  }
  if (!seen && head !== undefined) tell(shortened(last.line, last.end, head))
  heads.delete(MANAGEMENT_FILE)
}

function rewritten(segment: string, line: number, byte: number): AuditFault {
  const detail = 'a signed checkpoint has another hash for the chain up to here: it was written anew'
  return { segment, line, byte, kind: 'edited', detail }
}

function shortened(lines: number, bytes: number, head: SegmentHeadPoint): AuditFault {
  const detail = `a signed checkpoint saw ${head.bytes} bytes up to sequence ${head.sequence}; ${head.bytes - bytes} are missing`
  return { segment: head.segment, line: lines + 1, byte: bytes, kind: 'truncated', detail }
}

function gone(head: SegmentHeadPoint): AuditFault {
  const detail = `a signed checkpoint saw this segment with ${head.bytes} bytes; it is missing`
  return { segment: head.segment, line: 1, byte: 0, kind: 'deleted', detail }
}

function foreignFiles(directory: string, tell: (fault: AuditFault) => void): void {
  for (const file of readdirSync(directory).sort()) {
    if (OWN_FILES.has(file) || parseSegmentName(file) !== null) continue
    const segment = file.endsWith('.keys') ? file.slice(0, -'.keys'.length) : null
    if (segment !== null && parseSegmentName(segment) !== null) {
      if (existsSync(segmentPath(directory, segment))) continue
      tell({
        segment,
        line: 1,
        byte: 0,
        kind: 'deleted',
        detail: 'its key file is there and the segment is not',
      })
      continue
    }
    tell({ segment: file, line: 1, byte: 0, kind: 'foreign', detail: 'no file of the record has this name' })
  }
}
