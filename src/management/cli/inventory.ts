import type { Command } from 'commander'
import type { DeclaredField } from '../inventory-report.ts'
import { columns, count, printable } from '../printable.ts'
import type { CliActions } from './actions.ts'
import { conclude, output } from './output.ts'
import { elapsed } from './progress.ts'

/** Places of one operation on the terminal; --json gives them all. */
const SHOWN = 20

export function inventoryCommand(program: Command, actions: CliActions): void {
  program
    .command('inventory')
    .description(
      'list what operations take and answer by class (pii, pci …): as contracts state it, and as values showed; and how many ways calls differed from them',
    )
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--all', 'operations without any class or difference too', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Classes are stated in the contract (x-sallyport: { class: pii }) or in the file beside it, or told by a field's name or
format. Values are looked at where an API samples answers (sensitivity: { sample: 0.01 }). In what calls differed from the contract: sallyport drift.

Exit codes: 0 listed, 1 values showed classes that no contract states, 2 usage or fault.`,
    )
    .action((options: { config: string; all: boolean; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        const waiting = elapsed('reading contracts and records')
        try {
          const report = await actions.inventory(options.config)
          waiting.end()
          const found = report.operations.reduce((sum, { detected }) => sum + detected.length, 0)
          out.json({ ok: found === 0, ...report })
          for (const { operation, method, template, request, answer, detected, drift } of report.operations) {
            if (!options.all && request.length + answer.length + detected.length + drift === 0) continue
            out.line(printable(`${operation}  ${method} ${template}`))
            const rows = [
              ...placeRows('takes', request),
              ...placeRows('answers', answer),
              ...detected
                .slice(0, SHOWN)
                .map(({ class: name, pointer, count: times, example }) => [
                  '  not stated',
                  name,
                  pointer,
                  `in ${count(times, 'sampled answer')}, such as ${example}`,
                ]),
            ]
            for (const line of columns(rows)) out.line(line)
            if (drift > 0) out.line(`  ${count(drift, 'way')} in which calls differed: sallyport drift`)
          }
          out.line(
            `${count(report.operations.length, 'operation')}, ${count(report.records, 'record')} read, ${count(found, 'place')} where values show what no contract states`,
          )
          return found === 0 ? 0 : 1
        } finally {
          waiting.end()
        }
      })
    })
}

function placeRows(what: string, fields: readonly DeclaredField[]): readonly (readonly string[])[] {
  const rows = fields
    .slice(0, SHOWN)
    .map(({ class: name, at, origin }) => [
      `  ${what}`,
      name,
      at,
      origin === 'annotation' ? 'stated' : `by its ${origin}`,
    ])
  return fields.length > SHOWN
    ? [...rows, [`  ${what}`, '', `and ${fields.length - SHOWN} more: --json`, '']]
    : rows
}
