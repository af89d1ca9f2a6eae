import { join } from 'node:path'
import type { Clock } from '../model/ports.ts'
import { segmentEnd } from './chain.ts'
import { type AuditFault, ChainCheck } from './chain-check.ts'
import { parseLine } from './decode.ts'
import { DIRECT_SYNC } from './direct-sync.ts'
import { CHAIN_START, quote, readEnvelope } from './line.ts'
import { LineBatch } from './line-batch.ts'
import { MAX_OPEN } from './open-exchanges.ts'
import { scanLines } from './scan.ts'
import {
  chainName,
  isOfBoot,
  listSegments,
  type OpenSegmentFile,
  RECOVERY_THREAD,
  type SegmentName,
  segmentFiles,
  segmentName,
  segmentPath,
} from './segment.ts'
import { closeBody, openBody } from './segment-lines.ts'

export interface RecoveryOptions {
  readonly directory: string
  readonly node: string
  /** The boot that begins: recovery's own chain has its name. */
  readonly boot: string
  /** Boots whose gate threads may still be writing (a control started anew beside a running gate). */
  readonly liveBoots?: readonly string[]
  readonly clock: Clock
  readonly openFile?: OpenSegmentFile
}

export interface RecoveryReport {
  /** Chains that had been left without their end. */
  readonly chains: number
  /** Exchanges closed as `unknown`. */
  readonly closed: number
  /** Corrupt and torn places, left as they are. */
  readonly faults: readonly AuditFault[]
}

const MAX_FAULTS = 1_000

interface OpenPlace {
  readonly segment: string
  readonly sequence: number
}

/**
 * What control does before the first gate thread starts: for every chain a crash left without its end it closes
 * the open intents as `unknown`, in a chain of its own; the crashed segments are read, reported and never written
 * to. Memory is bounded by what was in flight.
 */
export function recoverAudit(options: RecoveryOptions): RecoveryReport {
  const { directory, boot } = options
  const chains = listSegments(directory)
  const done = recoveredSegments(directory, chains)
  const live = new Set([boot, ...(options.liveBoots ?? [])])
  const faults: AuditFault[] = []
  const tell = (fault: AuditFault): void => {
    if (faults.length < MAX_FAULTS) faults.push(fault)
  }
  let log: RecoveryLog | null = null
  let recovered = 0
  let closed = 0
  for (const [chain, segments] of chains) {
    const last = segments.at(-1)
    if (last === undefined || done.has(last.file) || isOfBoot(chain, live)) continue
    const end = segmentEnd(segmentPath(directory, last))
    if (end?.final === true && end.torn === 0) continue
    const { open, head } = openIntents(directory, segments, end?.oldest ?? last.number, tell)
    log ??= new RecoveryLog(options)
    for (const [id, place] of open) log.add('recovered', recoveredBody(id, place))
    log.add('recovered-chain', `,"segment":${quote(last.file)},${head},"closed":${open.size}`)
    recovered++
    closed += open.size
  }
  log?.end()
  return { chains: recovered, closed, faults }
}

function recoveredBody(id: string, place: OpenPlace): string {
  return `,"id":${quote(id)},"segment":${quote(place.segment)},"intent":${place.sequence},"outcome":"unknown"`
}

function openIntents(
  directory: string,
  segments: readonly SegmentName[],
  oldest: number,
  tell: (fault: AuditFault) => void,
): { open: Map<string, OpenPlace>; head: string } {
  const open = new Map<string, OpenPlace>()
  const check = new ChainCheck(tell)
  if (oldest > (segments[0]?.number ?? 1)) check.resume()
  let head = '"lines":0'
  for (const segment of segments) {
    if (segment.number < oldest) continue
    check.beginSegment(segment)
    for (const scanned of scanLines(segmentPath(directory, segment))) {
      const envelope = check.line(scanned)
      if (envelope?.type !== 'intent' && envelope?.type !== 'outcome') continue
      const id = exchangeId(scanned.bytes)
      if (id === null) continue
      if (envelope.type === 'outcome') open.delete(id)
      else if (open.size < MAX_OPEN) open.set(id, { segment: segment.file, sequence: envelope.sequence })
    }
    const end = check.endSegment()
    head = `"lines":${end.lines},"bytes":${end.bytes}${end.hash === null ? '' : `,"hash":"${end.hash}"`}`
  }
  check.endChain()
  return { open, head }
}

const ID = /^\{[^{}[\]]{0,200}?"id":"([0-9A-Za-z-]{1,64})"/

function exchangeId(line: Buffer): string | null {
  return ID.exec(line.toString('latin1', 0, 320))?.[1] ?? null
}

/** Last segments of the chains that an earlier recovery has been through. */
function recoveredSegments(
  directory: string,
  chains: ReadonlyMap<string, readonly SegmentName[]>,
): ReadonlySet<string> {
  const done = new Set<string>()
  for (const [chain, segments] of chains) {
    if (!chain.endsWith(`-${RECOVERY_THREAD}`)) continue
    for (const segment of segments) {
      for (const { bytes, terminated, overlong } of scanLines(segmentPath(directory, segment))) {
        if (!terminated || overlong || readEnvelope(bytes)?.type !== 'recovered-chain') continue
        const name = parseLine(bytes.toString('latin1'))['segment']
        if (typeof name === 'string') done.add(name)
      }
    }
  }
  return done
}

/** Recovery's own chain: one segment for each start that had something to recover. */
class RecoveryLog {
  readonly #options: RecoveryOptions
  readonly #batch = new LineBatch(CHAIN_START)
  readonly #file
  #lines = 0

  constructor(options: RecoveryOptions) {
    this.#options = options
    const { directory, node, boot, clock } = options
    const chain = chainName(node, boot, RECOVERY_THREAD)
    const openFile = options.openFile ?? segmentFiles(DIRECT_SYNC)
    this.#file = openFile(join(directory, segmentName(chain, 1)))
    this.add('open', openBody({ node, boot, thread: -1, segment: 1, oldest: 1, restart: false }, clock.now()))
  }

  add(type: string, body: string): void {
    this.#batch.begin()
    this.#batch.add(type, body)
    this.#file.append(this.#batch.bytes())
    this.#lines += this.#batch.commit()
  }

  end(): void {
    this.add('close', closeBody(this.#lines + 1, true, this.#options.clock.now()))
    this.#file.close()
  }
}
