import type { AnswerItems, StatedItem } from '../contract/instantiate.ts'
import { decidingReads, itemReads, itemVerdict, namesItems } from '../decision/items.ts'
import type {
  DecisionInput,
  FieldObligation,
  ItemDecisions,
  ItemInput,
  ItemRow,
  PolicyEngine,
} from '../model/decision.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { idOf, objectFacts, type RequestStated } from './object-facts.ts'

/** Judged one by one at most; more in one answer are refused, not let through unjudged. */
const MAX_ITEMS = 10_000
/** Kinds of items, by what policies read of them, that one record keeps. */
const MAX_ROWS = 200

export interface JudgedItems {
  readonly decisions: ItemDecisions
  /** Row i of the decisions was judged over input i. */
  readonly inputs: readonly ItemInput[]
  readonly param: string | undefined
  /** The inputs tell items apart by their ids. */
  readonly byId: boolean
  /** Indexes of the items no policy lets the caller have. */
  readonly removed: ReadonlySet<number>
  /** Of an answer that is written anew as a whole: the row of each item, by its index. */
  readonly kinds: readonly number[]
}

export interface ListCall {
  readonly object: ObjectPlan
  readonly subject: Subject
  readonly request: RequestStated
  /** At the response checkpoint, with owner and tenant unknown. */
  readonly input: DecisionInput
  readonly engine: PolicyEngine
  /** Attribute paths the record keeps, besides those that policies read. */
  readonly kept: readonly string[]
}

/** The call is about a list of which policies may deny single items, whoever is allowed the list. */
export function filtersItems(
  object: ObjectPlan | undefined,
  input: DecisionInput | null,
  engine: PolicyEngine,
): boolean {
  return object?.items !== undefined && input !== null && namesItems(engine, input, object.items.param)
}

/** Judges the items of an answer; a finding where the answer cannot be judged item by item. */
export function judgeItems(items: AnswerItems | null, call: ListCall): JudgedItems | Finding {
  const stated = items?.stated ?? null
  const place = (call.object.items?.at ?? []).map((segment) => `/${segment}`).join('')
  if (stated === null) return finding(reason('list-unreadable', 'object', { place }))
  if (stated.length > MAX_ITEMS) return tooMany('items', MAX_ITEMS)
  const judged = new ItemJudge(call)
  const removed = new Set<number>()
  const kinds: number[] = []
  for (const [index, item] of stated.entries()) {
    const allowed = judged.allows(item)
    if (allowed === null) return tooManyKinds()
    kinds.push(judged.row)
    if (!allowed) removed.add(index)
  }
  return judged.judged(removed, kinds)
}

/** Judges items as they come; what policies read of them alike is judged once. */
export class ItemJudge {
  readonly #call: ListCall
  readonly #param: string | undefined
  readonly #reads: ReturnType<typeof itemReads>
  readonly #kinds = new Map<string, { count: number; readonly index: number; readonly allowed: boolean }>()
  readonly #rows: Omit<ItemRow, 'count'>[] = []
  readonly #inputs: ItemInput[] = []
  #judged = 0
  #row = -1
  #released = 0

  constructor(call: ListCall) {
    const { engine, input, kept } = call
    this.#call = call
    this.#param = call.object.items?.param
    // Whose an item is, few differ in; ids are all different, so policies of other operations must not ask for them.
    const { id } = itemReads([...decidingReads(engine, input), ...kept], this.#param)
    this.#reads = { ...itemReads([...engine.reads, ...kept], this.#param), id }
  }

  /** Index of the row that the last item was judged by. */
  get row(): number {
    return this.#row
  }

  /** What the last item goes out with. */
  get obligations(): readonly FieldObligation[] | undefined {
    return this.#rows[this.#row]?.obligations
  }

  /** Null where it is of a further kind than one record keeps: then nothing more can be judged. */
  allows(item: StatedItem | null): boolean | null {
    const { engine, input } = this.#call
    const one = itemOf(item, this.#call, this.#reads)
    const key = keyOf(one)
    let kind = this.#kinds.get(key)
    if (kind === undefined) {
      if (this.#rows.length === MAX_ROWS) return null
      const row = itemVerdict(engine, input, one, this.#param)
      kind = { index: this.#rows.length, count: 0, allowed: row.effect === 'allow' }
      this.#kinds.set(key, kind)
      this.#rows.push(row)
      this.#inputs.push(one)
    }
    kind.count++
    this.#row = kind.index
    this.#judged++
    // What is no object cannot be somebody's, whatever is permitted of those that state nothing.
    const allowed = kind.allowed && item !== null
    if (allowed) this.#released++
    return allowed
  }

  /** All of them so far; `removed`: their indexes, where the answer is written anew as a whole. */
  judged(removed: ReadonlySet<number> = NONE_REMOVED, kinds: readonly number[] = []): JudgedItems {
    const counts = [...this.#kinds.values()].map(({ count }) => count)
    const decisions: ItemDecisions = {
      judged: this.#judged,
      released: this.#released,
      rows: this.#rows.map((row, index) => ({ ...row, count: counts[index] ?? 0 })),
    }
    return { decisions, inputs: this.#inputs, param: this.#param, byId: this.#reads.id, removed, kinds }
  }
}

const NONE_REMOVED: ReadonlySet<number> = new Set()

function itemOf(item: StatedItem | null, call: ListCall, reads: ReturnType<typeof itemReads>): ItemInput {
  if (item === null) return {}
  const { owner, tenant } = objectFacts(call.object, call.subject, call.request, item)
  const id = reads.id ? idOf(item.id) : null
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(reads.owner && owner !== undefined ? { owner } : {}),
    ...(reads.tenant && tenant !== undefined ? { tenant } : {}),
  }
}

/** Lengths before texts: ids may hold any character, so no separator would keep two apart. */
function keyOf({ id, owner, tenant }: ItemInput): string {
  const part = (text: string | undefined): string => (text === undefined ? '-' : `${text.length}:${text}`)
  return part(id) + part(owner) + part(tenant)
}

export function tooManyKinds(): Finding {
  return tooMany('kinds of items', MAX_ROWS)
}

function tooMany(what: string, limit: number): Finding {
  return finding(reason('list-too-large', 'object', { what, limit }))
}
