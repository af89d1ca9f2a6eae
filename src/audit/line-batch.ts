import { type ChainPoint, lineHash, lineHead, lineTail, MAX_LINE_BYTES, TAIL_LENGTH } from './line.ts'

const NEWLINE = 10

/**
 * The lines of one write. They are chained as they are formed; the chain itself moves only when they have landed,
 * so that a failed write leaves it at the last line the file really holds.
 */
export class LineBatch {
  #committedNext: number
  #committedHash: string
  #next: number
  #hash: string
  #count = 0
  #length = 0
  #buffer = Buffer.allocUnsafe(32 * 1024)

  constructor(point: ChainPoint) {
    this.#committedNext = this.#next = point.next
    this.#committedHash = this.#hash = point.hash
  }

  /** Sequence number of the line to be added next. */
  get next(): number {
    return this.#next
  }

  get point(): ChainPoint {
    return { next: this.#committedNext, hash: this.#committedHash }
  }

  begin(): void {
    this.#next = this.#committedNext
    this.#hash = this.#committedHash
    this.#count = 0
    this.#length = 0
  }

  add(type: string, body: string): void {
    const head = lineHead(this.#next, this.#hash, type, body)
    if (head.length >= MAX_LINE_BYTES - TAIL_LENGTH)
      throw new RangeError('the line is too long to be read back')
    const begin = this.#length
    this.#makeRoom(head.length + TAIL_LENGTH + 1)
    const buffer = this.#buffer
    // A character is a byte: lines are ASCII.
    const headEnd = begin + buffer.write(head, begin, 'latin1')
    const end = headEnd + buffer.write(lineTail(buffer.subarray(begin, headEnd)), headEnd, 'latin1')
    this.#hash = lineHash(buffer.subarray(begin, end))
    buffer[end] = NEWLINE
    this.#length = end + 1
    this.#next++
    this.#count++
  }

  /** The batch as bytes, valid until the next `begin`. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** All of it landed. Gives the number of lines. */
  commit(): number {
    this.#committedNext = this.#next
    this.#committedHash = this.#hash
    this.#length = 0
    return this.#count
  }

  /** Only the first `landed` bytes did: lines that are whole count, a torn one does not. */
  commitLanded(landed: number): void {
    const bytes = this.#buffer.subarray(0, Math.min(landed, this.#length))
    for (let begin = 0; ; ) {
      const end = bytes.indexOf(NEWLINE, begin)
      if (end < 0) break
      this.#committedHash = lineHash(bytes.subarray(begin, end))
      this.#committedNext++
      begin = end + 1
    }
    this.begin()
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe((this.#length + bytes) * 2)
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
