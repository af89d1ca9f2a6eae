import type { Decision } from '../model/decision.ts'
import type { Reason } from '../model/reason.ts'
import { REASONS } from '../model/reason.ts'
import { evidenceText } from './printable.ts'

/** A decision for a terminal: a row a reason, then what was only observed. Cells: checkpoint, effect, code, words. */
export function decisionRows({
  checkpoint,
  effect,
  pending,
  reasons,
  observed = [],
}: Decision): readonly (readonly string[])[] {
  const verdict = `${effect}${pending ? ', waits' : ''}`
  return [
    ...reasons.map((each, index) =>
      reasonRow(each, index === 0 ? checkpoint : '', index === 0 ? verdict : ''),
    ),
    ...observed.map((each) => reasonRow(each, '', 'only observed')),
  ]
}

function reasonRow(
  { code, source, evidence }: Reason,
  checkpoint: string,
  effect: string,
): readonly string[] {
  const facts = Object.keys(evidence).length === 0 ? '' : ` (${source}: ${evidenceText(evidence)})`
  return [checkpoint, effect, code, `${REASONS[code].title}${facts}`]
}
