import type { Command } from 'commander'
import type { PolicyCoverage, PolicyCovered } from '../../assurance/coverage.ts'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'

export function policyTestCommand(policy: Command, actions: CliActions): void {
  policy
    .command('test')
    .description('run the tests beside the policies (*.test.yaml), without starting anything')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option(
      '--coverage',
      'which policies decided, which conditions were seen one way only, what no test calls',
      false,
    )
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 all pass, 1 a test failed, 2 something is invalid. Coverage changes no exit code.',
    )
    .action((options: { config: string; coverage: boolean; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const { tests, coverage } = await actions.policies.test(options.config, {
          coverage: options.coverage,
        })
        const failed = tests.filter(({ ok }) => !ok)
        out.json({ ok: failed.length === 0, tests, ...(coverage === null ? {} : { coverage }) })
        for (const { file, name, problem } of failed)
          out.line(printable(`failed: ${file}:${name === '' ? '' : ` ${name}:`} ${problem}`))
        out.line(`${tests.length - failed.length} of ${count(tests.length, 'policy test')} pass`)
        if (coverage !== null) printCoverage(coverage, out)
        return failed.length === 0 ? 0 : 1
      })
    })
}

function printCoverage({ policies, untested, operations, parts }: PolicyCoverage, out: Output): void {
  const decided = policies.filter((each) => each.decided > 0).length
  out.line()
  out.line(`${decided} of ${count(policies.length, 'policy', 'policies')} decided in a test`)
  out.line(`${parts.both} of ${count(parts.all, 'condition')} seen both true and false`)
  out.line(`${operations - untested.length} of ${count(operations, 'operation')} called by a test`)
  for (const each of policies) printPolicy(each, out)
  if (untested.length > 0) out.line(`no test calls: ${untested.join(', ')}`)
}

function printPolicy({ id, place, decided, open }: PolicyCovered, out: Output): void {
  if (decided === 0) out.line(`${place}: ${id}: decided in no test`)
  for (const { kind, text, seen } of open) {
    const how = seen === null ? 'never asked' : `only ever ${seen}`
    out.line(printable(`${place}: ${id}: ${kind} { ${text} }: ${how}`))
  }
}
