import { existsSync, writeFileSync } from 'node:fs'
import { dirname, extname, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { DriftRow } from '../../inventory/drift.ts'
import { SallyportError } from '../../model/errors.ts'
import type { ApiPatch, DriftAnswer } from '../drift-actions.ts'
import { columns, count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { elapsed } from './progress.ts'
import { type AskedTime, askedTime, wallMs } from './time.ts'

/** Rows of one operation on the terminal; --json gives them all. */
const SHOWN = 20
const MAX_EXAMPLE = 120

interface DriftOptions {
  readonly config: string
  readonly api?: string
  readonly since?: AskedTime
  readonly until?: AskedTime
  readonly patch?: string
  readonly refused: boolean
  readonly force: boolean
  readonly json: boolean
}

export function driftCommand(program: Command, actions: CliActions): void {
  program
    .command('drift')
    .description('list what recorded calls and answers had that the contract does not declare')
    .option('--api <name>', 'of this API alone')
    .option('--since <time>', 'not older than: 15m, 1h, 7d, or an ISO 8601 time', askedTime)
    .option('--until <time>', 'older than', askedTime)
    .option('--patch <file>', 'write an OpenAPI Overlay that would declare it; - for the output')
    .option('--refused', 'propose what was seen in refused calls alone, too', false)
    .option('--force', 'write over a file that is there', false)
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  $ sallyport drift --api shop --since 7d --patch shop.overlay.yaml

Counted are fields, parameters, statuses and media types that are not declared, and types other than declared. An
example is made of place and type; it holds no value of a call. The patch is a proposal: read it, and what is said of
it, before it is applied with a tool for Overlay 1.0.0. What was seen in refused calls alone is left out of it, unless
--refused is added: whoever probes an API would write into its next contract.
Exit codes: 0 no drift, 1 there is, 2 usage or fault.`,
    )
    .action((options: DriftOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const { config, api, since, until, patch, refused } = options
        if (patch === '-' && options.json)
          throw new SallyportError(
            'usage',
            '--json has the patch in its result: leave out --patch -, or name a file',
          )
        const now = actions.records.now()
        const waiting = elapsed('reading the records')
        let answer: DriftAnswer
        try {
          answer = await actions.drift({
            config,
            ...(api === undefined ? {} : { api }),
            ...(since === undefined ? {} : { from: wallMs(since, now) }),
            ...(until === undefined ? {} : { to: wallMs(until, now) }),
            patches: patch !== undefined || options.json,
            refused,
          })
        } finally {
          waiting.end()
        }
        const { report, patches } = answer
        const written = patch === undefined ? [] : writePatches(patches, patch, options.force)
        out.json({ ok: report.rows.length === 0, ...report, patches, written })
        if (patch !== '-') print(answer, out)
        for (const file of written) out.line(`wrote ${printable(file)}: read it before you apply it`)
        if (patch !== undefined)
          tell(patches, patch === '-' ? (line) => out.note(line) : (line) => out.line(line))
        return report.rows.length === 0 ? 0 : 1
      })
    })
}

/** One file for one contract file: an overlay changes one document. */
function writePatches(patches: readonly ApiPatch[], asked: string, force: boolean): string[] {
  const overlays = patches.flatMap((patch) => patch.overlays.map((each) => ({ ...each, api: patch.api })))
  if (asked === '-') {
    const texts = overlays.map(({ overlay, file }) => stringify({ ...overlay, extends: relative('.', file) }))
    process.stdout.write(texts.join('---\n'))
    return []
  }
  if (new Set(overlays.map(({ api }) => api)).size > 1)
    throw new SallyportError(
      'usage',
      'several APIs have drift: name one with --api, and write each to a file of its own',
    )
  const files = overlays.map((each, index) => ({
    ...each,
    to:
      index === 0
        ? asked
        : `${asked.slice(0, asked.length - extname(asked).length)}.${index + 1}${extname(asked)}`,
  }))
  for (const { to } of files)
    if (!force && existsSync(to))
      throw new SallyportError('usage', `${to} is there already: name another file, or add --force`)
  for (const { to, overlay, file } of files) {
    const { overlay: version, info, actions } = overlay
    const target = relative(dirname(resolve(to)), resolve(file))
    const text = stringify({ overlay: version, info, extends: target, actions })
    // Exclusive, too: what appears in between is not written over.
    writeFileSync(to, text, { flag: force ? 'w' : 'wx' })
  }
  return files.map(({ to }) => to)
}

function print({ report }: DriftAnswer, out: Output): void {
  const byOperation = new Map<string, DriftRow[]>()
  for (const row of report.rows) {
    const heading = printable(`${row.api}: ${row.operation}`)
    byOperation.set(heading, [...(byOperation.get(heading) ?? []), row])
  }
  for (const [heading, rows] of byOperation) {
    out.line(heading)
    const cells = rows
      .slice(0, SHOWN)
      .map((row) => [
        `  ${row.kind}${row.status === 0 || row.kind === 'answer-status' ? '' : ` ${row.status}`}`,
        row.place === '' ? '/' : row.place,
        row.type === '' ? 'type not told' : row.type,
        row.refused === row.calls ? `${count(row.calls, 'call')}, refused` : count(row.calls, 'call'),
        `${row.firstSeen.slice(0, 16)}Z to ${row.lastSeen.slice(0, 16)}Z`,
        cut(JSON.stringify(row.example)),
      ])
    for (const line of columns(cells)) out.line(line)
    if (rows.length > SHOWN) out.line(`  and ${rows.length - SHOWN} more: --json`)
    const [first] = rows
    if (first !== undefined) out.line(`    such as: sallyport explain ${first.exchange}`)
    out.line()
  }
  if (report.uncounted > 0)
    out.line(`and ${count(report.uncounted, 'difference')} beyond those that are kept`)
  out.line(
    report.rows.length === 0
      ? `no drift: ${count(report.records, 'recorded call')} had nothing that a contract does not declare`
      : `${count(report.calls, 'call')} of ${report.records} differed from the contract in ${count(report.rows.length, 'way')}`,
  )
}

const cut = (text: string): string =>
  text.length > MAX_EXAMPLE ? `${text.slice(0, MAX_EXAMPLE - 1)}…` : text

/** What to know before a patch is applied, and what it leaves to people. */
function tell(patches: readonly ApiPatch[], line: (text: string) => void): void {
  for (const { overlays, notes, left } of patches) {
    for (const { name } of overlays.slice(1))
      line(printable(`  changes ${name}, too, by an overlay of its own`))
    for (const note of notes) line(printable(`  note: ${note}`))
    for (const { row, why } of left)
      line(
        printable(
          `  not in the patch: ${row.operation} ${row.kind} ${row.place === '' ? '/' : row.place}: ${why}`,
        ),
      )
  }
}
