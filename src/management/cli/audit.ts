import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { RecordFilter } from '../../audit/record-filter.ts'
import { SallyportError } from '../../model/errors.ts'
import { REASONS } from '../../model/reason.ts'
import type { ExchangeRecord } from '../../model/record.ts'
import { Newest } from '../newest.ts'
import { columns, count, durationText, printable, timeText } from '../printable.ts'
import { callerOf, endingOf, operationOf, outcomeOf, reasonCodes } from '../record-view.ts'
import type { CliActions } from './actions.ts'
import { operator } from './arguments.ts'
import { conclude, output } from './output.ts'
import { elapsed, progress } from './progress.ts'
import { type AskedTime, askedTime, wallMs } from './time.ts'

const MAX_LIMIT = 10_000
const SHOWN_FAULTS = 50

interface Common {
  readonly config: string
  readonly json: boolean
}

/** Commands about the log of decisions: prove it, search it, erase a person from it. */
export function auditCommand(program: Command, actions: CliActions): void {
  const audit = program.command('audit').description('prove, search and erase from the log of decisions')
  const withCommon = (command: Command): Command =>
    command
      .option('--config <file>', 'configuration', 'sallyport.yaml')
      .option('--json', 'print the result as JSON', false)
  verifyCommand(withCommon(audit.command('verify')), actions)
  queryCommand(withCommon(audit.command('query')), actions)
  eraseCommand(withCommon(audit.command('erase')), actions)
}

function verifyCommand(command: Command, actions: CliActions): void {
  command
    .description('prove that no record was edited, deleted, reordered or cut off')
    .addHelpText(
      'after',
      `
Reads every segment, the signed checkpoints and the log of changes to the gate itself; a running gate is not disturbed.

Example:
  $ sallyport audit verify --config sallyport.yaml

Exit codes: 0 proved, 1 faults (each with segment, line, byte and kind), 2 usage or fault.`,
    )
    .action((options: Common) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const bar = progress('verifying')
        const report = await actions.records
          .verify(options.config, ({ bytes, totalBytes }) =>
            bar.at(totalBytes === 0 ? 1 : bytes / totalBytes),
          )
          .finally(() => bar.end())
        out.json(report)
        for (const { segment, line, byte, kind, detail } of report.faults.slice(0, SHOWN_FAULTS))
          out.line(printable(`${segment}: line ${line}, byte ${byte}: ${kind}: ${detail}`))
        if (report.faultCount > SHOWN_FAULTS)
          out.line(`and ${count(report.faultCount - SHOWN_FAULTS, 'more fault')}`)
        const signed =
          report.signatures === 'verified'
            ? count(report.checkpoints, 'signed checkpoint')
            : `${count(report.checkpoints, 'checkpoint')} whose signatures were not verified: keys/checkpoint.pub is missing`
        out.line(
          `${report.ok ? 'proved' : 'NOT proved'}: ${count(report.records, 'record')} in ${count(report.lines, 'line')} of ${count(report.segments, 'segment')}, ${signed}`,
        )
        if (report.ok && report.faultCount > 0)
          out.line('(a torn end is what a crash leaves: nothing that was acknowledged is in it)')
        return report.ok ? 0 : 1
      })
    })
}

interface QueryOptions extends Common {
  readonly subject?: readonly string[]
  readonly sub?: string
  readonly api?: string
  readonly operation?: string
  readonly effect?: 'allow' | 'deny' | 'challenge'
  readonly wouldDeny: boolean
  readonly reason?: string
  readonly since?: AskedTime
  readonly until?: AskedTime
  readonly limit: number
}

function queryCommand(command: Command, actions: CliActions): void {
  command
    .description('search the records: the newest that match, oldest first')
    .option('--subject <iss-and-sub...>', 'calls of one subject: its issuer and its sub')
    .option('--sub <sub>', 'calls of a subject of any issuer')
    .option('--api <name>', 'calls to one API')
    .option('--operation <name>', 'calls of one operation, like shop.getOrder')
    .addOption(
      new Option('--effect <effect>', 'what became of the call').choices(['allow', 'deny', 'challenge']),
    )
    .option('--would-deny', 'observed calls that enforcing would refuse', false)
    .option('--reason <code>', 'calls with this reason in any decision', knownReason)
    .option('--since <time>', 'not older than: 15m, 1h, 7d, or an ISO 8601 time', askedTime)
    .option('--until <time>', 'older than', askedTime)
    .option('--limit <number>', `at most so many (1 to ${MAX_LIMIT})`, limitNumber, 100)
    .addHelpText(
      'after',
      `
Examples:
  $ sallyport audit query --effect deny --since 1h
  $ sallyport audit query --subject https://idp.example ana --operation shop.getOrder --json

With --json: an array of records. Exit codes: 0 done, 2 usage or fault.`,
    )
    .action((options: QueryOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const newest = new Newest<ExchangeRecord>(options.limit, ({ intent }) => intent.at.wallMs)
        const waiting = elapsed('reading the records')
        try {
          const filter = filterOf(options, actions.records.now())
          for await (const record of actions.records.read(options.config, filter)) newest.add(record)
        } finally {
          waiting.end()
        }
        const records = newest.items()
        out.json(records)
        if (records.length === 0) out.line('no record matches')
        else for (const line of columns([HEADINGS, ...records.map(row)])) out.line(line)
        const left = newest.seen - records.length
        if (left > 0)
          out.note(`${count(left, 'older record')} also ${left === 1 ? 'matches' : 'match'}: raise --limit`)
        return 0
      })
    })
}

const HEADINGS = ['time', 'exchange', 'caller', 'operation', 'verdict', 'status', 'gate', 'reasons']

function row(record: ExchangeRecord): readonly string[] {
  const outcome = outcomeOf(record)
  return [
    timeText(record.intent.at.wallMs),
    record.intent.id,
    callerOf(record),
    operationOf(record),
    endingOf(record),
    outcome === null ? '-' : String(outcome.status),
    outcome === null ? '-' : durationText(outcome.timings.gate),
    reasonCodes(record).join(', '),
  ]
}

function filterOf(options: QueryOptions, now: number): RecordFilter {
  const { subject, sub, api, operation, effect, reason, since, until } = options
  return {
    ...subjectFilter(subject, sub),
    ...(api === undefined ? {} : { api }),
    ...(operation === undefined ? {} : { operation }),
    ...(effect === undefined ? {} : { effect }),
    ...(options.wouldDeny ? { wouldDeny: true } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { from: wallMs(since, now) }),
    ...(until === undefined ? {} : { to: wallMs(until, now) }),
  }
}

function subjectFilter(
  subject: readonly string[] | undefined,
  sub: string | undefined,
): Pick<RecordFilter, 'subject'> {
  if (subject === undefined) return sub === undefined ? {} : { subject: { sub } }
  const [iss, own] = subject
  if (sub !== undefined || iss === undefined || own === undefined || subject.length !== 2)
    throw new SallyportError('usage', '--subject takes an issuer and a sub; --sub takes a sub alone')
  return { subject: { iss, sub: own } }
}

function knownReason(code: string): string {
  if (!Object.hasOwn(REASONS, code))
    throw new InvalidArgumentError(`there is no such reason; codes are ${Object.keys(REASONS).join(', ')}`)
  return code
}

function limitNumber(text: string): number {
  const limit = Number(text)
  if (!/^\d{1,5}$/.test(text) || limit < 1 || limit > MAX_LIMIT)
    throw new InvalidArgumentError(`a limit is a number from 1 to ${MAX_LIMIT}`)
  return limit
}

function eraseCommand(command: Command, actions: CliActions): void {
  command
    .argument('<iss>', 'the issuer, exactly as in the token')
    .argument('<sub>', 'the subject')
    .description('destroy the keys of one subject’s records, for good; the log still verifies')
    .addHelpText(
      'after',
      `
What was sealed under these keys (who called, from where, with what attributes) can be read by nobody any more; that a
call was made, and how it was decided, stays. There is no way back.

Example:
  $ sallyport audit erase https://idp.example ana

Exit codes: 0 erased, 1 there was nothing to erase, 2 usage or fault.`,
    )
    .action((iss: string, sub: string, options: Common) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const { keys, segments } = await actions.records.erase(options.config, iss, sub, operator())
        out.json({ ok: keys > 0, keys, segments })
        out.line(
          keys === 0
            ? 'nothing to erase: no segment holds a key of this subject'
            : `erased: ${count(keys, 'key')} in ${count(segments, 'segment')}; the log still verifies (sallyport audit verify)`,
        )
        return keys === 0 ? 1 : 0
      })
    })
}
