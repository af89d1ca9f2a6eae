import type { PolicyTrace, TracedClause, TracedPolicy } from '../decision/cedar/trace.ts'
import { columns, count, printable } from './printable.ts'

/** Policies that neither applied nor nearly did are counted, not drawn. */
const SHOWN = 12
const FACT_LENGTH = 80

const MARK: Readonly<Record<TracedClause['held'], string>> = {
  holds: '✓',
  fails: '✗',
  'not-known': '?',
  error: '!',
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
export function policyDrawing({ policies, verdict }: PolicyTrace): readonly string[] {
  const drawn = policies
    .filter((policy) => policy.state !== 'does-not-apply' || policy.near || turns(policy))
    .slice(0, SHOWN)
  const lines: string[] = []
  for (const { id, effect, state, clauses } of drawn) {
    lines.push(printable(`  ${effect} ${id}: ${STATE[state]}`))
    const rows = clauses.map((clause, index) => [
      `  ${index === clauses.length - 1 ? '└─' : '├─'} ${MARK[clause.held]} ${clause.text}`,
      factsText(clause),
      clause.turns ? `◄ ${turned(clause, verdict)}` : '',
    ])
    lines.push(...columns(rows))
  }
  const left = policies.length - drawn.length
  if (left > 0)
    lines.push(`  and ${count(left, 'policy', 'policies')} of the operation that did not come near`)
  return lines
}

/** The single facts that would have turned the verdict, in words. */
export function turningFacts({ policies, verdict }: PolicyTrace): readonly string[] {
  const said = new Set<string>()
  const other = verdict === 'allow' ? 'denied' : 'allowed'
  for (const { id, effect, clauses } of policies) {
    for (const clause of clauses) {
      if (!clause.turns) continue
      const facts = factsText(clause)
      const were = clause.held === 'holds' ? 'did not hold' : 'held'
      said.add(
        `${effect} ${id}: if ${clause.text} ${were}${facts === '' ? '' : ` (${facts})`}, the call would be ${other}`,
      )
    }
  }
  return [...said]
}

function turned({ held }: TracedClause, verdict: PolicyTrace['verdict']): string {
  const other = verdict === 'allow' ? 'denied' : 'allowed'
  return `${held === 'holds' ? 'without it' : 'with it'} the call would be ${other}`
}

function turns({ clauses }: TracedPolicy): boolean {
  return clauses.some((clause) => clause.turns)
}

function factsText({ facts }: TracedClause): string {
  return Object.entries(facts)
    .map(([path, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return `${path}: ${text.length > FACT_LENGTH ? `${text.slice(0, FACT_LENGTH)}…` : text}`
    })
    .join(', ')
}
