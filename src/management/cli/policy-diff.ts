import type { Command } from 'commander'
import type { Change, ChangeFact, OperationDiff, Verdict } from '../../assurance/diff.ts'
import type { RecordsDiff } from '../../assurance/records-diff.ts'
import { count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, type Output, output } from './output.ts'
import { DEFAULT_BOUND, requestBound } from './policy-lint.ts'
import { progress } from './progress.ts'

interface DiffOptions {
  readonly config: string
  readonly records: boolean
  readonly requests: number
  readonly json: boolean
}

export function policyDiffCommand(policy: Command, actions: CliActions): void {
  policy
    .command('diff')
    .argument(
      '<before>',
      'a configuration file, or a bundle in the store: its version, its hash, or the hash’s beginning (8 digits or more)',
    )
    .argument('<after>', 'likewise')
    .description('what widened and what narrowed between two configurations')
    .option('--config <file>', 'configuration whose store holds bundles and records', 'sallyport.yaml')
    .option('--records', 'judge the store’s recorded calls by both as well', false)
    .option('--requests <number>', 'the most requests judged of one operation', requestBound, DEFAULT_BOUND)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Compares what callers may call: policies, the contract's security, object rules, operations added and removed, modes,
trusted issuers, zones and flows. Schemas of parameters and bodies are not compared.

Decided: over every request that the policies of both sides can tell apart. Where that is not possible, over
generated requests (the same ones each time), and the result says of which operations and why.

Exit codes: 0 nothing widened, 1 access widened, 2 something is invalid.`,
    )
    .action((before: string, after: string, options: DiffOptions) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const bar = progress('judging requests')
        try {
          const { config, records, requests } = options
          const report = await actions.policies.diff(
            { before, after, config, records },
            { bound: requests, onProgress: (done) => bar.at(done) },
          )
          bar.end()
          out.json({ ok: !report.widened, ...report })
          for (const each of report.operations) printOperation(each, out)
          for (const { setting, widened, words } of report.settings)
            out.line(`${widened ? 'widened' : 'narrowed'}: ${printable(`${setting} ${words}`)}`)
          if (report.records !== null) printRecords(report.records, out)
          for (const { operation, why } of report.generated)
            out.line(`not decided, ${operation}: ${printable(why.join('; '))}`)
          const { operations, same, decided, generated, requests: judged } = report.compared
          out.line(
            `policies of ${count(operations, 'operation')}: ${same} the same, ${decided} decided, ${generated} by generated requests; ${count(judged, 'request')} judged`,
          )
          const widening = report.settings.filter(({ widened }) => widened).length
          const narrowing = report.settings.length - widening
          if (report.settings.length > 0) out.line(`settings: ${widening} widened, ${narrowing} narrowed`)
          out.line(report.widened ? 'ACCESS WIDENED' : 'no access widened')
          return report.widened ? 1 : 0
        } finally {
          bar.end()
        }
      })
    })
}

function printOperation(
  { operation, presence, how, widened, narrowed, requests }: OperationDiff,
  out: Output,
): void {
  const note = presence === 'both' ? '' : `, ${presence}`
  out.line(`${operation} (${how} over ${count(requests, 'request')}${note})`)
  printChange('widened', widened, out)
  printChange('narrowed', narrowed, out)
}

function printChange(label: string, { facts, more }: Change, out: Output): void {
  for (const fact of facts) {
    out.line(`  ${label}: ${printable(fact.words)} (${count(fact.requests, 'request')})`)
    out.line(`    for example ${exampleText(fact)}`)
    out.line(`    before: ${verdictText(fact.before)}; after: ${verdictText(fact.after)}`)
  }
  if (more > 0) out.line(`  ${label}: and ${count(more, 'request')} more`)
}

function exampleText({ example: { principal, resource, context } }: ChangeFact): string {
  const parts = [
    `${principal.type} ${principal.id}`,
    ...principal.groups.map((group) => `in ${group}`),
    ...(principal.roles ?? []).map((role) => `as ${role}`),
    ...(principal.zone === undefined ? [] : [`from zone ${principal.zone}`]),
    ...(context.scopes.length === 0 ? [] : [`with ${context.scopes.join(' ')}`]),
    ...(resource.owner === undefined ? [] : [`owned by ${resource.owner}`]),
    `from ${context.ip}`,
  ]
  return printable(parts.join(', '))
}

function verdictText({ effect, reasons, policies }: Verdict): string {
  const by = policies.length > 0 ? policies : reasons
  return `${effect} (${printable(by.join(', '))})`
}

function printRecords({ read, same, settled, changes, undecidable, cut }: RecordsDiff, out: Output): void {
  for (const { operation, caller, widened, count: times, example } of changes.slice(0, 50))
    out.line(
      `recorded, ${widened ? 'widened' : 'narrowed'}: ${printable(caller)}, ${operation}: ${count(times, 'call')}, such as ${example}`,
    )
  if (changes.length > 50) out.line(`recorded: and ${changes.length - 50} more`)
  for (const [name, times] of Object.entries(undecidable))
    out.line(`recorded, undecidable: ${count(times, 'call')}: ${name} was not recorded`)
  const limit = cut ? ', there are more' : ''
  out.line(`${count(read, 'recorded call')}${limit}: ${same} the same, ${settled} not up to the policies`)
}
