import { POLICY_CODES } from '../decision/decide.ts'
import type { ItemInput } from '../model/decision.ts'
import { opposes } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import type { Hints } from './hints.ts'
import {
  leaves,
  OF_CALL,
  OF_ITEM,
  OF_POLICIES,
  policyDrawing,
  turningFacts,
  type Would,
} from './policy-drawing.ts'
import { count, printable } from './printable.ts'
import type { Rejudged } from './record-actions.ts'
import { attributesOf, changeFor, decisionsOf, denialOf } from './record-view.ts'

/** Kinds of items on the terminal; --json gives them all. */
const SHOWN = 12

/** Why the policies decided as they did: drawn, and the facts that alone would have turned it, in words. */
export function policyStory(record: ExchangeRecord, { trace, items = [] }: Rejudged): readonly string[] {
  const lines: string[] = []
  // Of a list, each kind of item is a decision of its own.
  if (trace !== null && items.length === 0) {
    const would = wouldOf(record)
    const drawing = policyDrawing(trace, would)
    if (drawing.length > 0) lines.push('why the policies decided so', ...drawing, '')
    const turning = turningFacts(trace, would)
    if (turning.length > 0)
      lines.push('what alone would have turned it', ...turning.map((fact) => printable(`  ${fact}`)), '')
  }
  for (const effect of ['deny', 'allow'] as const) {
    const one = items.find((item) => item.effect === effect)
    if (one === undefined) continue
    const item = attributesOf(record)?.items?.[one.row]
    const what = effect === 'deny' ? 'was taken out' : 'was released'
    const field = effect === 'deny' ? 'was refused' : 'was allowed'
    const said =
      item?.action === undefined ? `why an item of ${itemText(item)} ${what}` : `why ${item.action} ${field}`
    lines.push(printable(said), ...policyDrawing(one.trace, OF_ITEM), '')
  }
  return lines
}

const OWNED = new Set(['resource.owner == principal', 'principal == resource.owner'])

/** The smallest change, with what only judging again shows: that a forbid spares the owner. */
export function changeOf(record: ExchangeRecord, { trace }: Rejudged, hints: Hints): string {
  const change = changeFor(record, hints)
  const forbidden = denialOf(record)?.reason?.code === 'policy-forbids'
  if (!forbidden || trace?.verdict !== 'deny' || wouldOf(record) !== OF_CALL) return change
  const spares = trace.policies.some(
    ({ effect, clauses }) =>
      effect === 'forbid' &&
      clauses.flatMap(leaves).some(({ text, held, turns }) => turns && held === 'fails' && OWNED.has(text)),
  )
  return spares ? change.replace(/^Change /, 'Call as the owner, or change ') : change
}

/** What the policies' other verdict would have come to, for this call. */
export function wouldOf(record: ExchangeRecord): Would {
  const last = decisionsOf(record).at(-1)
  const elsewhere = last?.reasons.some(({ code }) => opposes(code) && !POLICY_CODES.has(code)) ?? false
  return elsewhere || record.intent.mode === 'observe' || last?.observed !== undefined ? OF_POLICIES : OF_CALL
}

/** A list's items by kind: how many of each, what became of them, what tells them apart, and by which policies. */
export function itemRows(record: ExchangeRecord): readonly (readonly string[])[] {
  const decision = decisionsOf(record).findLast(({ items }) => items !== undefined)
  if (decision?.items === undefined) return []
  const { rows, judged, released } = decision.items
  const stated = attributesOf(record)?.items ?? []
  const would = decision.mode === 'observe' || decision.observed !== undefined ? 'would be ' : ''
  // The fields of a GraphQL call go together: all are allowed, or the call is refused.
  const fields = stated[0]?.action !== undefined
  const [one, yes, no] = fields ? ['field', 'allowed', 'refused'] : ['item', 'released', 'taken out']
  const told = rows.slice(0, SHOWN).map(({ effect, count: alike, policies }, index) => {
    const by = policies.length > 0 ? `by ${policies.join(', ')}` : 'no policy permits it'
    return [count(alike, one), `${would}${effect === 'allow' ? yes : no}`, itemText(stated[index]), by]
  })
  const more = rows.length - told.length
  return [
    ['in all', `${released} of ${judged} ${would}${yes}`],
    ...told,
    ...(more > 0 ? [[`and ${count(more, 'more kind')}: --json lists all`]] : []),
  ]
}

function itemText(item: ItemInput | undefined): string {
  const parts = Object.entries(item ?? {}).map(([name, value]) => `${name} ${value}`)
  return parts.length === 0 ? 'which states no owner' : parts.join(', ')
}
