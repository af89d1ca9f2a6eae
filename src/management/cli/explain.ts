import type { Command } from 'commander'
import { SallyportError } from '../../model/errors.ts'
import { REASONS } from '../../model/reason.ts'
import type { ExchangeRecord } from '../../model/record.ts'
import { uuid7Time } from '../../syntax/uuid.ts'
import { explanation } from '../explanation.ts'
import { statedFacts } from '../fact-evidence.ts'
import { OF_ITEM, turningFacts } from '../policy-drawing.ts'
import { changeOf, wouldOf } from '../policy-story.ts'
import type { CliActions } from './actions.ts'
import { conclude, output } from './output.ts'
import { elapsed } from './progress.ts'

export function explainCommand(program: Command, actions: CliActions): void {
  program
    .command('explain')
    .argument('<id>', 'the exchange’s id: Sallyport-Exchange of the answer, or of a problem document')
    .description('show one decision in full, and judge it again by the policies it was made with')
    .option('--config <file>', 'configuration', 'sallyport.yaml')
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
Example:
  $ sallyport explain 019381b0-5f0e-7c3a-9d62-0b4c1f6f6a11

Exit codes: 0 shown, 1 no record has this id, or the record judged again comes to another decision, 2 usage or fault.`,
    )
    .action((id: string, options: { config: string; json: boolean }) => {
      const out = output(options.json)
      return conclude(out, async () => {
        if (uuid7Time(id) === null)
          throw new SallyportError(
            'usage',
            `${JSON.stringify(id.slice(0, 64))} is not an exchange id: that is a UUID like 019381b0-5f0e-7c3a-9d62-0b4c1f6f6a11, in the Sallyport-Exchange field of every answer`,
          )
        const record = await find(actions, options.config, id)
        if (record === null) {
          out.json({ ok: false, code: 'record-unknown', id })
          out.note(
            `no record has the id ${JSON.stringify(id.slice(0, 64))}: it may belong to another gate’s store`,
          )
          return 1
        }
        const { readHints } = await import('../configured-hints.ts')
        const hints = readHints(options.config)
        const rejudged = await actions.records.rejudge(options.config, record)
        out.json({
          ok: rejudged.result !== 'changed',
          record,
          policies: rejudged.policies,
          trace: rejudged.trace,
          turningFacts: rejudged.trace === null ? [] : turningFacts(rejudged.trace, wouldOf(record)),
          facts: statedFacts(record),
          items: (rejudged.items ?? []).map((item) => ({
            ...item,
            turningFacts: turningFacts(item.trace, OF_ITEM),
          })),
          smallestChange: changeOf(record, rejudged, hints),
          reevaluation: { result: rejudged.result, missing: rejudged.missing, why: rejudged.why },
          titles: titlesOf(record),
        })
        for (const line of explanation(record, rejudged, hints)) out.line(line)
        return rejudged.result === 'changed' ? 1 : 0
      })
    })
}

async function find(actions: CliActions, config: string, id: string): Promise<ExchangeRecord | null> {
  const waiting = elapsed('reading the record')
  try {
    for await (const record of actions.records.read(config, { id })) return record
    return null
  } finally {
    waiting.end()
  }
}

/** What each reason code of the record means. */
function titlesOf(record: ExchangeRecord): Readonly<Record<string, string>> {
  const { intent, outcome } = record
  const later = outcome === null || outcome === 'unknown' ? [] : outcome.decisions
  const codes = [...intent.decisions, ...later].flatMap(({ reasons }) => reasons.map(({ code }) => code))
  return Object.fromEntries(codes.map((code) => [code, REASONS[code].title]))
}
