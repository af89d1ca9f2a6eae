import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { MAX_LINE_BYTES } from './line.ts'

const READ_BYTES = 1 << 20

/** One line of a segment: its bytes without the newline, valid until the next one is asked for. */
export interface ScannedLine {
  readonly bytes: Buffer
  /** Offset of its first byte in the file. */
  readonly offset: number
  /** From 1. */
  readonly number: number
  /** False for bytes after the last newline. */
  readonly terminated: boolean
  /** The line is over the limit: only its beginning is in `bytes`. */
  readonly overlong: boolean
}

/** Reads a file line by line in steps of 1 MiB, whatever it holds, in bounded memory. */
export function* scanLines(path: string, from = 0): Generator<ScannedLine, void> {
  const fd = openSync(path, 'r')
  try {
    const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(fstatSync(fd).size - from, 4_096)))
    let rest: Buffer = Buffer.alloc(0)
    let restOffset = from
    let skipped = 0
    let number = 0
    let position = from
    for (;;) {
      const got = readSync(fd, chunk, 0, chunk.length, position)
      if (got === 0) break
      let begin = 0
      for (;;) {
        const end = chunk.indexOf(10, begin)
        if (end < 0 || end >= got) break
        number++
        const tail = chunk.subarray(begin, end)
        const bytes = rest.length === 0 ? tail : Buffer.concat([rest, tail])
        yield { bytes, offset: restOffset, number, terminated: true, overlong: skipped > 0 }
        begin = end + 1
        rest = Buffer.alloc(0)
        skipped = 0
        restOffset = position + begin
      }
      if (rest.length + got - begin > MAX_LINE_BYTES) skipped += got - begin
      else rest = Buffer.concat([rest, chunk.subarray(begin, got)])
      position += got
    }
    if (rest.length > 0 || skipped > 0) {
      yield { bytes: rest, offset: restOffset, number: number + 1, terminated: false, overlong: skipped > 0 }
    }
  } finally {
    closeSync(fd)
  }
}
