import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import type { OrderResult } from '../control-socket.ts'
import { printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { operator } from './arguments.ts'
import { conclude, type Output, output } from './output.ts'
import { printWouldChange, readWouldChange } from './would-change-text.ts'

interface CandidateOptions {
  readonly config: string
  readonly json: boolean
}

/** A candidate as control tells it. */
interface Staged {
  readonly bundle: string
  readonly version: number
  readonly share: number
  readonly from: string
  readonly by: string
  readonly at: number
  readonly ignored: readonly string[]
}

/** Policies changed safely: tried beside those in force, for some callers, for all, and back. */
export function candidateCommands(program: Command, actions: CliActions): void {
  const withCommon = (command: Command): Command =>
    command
      .option('--config <file>', 'configuration of the running gate', 'sallyport.yaml')
      .option('--json', 'print the result as JSON', false)
  const order = (options: CandidateOptions, work: (out: Output, store: string) => Promise<0 | 1>) => {
    const out = output(options.json)
    return conclude(out, () => work(out, actions.storeOf(options.config)))
  }

  const candidate = program
    .command('candidate')
    .description('try another configuration beside the one in force, on real traffic')
    .addHelpText(
      'after',
      `
Example:
  $ sallyport candidate stage --from next/sallyport.yaml
  $ sallyport candidate status
  $ sallyport candidate canary 10
  $ sallyport candidate promote

Staged, a candidate judges every call beside the bundle in force, without effect. With a share, it decides for that
share of callers, always the same ones. Promoted, it decides for all; sallyport rollback takes that back.`,
    )

  withCommon(
    candidate
      .command('stage')
      .description('compile and test another configuration, and have it judge beside the one in force')
      .requiredOption('--from <file>', 'the other configuration, or the folder of its sallyport.yaml')
      .addHelpText(
        'after',
        '\nExit codes: 0 staged, 2 usage or fault: it does not compile, a policy test failed, or no gate runs.',
      ),
  ).action((options: CandidateOptions & { readonly from: string }) =>
    order(options, async (out, store) => {
      const from = configurationAt(options.from)
      const result = await actions.order(store, { order: 'candidate-stage', from, by: operator() })
      out.json({ ok: true, ...result })
      const staged = stagedOf(result)
      if (staged === null) return 0
      out.line(
        `staged: version ${staged.version}, bundle ${staged.bundle.slice(0, 12)}; it judges every call beside the one in force, without effect`,
      )
      printIgnored(staged, out)
      return 0
    }),
  )

  withCommon(
    candidate
      .command('status')
      .description('the candidate and what it would change')
      .addHelpText(
        'after',
        '\nExit codes: 0 nothing would change, or none is staged, 1 something would, 2 usage or fault.',
      ),
  ).action((options: CandidateOptions) =>
    order(options, async (out, store) => {
      const result = await actions.order(store, { order: 'candidate-status' })
      const staged = stagedOf(result)
      if (staged === null) {
        out.json({ ok: true, ...result, report: null })
        out.line('no candidate is staged')
        return 0
      }
      const report = await readWouldChange(actions, options.config, staged.bundle, { from: staged.at })
      const changes = report.changedAllow + report.changedDeny + report.undecided
      out.json({ ok: changes === 0, ...result, report })
      const at = `${new Date(staged.at).toISOString().slice(0, 19)}Z`
      out.line(
        printable(
          `version ${staged.version}, bundle ${staged.bundle.slice(0, 12)}, staged ${at} by ${staged.by} from ${staged.from}; share ${staged.share} %`,
        ),
      )
      printIgnored(staged, out)
      printWouldChange(report, out)
      return changes === 0 ? 0 : 1
    }),
  )

  withCommon(
    candidate
      .command('canary')
      .argument('<percent>', 'share of callers it decides for, 0 to 100', percent)
      .description('have the candidate decide for a share of callers')
      .addHelpText('after', '\nExit codes: 0 done, 2 usage or fault.'),
  ).action((share: number, options: CandidateOptions) =>
    order(options, async (out, store) => {
      const result = await actions.order(store, { order: 'candidate-canary', share, by: operator() })
      out.json({ ok: true, ...result })
      out.line(`the candidate decides for ${share} % of callers (before: ${String(result['shareBefore'])} %)`)
      return 0
    }),
  )

  withCommon(
    candidate
      .command('promote')
      .description('put the candidate in force for all callers, on every thread at once')
      .addHelpText(
        'after',
        '\nExit codes: 0 done, 1 done, but the store could not note it, so a restart undoes it, 2 usage or fault.',
      ),
  ).action((options: CandidateOptions) =>
    order(options, async (out, store) => {
      const result = await actions.order(store, { order: 'candidate-promote', by: operator() })
      out.json({ ok: true, ...result })
      out.line(`promoted: ${changeOf(result)}`)
      if (result['noted'] === false) return unnoted(out)
      out.line(
        'it stays in force, over restarts too, until the configuration changes: bring the change into the configuration as well',
      )
      return 0
    }),
  )

  withCommon(
    candidate
      .command('drop')
      .description('forget the candidate')
      .addHelpText('after', '\nExit codes: 0 done, 2 usage or fault.'),
  ).action((options: CandidateOptions) =>
    order(options, async (out, store) => {
      const result = await actions.order(store, { order: 'candidate-drop', by: operator() })
      out.json({ ok: true, ...result })
      out.line(
        `dropped: version ${String(result['version'])}; the store keeps it for the records that name it`,
      )
      return 0
    }),
  )

  withCommon(
    program
      .command('rollback')
      .argument('[bundle]', 'version, hash or the hash’s beginning; left out: the one in force before')
      .description('put an older bundle in force, on every thread at once')
      .addHelpText(
        'after',
        '\nExit codes: 0 done, 1 done, but the store could not note it, so a restart undoes it, 2 usage or fault.',
      ),
  ).action((to: string | undefined, options: CandidateOptions) =>
    order(options, async (out, store) => {
      const result = await actions.order(store, { order: 'rollback', to: to ?? '', by: operator() })
      out.json({ ok: true, ...result })
      out.line(`rolled back: ${changeOf(result)}`)
      if (result['noted'] === false) return unnoted(out)
      out.line('it stays in force, over restarts too, until the configuration changes')
      return 0
    }),
  )
}

function stagedOf(result: OrderResult): Staged | null {
  return (result['candidate'] ?? null) as Staged | null
}

function printIgnored({ ignored }: Staged, out: Output): void {
  if (ignored.length === 0) return
  out.line(
    printable(
      `not taken from a candidate, only from the gate’s own configuration at a start: ${ignored.join(', ')}`,
    ),
  )
}

function unnoted(out: Output): 1 {
  out.line(
    'the store could not note it, so a restart undoes it: see stderr of the gate, and bring the change into the configuration',
  )
  return 1
}

function changeOf(result: OrderResult): string {
  const short = (hash: unknown): string => String(hash).slice(0, 12)
  return `version ${String(result['version'])} (${short(result['bundle'])}) is in force instead of version ${String(result['versionBefore'])} (${short(result['before'])})`
}

function percent(text: string): number {
  const share = Number(text)
  if (!/^\d{1,3}(?:\.\d{1,3})?$/.test(text) || share > 100)
    throw new InvalidArgumentError('a share is a number from 0 to 100, in percent')
  return share
}

/** Absolute: control may stand in another folder. */
function configurationAt(path: string): string {
  const at = resolve(path)
  const file = existsSync(at) && statSync(at).isDirectory() ? join(at, 'sallyport.yaml') : at
  if (!existsSync(file)) throw new SallyportError('config-missing', `${file} does not exist`, { file })
  return file
}
