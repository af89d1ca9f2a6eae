import { AuditTail } from '../src/audit/tail.ts'
import { printable } from '../src/management/printable.ts'
import { changeFor, denialOf, endingOf, outcomeOf, reasonCodes } from '../src/management/record-view.ts'
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
    if (kind !== 'closed') continue
    const line = decisionLine(record)
    if (line !== '') print(line)
  }
}

/**
 * Who, operation, verdict, status, µs, reason; of a denied call also its exchange id, for `explain`, and at the end the
 * smallest change that would allow it. Empty for an exchange whose end is not known.
 */
export function decisionLine(record: ExchangeRecord): string {
  const { intent } = record
  const outcome = outcomeOf(record)
  if (outcome === null) return ''
  const who = intent.subject === null ? 'erased' : intent.subject.id
  const operation =
    intent.operation === '' ? `${intent.method} ${intent.personal?.path ?? ''}` : intent.operation
  const ending = endingOf(record)
  const parts = [
    who.padEnd(10),
    operation.padEnd(26),
    ending.padEnd(10),
    String(outcome.status).padEnd(4),
    `${String(outcome.timings.gate).padStart(6)} µs `,
    reasonCodes(record).join(', '),
  ]
  if (denialOf(record) !== null) parts.push(` ${intent.id}`, `-> ${changeFor(record)}`)
  return printable(parts.join(' ').trimEnd())
}
