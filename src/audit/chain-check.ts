import { parseLine } from './decode.ts'
import { type Envelope, GENESIS, lineHash, readEnvelope } from './line.ts'
import type { ScannedLine } from './scan.ts'
import { parseSegmentName, type SegmentName } from './segment.ts'

/**
 * `edited`: bytes of a line are not those that were written. `deleted`: lines or segments are missing between
 * others. `reordered`: a line stands after a later one. `truncated`: the end is missing. `torn`: the last line
 * was never finished, as a crash or a full disk leaves it; no tampering by itself. `unfinished`: a chain without
 * its end that no running gate writes and no start has recovered: a crash leaves it, and so does whoever puts the
 * whole log back to an earlier moment. `foreign`: what does not belong there. `unsigned`: a checkpoint whose
 * signature does not verify.
 */
export type FaultKind =
  | 'edited'
  | 'deleted'
  | 'reordered'
  | 'truncated'
  | 'torn'
  | 'unfinished'
  | 'foreign'
  | 'unsigned'

export interface AuditFault {
  /** File name in the folder. */
  readonly segment: string
  /** From 1. */
  readonly line: number
  /** Offset of the line's first byte, or of where it should be. */
  readonly byte: number
  readonly kind: FaultKind
  readonly detail: string
}

export type TellFault = (fault: AuditFault) => void

interface Place {
  readonly segment: string
  readonly line: number
  readonly byte: number
}

interface Gap {
  from: number
  to: number
  readonly place: Place
  readonly kind: 'deleted' | 'truncated'
}

const MAX_GAPS = 1_000

/** Follows one chain line by line over its segments and tells every break with its position. */
export class ChainCheck {
  readonly #tell: TellFault
  readonly #gaps: Gap[] = []
  /** Highest sequence number so far, and the hash of its line; null: not known, the next link is taken as it is. */
  #highest = 0
  #hash: string | null = GENESIS
  #last: Place | null = null
  #segment: SegmentName = { file: '', chain: '', number: 0 }
  #lines = 0
  #end = 0
  #closed = false
  #final = false
  #broken = false

  constructor(tell: TellFault) {
    this.#tell = tell
  }

  /** The walk begins in the middle of a chain: what came before is not looked at. */
  resume(): void {
    this.#hash = null
  }

  beginSegment(segment: SegmentName): void {
    const place = this.#last ?? { segment: segment.file, line: 1, byte: 0 }
    const expected = this.#segment.number + 1
    if (segment.number > expected && (this.#segment.number > 0 || this.#hash !== null)) {
      const missing = segment.number === expected + 1 ? `${expected}` : `${expected} to ${segment.number - 1}`
      this.#tell({ ...place, kind: 'deleted', detail: `segment ${missing} of the chain is missing` })
      this.#hash = null
    } else if (this.#final) {
      this.#tell({ segment: segment.file, line: 1, byte: 0, kind: 'foreign', detail: 'the chain had ended' })
    }
    this.#segment = segment
    this.#lines = 0
    this.#end = 0
    this.#closed = false
  }

  /** The line's envelope; null where it is broken. */
  line(scanned: ScannedLine): Envelope | null {
    const place = { segment: this.#segment.file, line: scanned.number, byte: scanned.offset }
    if (!scanned.terminated) {
      this.#unterminated(scanned, place)
      return null
    }
    this.#lines = scanned.number
    this.#end = scanned.offset + scanned.bytes.length + 1
    const envelope = scanned.overlong ? null : readEnvelope(scanned.bytes)
    if (envelope === null) {
      this.#tell({ ...place, kind: 'edited', detail: 'the line does not fit its own checksum or form' })
      this.#hash = null
      this.#broken = true
      this.#last = place
      return null
    }
    if (this.#closed) this.#tell({ ...place, kind: 'foreign', detail: 'the segment had been closed' })
    this.#link(envelope, scanned, place)
    this.#content(envelope, scanned, place)
    this.#last = place
    this.#broken = false
    return envelope
  }

  endSegment(): {
    readonly lines: number
    readonly bytes: number
    readonly hash: string | null
    readonly closed: boolean
  } {
    return { lines: this.#lines, bytes: this.#end, hash: this.#hash, closed: this.#closed }
  }

  /** Sequence numbers that never came are told now: until the end they could still have been reordered. */
  endChain(): void {
    for (const gap of this.#gaps) {
      const count = gap.to - gap.from + 1
      const detail = `${count} line${count === 1 ? '' : 's'} (sequence ${gap.from} to ${gap.to}) missing before this place`
      this.#tell({ ...gap.place, kind: gap.kind, detail })
    }
    this.#gaps.length = 0
  }

  get last(): Place | null {
    return this.#last
  }

  /** The chain's last line so far ends it. */
  get final(): boolean {
    return this.#final
  }

  #unterminated(scanned: ScannedLine, place: Place): void {
    const whole = scanned.overlong ? null : readEnvelope(scanned.bytes.subarray(0, -1))
    this.#tell(
      whole === null
        ? {
            ...place,
            kind: 'torn',
            detail: `${scanned.bytes.length} bytes of a line that was never finished`,
          }
        : { ...place, kind: 'edited', detail: 'the line’s end was overwritten' },
    )
  }

  #link(envelope: Envelope, scanned: ScannedLine, place: Place): void {
    const { sequence, previous } = envelope
    const due = this.#highest + 1
    if (this.#restarts(envelope, scanned)) this.#highest = 0
    else if (this.#hash === null) {
      // After a break that was told, the chain is taken up where it goes on.
      if (sequence <= this.#highest) return this.#backward(sequence, place)
    } else if (sequence < due) return this.#backward(sequence, place)
    else if (sequence > due) this.#gap(due, sequence - 1, scanned, place)
    else if (previous !== this.#hash) {
      const detail = `the line does not have the hash that line ${sequence} of the chain states`
      this.#tell({ ...(this.#last ?? place), kind: 'edited', detail })
    }
    this.#highest = sequence
    this.#hash = lineHash(scanned.bytes)
  }

  #gap(from: number, to: number, scanned: ScannedLine, place: Place): void {
    const atStart = scanned.number === 1 && this.#last !== null
    const gap: Gap = {
      from,
      to,
      place: atStart ? (this.#last ?? place) : place,
      kind: atStart ? 'truncated' : 'deleted',
    }
    if (this.#gaps.length < MAX_GAPS) this.#gaps.push(gap)
    else
      this.#tell({ ...gap.place, kind: gap.kind, detail: `lines ${from} to ${to} of the chain are missing` })
  }

  #backward(sequence: number, place: Place): void {
    const index = this.#gaps.findIndex((gap) => gap.from <= sequence && sequence <= gap.to)
    const gap = this.#gaps[index]
    if (gap === undefined) {
      this.#tell({ ...place, kind: 'foreign', detail: `sequence ${sequence} comes a second time` })
      return
    }
    this.#tell({ ...place, kind: 'reordered', detail: `sequence ${sequence} stands after ${this.#highest}` })
    const rest = { ...gap, from: sequence + 1 }
    gap.to = sequence - 1
    if (rest.from <= rest.to) this.#gaps.splice(index + 1, 0, rest)
    if (gap.from > gap.to) this.#gaps.splice(index, 1)
  }

  /** A chain may begin anew only where the writer found the end before it unreadable, and says so. */
  #restarts(envelope: Envelope, scanned: ScannedLine): boolean {
    return (
      this.#broken &&
      envelope.type === 'open' &&
      envelope.sequence === 1 &&
      envelope.previous === GENESIS &&
      scanned.number === 1
    )
  }

  #content(envelope: Envelope, scanned: ScannedLine, place: Place): void {
    if (envelope.type === 'open') {
      const named = chainOf(scanned)
      if (named !== this.#segment.file || scanned.number !== 1) {
        this.#tell({
          ...place,
          kind: 'foreign',
          detail: `a first line of ${JSON.stringify(named)} stands here`,
        })
      }
    } else if (scanned.number === 1 && this.#gaps.length === 0 && !this.#broken) {
      this.#tell({ ...place, kind: 'foreign', detail: 'the segment does not begin with its first line' })
    }
    if (envelope.type === 'close') {
      this.#closed = true
      this.#final = scanned.bytes.includes('"final":true')
    }
  }
}

/** The file name that a segment's first line gives itself. */
function chainOf(scanned: ScannedLine): string {
  try {
    const { node, boot, thread, segment } = parseLine(scanned.bytes.toString('latin1'))
    const label = thread === -1 ? 'recovery' : String(thread)
    return parseSegmentName(`${node}-${boot}-${label}-${String(segment).padStart(6, '0')}.seg`)?.file ?? ''
  } catch {
    return ''
  }
}
