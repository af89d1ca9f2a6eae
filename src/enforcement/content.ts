import type { Operation } from '../contract/instantiate.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { Journal } from './journal.ts'
import { jsonShape } from './shape.ts'
import { type Sight, unseenBody } from './sight.ts'

/** Parameters and body held against the contract. Without an operation only the shape is noted, to learn from. */
export function checkContent(
  exchange: Exchange,
  head: CleanHead,
  operation: Operation | null,
  params: Readonly<Record<string, string>>,
  body: Uint8Array | null,
  journal: Pick<Journal, 'requestShape'>,
  gate: Gate,
  sight: Sight,
): Finding[] {
  if (operation === null) {
    if (body !== null) journal.requestShape(jsonShape(head.contentType, body))
    return []
  }
  try {
    const findings = [...operation.checkParameters(params, head.query, head.fields)]
    if (sight.body !== 'whole') {
      findings.push(...unseenBody(operation, sight, head.contentType, body))
    } else if (head.contentEncoding !== undefined && head.contentEncoding.toLowerCase() !== 'identity') {
      findings.push(
        finding(
          reason('content-encoding-unsupported', 'contract', { encoding: codingName(head.contentEncoding) }),
        ),
      )
    } else {
      findings.push(...operation.checkBody(head.contentType, body))
    }
    return findings
  } catch (error) {
    gate.fault('contract', exchange.id, error)
    return [finding(reason('stage-failed', 'stage', { stage: 'contract' }))]
  }
}

/** A caller may write anything there, also what must not be recorded in clear. */
function codingName(text: string): string {
  return /^(?:x-)?(?:gzip|br|deflate|compress|zstd|dcb|dcz|exi|aes128gcm)$/i.test(text)
    ? text.toLowerCase()
    : 'other'
}
