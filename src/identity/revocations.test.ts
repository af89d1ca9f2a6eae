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
const code = (set: RevocationSet, who: Subject = alice, skewSeconds = 0): string | undefined =>
  set.check(who, skewSeconds)?.reason.code

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

  it.each([
    [130, 30, 'subject-revoked'],
    [131, 30, undefined],
    [160, 60, 'subject-revoked'],
    [161, 60, undefined],
    [101, 0, undefined],
  ])(
    'issued at %i by a clock up to %i s ahead, of a subject revoked at 100: %s',
    (issuedAt, skew, expected) => {
      const set = new RevocationSet()
      set.apply(subject())
      expect(code(set, { ...alice, issuedAt }, skew)).toBe(expected)
    },
  )

  it('forgets nothing while the gate runs, whatever the clock says; the widest order counts', () => {
    const set = new RevocationSet()
    set.apply(token('jti:t1', 0))
    expect(code(set)).toBe('token-revoked')
    set.apply(subject({ sub: 'bob', notBefore: 200, until: 0 }))
    set.apply(subject({ sub: 'bob', notBefore: 50, until: 2_000 }))
    expect(set.size).toBe(2)
    const bob = { ...alice, id: 'bob', tokenId: 't2' }
    expect([code(set, { ...bob, issuedAt: 200 }), code(set, { ...bob, issuedAt: 201 })]).toEqual([
      'subject-revoked',
      undefined,
    ])
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
