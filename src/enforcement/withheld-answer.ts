import type { Operation } from '../contract/instantiate.ts'
import type { Body, RawFields } from '../model/exchange.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { fieldValues } from '../syntax/http.ts'

const NOTHING = new Uint8Array(0)

/** What a caller gets in place of content that is not its to see. */
export interface Withheld {
  readonly body: Body
  readonly fields: RawFields
}

/** Of a status declared without content: the status alone, with the fields that do not speak of content. */
export function withoutContent({ fields }: UpstreamAnswer): Withheld {
  const left: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]?.toLowerCase()
    if (name !== 'content-type' && name !== 'content-encoding')
      left.push(fields[i] ?? '', fields[i + 1] ?? '')
  }
  return { body: NOTHING, fields: left }
}

/**
 * An error as every caller may see it (RFC 9457, standards 1.9(23)): its status, and when to come again. All other
 * fields of it go, since what made the body up made them up too.
 */
export function genericError({ status, fields }: UpstreamAnswer, exchange: string): Withheld {
  const problem = { type: 'about:blank', title: 'The upstream answered with an error.', status, exchange }
  const wait = fieldValues(fields, 'retry-after').flatMap((value) => ['Retry-After', value])
  return {
    body: Buffer.from(`${JSON.stringify(problem)}\n`),
    fields: [
      'Content-Type',
      'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      ...wait,
    ],
  }
}

/** Content of a status that the contract declares without any: it is withheld, while the status goes through. */
export function isContentUnpromised(operation: Operation, status: number): boolean {
  return status < 400 && operation.declares(status) && !operation.declaresContent(status)
}
