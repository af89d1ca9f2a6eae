import type { Exchange, Reply } from '../model/exchange.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import { refuse } from './deliver.ts'
import type { Gate } from './gate.ts'
import { Journal } from './journal.ts'
import { judge } from './judge.ts'

/** A message that is not HTTP, too large a head, or none in time: refused and recorded without a head to judge. */
export async function refuseUnparsed(
  exchange: Exchange,
  parserCode: string,
  reply: Reply,
  gate: Gate,
): Promise<void> {
  const journal = new Journal(exchange, gate)
  const pin = gate.snapshots.pin()
  try {
    if (pin !== null) journal.pinned(pin.snapshot)
    await refuse(judge(journal, 'head', [finding(reasonFor(parserCode), true)]), reply, journal, gate)
  } finally {
    pin?.unpin()
  }
}

function reasonFor(parserCode: string): ReturnType<typeof reason> {
  const evidence = { parser: parserCode.slice(0, 64) }
  if (parserCode === 'HPE_HEADER_OVERFLOW') return reason('head-too-large', 'hygiene', evidence)
  if (parserCode === 'ERR_HTTP_REQUEST_TIMEOUT') return reason('request-too-slow', 'hygiene', evidence)
  return reason('request-malformed', 'hygiene', evidence)
}
