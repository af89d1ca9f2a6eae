import { principalId } from '../model/subject.ts'
import { decisionRows } from './decision-rows.ts'
import type { DryRun } from './dry-run.ts'
import { columns, printable } from './printable.ts'

export type DryRunText = readonly string[]

/** A dry run for a terminal. */
export function dryRunText(run: DryRun): DryRunText {
  const lines = [headline(run), '']
  const rows: string[][] = [
    [
      'caller',
      run.subject.kind === 'anonymous' ? 'anonymous' : `${run.subject.kind} ${principalId(run.subject)}`,
    ],
    ['operation', run.operation === '' ? 'none was found' : `${run.operation} (${run.template})`],
    [
      'api',
      run.api === '' ? 'none was found' : `${run.api}, ${run.mode}${run.governed ? '' : ', ungoverned'}`,
    ],
  ]
  lines.push(...columns(rows), '')
  lines.push(...columns(run.decisions.flatMap(decisionRows)))
  lines.push(...waitLines(run))
  if (run.change !== '') lines.push('', `smallest change that would allow it: ${run.change}`)
  if (run.notes.length > 0) lines.push('', ...run.notes.map((note) => printable(`note: ${note}`)))
  return lines
}

function headline({ verdict, enforced, status, wait, decisions }: DryRun): string {
  if (verdict === 'allow' && decisions.some(({ observed }) => observed !== undefined))
    return 'allow, and recorded as would-deny: what speaks against it is only observed'
  if (verdict === 'allow') return 'allow: the request would go to the upstream'
  if (verdict === 'undecided')
    return `undecided until the ${wait?.statedBy ?? 'answer'}: ${wait?.attributes.join(' and ') ?? 'the object'} is not known before`
  return enforced
    ? `deny: the caller would get ${status}`
    : 'deny, if it were enforced: the API is observed, so the call would go on and be recorded as would-deny'
}

function waitLines({ wait, next, subject }: DryRun): DryRunText {
  if (next === null) return []
  const asked = printable(`${next.method} ${next.url}`)
  const lines = [
    '',
    `not sent: ${asked}${next.purpose === 'look-up' ? ' (the look-up, under the gate’s identity)' : ''}`,
  ]
  if (wait === null) {
    if (next.purpose === 'look-up')
      lines.push('  a look-up that gives no answer, or finds no object, ends the call')
    return lines
  }
  if (wait.list) {
    const fields = wait.attributes.map((name, index) => `${name} at ${wait.pointers[index] ?? '(nowhere)'}`)
    lines.push(
      printable(
        `  each item of its answer states ${fields.join(', ')}; asked for by ${wait.policies.join(', ')}`,
      ),
      `  items of the caller’s own: ${wait.ifOwn === 'allow' ? 'released' : 'taken out'}`,
      `  items of anyone else: ${wait.ifForeign === 'allow' ? 'released' : 'taken out'}`,
    )
    return lines
  }
  const places = wait.attributes.map((name, index) => `${name} at ${wait.pointers[index] ?? '(nowhere)'}`)
  const who = subject.kind === 'anonymous' ? 'the caller' : principalId(subject)
  lines.push(
    printable(`  its answer states ${places.join(', ')}; asked for by ${wait.policies.join(', ')}`),
    printable(`  if it is ${who}: ${outcomeText(wait.ifOwn, wait.deniedStatus)}`),
    `  if it is anyone else: ${outcomeText(wait.ifForeign, wait.deniedStatus)}`,
  )
  return lines
}

function outcomeText(verdict: 'allow' | 'deny', status: number): string {
  return verdict === 'allow' ? 'allowed' : `denied (${status})`
}
