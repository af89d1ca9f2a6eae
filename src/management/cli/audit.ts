import type { Command } from 'commander'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { eraseCommand } from './audit-erase.ts'
import { queryCommand } from './audit-query.ts'
import { conclude, output } from './output.ts'
import { progress } from './progress.ts'

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
Not provable without a copy of the checkpoints elsewhere: a whole log, checkpoints included, put back to an earlier clean stop.

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
          report.checkpoints === 0
            ? 'no checkpoint: nothing signed says how far the log went'
            : report.signatures === 'verified'
              ? count(report.checkpoints, 'signed checkpoint')
              : `${count(report.checkpoints, 'checkpoint')} whose signatures were not verified: keys/checkpoint.pub is missing`
        out.line(
          `${report.ok ? 'proved' : 'NOT proved'}: ${count(report.records, 'record')} in ${count(report.lines, 'line')} of ${count(report.segments, 'segment')}, ${signed}`,
        )
        if (report.faults.some(({ kind }) => kind === 'unfinished'))
          out.line(
            '(unfinished: after a crash, start the gate, which recovers the chain and says so; after a clean stop, the log was put back)',
          )
        if (report.ok && report.faultCount > 0)
          out.line('(a torn end is what a crash leaves: nothing that was acknowledged is in it)')
        return report.ok ? 0 : 1
      })
    })
}
