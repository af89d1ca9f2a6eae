import type { RawFields } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { contractFinding, MAX_FINDINGS, NO_FINDINGS } from './findings.ts'
import { checkHeader } from './parameters/fields.ts'
import type { LinkedParameter } from './parameters/judge.ts'

/** Fields that answers declare, by status as the contract writes it. */
export type AnswerHeaders = ReadonlyMap<string, readonly LinkedParameter[]>

/** Fields the contract does not declare are the protocol's, and pass: they are held against nothing. */
export function checkAnswerFields(
  headers: AnswerHeaders,
  status: number,
  fields: RawFields,
): readonly Finding[] {
  if (headers.size === 0) return NO_FINDINGS
  const declared =
    headers.get(String(status)) ?? headers.get(`${Math.trunc(status / 100)}XX`) ?? headers.get('default')
  if (declared === undefined) return NO_FINDINGS
  const findings: Finding[] = []
  for (const header of declared) {
    checkHeader(header, fields, ({ reason: { evidence } }) => {
      const rule = typeof evidence['rule'] === 'string' ? evidence['rule'] : 'required'
      const seen = typeof evidence['type'] === 'string' ? { type: evidence['type'] } : {}
      if (findings.length < MAX_FINDINGS)
        findings.push(contractFinding('response-invalid', { header: header.name, rule, ...seen }))
    })
  }
  return findings
}
