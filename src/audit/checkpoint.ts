import { type KeyObject, sign, verify } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../model/ports.ts'
import { appendFile } from './append-file.ts'
import { segmentEnd } from './chain.ts'
import type { TellFault } from './chain-check.ts'
import { parseLine } from './decode.ts'
import { CHAIN_START, lineHash, lineHead, lineTail, TAIL_LENGTH } from './line.ts'
import { chainedLines } from './log-check.ts'
import { MANAGEMENT_FILE } from './management-log.ts'
import { listSegments } from './segment.ts'

export const CHECKPOINT_FILE = 'checkpoints.ndjson'

/** How far a segment's file was written when the checkpoint was made: its last whole line. */
export interface SegmentHeadPoint {
  readonly segment: string
  readonly sequence: number
  readonly hash: string
  /** Bytes up to and with that line. */
  readonly bytes: number
}

export interface CheckpointOptions {
  /** The `audit` folder. */
  readonly directory: string
  readonly privateKey: KeyObject
  readonly clock: Clock
}

/**
 * Control's signed statement of where every chain stood: chains alone show what is changed between two lines, a
 * checkpoint shows an end cut off and a chain written anew. Lines are chained like segments' own, and each holds
 * the heads that moved since the one before.
 */
export class CheckpointWriter {
  readonly #options: CheckpointOptions
  readonly #heads = new Map<string, SegmentHeadPoint>()
  #point = CHAIN_START

  constructor(options: CheckpointOptions) {
    this.#options = options
    for (const line of checkpointLines(options.directory)) {
      this.#point = { next: line.sequence + 1, hash: line.hash }
      for (const head of line.heads) this.#heads.set(head.segment, head)
    }
  }

  /**
   * Writes the first of a new store, over nothing: from then on a store without checkpoints is one that lost them.
   * False where segments are there and no checkpoint is. @throws SallyportError `audit-write-failed`
   */
  begin(): boolean {
    if (this.#point.next > 1) return true
    if (listSegments(this.#options.directory).size > 0) return false
    this.#append([])
    return true
  }

  /** Writes one where any head moved; gives the number of heads in it. @throws SallyportError `audit-write-failed` */
  write(): number {
    const moved = this.#moved()
    if (moved.length > 0) this.#append(moved)
    return moved.length
  }

  #append(moved: readonly SegmentHeadPoint[]): void {
    const { clock, directory, privateKey } = this.#options
    const heads = moved.map((head) => `["${head.segment}",${head.sequence},"${head.hash}",${head.bytes}]`)
    const body = `,"at":${Math.round(clock.now().wallMs)},"heads":[${heads.join(',')}]`
    const signed = lineHead(this.#point.next, this.#point.hash, 'checkpoint', body)
    const head = `${signed},"sig":"${sign(null, Buffer.from(signed), privateKey).toString('base64url')}"`
    const line = `${head}${lineTail(Buffer.from(head))}`
    appendFile(join(directory, CHECKPOINT_FILE), `${line}\n`)
    this.#point = { next: this.#point.next + 1, hash: lineHash(line) }
    for (const head of moved) this.#heads.set(head.segment, head)
  }

  #moved(): SegmentHeadPoint[] {
    const { directory } = this.#options
    const files = [...listSegments(directory).values()].flat().map(({ file }) => file)
    const moved: SegmentHeadPoint[] = []
    for (const file of [...files, MANAGEMENT_FILE]) {
      const path = join(directory, file)
      const known = this.#heads.get(file)
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (size <= (known?.bytes ?? 0)) continue
      const end = segmentEnd(path)
      if (end === null || known?.hash === end.hash) continue
      moved.push({ segment: file, sequence: end.sequence, hash: end.hash, bytes: end.bytes })
    }
    return moved
  }
}

interface CheckpointLine {
  readonly sequence: number
  readonly hash: string
  readonly heads: readonly SegmentHeadPoint[]
}

/** Whole checkpoints in order; every break in their own chain is told. */
export function* checkpointLines(
  directory: string,
  publicKey: KeyObject | null = null,
  tell: TellFault = () => undefined,
): Generator<CheckpointLine, void> {
  for (const { bytes, sequence, hash, line, byte } of chainedLines(directory, CHECKPOINT_FILE, tell)) {
    const { sig, heads } = parseLine(bytes.toString('latin1'))
    if (publicKey !== null && !isSigned(bytes, sig, publicKey)) {
      const detail = 'the checkpoint’s signature does not verify'
      tell({ segment: CHECKPOINT_FILE, line, byte, kind: 'unsigned', detail })
      continue
    }
    yield { sequence, hash, heads: readHeads(heads) }
  }
}

const SIGNATURE_LENGTH = ',"sig":"'.length + 86 + 1

function isSigned(line: Buffer, signature: unknown, publicKey: KeyObject): boolean {
  if (typeof signature !== 'string') return false
  const signed = line.subarray(0, line.length - TAIL_LENGTH - SIGNATURE_LENGTH)
  return verify(null, signed, publicKey, Buffer.from(signature, 'base64url'))
}

function readHeads(value: unknown): SegmentHeadPoint[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((head: unknown) => {
    if (!Array.isArray(head)) return []
    const [segment, sequence, hash, bytes] = head
    return typeof segment === 'string' &&
      typeof sequence === 'number' &&
      typeof hash === 'string' &&
      typeof bytes === 'number'
      ? [{ segment, sequence, hash, bytes }]
      : []
  })
}
