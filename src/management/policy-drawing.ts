import type { Join, PolicyTrace, TracedClause, TracedPolicy } from '../decision/cedar/trace.ts'
import { columns, count, printable } from './printable.ts'

/** Policies that neither applied nor nearly did are counted, not drawn. */
const SHOWN = 12
const FACT_LENGTH = 80

/** What another verdict of the policies would come to, in words. */
export type Would = Readonly<Record<PolicyTrace['verdict'], string>>

export const OF_CALL: Would = { allow: 'the call would be allowed', deny: 'the call would be denied' }
/** Where something else speaks against the call, or nothing is enforced. */
export const OF_POLICIES: Would = { allow: 'the policies would allow it', deny: 'the policies would deny it' }
export const OF_ITEM: Would = {
  allow: 'such an item would be released',
  deny: 'such an item would be taken out',
}

const MARK: Readonly<Record<TracedClause['held'], string>> = {
  holds: '✓',
  fails: '✗',
  'not-known': '?',
  error: '!',
}

const JOIN: Readonly<Record<Join, string>> = {
  all: 'all of these hold:',
  any: 'at least one of these holds:',
  'not-all': 'not all of these hold:',
  none: 'none of these holds:',
}

const STATE: Readonly<Record<TracedPolicy['state'], string>> = {
  applies: 'applies',
  'does-not-apply': 'does not apply',
  waits: 'waits for what is not known yet',
  error: 'could not be evaluated',
}

/**
 * The policies as trees of conditions, with the facts each one read: those that decided, then those that nearly did. An
 * arrow marks a condition which alone would have turned the verdict.
 */
export function policyDrawing(
  { policies, verdict, further }: PolicyTrace,
  would: Would = OF_CALL,
): readonly string[] {
  const drawn = policies
    .filter((policy) => policy.state !== 'does-not-apply' || policy.near || turns(policy))
    .slice(0, SHOWN)
  const lines: string[] = []
  for (const { id, effect, state, observed, clauses, link } of drawn) {
    const of = link === undefined ? '' : ` (link of the template ${link.template})`
    lines.push(
      printable(`  ${effect} ${id}${of}: ${STATE[state]}${observed ? ', and is only observed' : ''}`),
    )
    lines.push(...columns(rowsOf(clauses, '  ', (clause) => `◄ ${turned(clause, verdict, would)}`)))
  }
  const left = policies.length - drawn.length + further
  if (left > 0)
    lines.push(`  and ${count(left, 'policy', 'policies')} of the operation that did not come near`)
  return lines
}

/** What joins conditions stands above them. */
function rowsOf(
  clauses: readonly TracedClause[],
  indent: string,
  arrow: (clause: TracedClause) => string,
): readonly (readonly string[])[] {
  return clauses.flatMap((clause, index) => {
    const last = index === clauses.length - 1
    const { held, text, turns, join, parts = [] } = clause
    const words = join === undefined ? text : JOIN[join]
    const row = [
      `${indent}${last ? '└─' : '├─'} ${MARK[held]} ${words}`,
      factsText(clause),
      turns ? arrow(clause) : '',
    ]
    return [row, ...rowsOf(parts, `${indent}${last ? '  ' : '│ '} `, arrow)]
  })
}

/** The single facts that would have turned the verdict, in words. */
export function turningFacts({ policies, verdict }: PolicyTrace, would: Would = OF_CALL): readonly string[] {
  const said = new Set<string>()
  const other = would[verdict === 'allow' ? 'deny' : 'allow']
  for (const { id, effect, clauses } of policies) {
    for (const clause of clauses.flatMap(leaves)) {
      if (!clause.turns) continue
      const facts = factsText(clause)
      const were = WERE[clause.held]
      said.add(
        `${effect} ${id}: if ${clause.text} ${were}${facts === '' ? '' : ` (it was ${facts})`}, ${other}`,
      )
    }
  }
  return [...said]
}

const WITH: Readonly<Record<TracedClause['held'], string>> = {
  holds: 'without it',
  fails: 'with it',
  'not-known': 'once it is known',
  error: 'could it be evaluated',
}
const WERE: Readonly<Record<TracedClause['held'], string>> = {
  holds: 'did not hold',
  fails: 'held',
  'not-known': 'were known to turn out so',
  error: 'could be evaluated and turned out so',
}

function turned({ held }: TracedClause, verdict: PolicyTrace['verdict'], would: Would): string {
  return `${WITH[held]} ${would[verdict === 'allow' ? 'deny' : 'allow']}`
}

function turns({ clauses }: TracedPolicy): boolean {
  return clauses.flatMap(leaves).some((clause) => clause.turns)
}

export function leaves(clause: TracedClause): readonly TracedClause[] {
  return clause.parts?.flatMap(leaves) ?? [clause]
}

function factsText({ facts }: TracedClause): string {
  return Object.entries(facts)
    .map(([path, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return `${path}: ${text.length > FACT_LENGTH ? `${text.slice(0, FACT_LENGTH)}…` : text}`
    })
    .join(', ')
}
