import type { Command } from 'commander'
import type { ListedBundle } from '../bundle-actions.ts'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { elapsed } from './progress.ts'

interface BundleOptions {
  readonly config: string
  readonly json: boolean
}

const NAMED = 'its version, its hash, or the hash’s beginning (8 digits or more)'

/** What the store holds of policies, contracts and settings as they were compiled. */
export function bundleCommand(program: Command, actions: CliActions): void {
  const bundle = program
    .command('bundle')
    .description('list, show and verify the signed bundles of the store, each a version of what decides')
  const withCommon = (command: Command): Command =>
    command
      .option('--config <file>', 'configuration', 'sallyport.yaml')
      .option('--json', 'print the result as JSON', false)

  withCommon(
    bundle
      .command('list')
      .description('all versions: when, by whom and why, which is in force')
      .option('--records', 'count the records that refer to each', false)
      .addHelpText('after', '\nExit codes: 0 done, 2 usage or fault.'),
  ).action((options: BundleOptions & { readonly records: boolean }) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const waiting = options.records ? elapsed('reading the records') : null
      const bundles = await actions.bundles
        .list(options.config, options.records)
        .finally(() => waiting?.end())
      out.json({ ok: true, bundles })
      for (const each of bundles) out.line(lineOf(each))
      if (bundles.length === 0) out.line('the store holds no bundle: no gate was started with it yet')
      return 0
    })
  })

  withCommon(
    bundle
      .command('show')
      .argument('<bundle>', NAMED)
      .description('what one version holds, verified')
      .addHelpText('after', '\nExit codes: 0 shown, 2 it does not verify, usage or fault.'),
  ).action((asked: string, options: BundleOptions) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const shown = await actions.bundles.show(options.config, asked)
      out.json({ ok: true, ...shown })
      out.line(lineOf(shown))
      out.line(`  hash: ${shown.hash}`)
      out.line(`  configuration file: sha256 ${shown.config}`)
      for (const { name, mode, operations } of shown.apis)
        out.line(printable(`  API ${name}: ${mode}, ${count(operations, 'operation')}`))
      if (shown.issuers.length > 0) out.line(printable(`  issuers: ${shown.issuers.join(', ')}`))
      out.line(`  ${count(shown.policies, 'policy file')}, ${count(shown.tests, 'policy test')}`)
      for (const { at, by, why } of shown.changes)
        out.line(printable(`  in force from ${timeOf(at)}: ${why} by ${by}`))
      return 0
    })
  })

  withCommon(
    bundle
      .command('verify')
      .argument('[bundle]', `${NAMED}; left out: all`)
      .description('check signature and every byte')
      .addHelpText('after', '\nExit codes: 0 all verify, 1 one does not, 2 usage or fault.'),
  ).action((asked: string | undefined, options: BundleOptions) => {
    const out = output(options.json)
    return conclude(out, async () => {
      const verified = await actions.bundles.verify(options.config, asked ?? null)
      const bad = verified.filter(({ ok }) => !ok)
      out.json({ ok: bad.length === 0, bundles: verified })
      for (const { hash, problem } of bad) out.line(printable(`${hash.slice(0, 12)}: ${problem}`))
      return verdictOf(verified.length, bad.length, out)
    })
  })
}

function verdictOf(all: number, bad: number, out: Output): 0 | 1 {
  if (bad === 0) out.line(`${count(all, 'bundle')}: signature and bytes verify`)
  else out.line(`${bad} of ${count(all, 'bundle')} cannot be trusted; none of them is used`)
  return bad === 0 ? 0 : 1
}

function lineOf({ hash, version, at, by, why, inForce, before, records, problem }: ListedBundle): string {
  const short = hash.slice(0, 12)
  if (version === null) return printable(`–  ${short}  ${problem}`)
  const marks = [
    ...(inForce ? ['in force'] : []),
    ...(before ? ['in force before'] : []),
    ...(records === null ? [] : [count(records, 'record')]),
  ]
  const marked = marks.length === 0 ? '' : ` (${marks.join(', ')})`
  return printable(`${version}  ${short}  ${timeOf(at)}  ${why} by ${by}${marked}`)
}

function timeOf(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`
}
