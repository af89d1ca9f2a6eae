import type { Decision } from '../model/decision.ts'
import type { Answer, ExchangeId } from '../model/exchange.ts'
import type { Reason } from '../model/reason.ts'
import { opposes, REASONS } from '../model/reason.ts'

/** How long a caller should wait where the refusal is a passing one, in seconds. */
const RETRY_AFTER = new Set<Reason['code']>(['keys-unavailable', 'not-ready', 'audit-unavailable'])

/** The first reason that speaks against the call decides status and problem type. */
export function decisiveReason(decision: Decision): Reason {
  return decision.reasons.find((each) => opposes(each.code)) ?? decision.reasons[0]
}

/**
 * A refusal as problem+json (RFC 9457): stable type, exchange id, nothing internal. The same reason gives the same
 * bytes but for the id, so a foreign and an absent object cannot be told apart.
 */
export function refusalAnswer(id: ExchangeId, decisive: Reason, extra: readonly string[] = []): Answer {
  const { status, title } = REASONS[decisive.code]
  const problem: Record<string, string | number> = {
    type: `urn:sallyport:reason:${decisive.code}`,
    title,
    status,
  }
  if (decisive.forCaller !== undefined) problem['detail'] = decisive.forCaller
  problem['exchange'] = id
  const body = Buffer.from(`${JSON.stringify(problem)}\n`)
  const fields = [
    'Sallyport-Exchange',
    id,
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    ...extra,
  ]
  if (RETRY_AFTER.has(decisive.code)) {
    const seconds = decisive.evidence['retryAfterSeconds']
    fields.push('Retry-After', String(typeof seconds === 'number' ? Math.max(1, Math.ceil(seconds)) : 1))
  }
  const allow = decisive.evidence['allow']
  if (decisive.code === 'method-not-allowed' && Array.isArray(allow)) fields.push('Allow', allow.join(', '))
  // RFC 9110 §15.5.16: what would have been taken.
  const accepted = decisive.evidence['accepted']
  if (decisive.code === 'content-encoding-unsupported' && Array.isArray(accepted))
    fields.push('Accept-Encoding', accepted.length === 0 ? 'identity' : accepted.join(', '))
  return { status: status === 0 ? 403 : status, fields, body }
}
