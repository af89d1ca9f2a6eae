import type { UnknownFields } from '../src/model/operation.ts'
import { operationOf, said } from './contract-instance.ts'

/** What is said to a body of one media type, and what goes on of it. */
export function bodyOf(
  type: string,
  media: Record<string, unknown>,
  schemas: Record<string, unknown> = {},
): (text: string | Uint8Array, as?: string, mode?: UnknownFields) => string[] {
  const operation = operationOf(
    { requestBody: { required: true, content: { [type]: media } } },
    { components: { schemas } },
  )
  return (text, as = type, mode = 'reject') => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    const checked = operation.checkBody(as, bytes, mode)
    const out = said(checked.findings)
    if (checked.dropped.length > 0) out.push(`now ${Buffer.from(checked.bytes ?? []).toString()}`)
    return checked.unchecked === true ? [...out, 'unchecked'] : out
  }
}
