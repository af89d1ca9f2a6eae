import { describe, expect, it } from 'vitest'
import { readBearer } from './bearer.ts'

const read = (fields: readonly string[], query: readonly string[] = []): string => {
  const bearer = readBearer(fields, query)
  return bearer.kind === 'token'
    ? `token ${bearer.token}`
    : bearer.kind === 'none'
      ? 'none'
      : bearer.reason.code
}

describe('readBearer', () => {
  it.each([
    [[], 'none'],
    [['Host', 'a'], 'none'],
    [['Authorization', 'Bearer a.b.c'], 'token a.b.c'],
    [['authorization', 'bearer  a.b.c '], 'token a.b.c'],
    [['AUTHORIZATION', 'BEARER a.b.c'], 'token a.b.c'],
    [['Proxy-Authorization', 'Bearer a.b.c', 'X-Authorization', 'Bearer a'], 'none'],
    [['Authorization', 'Bearer'], 'token-malformed'],
    [['Authorization', 'Bearer   '], 'token-malformed'],
    [['Authorization', ''], 'scheme-unsupported'],
    [['Authorization', 'Basic dTpw'], 'scheme-unsupported'],
    [['Authorization', 'DPoP a.b.c'], 'scheme-unsupported'],
    [['Authorization', 'Bearer\ta.b.c'], 'scheme-unsupported'],
    [['Authorization', 'Bearera.b.c'], 'scheme-unsupported'],
    [['Authorization', 'a.b.c'], 'scheme-unsupported'],
    [['Authorization', 'Bearer a.b.c', 'authorization', 'Bearer a.b.c'], 'credentials-repeated'],
    [['Authorization', 'Basic dTpw', 'Authorization', 'Bearer a.b.c'], 'credentials-repeated'],
    [['Authorization', 'Bearer a.b.c, Bearer d.e.f'], 'token a.b.c, Bearer d.e.f'],
  ])('%j: %s', (fields, expected) => {
    expect(read(fields)).toBe(expected)
  })

  it.each(['access_token', 'ACCESS_TOKEN'])('refuses %s in the query, also beside a good field', (name) => {
    expect(read(['Authorization', 'Bearer a.b.c'], ['a', name])).toBe('token-in-query')
    expect(read([], [name])).toBe('token-in-query')
    expect(read([], ['access_tokens', 'token'])).toBe('none')
  })

  it('keeps nothing of a credential', () => {
    for (const value of ['eyJhbGciOi.secret', 'Basic secret', 'secret secret']) {
      expect(JSON.stringify(readBearer(['Authorization', value], []))).not.toMatch(/secret|eyJ/)
    }
  })
})
