import { beforeEach, describe, expect, it } from 'vitest'
import { keyNotice, TestTime, testKey, trustedIssuer } from '../../test/token-issuer.ts'
import { KeyRing, MAX_CANDIDATES } from './key-ring.ts'

const a = testKey('RS256', 'a')
const HOUR = 3_600_000
const corp = trustedIssuer()

let time: TestTime
let ring: KeyRing

beforeEach(() => {
  time = new TestTime()
  ring = new KeyRing()
})

const found = (kid: string | undefined, alg = 'RS256') => {
  const answer = ring.find(corp, kid, alg, time.now())
  return typeof answer === 'string' ? answer : answer.map((key) => key.kid)
}

describe('find', () => {
  it('before the first notice asks', () => {
    expect(found('a')).toBe('unknown-ask')
    expect(ring.retryAfterSeconds('corp', time.now())).toBe(1)
  })

  it('tells a key for other algorithms from one that is not there', () => {
    ring.apply(keyNotice([a], time.now()), time.now())
    expect(found('a')).toEqual(['a'])
    expect(found('a', 'PS256')).toEqual(['a'])
    expect(found('a', 'ES256')).toBe('alg-refused')
    expect(found('b')).toBe('unknown-ask')
    expect(found(undefined, 'ES256')).toBe('unknown-ask')
  })

  it.each([
    ['fetched since the cool-down began', 0, true, 'unknown-fresh'],
    ['fetched before it began', -1, true, 'unavailable'],
    ['never fetched', 0, false, 'unavailable'],
  ])('during a cool-down: %s', async (_name, fetchedBy, has, answer) => {
    const { wallMs } = time.now()
    const notice = keyNotice([a], time.now(), {
      fetchedAt: wallMs + fetchedBy,
      cooldownFrom: wallMs,
      cooldownUntil: wallMs + 10_000,
    })
    ring.apply(has ? notice : { ...notice, keys: null }, time.now())
    expect(found('b')).toBe(answer)
    expect(ring.retryAfterSeconds('corp', time.now())).toBe(10)
    await time.pass(9_999)
    expect(found('b')).toBe(answer)
    await time.pass(1)
    expect(found('b')).toBe('unknown-ask')
  })

  it('tries no more keys for one token than the bound', () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ ...a, kid: `k${n}` }))
    ring.apply(keyNotice(many, time.now()), time.now())
    expect(found(undefined)).toHaveLength(MAX_CANDIDATES)
    expect(found('k19')).toEqual(['k19'])
  })

  it('keeps issuers apart', () => {
    ring.apply(keyNotice([a], time.now(), { issuer: 'partner' }), time.now())
    expect(found('a')).toBe('unknown-ask')
    ring.apply(keyNotice([a], time.now()), time.now())
    ring.forget('corp')
    expect(found('a')).toBe('unknown-ask')
  })

  it('does not use keys of another iss that had the same name before a reload', () => {
    ring.apply(keyNotice([a], time.now(), { iss: 'https://old.example' }), time.now())
    expect(found('a')).toBe('unknown-ask')
    expect(ring.ready(corp, time.now())).toBe(false)
  })
})

describe('what stays the same when control tells again', () => {
  it('is the key object, as long as nothing about the key changed', () => {
    const key = (kid: string) => {
      const answer = ring.find(corp, kid, 'RS256', time.now())
      return typeof answer === 'string' ? answer : answer[0]
    }
    ring.apply(keyNotice([a], time.now()), time.now())
    const before = key('a')
    ring.apply(structuredClone(keyNotice([testKey('RS256', 'b'), a], time.now())), time.now())
    expect(key('a')).toBe(before)
    const narrower = keyNotice([a], time.now())
    ring.apply(
      { ...narrower, keys: (narrower.keys ?? []).map((jwk) => ({ ...jwk, alg: 'RS256' })) },
      time.now(),
    )
    expect(key('a')).not.toBe(before)
  })

  it('is the age of the keys, though the wall clock was set back', async () => {
    const notice = keyNotice([a], time.now())
    ring.apply(notice, time.now())
    await time.pass(HOUR / 2)
    time.jump(-HOUR)
    ring.apply({ ...notice, ok: false }, time.now())
    await time.pass(HOUR / 2)
    expect(found('a')).toEqual(['a'])
    await time.pass(1)
    expect(found('a')).toBe('unknown-ask')
  })

  it('a key that the channel spoiled is left out', () => {
    const notice = keyNotice([a], time.now())
    ring.apply({ ...notice, keys: [{ kty: 'RSA', n: 'AQ', e: 'AQAB', kid: 'a' }] }, time.now())
    expect(found('a')).toBe('unknown-ask')
  })
})
