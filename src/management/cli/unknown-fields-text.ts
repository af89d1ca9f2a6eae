import { count, printable } from '../printable.ts'
import type { UnknownFieldRow, UnknownFieldsReport } from '../unknown-fields.ts'
import type { Output } from './output.ts'

/** The report for people: what callers send that no contract declares, by operation. */
export function printUnknownFields({ calls, rows, uncounted }: UnknownFieldsReport, out: Output): void {
  let operation = ''
  for (const row of rows) {
    const heading = printable(`${row.api}: ${row.operation}`)
    if (heading !== operation) {
      if (operation !== '') out.line()
      out.line(heading)
      operation = heading
    }
    const callers = `${row.callersAtLeast ? 'at least ' : ''}${count(row.callers, 'caller')}`
    const why = row.readOnly ? ', which is read-only' : ''
    out.line(printable(`  ${row.place}${why}: ${count(row.calls, 'call')} of ${callers} (${fatesOf(row)})`))
    out.line(`    ${row.firstSeen} to ${row.lastSeen}; such as: sallyport explain ${row.example}`)
  }
  if (uncounted > 0) out.line(`and ${uncounted} more fields of further operations`)
  if (rows.length > 0) out.line()
  out.line(
    calls === 0
      ? 'no recorded request had a field or query parameter that its contract does not declare'
      : `${count(calls, 'call')} had fields or query parameters that the contract does not declare`,
  )
}

function fatesOf({ fates }: UnknownFieldRow): string {
  const stated = (['rejected', 'stripped', 'observed'] as const).filter((fate) => fates[fate] > 0)
  return stated.map((fate) => `${fates[fate]} ${fate}`).join(', ')
}
