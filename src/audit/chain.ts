import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CHAIN_START, type ChainPoint, lineHash, MAX_LINE_BYTES, readEnvelope } from './line.ts'
import { listSegments, segmentPath } from './segment.ts'

/** Where a thread's chain goes on: after what an earlier thread of the same name wrote, or at its beginning. */
export interface ChainStart {
  readonly point: ChainPoint
  /** Number of the segment to be written. */
  readonly number: number
  /** First segment that may hold an intent still open. */
  readonly oldest: number
  /** The earlier segment's end cannot be read, so the chain begins anew and says so. */
  readonly restart: boolean
}

export function startChain(directory: string, chain: string): ChainStart {
  const last = listSegments(directory).get(chain)?.at(-1)
  if (last === undefined) return { point: CHAIN_START, number: 1, oldest: 1, restart: false }
  const end = segmentEnd(segmentPath(directory, last))
  if (end === null) return { point: CHAIN_START, number: last.number + 1, oldest: last.number, restart: true }
  return {
    point: { next: end.sequence + 1, hash: end.hash },
    number: last.number + 1,
    oldest: end.oldest,
    restart: false,
  }
}

/** The last complete line of a segment, and what follows it. */
export interface SegmentEnd {
  readonly sequence: number
  readonly hash: string
  readonly type: string
  /** The line ends the chain. */
  readonly final: boolean
  /** Bytes up to and with that line's newline. */
  readonly bytes: number
  /** Bytes after it: more than none in a torn segment, or while a line is being written. */
  readonly torn: number
  /** As the segment's first line states it. */
  readonly oldest: number
}

/** Reads only a segment's first line and its end. Null where there is no whole line of ours at the end. */
export function segmentEnd(path: string): SegmentEnd | null {
  const fd = openSync(path, 'r')
  try {
    const size = fstatSync(fd).size
    let length = Math.min(size, USUAL_TAIL)
    let tail = readAt(fd, size - length, length)
    if (lastLine(tail, length === size) === null) {
      length = Math.min(size, 2 * MAX_LINE_BYTES)
      tail = readAt(fd, size - length, length)
    }
    const line = lastLine(tail, length === size)
    if (line === null) return null
    const newline = line.byteOffset - tail.byteOffset + line.length
    const envelope = readEnvelope(line)
    if (envelope === null) return null
    const oldest = /^[^\n]{0,1024}?"oldest":(\d{1,12})/.exec(readAt(fd, 0, 1024).toString('latin1'))
    return {
      sequence: envelope.sequence,
      hash: lineHash(line),
      type: envelope.type,
      final: envelope.type === 'close' && line.includes('"final":true'),
      bytes: size - length + newline + 1,
      torn: length - newline - 1,
      oldest: oldest === null ? 1 : Number(oldest[1]),
    }
  } finally {
    closeSync(fd)
  }
}

const USUAL_TAIL = 32 * 1024

function lastLine(tail: Buffer, whole: boolean): Buffer | null {
  const newline = tail.lastIndexOf(10)
  const before = newline <= 0 ? -1 : tail.lastIndexOf(10, newline - 1)
  return newline < 0 || (before < 0 && !whole) ? null : tail.subarray(before + 1, newline)
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const got = readSync(fd, buffer, filled, length - filled, position + filled)
    if (got === 0) break
    filled += got
  }
  return buffer.subarray(0, filled)
}
