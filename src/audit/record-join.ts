import type { ExchangeRecord, OutcomeEntry } from '../model/record.ts'
import type { Subject } from '../model/subject.ts'
import {
  decodeCut,
  decodeIntent,
  decodeIntentSecret,
  decodeOutcome,
  decodeOutcomeSecret,
  decodeSecret,
  type IntentLine,
  type OutcomeLine,
  parseLine,
} from './decode.ts'
import { type Envelope, readEnvelope } from './line.ts'
import { MAX_OPEN } from './open-exchanges.ts'
import { mayMatch, type RecordFilter } from './record-filter.ts'
import { RepeatedDecisions } from './repeated-decisions.ts'
import type { ScannedLine } from './scan.ts'
import { open } from './seal.ts'
import type { KeyRing } from './subject-keys.ts'

/** What one segment's lines refer to: its subjects, still sealed, and the keys that open them. */
interface SegmentScope {
  readonly keys: KeyRing | null
  readonly subjects: Map<number, SubjectLine>
  node: string
  boot: string
  thread: number
}

interface SubjectLine {
  readonly sequence: number
  readonly keyRef: number
  readonly sealed: string
  subject: Subject | null | undefined
}

interface OpenIntent {
  readonly line: IntentLine
  readonly sequence: number
  readonly scope: SegmentScope
}

export type Joined =
  | { readonly kind: 'closed'; readonly record: ExchangeRecord }
  | { readonly kind: 'cut'; readonly cut: NonNullable<ExchangeRecord['cut']> }

const MAX_SUBJECT_LINES = 200_000

/**
 * Joins the lines of one chain to records, segment after segment. It reads what is there: whether that is what
 * was written, `verify` says. A line that is not whole is passed over.
 */
export class RecordJoin {
  readonly #filter: RecordFilter
  readonly #open = new Map<string, OpenIntent>()
  readonly #decisions = new RepeatedDecisions()
  #scope: SegmentScope = emptyScope(null)

  constructor(filter: RecordFilter = {}) {
    this.#filter = filter
  }

  beginSegment(keys: KeyRing | null): void {
    this.#scope = emptyScope(keys)
  }

  feed(scanned: ScannedLine): Joined | null {
    if (!scanned.terminated || scanned.overlong) return null
    const envelope = readEnvelope(scanned.bytes)
    if (envelope === null) return null
    try {
      return this.#take(envelope, scanned)
    } catch (error) {
      if (error instanceof SyntaxError) return null
      throw error
    }
  }

  /** Intents without outcome, in the order they came. */
  *remaining(recovered: ReadonlySet<string>): Generator<ExchangeRecord, void> {
    for (const intent of this.#open.values()) {
      yield recordOf(intent, recovered.has(intent.line.intent.id) ? 'unknown' : null)
    }
  }

  /** Closes an open intent that recovery found; null where there is none of this id. */
  closeUnknown(id: string): ExchangeRecord | null {
    const intent = this.#open.get(id)
    if (intent === undefined) return null
    this.#open.delete(id)
    return recordOf(intent, 'unknown')
  }

  #take(envelope: Envelope, scanned: ScannedLine): Joined | null {
    const { type, sequence } = envelope
    if (type === 'close') return null
    const text = scanned.bytes.toString('latin1')
    const line = this.#decisions.parse(text) ?? parseLine(text)
    switch (type) {
      case 'open':
        this.#scope.node = typeof line['node'] === 'string' ? line['node'] : ''
        this.#scope.boot = typeof line['boot'] === 'string' ? line['boot'] : ''
        this.#scope.thread = typeof line['thread'] === 'number' ? line['thread'] : -1
        return null
      case 'subject':
        if (this.#scope.subjects.size < MAX_SUBJECT_LINES) {
          this.#scope.subjects.set(Number(line['s']), {
            sequence,
            keyRef: Number(line['k']),
            sealed: typeof line['x'] === 'string' ? line['x'] : '',
            subject: undefined,
          })
        }
        return null
      case 'intent': {
        const intent = decodeIntent(line)
        if (!mayMatch(this.#filter, intent.intent)) return null
        if (this.#open.size >= MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? '')
        this.#open.set(intent.intent.id, { line: intent, sequence, scope: this.#scope })
        return null
      }
      case 'outcome': {
        const id = line['id']
        const intent = typeof id === 'string' ? this.#open.get(id) : undefined
        if (intent === undefined) return null
        this.#open.delete(intent.line.intent.id)
        const outcome = decodeOutcome(line)
        const record = recordOf(intent, this.#outcome(outcome, sequence))
        return { kind: 'closed', record: outcome.same ? withSameAttributes(record) : record }
      }
      case 'cut':
        return { kind: 'cut', cut: decodeCut(line) }
      default:
        return null
    }
  }

  #outcome(line: OutcomeLine, sequence: number): OutcomeEntry {
    if (line.sealed === '') return line.outcome
    const secret = unseal(this.#scope, line.subjectRef, sequence, line.sealed)
    return secret === null ? line.outcome : { ...line.outcome, ...decodeOutcomeSecret(secret) }
  }
}

function emptyScope(keys: KeyRing | null): SegmentScope {
  return { keys, subjects: new Map(), node: '', boot: '', thread: -1 }
}

function recordOf(open: OpenIntent, outcome: ExchangeRecord['outcome']): ExchangeRecord {
  const { line, scope, sequence } = open
  const secret = unseal(scope, line.subjectRef, sequence, line.sealed)
  const subject = subjectOf(scope, line.subjectRef)
  const readable = secret !== null && subject !== null
  const personal = readable ? decodeIntentSecret(secret) : { personal: null, attributes: null }
  return {
    v: 1,
    place: { node: scope.node, boot: scope.boot, thread: scope.thread, sequence },
    intent: {
      ...line.intent,
      subject: readable ? subject : null,
      ...personal,
      sealed: readable ? 'open' : 'erased',
    },
    outcome,
    cut: null,
  }
}

function withSameAttributes(record: ExchangeRecord): ExchangeRecord {
  const { outcome, intent } = record
  if (outcome === null || outcome === 'unknown') return record
  return { ...record, outcome: { ...outcome, attributes: intent.attributes } }
}

function subjectOf(scope: SegmentScope, ref: number): Subject | null {
  const line = scope.subjects.get(ref)
  if (line === undefined) return null
  if (line.subject === undefined) {
    const key = scope.keys?.find(line.keyRef) ?? null
    const text = key === null ? null : open(key, line.sequence, line.sealed)
    line.subject = text === null ? null : decodeSecret<Subject>(text)
  }
  return line.subject
}

function unseal(scope: SegmentScope, ref: number, sequence: number, sealed: string): string | null {
  const line = scope.subjects.get(ref)
  const key = line === undefined ? null : (scope.keys?.find(line.keyRef) ?? null)
  return key === null ? null : open(key, sequence, sealed)
}
