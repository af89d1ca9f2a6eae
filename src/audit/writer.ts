import { join } from 'node:path'
import { SallyportError } from '../model/errors.ts'
import type { AuditWriter, Clock, Random } from '../model/ports.ts'
import type { CutEntry, IntentEntry, OutcomeEntry } from '../model/record.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { type ChainStart, startChain } from './chain.ts'
import { cutBody, intentBody, intentSecret, outcomeBody, outcomeSecret } from './entry-lines.ts'
import { LineBatch } from './line-batch.ts'
import { OpenExchanges } from './open-exchanges.ts'
import { keyWrap, ownerDigest, redactionDigest, seal } from './seal.ts'
import {
  chainName,
  keyFileOf,
  type OpenSegmentFile,
  type SegmentFile,
  type SyncPort,
  segmentFiles,
  segmentName,
} from './segment.ts'
import { closeBody, openBody, subjectBody } from './segment-lines.ts'
import { type SubjectEntry, SubjectTable } from './subject-table.ts'

export interface SegmentWriterOptions {
  /** The data directory's `audit` folder. */
  readonly directory: string
  readonly node: string
  readonly boot: string
  readonly thread: number
  readonly storeKey: Uint8Array
  /** `os`: written before return, on the disk within 50 ms. `disk`: on the disk before the promise settles. */
  readonly durability: 'os' | 'disk'
  readonly clock: Clock
  readonly random: Random
  readonly syncer: SyncPort
  readonly openFile?: OpenSegmentFile
  /** A segment is closed at this size (bytes); 64 MiB unless told. */
  readonly maxSegmentBytes?: number
}

const SEGMENT_BYTES = 64 * 1024 * 1024
/** After a failure no new segment is tried sooner: a full disk must not cost a file for each call. */
const RETRY_MS = 250

interface Current {
  readonly file: SegmentFile
  readonly keys: SegmentFile
  readonly table: SubjectTable
  readonly number: number
  lines: number
  /** Bytes up to the last write that landed whole. */
  landed: number
  keysSynced: number
}

/**
 * One gate thread's records: an append-only chain over numbered segments. Every entry is formed, sealed, chained
 * and written by the time a call returns; the caller's bytes go out after that, or not at all.
 */
export class SegmentWriter implements AuditWriter {
  readonly #options: SegmentWriterOptions
  readonly #chain: string
  readonly #openFile: OpenSegmentFile
  readonly #ownerDigest: (owner: string) => string
  readonly #redaction: (text: string) => string
  readonly #open = new OpenExchanges()
  readonly #start: ChainStart
  readonly #batch: LineBatch
  #nextNumber: number
  #current: Current | null = null
  #retryAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: SegmentWriterOptions) {
    this.#options = options
    this.#chain = chainName(options.node, options.boot, options.thread)
    this.#openFile = options.openFile ?? segmentFiles(options.syncer)
    this.#ownerDigest = ownerDigest(options.storeKey)
    this.#redaction = redactionDigest(options.storeKey)
    this.#start = startChain(options.directory, this.#chain)
    this.#batch = new LineBatch(this.#start.point)
    this.#nextNumber = this.#start.number
  }

  intent(entry: IntentEntry): Promise<void> | undefined {
    const segment = this.#segment()
    try {
      this.#batch.begin()
      this.#formIntent(segment, entry)
      this.#write(segment)
    } catch (error) {
      throw this.#abandon(segment, error)
    }
    this.#open.add(segment.number, entry)
    return this.#settle(segment)
  }

  outcome(entry: OutcomeEntry): Promise<void> | undefined {
    const segment = this.#segment()
    const intent = this.#open.find(entry.id)
    try {
      this.#batch.begin()
      this.#formOutcome(segment, entry, intent)
      this.#write(segment)
    } catch (error) {
      throw this.#abandon(segment, error)
    }
    this.#open.remove(entry.id)
    return this.#settle(segment)
  }

  refusal(intent: IntentEntry, outcome: OutcomeEntry): Promise<void> | undefined {
    const segment = this.#segment()
    try {
      this.#batch.begin()
      this.#formIntent(segment, intent)
      this.#formOutcome(segment, outcome, intent)
      this.#write(segment)
    } catch (error) {
      throw this.#abandon(segment, error)
    }
    return this.#settle(segment)
  }

  cut(entry: CutEntry): void {
    const segment = this.#segment()
    try {
      this.#batch.begin()
      this.#batch.add('cut', cutBody(entry))
      this.#write(segment)
    } catch (error) {
      throw this.#abandon(segment, error)
    }
    segment.file.requestSync()
  }

  /** Ends the present segment: what follows begins a new one, with new keys for whoever it is about. */
  rotate(): void {
    if (this.#current !== null && !this.#closed) this.#end(this.#current, false)
  }

  /** Ends the chain with a last line and waits until all of it is on the disk. Nothing is written afterwards. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const segment = this.#current ?? this.#ending()
    if (segment === null) return
    this.#end(segment, true)
    await Promise.all([segment.file.synced(segment.file.size), segment.keys.synced(segment.keys.size)])
    this.#release(segment)
  }

  /** After `rotate` nothing may have followed: the chain's end then needs a segment of its own. */
  #ending(): Current | null {
    if (this.#nextNumber === this.#start.number) return null
    try {
      return this.#begin()
    } catch {
      // What was written is as it is; the next start recovers the chain.
      return null
    }
  }

  #formIntent(segment: Current, entry: IntentEntry): void {
    const subject = this.#subject(segment, entry.subject, entry.personal.address)
    const sealed = seal(subject.key, this.#batch.next, intentSecret(entry))
    this.#batch.add('intent', intentBody(entry, subject.ref, sealed, this.#redaction))
  }

  #formOutcome(segment: Current, entry: OutcomeEntry, intent: IntentEntry | undefined): void {
    let ref = 0
    let sealed = ''
    const same = intent !== undefined && entry.attributes === intent.attributes
    const attributes = same ? null : entry.attributes
    if (attributes !== null || entry.original !== undefined) {
      const subject = this.#subject(segment, intent?.subject ?? ANONYMOUS, intent?.personal.address ?? '')
      ref = subject.ref
      sealed = seal(subject.key, this.#batch.next, outcomeSecret(attributes, entry.original))
    }
    this.#batch.add('outcome', outcomeBody(entry, ref, sealed, same, this.#redaction))
  }

  /** The subject's entry in this segment; at first sight its key is in the key file before anything refers to it. */
  #subject(segment: Current, subject: Subject, address: string): SubjectEntry {
    const known = segment.table.find(subject, address)
    if (known !== null) return known
    const { entry, keyLine } = segment.table.introduce(subject, address)
    if (keyLine !== '') segment.keys.append(Buffer.from(keyLine, 'latin1'))
    const sealed = seal(entry.key, this.#batch.next, JSON.stringify(subject))
    this.#batch.add('subject', subjectBody(entry, sealed))
    return entry
  }

  #write(segment: Current): void {
    segment.file.append(this.#batch.bytes())
    segment.landed = segment.file.size
    segment.lines += this.#batch.commit()
    segment.table.commit()
  }

  #settle(segment: Current): Promise<void> | undefined {
    if (this.#options.durability === 'os') {
      segment.file.requestSync()
      if (segment.keysSynced < segment.keys.size) {
        segment.keysSynced = segment.keys.size
        segment.keys.requestSync()
      }
      return undefined
    }
    const records = segment.file.synced(segment.file.size)
    if (segment.keysSynced >= segment.keys.size) return records
    // A record counts as kept only with the key it was sealed under, also one written for an earlier record.
    const size = segment.keys.size
    return Promise.all([records, segment.keys.synced(size)]).then(() => {
      segment.keysSynced = Math.max(segment.keysSynced, size)
    })
  }

  /** The segment to write to: the present one, or a new one after the first, the full and the failed. */
  #segment(): Current {
    if (this.#closed) throw failure('The record is closed: the thread is draining.')
    const present = this.#current
    if (present !== null) {
      if (present.file.failed || present.keys.failed) this.#drop(present)
      else if (
        present.file.size < (this.#options.maxSegmentBytes ?? SEGMENT_BYTES) &&
        present.table.full === false
      )
        return present
      else this.#end(present, false)
    }
    return this.#begin()
  }

  #begin(): Current {
    const { clock, directory, node, boot, thread, storeKey, random } = this.#options
    const now = clock.now()
    if (now.monoMs < this.#retryAt) throw failure('The record could not be written a moment ago.')
    const number = this.#nextNumber
    const name = segmentName(this.#chain, number)
    const path = join(directory, name)
    let keys: SegmentFile | null = null
    let file: SegmentFile | null = null
    try {
      // In this order, and removed in the other, so that no crash leaves keys without their segment.
      file = this.#openFile(path)
      keys = this.#openFile(keyFileOf(path))
      this.#batch.begin()
      const oldest = this.#open.oldest(number)
      const carried = this.#start.number > 1 ? Math.min(oldest, this.#start.oldest) : oldest
      const restart = this.#start.restart && number === this.#start.number
      this.#batch.add(
        'open',
        openBody({ node, boot, thread, segment: number, oldest: carried, restart }, now),
      )
      file.append(this.#batch.bytes())
      const table = new SubjectTable({
        segment: number,
        wrap: keyWrap(storeKey, name),
        digest: this.#ownerDigest,
        random,
      })
      const lines = this.#batch.commit()
      this.#current = { file, keys, table, number, lines, landed: file.size, keysSynced: 0 }
      this.#nextNumber = number + 1
      return this.#current
    } catch (error) {
      this.#retryAt = now.monoMs + RETRY_MS
      keys?.discard()
      file?.discard()
      throw asFailure(error)
    }
  }

  /** A last line that says how many there were. Where it cannot be written the segment stays without. */
  #end(segment: Current, final: boolean): void {
    try {
      this.#batch.begin()
      this.#batch.add('close', closeBody(segment.lines + 1, final, this.#options.clock.now()))
      this.#write(segment)
    } catch (error) {
      const fault = this.#abandon(segment, error)
      if (final) throw fault
      return
    }
    if (!final) this.#release(segment)
  }

  /**
   * What landed of a failed write is part of the chain as far as its lines are whole; a torn line is left behind
   * and the chain goes on from the last whole one, in a new segment. An entry that could not be formed has touched
   * no file: it fails alone.
   */
  #abandon(segment: Current, error: unknown): SallyportError {
    if (!(error instanceof SallyportError) && segment.file.size === segment.landed) {
      this.#batch.begin()
      segment.table.undo()
      return asFailure(error)
    }
    this.#batch.commitLanded(segment.file.size - segment.landed)
    this.#drop(segment)
    this.#retryAt = this.#options.clock.now().monoMs + RETRY_MS
    return asFailure(error)
  }

  #drop(segment: Current): void {
    if (this.#current === segment) this.#release(segment)
  }

  #release(segment: Current): void {
    this.#current = null
    segment.file.close()
    segment.keys.close()
  }
}

function asFailure(error: unknown): SallyportError {
  if (error instanceof SallyportError) return error
  return failure('The record could not be formed.', error)
}

function failure(message: string, cause?: unknown): SallyportError {
  return new SallyportError('audit-write-failed', message, {}, cause)
}
