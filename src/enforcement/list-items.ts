import type { AnswerItems, StatedItem } from '../contract/instantiate.ts'
import { decidingReads, itemReads, itemVerdict, namesItems } from '../decision/items.ts'
import type { DecisionInput, ItemDecisions, ItemInput, ItemRow, PolicyEngine } from '../model/decision.ts'
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
  const { engine, input, kept } = call
  const param = call.object.items?.param
  // Whose an item is, few differ in; ids are all different, so policies of other operations must not ask for them.
  const { id } = itemReads([...decidingReads(engine, input), ...kept], param)
  const reads = { ...itemReads([...engine.reads, ...kept], param), id }
  const kinds = new Map<string, { index: number; count: number; allowed: boolean }>()
  const rows: Omit<ItemRow, 'count'>[] = []
  const inputs: ItemInput[] = []
  const removed = new Set<number>()
  for (const [index, item] of stated.entries()) {
    const one = itemOf(item, call, reads)
    const key = keyOf(one)
    let kind = kinds.get(key)
    if (kind === undefined) {
      if (rows.length === MAX_ROWS) return tooMany('kinds of items', MAX_ROWS)
      const row = itemVerdict(engine, input, one, param)
      kind = { index: rows.length, count: 0, allowed: row.effect === 'allow' }
      kinds.set(key, kind)
      rows.push(row)
      inputs.push(one)
    }
    kind.count++
    // What is no object cannot be somebody's, whatever is permitted of those that state nothing.
    if (!kind.allowed || item === null) removed.add(index)
  }
  const counts = [...kinds.values()].map(({ count }) => count)
  const decisions: ItemDecisions = {
    judged: stated.length,
    released: stated.length - removed.size,
    rows: rows.map((row, index) => ({ ...row, count: counts[index] ?? 0 })),
  }
  return { decisions, inputs, param, byId: id, removed }
}

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

function tooMany(what: string, limit: number): Finding {
  return finding(reason('list-too-large', 'object', { what, limit }))
}
