import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditFault, TellFault } from './chain-check.ts'
import { CHAIN_START, type ChainPoint, lineHash, readEnvelope } from './line.ts'
import { type ScannedLine, scanLines } from './scan.ts'

/** A whole line of one of control's own files; `bytes` are valid until the next one is asked for. */
export interface LogLine {
  readonly bytes: Buffer
  readonly sequence: number
  readonly hash: string
  readonly line: number
  /** Offset of the line's first byte, and of what follows its newline. */
  readonly byte: number
  readonly end: number
}

/**
 * The whole lines of a file that is one chain by itself (checkpoints, management); every break is told. A line a
 * crash left unfinished is ended by the next append and passed over by the chain: that is `torn`, not `edited`.
 */
export function* chainedLines(
  directory: string,
  file: string,
  tell: TellFault = () => undefined,
): Generator<LogLine, void> {
  const path = join(directory, file)
  if (!existsSync(path)) return
  let expected: ChainPoint | null = CHAIN_START
  let last: Pick<AuditFault, 'segment' | 'line' | 'byte'> | null = null
  let broken: AuditFault | null = null
  for (const scanned of scanLines(path)) {
    const place = { segment: file, line: scanned.number, byte: scanned.offset }
    const envelope = scanned.terminated && !scanned.overlong ? readEnvelope(scanned.bytes) : null
    if (envelope === null) {
      if (broken !== null) tell(broken)
      const torn: boolean = expected !== null && beginsLike(scanned, expected)
      broken =
        torn && !scanned.terminated
          ? { ...place, kind: 'torn', detail: 'a line that was never finished' }
          : { ...place, kind: 'edited', detail: 'the line does not fit its own checksum or form' }
      if (!torn) expected = null
      continue
    }
    const links: boolean = expected?.next === envelope.sequence && expected.hash === envelope.previous
    if (broken !== null) {
      tell(links ? { ...broken, kind: 'torn', detail: 'a line that was never finished' } : broken)
      broken = null
    } else if (expected !== null && !links) tell(breakOf(expected, envelope.sequence, last ?? place, place))
    const hash = lineHash(scanned.bytes)
    expected = { next: envelope.sequence + 1, hash }
    last = place
    const end = scanned.offset + scanned.bytes.length + 1
    yield {
      bytes: scanned.bytes,
      sequence: envelope.sequence,
      hash,
      line: scanned.number,
      byte: scanned.offset,
      end,
    }
  }
  if (broken !== null) tell(broken)
}

function breakOf(
  expected: ChainPoint,
  sequence: number,
  last: Pick<AuditFault, 'segment' | 'line' | 'byte'>,
  place: Pick<AuditFault, 'segment' | 'line' | 'byte'>,
): AuditFault {
  if (sequence === expected.next) {
    return { ...last, kind: 'edited', detail: `the line does not have the hash that line ${sequence} states` }
  }
  return sequence > expected.next
    ? {
        ...place,
        kind: 'deleted',
        detail: `sequence ${expected.next} to ${sequence - 1} missing before this place`,
      }
    : { ...place, kind: 'reordered', detail: `sequence ${sequence} stands where ${expected.next} should` }
}

/** Whether the bytes can be the beginning of the line that was due. */
function beginsLike(scanned: ScannedLine, expected: ChainPoint): boolean {
  const due = `{"v":1,"n":${expected.next},"p":"${expected.hash}","t":"`
  const text = scanned.bytes.toString('latin1', 0, due.length)
  return due.startsWith(text) && (text.length === due.length || scanned.bytes.length === text.length)
}
