import { type ItemAnswer, type ItemRule, unfit } from '../contract/instantiate.ts'
import { SallyportError } from '../model/errors.ts'
import type { Source } from '../model/exchange.ts'
import { type Finding, finding } from '../model/fact.ts'
import { opposes, type ReasonCode, reason } from '../model/reason.ts'
import type { SequenceShape } from '../model/record.ts'
import { frameItem, type SequenceItem, SequenceSplitter } from '../syntax/item-sequence.ts'
import { type ItemJudge, tooManyKinds } from './list-items.ts'
import type { StreamedFields } from './shown-fields.ts'

/** Findings of one stream that its record keeps; the items they were made at are counted. */
const MAX_STREAM_FINDINGS = 20
const MAX_DROPPED = 100

/** Bytes of items checked before others get their turn, and what an item costs beside its bytes: about 2 ms. */
const WORK_A_TURN = 65_536
const WORK_OF_AN_ITEM = 256

export interface ItemStreamOptions {
  readonly rule: ItemRule
  /** Judges whose each item is; null where the list as a whole is allowed. */
  readonly judge: ItemJudge | null
  /** False: what is wrong with items is only noted, and no byte changes. */
  readonly held: boolean
  /** Hides fields of each item; null where none is to be hidden. */
  readonly fields: StreamedFields | null
  /** False: items that no policy allows are only counted. */
  readonly filters: boolean
  /** What the source gives was decoded: the bytes as they came, for a stream that is only observed. */
  readonly asCame?: Uint8Array
}

/**
 * A sequence passed on item by item: each is read strictly, held against its schema and judged before any of it goes
 * out, written anew from what was checked. Pulled like every source, so that a slow reader stops the upstream.
 */
export class ItemStream implements Source {
  readonly #source: Source
  readonly #options: ItemStreamOptions
  readonly #splitter: SequenceSplitter
  readonly #findings = new Map<string, Finding>()
  readonly #dropped = new Map<string, string>()
  #items = 0
  #released = 0
  #unfit = 0
  #work = 0
  /** Nothing after it is read as items any more. */
  #over = false
  #cut: Finding | null = null
  #ended = false

  constructor(source: Source, options: ItemStreamOptions) {
    this.#source = source
    this.#options = options
    this.#splitter = new SequenceSplitter(options.rule.framing, options.rule.maxBytes)
  }

  /** Items go out as they are written anew, and not the bytes that came. */
  get rewrites(): boolean {
    const { held, filters, fields } = this.#options
    return held || filters || fields !== null
  }

  get trailers(): Source['trailers'] {
    return this.rewrites ? [] : this.#source.trailers
  }

  /** What was found so far, each kind once. */
  get findings(): readonly Finding[] {
    const dropped = this.dropped
    const types = [...this.#dropped.values()]
    const all = [...this.#findings.values()]
    return dropped.length === 0
      ? all
      : [...all, finding(reason('response-field-dropped', 'contract', { fields: dropped, types }))]
  }

  get dropped(): readonly string[] {
    return [...this.#dropped.keys()]
  }

  get shape(): SequenceShape {
    return { items: this.#items, released: this.#released, unfit: this.#unfit }
  }

  cancel(why: string): void {
    this.#ended = true
    this.#source.cancel(why)
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      // What stood before an item that ends the stream has gone out by now.
      if (this.#cut !== null) throw new StreamCut(this.#cut)
      if (this.#ended) return null
      const chunk = await this.#source.read()
      if (chunk === null) this.#ended = true
      const out = await this.#take(chunk)
      if (!this.rewrites) return chunk === null ? null : (this.#options.asCame ?? chunk)
      if (out.length > 0) return Buffer.from(out)
    }
  }

  async #take(chunk: Uint8Array | null): Promise<string> {
    if (this.#over) return ''
    const split = chunk === null ? this.#splitter.end() : this.#splitter.push(chunk)
    if (!split.ok) {
      const { maxBytes } = this.#options.rule
      return this.#break(finding(reason('response-too-large', 'contract', { limit: maxBytes, rule: 'item' })))
    }
    let out = ''
    for (const item of split.items) {
      // Chunks that wait are read without the loop turning: a stream of small items would have the thread for itself.
      const work = WORK_OF_AN_ITEM + (item.text?.byteLength ?? 0)
      this.#work += work
      if (this.#work > WORK_A_TURN) {
        this.#work = work
        await new Promise((resolve) => setImmediate(resolve))
      }
      // Cancelled meanwhile.
      if (this.#ended && chunk !== null) return ''
      out += this.#one(item)
      if (this.#over) break
    }
    return out
  }

  #one(item: SequenceItem): string {
    const { rule, judge, held, fields, filters } = this.#options
    if (item.text === null && !item.broken) return frameItem(rule.framing, item, null)
    this.#items++
    const checked = this.#check(item)
    const against = checked.findings.find(({ reason: { code } }) => opposes(code))
    if (against !== undefined) {
      if (rule.ends && held) return this.#break(against)
      this.#unfit++
      this.#note(rule.ends ? against : leftOut(against))
      // Nothing can be hidden in what cannot be read.
      if (held || fields !== null) return ''
    }
    if (judge !== null) {
      const allowed = judge.allows(checked.stated)
      if (allowed === null) return this.#break(tooManyKinds())
      if (!allowed && filters) return ''
      if (!allowed) return frameItem(rule.framing, item, item.text)
    }
    const dropped = against === undefined ? checked.dropped : []
    for (const [index, pointer] of dropped.entries())
      if (this.#dropped.size < MAX_DROPPED && !this.#dropped.has(pointer))
        this.#dropped.set(pointer, checked.types[index] ?? '')
    this.#released++
    const edit = fields?.edit(judge?.obligations) ?? null
    return frameItem(rule.framing, item, held || edit !== null ? checked.body(edit) : item.text)
  }

  #check(item: SequenceItem): ItemAnswer {
    const { text, broken } = item
    if (text !== null && !broken) return this.#options.rule.check(text)
    const malformed = finding(reason('response-malformed', 'contract', { rule: 'framing' }))
    return unfit(text ?? new Uint8Array(0), [malformed])
  }

  #note(found: Finding): void {
    const { code, evidence } = found.reason
    const key = `${code} ${String(evidence['pointer'])} ${String(evidence['rule'])}`
    if (this.#findings.size < MAX_STREAM_FINDINGS) this.#findings.set(key, found)
  }

  /** Nothing after this can be told apart, or released: what went out stays so, and the stream ends here. */
  #break(found: Finding): string {
    this.#note(found)
    this.#over = true
    if (this.rewrites) this.#cut = found
    return ''
  }
}

/** The gate ends a stream under way; the finding says why. */
export class StreamCut extends SallyportError {
  readonly finding: Finding

  constructor(found: Finding) {
    super('upstream-broken', 'the gate ended the stream', { reason: found.reason.code })
    this.finding = found
  }
}

/** The item is left out, so that the call itself is not refused: what was wrong is its evidence. */
function leftOut({ reason: { code, evidence } }: Finding): Finding {
  const { pointer, rule, type } = evidence
  const place = typeof pointer === 'string' ? { pointer } : {}
  const seen = typeof type === 'string' ? { type } : {}
  const which: ReasonCode | string = typeof rule === 'string' ? rule : code
  return finding(reason('response-item-dropped', 'contract', { ...place, rule: which, code, ...seen }))
}
