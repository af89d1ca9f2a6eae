/** The `WWW-Authenticate` field of a refusal, RFC 6750 §3 and §3.1 in the grammar of RFC 9110 §11.6.1. */
import { REASONS, type Reason, type ReasonCode } from '../model/reason.ts'

/** The caller sent no token, or a scheme that is not Bearer: RFC 6750 §3.1 wants no error code then. */
const NO_TOKEN: ReadonlySet<ReasonCode> = new Set(['token-missing', 'scheme-unsupported'])
const INVALID_REQUEST: ReadonlySet<ReasonCode> = new Set(['token-in-query', 'credentials-repeated'])

/**
 * The field's value, or null where the reason calls for no challenge (503, 431, a policy's 403). `scopes`: what the
 * contract asks for, told with `insufficient_scope`.
 */
export function challenge(reason: Reason, realm: string, scopes: readonly string[] = []): string | null {
  const start = `Bearer realm="${quoted(realm)}"`
  const error = errorOf(reason)
  if (error === null) return null
  if (error === '') return start
  const description = quoted(REASONS[reason.code].title)
  const value = `${start}, error="${error}", error_description="${description}"`
  const scope = scopes.filter((name) => /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(name)).join(' ')
  return error === 'insufficient_scope' && scope !== '' ? `${value}, scope="${scope}"` : value
}

/** The empty string: a challenge without code. */
function errorOf({
  code,
  source,
}: Reason): 'invalid_request' | 'invalid_token' | 'insufficient_scope' | '' | null {
  if (code === 'insufficient-scope') return 'insufficient_scope'
  if (NO_TOKEN.has(code)) return ''
  if (INVALID_REQUEST.has(code)) return 'invalid_request'
  return source === 'identity' && REASONS[code].status === 401 ? 'invalid_token' : null
}

/** RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E in these values: anything else could end the string or the line. */
function quoted(text: string): string {
  return text
    .slice(0, 256)
    .replaceAll('’', "'")
    .replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
