import { AuditTail } from '../src/audit/tail.ts'
import { smallestChange } from '../src/decision/smallest-change.ts'
import type { ExchangeRecord } from '../src/model/record.ts'
import { readDataDirectory } from '../src/store/data-directory.ts'
import { readStoreKey } from '../src/store/store-keys.ts'

// The live view: one line a decision, read from the record as it is written.

/** Prints until the signal aborts. `print` gets whole lines. */
export async function showDecisions(
  store: string,
  signal: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const directory = readDataDirectory(store)
  const tail = new AuditTail({
    directory: directory.audit,
    storeKey: readStoreKey(directory),
    from: 'end',
    signal,
  })
  for await (const { kind, record } of tail.records()) {
    if (kind === 'closed') for (const line of decisionLines(record)) print(line)
  }
}

/** Who, operation, allow or deny, reason, µs; a deny ends with the smallest change that would allow it. */
export function decisionLines(record: ExchangeRecord): readonly string[] {
  const { intent, outcome } = record
  if (outcome === null || outcome === 'unknown') return []
  const who =
    intent.subject === null ? 'erased' : intent.subject.kind === 'anonymous' ? 'anonymous' : intent.subject.id
  const operation =
    intent.operation === '' ? `${intent.method} ${intent.personal?.path ?? ''}` : intent.operation
  const decisions = [...intent.decisions, ...outcome.decisions]
  const denied = decisions.find(({ effect }) => effect !== 'allow')
  const last = decisions.at(-1)
  const decisive = (denied ?? last)?.reasons.map(({ code }) => code).join(', ') ?? ''
  const effect = outcome.effect === 'allow' ? (outcome.wouldDeny ? 'would deny' : 'allow') : 'deny'
  const lines = [
    `${who.padEnd(10)} ${operation.padEnd(26)} ${effect.padEnd(10)} ${String(outcome.status).padEnd(4)} ${String(outcome.timings.gate).padStart(6)} µs  ${decisive}`,
  ]
  if (denied !== undefined) {
    const change = smallestChange(denied, {
      api: intent.api,
      operation: intent.operation,
      subject: intent.subject,
      template: intent.template,
    })
    if (change !== '') lines.push(`${' '.repeat(11)}-> ${change}`)
  }
  return lines
}
