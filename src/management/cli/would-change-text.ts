import { count, printable } from '../printable.ts'
import type { WouldChangeReport } from '../would-change.ts'
import type { CliActions } from './actions.ts'
import type { Output } from './output.ts'
import { elapsed } from './progress.ts'

/** Rows named on the terminal; --json gives them all. */
const SHOWN_ROWS = 50

const CHANGES = {
  allow: 'would be allowed',
  deny: 'would be refused',
  undecided: 'would get further; what then is not known',
} as const

/** Counts what the records of a time say of a candidate. */
export async function readWouldChange(
  actions: CliActions,
  config: string,
  bundle: string,
  time: { readonly from?: number; readonly to?: number },
): Promise<WouldChangeReport> {
  const waiting = elapsed('reading the records')
  try {
    const { WouldChange } = await import('../would-change.ts')
    const counted = new WouldChange(bundle)
    for await (const record of actions.records.read(config, time)) counted.add(record)
    return counted.report()
  } finally {
    waiting.end()
  }
}

export function printWouldChange(report: WouldChangeReport, out: Output): void {
  const { judged, same, changedAllow, changedDeny, undecided, enforced, rows, uncounted } = report
  let operation = ''
  for (const row of rows.slice(0, SHOWN_ROWS)) {
    if (row.operation !== operation) out.line(printable(row.operation))
    operation = row.operation
    const why = row.reason === '' ? '' : ` (${row.reason})`
    out.line(printable(`  ${count(row.count, 'call')} of ${row.caller} ${CHANGES[row.change]}${why}`))
    out.line(`    such as: sallyport explain ${row.example}`)
  }
  const left = rows.length - SHOWN_ROWS
  if (left > 0) out.line(`and ${left} more kinds: --json gives them all`)
  if (uncounted > 0) out.line(`and ${count(uncounted, 'call')} of further callers and operations`)
  const unknown = undecided === 0 ? '' : `, ${undecided} not decidable`
  out.line(
    `${count(judged, 'call')} judged beside: ${same} the same, ${changedAllow} would be allowed, ${changedDeny} would be refused${unknown}`,
  )
  if (enforced > 0) out.line(`${count(enforced, 'call')} judged by the candidate itself, as its share`)
}
