import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { RecordFilter } from '../../audit/record-filter.ts'
import { nearest } from '../../config/nearest.ts'
import { isFault, SallyportError } from '../../model/errors.ts'
import { REASONS } from '../../model/reason.ts'
import type { ExchangeRecord } from '../../model/record.ts'
import { parseTarget } from '../../syntax/uri.ts'
import { Newest } from '../newest.ts'
import { columns, count, durationText, printable, timeText } from '../printable.ts'
import type { ConfiguredNames } from '../record-actions.ts'
import { callerOf, endingOf, operationOf, outcomeOf, reasonCodes } from '../record-view.ts'
import { RecordedNames, unknownName } from '../recorded-names.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { elapsed } from './progress.ts'
import { type AskedTime, askedTime, wallMs } from './time.ts'

const MAX_LIMIT = 10_000
/** Records keep no more of a path. */
const MAX_PATH = 2_048

interface QueryOptions {
  readonly config: string
  readonly json: boolean
  readonly subject?: readonly string[]
  readonly sub?: string
  readonly api?: string
  readonly operation?: string
  readonly path?: string
  readonly effect?: 'allow' | 'deny' | 'challenge'
  readonly wouldDeny: boolean
  readonly reason?: string
  readonly since?: AskedTime
  readonly until?: AskedTime
  readonly limit: number
}

export function queryCommand(command: Command, actions: CliActions): void {
  command
    .description('search the records: the newest that match, oldest first')
    .option(
      '--path <path>',
      'calls of one object: its concrete path, with base path, without query',
      askedPath,
    )
    .option('--subject <who...>', 'calls of one subject: <issuer>/<sub>, <iss>/<sub>, or the iss and the sub')
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
  $ sallyport audit query --path /v1/orders/o-1001 --effect allow   # who read or changed that order
  $ sallyport audit query --effect deny --since 1h
  $ sallyport audit query --subject https://idp.example/ana --operation shop.getOrder --json

Paths and callers are personal: of an erased subject's records they are gone, and no --path or --subject finds them.
An API or operation that neither the configuration nor any record knows is an error, not an empty answer.
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
        if (records.length === 0) await explainNothing(options, actions, out)
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

/**
 * An empty answer reads as "nobody did", so what was asked by is held against what there is.
 * @throws {SallyportError} `usage` for an API or operation that is neither configured nor in any record.
 */
async function explainNothing(options: QueryOptions, actions: CliActions, out: Output): Promise<void> {
  const { api, operation, config } = options
  const subject = options.subject?.at(-1) ?? options.sub
  if (api === undefined && operation === undefined && subject === undefined) return
  const recorded = new RecordedNames()
  for await (const record of actions.records.read(config, {})) recorded.add(record)
  if (subject !== undefined && !recorded.hasCaller(subject)) {
    out.note(
      printable(
        `no record at all names the subject ${JSON.stringify(subject)}${recorded.nearCaller(subject)}`,
      ),
    )
  }
  const unseen = [
    { what: 'API', name: api, found: recorded.apis },
    { what: 'operation', name: operation, found: recorded.operations },
  ].filter(({ name, found }) => name !== undefined && !found.has(name))
  if (unseen.length === 0) return
  let configured: ConfiguredNames
  try {
    configured = await actions.records.names(config)
  } catch (error) {
    if (!isFault(error)) throw error
    out.note(
      'the configuration cannot be compiled (see sallyport check), so it is not known whether it has the API or operation asked for',
    )
    return
  }
  for (const { what, name = '', found } of unseen) {
    const names = what === 'API' ? configured.apis : configured.operations
    if (!names.includes(name))
      throw new SallyportError('usage', unknownName(what, name, [...names, ...found]))
  }
}

const HEADINGS = ['time', 'exchange', 'caller', 'operation', 'path', 'verdict', 'status', 'gate', 'reasons']

function row(record: ExchangeRecord): readonly string[] {
  const outcome = outcomeOf(record)
  return [
    timeText(record.intent.at.wallMs),
    record.intent.id,
    callerOf(record),
    operationOf(record),
    record.intent.personal?.path ?? '(erased)',
    endingOf(record),
    outcome === null ? '-' : String(outcome.status),
    outcome === null ? '-' : durationText(outcome.timings.gate),
    reasonCodes(record).join(', '),
  ]
}

function filterOf(options: QueryOptions, now: number): RecordFilter {
  const { subject, sub, api, operation, path, effect, reason, since, until } = options
  return {
    ...subjectFilter(subject, sub),
    ...(api === undefined ? {} : { api }),
    ...(operation === undefined ? {} : { operation }),
    ...(path === undefined ? {} : { path }),
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
): Pick<RecordFilter, 'subject' | 'caller'> {
  if (subject === undefined) return sub === undefined ? {} : { subject: { sub } }
  const [first, second] = subject
  if (sub !== undefined || first === undefined || subject.length > 2)
    throw new SallyportError(
      'usage',
      '--subject takes <issuer>/<sub>, or the iss and the sub; --sub takes a sub alone',
    )
  return second === undefined ? { caller: first } : { subject: { iss: first, sub: second } }
}

/** As records have it: escapes of unreserved characters undone. */
function askedPath(text: string): string {
  if (!text.startsWith('/') || /[?#]/.test(text))
    throw new InvalidArgumentError('a path begins with / and has no query, like /v1/orders/o-1001')
  if (text.length > MAX_PATH)
    throw new InvalidArgumentError(`records keep paths of up to ${MAX_PATH} characters`)
  const parsed = parseTarget(text)
  return parsed.ok ? parsed.path : text
}

function knownReason(code: string): string {
  if (Object.hasOwn(REASONS, code)) return code
  const near = nearest(code, Object.keys(REASONS))
  throw new InvalidArgumentError(
    near === null
      ? 'there is no such reason: docs/reference/reasons.md lists them'
      : `there is no such reason; did you mean ${near}?`,
  )
}

function limitNumber(text: string): number {
  const limit = Number(text)
  if (!/^\d{1,5}$/.test(text) || limit < 1 || limit > MAX_LIMIT)
    throw new InvalidArgumentError(`a limit is a number from 1 to ${MAX_LIMIT}`)
  return limit
}
