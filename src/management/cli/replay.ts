import type { Command } from 'commander'
import { REASONS } from '../../model/reason.ts'
import { count, printable } from '../printable.ts'
import type { ReplayReport } from '../replay-report.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { progress } from './progress.ts'
import { type AskedTime, askedTime, wallMs } from './time.ts'

/** Rows on the terminal; --json gives them all. */
const SHOWN = 50

interface ReplayOptions {
  readonly config: string
  readonly against?: string
  readonly api?: string
  readonly since?: AskedTime
  readonly until?: AskedTime
  readonly json: boolean
}

export function replayCommand(program: Command, actions: CliActions): void {
  program
    .command('replay')
    .description('say which recorded decisions another configuration would make differently')
    .option(
      '--against <file|bundle>',
      'configuration’s file, or version or hash of a bundle in the store, to judge by; left out: --config as it is now',
    )
    .option('--api <name>', 'calls of this API only')
    .option('--since <time>', 'not older than: 15m, 1h, 7d, or an ISO 8601 time', askedTime)
    .option('--until <time>', 'older than', askedTime)
    .option('--config <file>', 'configuration whose store holds the records', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Example, before a changed configuration is put in force:
  $ sallyport replay --against next/sallyport.yaml --since 7d

Facts stand as they were recorded: the token was valid, the body fitted its contract. Route, accepted issuers, scopes,
trust zones and policies are judged again. What the record does not tell (an attribute that no policy read then, a
contract that has changed since) is counted as undecidable, and named; it is never counted as the same.
Exit codes: 0 nothing changes, 1 something would change or cannot be told, 2 usage or fault.`,
    )
    .action((options: ReplayOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const now = actions.records.now()
        const bar = progress('replaying')
        const report = await actions
          .replay(
            {
              config: options.config,
              against: options.against ?? options.config,
              ...(options.api === undefined ? {} : { api: options.api }),
              ...(options.since === undefined ? {} : { from: wallMs(options.since, now) }),
              ...(options.until === undefined ? {} : { to: wallMs(options.until, now) }),
            },
            (fraction) => bar.at(fraction),
          )
          .finally(() => bar.end())
        const ok = report.changed === 0 && report.undecidable === 0
        out.json({ ok, ...report })
        print(report, out)
        out.line(
          `${count(report.records, 'record')} against bundle ${report.bundle.slice(0, 12)} in ${report.seconds.toFixed(1)} s`,
        )
        return ok ? 0 : 1
      })
    })
}

function print(report: ReplayReport, out: Output): void {
  const { rows, undecided, records, same, changed, undecidable, uncounted } = report
  for (const {
    operation,
    caller,
    from,
    to,
    reason,
    policies,
    unplayed,
    count: times,
    lost,
    gained,
    fields,
    example,
  } of rows.slice(0, SHOWN)) {
    const by = policies.length === 0 ? '' : ` (${policies.join(', ')})`
    out.line(
      printable(
        `${operation}, ${caller}: ${count(times, 'call')} ${fields === undefined || lost + gained > 0 ? verb(from, to, lost, gained) : 'would be answered with other fields hidden'}`,
      ),
    )
    out.line(printable(`  ${reason}: ${REASONS[reason].title}${by}`))
    if (fields !== undefined) {
      if (fields.narrowed.length > 0) out.line(printable(`  hidden then: ${fields.narrowed.join(', ')}`))
      if (fields.widened.length > 0) out.line(printable(`  no longer hidden: ${fields.widened.join(', ')}`))
    }
    if (unplayed.length > 0) out.line(`  not known: they did not get as far as ${unplayed.join(', ')}`)
    out.line(`  such as: sallyport explain ${example}`)
  }
  if (rows.length > SHOWN)
    out.line(`and ${count(rows.length - SHOWN, 'more kind')} of changes: --json lists all`)
  for (const { operation, missing, count: times, example } of undecided.slice(0, SHOWN)) {
    out.line(
      printable(`${operation}: ${count(times, 'call')} undecidable: the record does not tell ${missing}`),
    )
    out.line(`  such as: sallyport explain ${example}`)
  }
  if (undecided.length > SHOWN)
    out.line(`and ${count(undecided.length - SHOWN, 'more kind')} of undecidable calls`)
  if (uncounted > 0) out.line(`and ${count(uncounted, 'call')} of further kinds`)
  if (rows.length + undecided.length > 0) out.line()
  if (records === 0) out.line('nothing is recorded in this time')
  else out.line(`same: ${same}, changed: ${changed}, undecidable: ${undecidable}`)
}

function verb(from: string, to: string, lost: number, gained: number): string {
  const items = [
    ...(lost > 0 ? [`lose ${count(lost, 'item')}`] : []),
    ...(gained > 0 ? [`gain ${count(gained, 'item')}`] : []),
  ]
  if (items.length > 0) return `would ${items.join(' and ')} of their lists`
  return from === 'allow' && to === 'deny' ? 'would be denied' : 'would be allowed'
}
