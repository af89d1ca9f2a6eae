import { type Command, InvalidArgumentError } from 'commander'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, output } from './output.ts'
import { progress } from './progress.ts'

/** Enough for a dozen attributes that each tell a few values apart; a second or two an operation. */
export const DEFAULT_BOUND = 200_000
const MOST = 5_000_000

export function requestBound(text: string): number {
  const bound = Number(text)
  if (!/^\d{1,7}$/.test(text) || bound < 100 || bound > MOST)
    throw new InvalidArgumentError(`a number of requests is one from 100 to ${MOST}`)
  return bound
}

export function policyLintCommand(policy: Command, actions: CliActions): void {
  policy
    .command('lint')
    .description('find policies that never apply, overlap, change nothing, or allow everyone')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--requests <number>', 'the most requests judged of one operation', requestBound, DEFAULT_BOUND)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Decided: judged over every request that the policies of the operation can tell apart. Where that is not possible
(like, arithmetic, too many requests), over a sample, and the finding says so.

Exit codes: 0 nothing found, 1 findings, 2 something is invalid.`,
    )
    .action((options: { config: string; requests: number; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const bar = progress('judging requests')
        try {
          const report = await actions.policies.lint(options.config, {
            bound: options.requests,
            onProgress: (done) => bar.at(done),
          })
          bar.end()
          out.json({ ok: report.findings.length === 0, ...report })
          for (const { place, policy: id, rule, message, how, operations } of report.findings) {
            out.line(`${printable(`${place}: ${id}: ${message}`)} (${rule}, ${how})`)
            if (rule === 'allows-everyone') out.line(`  ${operations.join(', ')}`)
          }
          out.line(
            `${count(report.policies, 'policy', 'policies')}, ${count(report.findings.length, 'finding')}; ${report.decided} of ${count(report.operations, 'operation')} decided over ${count(report.requests, 'request')} in all`,
          )
          return report.findings.length === 0 ? 0 : 1
        } finally {
          bar.end()
        }
      })
    })
}
