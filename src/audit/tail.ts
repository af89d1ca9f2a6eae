import { type FSWatcher, statSync, watch } from 'node:fs'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { ExchangeRecord } from '../model/record.ts'
import { segmentEnd } from './chain.ts'
import { parseLine } from './decode.ts'
import { readEnvelope } from './line.ts'
import { type Joined, RecordJoin } from './record-join.ts'
import { type ScannedLine, scanLines } from './scan.ts'
import { listSegments, RECOVERY_THREAD, type SegmentName, segmentPath } from './segment.ts'
import { openKeyRing } from './subject-keys.ts'

/** How far each chain was read: the number of a segment and a byte offset in it. Plain data, to be kept. */
export type TailPosition = Readonly<Record<string, { readonly segment: number; readonly offset: number }>>

export interface TailOptions {
  readonly directory: string
  readonly storeKey: Uint8Array | null
  /** `end`: only what comes from now on; `start`: all there is, then what comes; or where an earlier tail stopped. */
  readonly from: 'start' | 'end' | TailPosition
  readonly signal: AbortSignal
  /** Longest wait between two looks (ms, 100 unless told); a change in the folder is noticed sooner. */
  readonly pollMs?: number
}

/** `closed`: a record with its outcome (or `unknown`). `cut`: a record given before, now with its cut. */
export interface TailItem {
  readonly kind: 'closed' | 'cut'
  readonly record: ExchangeRecord
}

/** Changes come in storms under load; so much is let gather before the next look. */
const GATHER_MS = 10
const POLL_MS = 100
/** Records kept for a cut that may follow. */
const RECENT = 4_096
const LINES_A_TURN = 1_024

interface ChainTail {
  readonly chain: string
  readonly segments: SegmentName[]
  join: RecordJoin
  /** Index of the segment being read, -1 before the first. */
  index: number
  offset: number
  /** Up to here lines are taken in without being given: they were before. */
  readonly silentUntil: { readonly segment: number; readonly offset: number }
  ended: boolean
}

/**
 * Follows all chains of a folder by offset and gives each record as its outcome is written: what the live view
 * and the watch read. The segments themselves are the queue, so a slow reader costs the gate nothing.
 */
export class AuditTail {
  readonly #options: TailOptions
  readonly #chains = new Map<string, ChainTail>()
  readonly #recent = new Map<string, ExchangeRecord>()
  #nudge: () => void = () => undefined

  constructor(options: TailOptions) {
    this.#options = options
    this.#discover(options.from)
  }

  /** Where a later tail goes on after the item given last. */
  position(): TailPosition {
    const position: Record<string, { segment: number; offset: number }> = {}
    for (const { chain, segments, index, offset } of this.#chains.values()) {
      position[chain] = { segment: segments[index]?.number ?? 0, offset }
    }
    return position
  }

  /** Ends when the signal is given. One reader at a time. */
  async *records(): AsyncGenerator<TailItem, void> {
    const { signal, pollMs = POLL_MS } = this.#options
    const watcher = this.#watch()
    try {
      while (!signal.aborted) {
        this.#discover('start')
        for (const chain of this.#chains.values()) yield* this.#advance(chain)
        await this.#pause(Math.max(pollMs - GATHER_MS, 0))
      }
    } finally {
      watcher?.close()
    }
  }

  async *#advance(tail: ChainTail): AsyncGenerator<TailItem, void> {
    const { directory, signal } = this.#options
    while (!tail.ended && !signal.aborted) {
      const segment = tail.segments[tail.index]
      const next = tail.segments[tail.index + 1]
      if (segment !== undefined) {
        const path = segmentPath(directory, segment)
        let lines = 0
        if (statSync(path).size > tail.offset) {
          for (const line of scanLines(path, tail.offset)) {
            if (!line.terminated || signal.aborted) break
            const silent = isBefore(segment.number, line.offset, tail.silentUntil)
            tail.offset = line.offset + line.bytes.length + 1
            const item = this.#take(tail, line)
            if (item !== null && !silent) yield item
            if (++lines % LINES_A_TURN === 0) await setImmediate()
          }
        }
        // The next segment begins only after the last line of this one: a look more, and it is done.
        if (next === undefined || (lines > 0 && statSync(path).size > tail.offset)) return
      }
      if (next === undefined) return
      tail.index++
      tail.offset = 0
      const path = segmentPath(directory, next)
      const { storeKey } = this.#options
      tail.join.beginSegment(storeKey === null ? null : openKeyRing(path, next.file, storeKey))
    }
  }

  #take(tail: ChainTail, line: ScannedLine): TailItem | null {
    if (tail.chain.endsWith(`-${RECOVERY_THREAD}`)) return this.#recovered(line)
    const joined: Joined | null = tail.join.feed(line)
    if (joined === null) {
      if (readEnvelope(line.bytes)?.type === 'close' && line.bytes.includes('"final":true')) {
        tail.ended = true
        tail.join = new RecordJoin()
      }
      return null
    }
    if (joined.kind === 'closed') return this.#closed(joined.record)
    const record = this.#recent.get(joined.cut.id)
    return record === undefined ? null : { kind: 'cut', record: { ...record, cut: joined.cut } }
  }

  #recovered(line: ScannedLine): TailItem | null {
    if (readEnvelope(line.bytes)?.type !== 'recovered') return null
    const { id } = parseLine(line.bytes.toString('latin1'))
    if (typeof id !== 'string') return null
    for (const { join } of this.#chains.values()) {
      const record = join.closeUnknown(id)
      if (record !== null) return this.#closed(record)
    }
    return null
  }

  #closed(record: ExchangeRecord): TailItem {
    if (this.#recent.size >= RECENT) this.#recent.delete(this.#recent.keys().next().value ?? '')
    this.#recent.set(record.intent.id, record)
    return { kind: 'closed', record }
  }

  #discover(from: TailOptions['from']): void {
    const { directory } = this.#options
    for (const [chain, segments] of listSegments(directory)) {
      const known = this.#chains.get(chain)
      if (known !== undefined) {
        const last = known.segments.at(-1)?.number ?? 0
        known.segments.push(...segments.filter(({ number }) => number > last))
        continue
      }
      const last = segments.at(-1)
      const stopped =
        from === 'start' || last === undefined
          ? undefined
          : from === 'end'
            ? { segment: last.number, offset: segmentEnd(segmentPath(directory, last))?.bytes ?? 0 }
            : from[chain]
      // What is still open where reading stopped began at the latest in the segment that one names as oldest.
      const resumed = segments.find(({ number }) => number === stopped?.segment)
      const oldest = resumed === undefined ? 0 : (segmentEnd(segmentPath(directory, resumed))?.oldest ?? 0)
      const kept = segments.filter(({ number }) => number >= oldest)
      const silentUntil = stopped ?? { segment: 0, offset: 0 }
      const join = new RecordJoin()
      this.#chains.set(chain, {
        chain,
        segments: kept,
        join,
        index: -1,
        offset: 0,
        silentUntil,
        ended: false,
      })
    }
  }

  #watch(): FSWatcher | null {
    try {
      const watcher = watch(this.#options.directory, { persistent: false }, () => this.#nudge())
      watcher.on('error', () => undefined)
      return watcher
    } catch {
      // Without notice of changes there is still the poll.
      return null
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options
    const timer = new AbortController()
    const stop = () => timer.abort()
    this.#nudge = stop
    signal.addEventListener('abort', stop, { once: true })
    await sleep(ms, undefined, { signal: timer.signal }).catch(() => undefined)
    signal.removeEventListener('abort', stop)
    this.#nudge = () => undefined
    if (!signal.aborted) await sleep(GATHER_MS)
  }
}

function isBefore(segment: number, offset: number, until: ChainTail['silentUntil']): boolean {
  return segment < until.segment || (segment === until.segment && offset < until.offset)
}
