import { REASONS } from '../../src/model/reason.ts'
import { code, page, table } from './markdown.ts'

export function reasonsPage(): string {
  const entries = Object.entries(REASONS)
  const refusals = entries.filter(([, { status }]) => status !== 0)
  const permissions = entries.filter(([, { status }]) => status === 0)
  return page(
    'Reasons',
    'src/model/reason.ts',
    'Every decision names at least one reason from this closed list, for yes too. `sallyport explain` shows them with their evidence; callers see no more than the code of a refusal.',
    '## Refusals',
    'Answered as a problem document (RFC 9457) with the type given here and the id of the exchange. In observe mode they are recorded and the call goes on, except where a rule holds in every mode.',
    ...refusals.map(([name, { status, title, remedy }]) =>
      [
        `### ${name}`,
        table(
          ['Status', 'Problem type', 'Meaning', 'Way out'],
          [[String(status), code(`urn:sallyport:reason:${name}`), title, remedy]],
        ),
      ].join('\n\n'),
    ),
    '## Why yes, and what was done on the way',
    table(
      ['Reason', 'Meaning', 'To know'],
      permissions.map(([name, { title, remedy }]) => [code(name), title, remedy]),
    ),
  )
}
