/**
 * Sequences of JSON texts as they arrive: a line each (NDJSON, JSON Lines), a record each (RFC 7464), or the data of
 * an event each (HTML §9.2.6, server-sent events). Framing alone is read here; each text is then read strictly by itself.
 */
export type Framing = 'lines' | 'records' | 'events'

export interface SequenceItem {
  /** The JSON text; of an event its data, lines joined by LF. Null: something else stands between items. */
  readonly text: Uint8Array | null
  /** It is not framed as its media type says, and can be no item. */
  readonly broken: boolean
  /** Of an event: its fields but for `data`, written anew. */
  readonly head: string
}

export type Split =
  | { readonly ok: true; readonly items: readonly SequenceItem[] }
  /** One item alone is larger than the limit: where it ends is not known. */
  | { readonly ok: false }

const LF = 0x0a
const CR = 0x0d
const RS = 0x1e
const NOTHING = new Uint8Array(0)
const TOO_LARGE: Split = { ok: false }

/** Bytes in, items out, each once it is whole; holds at most one item and one chunk. */
export class SequenceSplitter {
  readonly #framing: Framing
  readonly #maxBytes: number
  /** What came of an item that has not ended, and room to grow: a byte at a time must not copy all of it each time. */
  #held: Buffer = Buffer.alloc(0)
  #length = 0
  /** No byte before this one of what is held ends an item. */
  #searched = 0
  #started = false

  constructor(framing: Framing, maxBytes: number) {
    this.#framing = framing
    this.#maxBytes = maxBytes
  }

  push(chunk: Uint8Array): Split {
    const bytes = this.#joined(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    const items: SequenceItem[] = []
    let from = 0
    if (!this.#started && this.#framing === 'events' && bytes.length < 3) return this.#keep(bytes, 0, items)
    if (
      !this.#started &&
      this.#framing === 'events' &&
      bytes[0] === 0xef &&
      bytes[1] === 0xbb &&
      bytes[2] === 0xbf
    )
      from = 3
    this.#started = true
    let search = Math.max(from, this.#searched)
    for (;;) {
      const end = this.#endFrom(bytes, from, search)
      if (end === null) break
      if (end.at - from > this.#maxBytes) return TOO_LARGE
      const item = this.#item(bytes.subarray(from, end.at), true)
      if (item !== null) items.push(item)
      from = end.next
      search = from
    }
    return this.#keep(bytes, from, items)
  }

  /** What is left at the end: a last line needs no end, an event does (HTML §9.2.6), and a record may be cut off. */
  end(): Split {
    const rest = this.#held.subarray(0, this.#length)
    this.#length = 0
    this.#held = Buffer.alloc(0)
    if (rest.length === 0 || this.#framing === 'events') return { ok: true, items: [] }
    if (rest.length > this.#maxBytes) return TOO_LARGE
    const item = this.#item(rest, false)
    return { ok: true, items: item === null ? [] : [item] }
  }

  /** What is held and the chunk behind it; the chunk itself where nothing is held. */
  #joined(chunk: Buffer): Buffer {
    if (this.#length === 0) return chunk
    const length = this.#length + chunk.length
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#held.length))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    chunk.copy(this.#held, this.#length)
    this.#length = length
    return this.#held.subarray(0, length)
  }

  #keep(bytes: Buffer, from: number, items: readonly SequenceItem[]): Split {
    const rest = bytes.subarray(from)
    if (rest.length > this.#maxBytes) return TOO_LARGE
    // Items given out are parts of these bytes, so what is left gets others; and it would keep a whole chunk alive.
    if (this.#length === 0 || from > 0) this.#held = rest.length === 0 ? Buffer.alloc(0) : Buffer.from(rest)
    this.#length = rest.length
    // An end may be of several bytes, of which some are here.
    this.#searched = Math.max(0, rest.length - 3)
    return { ok: true, items }
  }

  #endFrom(bytes: Buffer, from: number, search: number): { at: number; next: number } | null {
    if (this.#framing === 'lines') {
      const at = bytes.indexOf(LF, search)
      return at < 0 ? null : { at, next: at + 1 }
    }
    if (this.#framing === 'records') {
      const at = bytes.indexOf(RS, Math.max(search, from + 1))
      return at < 0 ? null : { at, next: at }
    }
    return eventEnd(bytes, Math.max(from, search - 3))
  }

  #item(bytes: Buffer, whole: boolean): SequenceItem | null {
    switch (this.#framing) {
      case 'lines': {
        const text = bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes
        return isBlank(text) ? null : { text, broken: false, head: '' }
      }
      case 'records':
        return recordOf(bytes, whole)
      case 'events':
        return eventOf(bytes)
    }
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === LF || byte === CR)
}

/** RFC 7464 §2.4: a text that is not ended by white space may be cut off, which of a number cannot be seen. */
function recordOf(bytes: Buffer, whole: boolean): SequenceItem | null {
  if (bytes[0] !== RS) return isBlank(bytes) ? null : { text: bytes, broken: true, head: '' }
  const text = bytes.subarray(1)
  if (isBlank(text)) return null
  const last = text.at(-1) ?? 0
  const closed = last === LF || last === CR || last === 0x20 || last === 0x09
  const open = last !== 0x7d && last !== 0x5d && last !== 0x22
  return { text, broken: !closed && (open || !whole), head: '' }
}

/** Where an event ends: at an empty line, lines ending in LF, CR or CRLF; null where none has come whole. */
function eventEnd(bytes: Buffer, from: number): { at: number; next: number } | null {
  for (let i = from; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte !== LF && byte !== CR) continue
    // A CR at the very end may be half of a CRLF.
    if (byte === CR && i + 1 === bytes.length) return null
    const next = byte === CR && bytes[i + 1] === LF ? i + 2 : i + 1
    const second = bytes[next]
    if (second === LF) return { at: i, next: next + 1 }
    if (second === CR) {
      if (next + 1 === bytes.length) return null
      return { at: i, next: bytes[next + 1] === LF ? next + 2 : next + 1 }
    }
    i = next - 1
  }
  return null
}

const NO_NUL = /^[^\0]*$/
const DIGITS = /^\d{1,15}$/

/** Comments and unknown fields, which clients ignore, are left out; a block of them alone still keeps the line alive. */
function eventOf(bytes: Buffer): SequenceItem | null {
  const decoded = decode(bytes)
  if (decoded === null) return { text: NOTHING, broken: true, head: '' }
  const data: string[] = []
  let head = ''
  let any = false
  for (const line of decoded.split(/\r\n|\n|\r/)) {
    if (line === '') continue
    any = true
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data.push(value)
    else if (name === 'event') head += `event: ${value}\n`
    else if (name === 'id' && NO_NUL.test(value)) head += `id: ${value}\n`
    else if (name === 'retry' && DIGITS.test(value)) head += `retry: ${value}\n`
  }
  if (!any) return null
  return { text: data.length === 0 ? null : Buffer.from(data.join('\n')), broken: false, head }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

/** An item as it goes out: framed as its media type says, whatever was around it. */
export function frameItem(framing: Framing, { head }: SequenceItem, text: Uint8Array | null): string {
  if (text === null) return head === '' ? ':\n\n' : `${head}\n`
  const json = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')
  switch (framing) {
    case 'lines':
      return `${json}\n`
    case 'records':
      return `\u001e${json.trimEnd()}\n`
    case 'events':
      return `${head}${json
        .split('\n')
        .map((line) => `data: ${line}\n`)
        .join('')}\n`
  }
}
