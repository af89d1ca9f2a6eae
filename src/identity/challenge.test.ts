import { describe, expect, it } from 'vitest'
import { type ReasonCode, reason } from '../model/reason.ts'
import { challenge } from './challenge.ts'

const of = (code: ReasonCode, scopes?: readonly string[]) =>
  challenge(reason(code, 'identity'), 'shop', scopes)

describe('challenge (RFC 6750 §3.1)', () => {
  it.each([
    ['token-missing', 'Bearer realm="shop"'],
    ['scheme-unsupported', 'Bearer realm="shop"'],
    [
      'token-expired',
      'Bearer realm="shop", error="invalid_token", error_description="The token has expired."',
    ],
    [
      'signature-invalid',
      'Bearer realm="shop", error="invalid_token", error_description="The token\'s signature does not verify."',
    ],
    [
      'token-in-query',
      'Bearer realm="shop", error="invalid_request", error_description="Access tokens are accepted in the Authorization field only."',
    ],
    [
      'credentials-repeated',
      'Bearer realm="shop", error="invalid_request", error_description="There is more than one Authorization field."',
    ],
    ['keys-unavailable', null],
    ['token-too-large', null],
    ['policy-forbids', null],
    ['owner-differs', null],
    ['identity-verified', null],
  ] as const)('%s', (code, value) => {
    expect(of(code)).toBe(value)
  })

  it('names the scopes that are wanted, and only well-formed ones', () => {
    expect(of('insufficient-scope', ['orders:read', 'a"b', 'x y', '', 'orders:write'])).toBe(
      'Bearer realm="shop", error="insufficient_scope", error_description="The token lacks a scope the contract asks for.", scope="orders:read orders:write"',
    )
    expect(of('insufficient-scope')).not.toContain('scope=')
    expect(of('token-expired', ['orders:read'])).not.toContain('scope=')
  })

  it('a realm cannot end its string or the line', () => {
    expect(challenge(reason('token-missing', 'identity'), 'a"\\\r\nX: b')).toBe('Bearer realm="a????X: b"')
  })
})
