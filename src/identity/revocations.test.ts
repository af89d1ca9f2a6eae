import { describe, expect, it } from 'vitest'
import type { Revocation } from '../model/directive.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { RevocationSet, tokenKeyOf } from './revocations.ts'

const alice: Subject = {
  ...ANONYMOUS,
  kind: 'user',
  issuer: 'corp',
  iss: 'https://idp.example',
  id: 'alice',
  issuedAt: 100,
  tokenId: 't1',
  tokenDigest: 'd1',
}
const token = (key: `jti:${string}` | `digest:${string}`, until = 1_000): Revocation => ({
  kind: 'token',
  key,
  until,
  by: 'ops',
  at: 0,
})
const subject = (over: Partial<Extract<Revocation, { kind: 'subject' }>> = {}): Revocation => ({
  kind: 'subject',
  iss: alice.iss,
  sub: 'alice',
  notBefore: 100,
  until: 1_000,
  by: 'ops',
  at: 0,
  ...over,
})
const code = (set: RevocationSet, who: Subject = alice): string | undefined => set.check(who)?.reason.code

describe('RevocationSet', () => {
  it.each([
    ['nothing', [], undefined],
    ['its jti', [token('jti:t1')], 'token-revoked'],
    ['its digest', [token('digest:d1')], 'token-revoked'],
    ['another jti', [token('jti:t2'), token('jti:T1'), token('digest:t1')], undefined],
    ['the subject', [subject()], 'subject-revoked'],
    ['the subject up to before', [subject({ notBefore: 99 })], undefined],
    ['the same sub of another issuer', [subject({ iss: 'https://other.example' })], undefined],
    ['a neighbour in spelling', [subject({ iss: 'https://idp.example/a', sub: 'lice' })], undefined],
  ])('revoked: %s', (_name, revocations, expected) => {
    const set = new RevocationSet()
    for (const revocation of revocations) set.apply(revocation)
    expect(code(set)).toBe(expected)
  })

  it('a token without jti has its digest', () => {
    const { tokenId: _, ...bare } = alice
    const set = new RevocationSet()
    set.apply(token('jti:undefined'))
    expect(code(set, bare)).toBeUndefined()
    set.apply(token('digest:d1'))
    expect(code(set, bare)).toBe('token-revoked')
  })

  it('holds until it has run out and is pruned, the longest order counting', () => {
    const set = new RevocationSet()
    set.apply(token('jti:t1', 1_000))
    set.apply(token('jti:t1', 500))
    set.apply(subject({ notBefore: 200, until: 500 }))
    set.apply(subject({ notBefore: 50, until: 2_000 }))
    set.prune(999)
    expect(set.size).toBe(2)
    set.prune(1_000)
    expect(set.size).toBe(1)
    expect(code(set)).toBe('subject-revoked')
    set.prune(2_000)
    expect([set.size, code(set)]).toEqual([0, undefined])
  })

  it('when full says so and forgets nothing', () => {
    const set = new RevocationSet(2)
    expect(set.apply(token('jti:t1'))).toBe(true)
    expect(set.apply(subject({ sub: 'bob' }))).toBe(true)
    expect(set.apply(token('jti:t2'))).toBe(false)
    expect(set.apply(subject())).toBe(false)
    expect(set.apply(token('jti:t1', 5_000))).toBe(true)
    expect(code(set)).toBe('token-revoked')
  })

  it('what is no token has no key', () => {
    expect(tokenKeyOf('not.a.token')).toBeNull()
  })
})
