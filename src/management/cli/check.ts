import type { Command } from 'commander'
import { count } from '../printable.ts'
import { warningLines } from '../warning-groups.ts'
import type { CheckReport, CliActions } from './actions.ts'
import { conclude, output } from './output.ts'

function apiText({
  name,
  operations,
  mode,
  governed,
  observe = [],
  otherwise = 0,
}: CheckReport['apis'][number]): string {
  const other = mode === 'enforce' ? 'only observed' : 'enforced'
  const parts = [
    `${name}: ${operations} operations`,
    `${mode}${governed ? '' : ', ungoverned'}`,
    ...(otherwise === 0 ? [] : [`${count(otherwise, 'operation')} ${other}`]),
    ...(observe.length === 0 ? [] : [`only observed: ${observe.join(' and ')}`]),
  ]
  return parts.join(', ')
}

export function checkCommand(program: Command, actions: CliActions): void {
  program
    .command('check')
    .description('validate configuration, contracts, policies and their tests without starting')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 fine, 1 a policy test failed, 2 something is invalid (each problem with file:line:column).\nOf many warnings of one kind the first three are printed; --json has them all.',
    )
    .action((options: { config: string; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const report = await actions.check(options.config)
        const failed = report.tests.filter(({ passed }) => !passed)
        out.json({ ok: failed.length === 0, ...report })
        for (const api of report.apis) out.line(apiText(api))
        const enforced = report.apis.filter(({ mode }) => mode === 'enforce').map(({ name }) => name)
        if (report.policies === 0 && enforced.length > 0)
          out.line(
            `NOTHING IS PERMITTED: every call to ${enforced.join(', ')} is denied until a policy permits it`,
          )
        for (const line of warningLines(report.warnings)) out.line(`warning: ${line}`)
        for (const { file, name, detail } of failed)
          out.line(`failed: ${file}:${name === '' ? '' : ` ${name}:`} ${detail}`)
        out.line(
          `${count(report.policies, 'policy file')}, ${report.tests.length - failed.length} of ${count(report.tests.length, 'policy test')} pass, ${count(report.warnings.length, 'warning')}`,
        )
        return failed.length === 0 ? 0 : 1
      })
    })
}
