import { type Finding, finding } from '../model/fact.ts'
import type { ObjectPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import { DEFAULT_JSON_LIMITS, scanJson } from '../syntax/json.ts'
import { type AnswerSet, declaredContents } from './answer.ts'
import { type StatedItem, statedItem } from './answer-items.ts'
import { chooseContent } from './content.ts'
import type { ItemFraming } from './detail.ts'
import { checkFindings, contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { type Edit, Rewrite } from './rewrite.ts'

/** Of one item, which is held whole; more of them may be on their way on every connection. */
export const MAX_ITEM_BYTES = 262_144

/** How the items of a sequence are told apart, and held against their schema one by one. */
export interface ItemRule {
  readonly framing: ItemFraming
  readonly maxBytes: number
  /** An item that does not fit ends the sequence, instead of being left out. */
  readonly ends: boolean
  check(text: Uint8Array): ItemAnswer
}

export interface ItemAnswer {
  /** What speaks against the item as it came; empty: it may go out. */
  readonly findings: readonly Finding[]
  /** As an object rule's list names it; null where the item is no object. */
  readonly stated: StatedItem | null
  /** JSON pointers into the item of what is taken out of it. */
  readonly dropped: readonly string[]
  /** What stood at each of them, as sights in the same order. */
  readonly types: readonly string[]
  /** The item as it goes out, changed by `edit` where one is given; to be called once. */
  body(edit: Edit | null): Uint8Array
}

export function itemRule(set: AnswerSet, status: number, contentType: string | undefined): ItemRule | null {
  const chosen = chooseContent(declaredContents(set, status) ?? [], contentType)
  if (chosen === null || chosen.content.items === undefined) return null
  const { items: framing, check, shape } = chosen.content
  const maxBytes = Math.min(MAX_ITEM_BYTES, set.limits.maxBytes)
  const limits = { ...DEFAULT_JSON_LIMITS, maxBytes, maxStringBytes: maxBytes }
  return {
    framing,
    maxBytes,
    ends: set.undeclared === 'block',
    check(text) {
      const scan = scanJson(text, limits)
      if (!scan.ok) {
        const { rule, pointer, offset } = scan.fault
        return unfit(text, [contractFinding('response-malformed', { status, rule, pointer, offset })])
      }
      const stated = statedBy(scan.value, set.object)
      const rewrite = new Rewrite(text, scan.value, scan.exact, shape)
      const faults = check === null ? null : check.faults(rewrite.value, text.byteLength, rewrite.digits)
      const found =
        faults === null ? NO_FINDINGS : checkFindings('response-invalid', faults, MAX_FINDINGS, rewrite.value)
      const { dropped, types } = rewrite
      const blocked = set.undeclared === 'block' && dropped.length > 0
      const findings = blocked
        ? [finding(reason('response-field-undeclared', 'contract', { fields: dropped, types })), ...found]
        : found
      return {
        findings,
        stated,
        dropped,
        types,
        body: (edit) => {
          if (edit !== null) rewrite.edit(edit)
          return rewrite.bytes()
        },
      }
    },
  }
}

/** An item that cannot be read: there is nothing in it to release. */
export function unfit(text: Uint8Array, findings: readonly Finding[]): ItemAnswer {
  return { findings, stated: null, dropped: [], types: [], body: () => text }
}

function statedBy(value: unknown, object: ObjectPlan | undefined): StatedItem | null {
  return object?.items === undefined ? null : statedItem(value, object, object.items)
}
