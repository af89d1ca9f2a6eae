import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { count, printable } from '../printable.ts'
import { UnknownFieldsCount } from '../unknown-fields.ts'
import { WouldDeny, type WouldDenyReport } from '../would-deny.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { elapsed } from './progress.ts'
import { type AskedTime, askedTime, wallMs } from './time.ts'
import { printUnknownFields } from './unknown-fields-text.ts'
import { printWouldChange, readWouldChange } from './would-change-text.ts'

/** Named on the terminal; --json gives them all. */
const SHOWN_FIELDS = 20

interface ReportOptions {
  readonly config: string
  readonly json: boolean
  readonly wouldDeny: boolean
  readonly unknownFields: boolean
  readonly candidate?: string
  readonly since?: AskedTime
  readonly until?: AskedTime
}

export function reportCommand(program: Command, actions: CliActions): void {
  program
    .command('report')
    .description('say what recorded traffic shows')
    .option('--would-deny', 'what enforcing would refuse, from observed traffic', false)
    .option(
      '--unknown-fields',
      'what callers send that the contract does not declare: what rejecting would refuse',
      false,
    )
    .option(
      '--candidate <bundle>',
      'what a candidate would change: its version or hash, from traffic it judged beside',
    )
    .option('--since <time>', 'not older than: 15m, 1h, 7d, or an ISO 8601 time', askedTime)
    .option('--until <time>', 'older than', askedTime)
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Example, before an API is set to mode: enforce:
  $ sallyport report --would-deny --since 7d

A call is counted once, under the reason an enforcing gate would have refused it with. Fields that enforcing would
remove from answers, because the contract does not declare them, are listed per operation; so are errors of which
callers would get the status alone.
Fields and query parameters of requests that no contract declares are listed per operation by --unknown-fields:
what unknownFields: reject would refuse, before it is set in place of observe.
Of a candidate (sallyport candidate stage), calls that would end otherwise are listed by operation and caller.
Exit codes: 0 nothing would be refused or change, 1 something would, 2 usage or fault.`,
    )
    .action((options: ReportOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const asked = [options.wouldDeny, options.unknownFields, options.candidate !== undefined]
        if (asked.filter(Boolean).length !== 1)
          throw new SallyportError(
            'usage',
            'say which report: sallyport report --would-deny, --unknown-fields or --candidate VERSION',
          )
        const now = actions.records.now()
        const within = {
          ...(options.since === undefined ? {} : { from: wallMs(options.since, now) }),
          ...(options.until === undefined ? {} : { to: wallMs(options.until, now) }),
        }
        if (options.unknownFields) {
          const fields = new UnknownFieldsCount()
          const reading = elapsed('reading the records')
          try {
            for await (const record of actions.records.read(options.config, within)) fields.add(record)
          } finally {
            reading.end()
          }
          const found = fields.report()
          out.json({ ok: found.calls === 0, ...found })
          printUnknownFields(found, out)
          return found.calls === 0 ? 0 : 1
        }
        if (options.candidate !== undefined) {
          const { hash } = await actions.bundles.show(options.config, options.candidate)
          const changes = await readWouldChange(actions, options.config, hash, within)
          const changed = changes.changedAllow + changes.changedDeny + changes.undecided > 0
          out.json({ ok: !changed, ...changes })
          printWouldChange(changes, out)
          return changed ? 1 : 0
        }
        const waiting = elapsed('reading the records')
        const { readHints } = await import('../configured-hints.ts')
        const counted = new WouldDeny(readHints(options.config))
        try {
          const records = actions.records.read(options.config, within)
          for await (const record of records) counted.add(record)
        } finally {
          waiting.end()
        }
        const report = counted.report()
        out.json({ ok: report.wouldRefuse === 0, ...report })
        print(report, out)
        return report.wouldRefuse === 0 ? 0 : 1
      })
    })
}

function print(
  { observed, wouldRefuse, refusedAlready, enforced, rows, uncounted, dropped, replaced }: WouldDenyReport,
  out: Output,
): void {
  let operation = ''
  for (const row of rows) {
    const heading = printable(
      `${row.api}: ${row.operation === '' ? 'paths the contract does not know' : row.operation}`,
    )
    if (heading !== operation) {
      if (operation !== '') out.line()
      out.line(heading)
      operation = heading
    }
    const callers = `${row.callersAtLeast ? 'at least ' : ''}${count(row.callers, 'caller')}`
    out.line(`  ${count(row.count, 'call')} of ${callers}: ${row.reason}: ${row.title}`)
    if (row.places.length > 1) out.line(printable(`    at ${shortened(row.places, row.placesAtLeast)}`))
    if (row.change !== '') out.line(`    smallest change: ${row.change}`)
    out.line(`    such as: sallyport explain ${row.example}`)
  }
  if (uncounted > 0) out.line(`and ${count(uncounted, 'call')} of further operations and reasons`)
  if (rows.length > 0) out.line()
  for (const { api, operation, answers, fields, fieldsAtLeast, example } of dropped) {
    out.line(printable(`${api}: ${operation}`))
    out.line(
      printable(`  ${count(answers, 'answer')} would lose fields: ${shortened(fields, fieldsAtLeast)}`),
    )
    out.line(
      `    declare in the contract what callers are meant to see; such as: sallyport explain ${example}`,
    )
  }
  for (const { api, operation, answers, statuses, example } of replaced) {
    out.line(printable(`${api}: ${operation}`))
    out.line(`  ${count(answers, 'error')} would keep the status alone: ${statuses.join(', ')}`)
    out.line(
      `    declare the errors that callers read, with a schema, or set answers: observe; such as: sallyport explain ${example}`,
    )
  }
  if (dropped.length + replaced.length > 0) {
    out.line()
    out.line('sallyport drift lists what differs from the contract, with a patch for it')
  }
  if (observed === 0) {
    out.line(
      `nothing was observed: no call to an API in observe mode is recorded in this time${enforced === 0 ? '' : ` (${count(enforced, 'call')} went to APIs that are enforced already)`}`,
    )
    return
  }
  out.line(`observed ${count(observed, 'call')}, enforcing would refuse ${wouldRefuse}`)
  if (refusedAlready > 0)
    out.line(
      `${refusedAlready} more ${refusedAlready === 1 ? 'was' : 'were'} refused already: framing, size and time caps and unknown hosts hold in every mode`,
    )
}

function shortened(all: readonly string[], atLeast: boolean): string {
  const left = all.length - SHOWN_FIELDS
  const more = left > 0 ? ` and ${atLeast ? 'at least ' : ''}${left} more` : ''
  return `${all.slice(0, SHOWN_FIELDS).join(', ')}${more}`
}
