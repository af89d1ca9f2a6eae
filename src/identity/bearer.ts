/** Where a caller may put an access token: the Authorization field, once, as `Bearer` (RFC 6750 §2.1). */
import type { RawFields } from '../model/exchange.ts'
import { type Finding, finding } from '../model/fact.ts'
import { type ReasonCode, reason } from '../model/reason.ts'

export type Bearer = { readonly kind: 'none' } | { readonly kind: 'token'; readonly token: string } | Finding

const NONE: Bearer = Object.freeze({ kind: 'none' })

/** Schemes (RFC 9110 §16.4.1's registry) safe to name: an unknown one may itself be somebody's credential. */
const NAMED_SCHEMES: ReadonlySet<string> = new Set([
  'basic',
  'digest',
  'dpop',
  'gnap',
  'hoba',
  'mutual',
  'negotiate',
])

const BEARER = 'bearer'

/**
 * Finds the token. `queryNames` are the decoded names of the query's parameters: a token in the query ends in logs and
 * histories, so it is refused (RFC 6750 §5.3, RFC 9700 §4.3.2), also beside one in the field.
 */
export function readBearer(fields: RawFields, queryNames: Iterable<string>): Bearer {
  for (const name of queryNames) {
    if (name.length === 12 && name.toLowerCase() === 'access_token') return refused('token-in-query')
  }
  let value: string | undefined
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (value !== undefined) return refused('credentials-repeated')
    value = fields[at + 1] ?? ''
  }
  return value === undefined ? NONE : readCredentials(value)
}

function readCredentials(value: string): Bearer {
  const credentials = value.trim()
  const space = credentials.indexOf(' ')
  const scheme = (
    space < 0 ? credentials.slice(0, 16) : credentials.slice(0, Math.min(space, 16))
  ).toLowerCase()
  if (scheme !== BEARER) {
    return refused('scheme-unsupported', { scheme: NAMED_SCHEMES.has(scheme) ? scheme : 'other' })
  }
  let from = space < 0 ? credentials.length : space
  while (credentials.charCodeAt(from) === 0x20) from++
  return from === credentials.length
    ? refused('token-malformed', { fault: 'empty' })
    : { kind: 'token', token: credentials.slice(from) }
}

function refused(code: ReasonCode, evidence: Readonly<Record<string, string>> = {}): Finding {
  return finding(reason(code, 'identity', evidence))
}
