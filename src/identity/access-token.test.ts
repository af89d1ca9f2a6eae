import { Buffer } from 'node:buffer'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  accessClaims,
  accessToken,
  issuerPlan,
  keyNotice,
  type TestKey,
  TestTime,
  testKey,
} from '../../test/token-issuer.ts'
import { AccessTokens, type TokenCall, type TokenVerdict } from './access-token.ts'
import { indexIssuers } from './issuers.ts'
import { KeyRing } from './key-ring.ts'
import { ProofCache } from './proof-cache.ts'
import { RevocationSet, tokenKeyOf } from './revocations.ts'

const rsa = testKey('RS256')
const ec = testKey('ES256')
const plan = issuerPlan()
const shop: TokenCall = {
  issuers: indexIssuers([plan]),
  api: { accept: ['corp'], audience: ['shop', 'https://shop.example'], environment: 'default' },
  limits: { tokenBytes: 16_384 },
}

let time: TestTime
let ring: KeyRing
let revocations: RevocationSet
let proofs: ProofCache
let tokens: AccessTokens

beforeEach(() => {
  time = new TestTime()
  ring = new KeyRing()
  revocations = new RevocationSet()
  proofs = new ProofCache()
  tokens = new AccessTokens({ clock: time, ring, revocations, proofs })
  publish([rsa, ec])
})

const publish = (keys: readonly TestKey[]): void => ring.apply(keyNotice(keys, time.now()), time.now())
const claims = (over: Record<string, unknown> = {}) => ({ ...accessClaims(time.seconds), ...over })
const token = (over: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = rsa): string =>
  accessToken(key, claims(over), header)
const said = (verdict: TokenVerdict): string =>
  verdict.kind === 'finding' ? verdict.reason.code : verdict.kind
const judged = (text: string, call: TokenCall = shop): string => said(tokens.verify(text, call))
const accepting = (over: Partial<TokenCall['api']>): TokenCall => ({ ...shop, api: { ...shop.api, ...over } })
const under = (over: Parameters<typeof issuerPlan>[0]): TokenCall => ({
  ...shop,
  issuers: indexIssuers([issuerPlan(over)]),
})

describe('a good token', () => {
  it('is named for the record where it is proved but refused, and only then', async () => {
    const named = (text: string, call = shop) => {
      const verdict = tokens.verify(text, call)
      return verdict.kind === 'finding' ? [verdict.reason.code, verdict.named?.recordAs.id] : verdict.kind
    }
    const { sub } = claims()
    const other = accepting({ audience: ['billing'] })
    const good = token()
    expect(named(good, other)).toEqual(['audience-mismatch', sub])
    expect(named(good, accepting({ maxTokenAgeSeconds: 1 }))).toBe('verified')
    const [head, payload] = good.split('.')
    const forged = [head, payload, token({ jti: 'another' }).split('.')[2]].join('.')
    expect(named(forged)).toEqual(['signature-invalid', undefined])
    expect(named(forged, other)).toEqual(['signature-invalid', undefined])
    expect(named('x.y.z')).toEqual([expect.any(String), undefined])
    await time.pass(3_600_000)
    expect(named(good)).toEqual(['token-expired', sub])
  })

  it('names the user by issuer and sub, the client, scopes and groups', () => {
    const verdict = tokens.verify(token({ acr: 'mfa', auth_time: time.seconds - 9 }), shop)
    if (verdict.kind !== 'verified') throw new Error(said(verdict))
    expect(verdict.subject).toEqual({
      kind: 'user',
      issuer: 'corp',
      iss: 'https://idp.example',
      id: 'alice',
      client: 'web',
      groups: ['staff'],
      scopes: ['orders:read', 'orders:write'],
      audience: ['shop'],
      acr: 'mfa',
      authTime: time.seconds - 9,
      issuedAt: time.seconds,
      expiresAt: time.seconds + 300,
      tokenId: 'token-1',
      tokenDigest: expect.stringMatching(/^[\w-]{43}$/),
      tenant: 'default',
      environment: 'default',
    })
  })

  it('is a client’s own where sub is the client', () => {
    const verdict = tokens.verify(token({ sub: 'web' }), shop)
    expect(verdict.kind === 'verified' && verdict.subject.kind).toBe('client')
  })

  it('says its age', async () => {
    const text = token()
    await time.pass(42_000)
    const verdict = tokens.verify(text, shop)
    expect(verdict.kind === 'verified' && verdict.tokenAgeSeconds).toBe(42)
  })

  it.each(['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])('may be signed with %s', (alg) => {
    const key = testKey(alg)
    publish([key])
    expect(judged(token({}, {}, key))).toBe('verified')
  })

  it.each([
    ['azp in place of client_id', { client_id: undefined, azp: 'web' }, 'web'],
    ['both', { azp: 'other' }, 'web'],
  ])('has its client from %s', (_name, over, client) => {
    const verdict = tokens.verify(token(over), shop)
    expect(verdict.kind === 'verified' && verdict.subject.client).toBe(client)
  })

  it.each([
    [{ scope: undefined, scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: undefined, scp: 'a b' }, ['a', 'b']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{ scope: undefined }, []],
    [{ scope: '' }, []],
  ])('has its scopes from %j', (over, scopes) => {
    const verdict = tokens.verify(token(over), shop)
    expect(verdict.kind === 'verified' && verdict.subject.scopes).toEqual(scopes)
  })

  it('has its tenant from the claim that config names', () => {
    const verdict = tokens.verify(token({ org: 'acme' }), under({ tenantClaim: 'org' }))
    expect(verdict.kind === 'verified' && verdict.subject.tenant).toBe('acme')
  })
})

describe('each claim, altered or left out (RFC 9068 §2.2, §4)', () => {
  const long = 'x'.repeat(1025)
  const cases: readonly [string, Record<string, unknown>, string][] = [
    ['no iss', { iss: undefined }, 'claim-invalid'],
    ['iss as a list', { iss: ['https://idp.example'] }, 'claim-invalid'],
    ['iss with a slash more', { iss: 'https://idp.example/' }, 'issuer-unknown'],
    ['iss in capitals', { iss: 'HTTPS://idp.example' }, 'issuer-unknown'],
    ['iss of the prototype', { iss: '__proto__' }, 'issuer-unknown'],
    ['no sub', { sub: undefined }, 'claim-invalid'],
    ['empty sub', { sub: '' }, 'claim-invalid'],
    ['sub as a number', { sub: 7 }, 'claim-invalid'],
    ['long sub', { sub: long }, 'claim-invalid'],
    ['sub with a line feed', { sub: 'alice\nadmin' }, 'claim-invalid'],
    ['no aud', { aud: undefined }, 'claim-invalid'],
    ['empty aud', { aud: [] }, 'claim-invalid'],
    ['aud of another API', { aud: 'billing' }, 'audience-mismatch'],
    ['aud in capitals', { aud: 'SHOP' }, 'audience-mismatch'],
    ['aud as a prefix', { aud: 'shop-admin' }, 'audience-mismatch'],
    ['aud as an object', { aud: { shop: true } }, 'claim-invalid'],
    ['aud with a number', { aud: ['shop', 1] }, 'claim-invalid'],
    ['65 audiences', { aud: Array.from({ length: 65 }, () => 'shop') }, 'claim-invalid'],
    ['no exp', { exp: undefined }, 'claim-invalid'],
    ['exp as text', { exp: '9999999999' }, 'claim-invalid'],
    ['exp of null', { exp: null }, 'claim-invalid'],
    ['negative exp', { exp: -1 }, 'claim-invalid'],
    ['exp beyond all dates', { exp: 1e300 }, 'claim-invalid'],
    ['no iat', { iat: undefined }, 'claim-invalid'],
    ['iat as text', { iat: 'now' }, 'claim-invalid'],
    ['nbf as text', { nbf: 'now' }, 'claim-invalid'],
    ['no jti', { jti: undefined }, 'claim-invalid'],
    ['jti as a number', { jti: 1 }, 'claim-invalid'],
    ['no client', { client_id: undefined }, 'claim-invalid'],
    ['client_id as a list', { client_id: ['web'] }, 'claim-invalid'],
    ['azp as an object', { azp: {} }, 'claim-invalid'],
    ['scope as a list', { scope: ['orders:read'] }, 'claim-invalid'],
    ['scope with a quote', { scope: 'a"b' }, 'claim-invalid'],
    ['257 scopes', { scope: Array.from({ length: 257 }, (_, n) => `s${n}`).join(' ') }, 'claim-invalid'],
    ['scp with a space inside', { scope: undefined, scp: ['a b'] }, 'claim-invalid'],
    ['groups as text', { groups: 'staff' }, 'claim-invalid'],
    ['groups with a number', { groups: ['staff', 1] }, 'claim-invalid'],
    ['257 groups', { groups: Array.from({ length: 257 }, (_, n) => `g${n}`) }, 'claim-invalid'],
    ['acr as a number', { acr: 1 }, 'claim-invalid'],
    ['auth_time as text', { auth_time: 'then' }, 'claim-invalid'],
    ['bound to a DPoP key', { cnf: { jkt: 'abc' } }, 'claim-invalid'],
    ['bound to a certificate', { cnf: { 'x5t#S256': 'abc' } }, 'claim-invalid'],
  ]

  it.each(cases)('%s', (_name, over, code) => {
    expect(judged(token(over))).toBe(code)
    // A second time, since only successes may be remembered.
    expect(judged(token(over))).toBe(code)
  })

  it('says of a bound token that it is bound', () => {
    const verdict = tokens.verify(token({ cnf: { jkt: 'abc' } }), shop)
    expect(verdict.kind === 'finding' && verdict.reason.evidence).toEqual({
      claim: 'cnf',
      problem: 'bound-token',
    })
  })

  it('tells the caller the claim and never its value', () => {
    const verdict = tokens.verify(token({ sub: 'secret\u0000value' }), shop)
    expect(verdict.kind === 'finding' && verdict.reason.forCaller).toBe('sub')
    expect(JSON.stringify(verdict)).not.toContain('secret')
  })

  it('needs the tenant where config names its claim', () => {
    expect(judged(token(), under({ tenantClaim: 'org' }))).toBe('claim-invalid')
    expect(judged(token({ org: 5 }), under({ tenantClaim: 'org' }))).toBe('claim-invalid')
  })

  it('does not need client_id and jti of an issuer whose JWT is accepted', () => {
    const bare = token({ client_id: undefined, jti: undefined }, { typ: 'JWT' })
    expect(judged(bare, under({ types: ['JWT'] }))).toBe('verified')
  })
})

describe('time', () => {
  it.each([
    ['exp just within the skew', { exp: -29 }, 'verified'],
    ['exp at the skew', { exp: -30 }, 'token-expired'],
    ['nbf just within the skew', { nbf: 30 }, 'verified'],
    ['nbf beyond', { nbf: 31 }, 'token-not-yet-valid'],
    ['iat beyond', { iat: 31 }, 'token-not-yet-valid'],
  ])('%s', (_name, offsets, code) => {
    const over = Object.fromEntries(Object.entries(offsets).map(([name, by]) => [name, time.seconds + by]))
    expect(judged(token(over))).toBe(code)
  })

  it('a skew above 60 s counts as 60 s', () => {
    const expired = token({ exp: time.seconds - 61 })
    expect(judged(expired, under({ skewSeconds: 3600 }))).toBe('token-expired')
    expect(judged(expired, under({ skewSeconds: -5 }))).toBe('token-expired')
  })

  it('a remembered token expires all the same', async () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    await time.pass(331_000)
    expect(judged(text)).toBe('token-expired')
  })

  it('an API may want younger tokens than the issuer grants', async () => {
    const text = token()
    const strict = accepting({ maxTokenAgeSeconds: 60 })
    expect(judged(text, strict)).toBe('verified')
    await time.pass(91_000)
    expect(judged(text, strict)).toBe('token-too-old')
    expect(judged(text)).toBe('verified')
  })
})

describe('for whom and from whom', () => {
  it('a token for one API is refused by another of the same issuer, also when remembered', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    expect(judged(text, accepting({ audience: ['billing'] }))).toBe('audience-mismatch')
    expect(judged(text)).toBe('verified')
  })

  it('an API without audience accepts no token', () => {
    expect(judged(token(), accepting({ audience: [] }))).toBe('audience-mismatch')
  })

  it('an issuer the API does not accept is refused, also when remembered', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    expect(judged(text, accepting({ accept: ['partner'] }))).toBe('issuer-refused')
  })

  it('an issuer that config dropped is refused, also when remembered', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    expect(judged(text, { ...shop, issuers: indexIssuers([]) })).toBe('issuer-unknown')
  })

  it('one issuer’s key does not sign for another', () => {
    const issuers = indexIssuers([plan, issuerPlan({ name: 'partner', iss: 'https://partner.example' })])
    const both = { ...accepting({ accept: ['corp', 'partner'] }), issuers }
    const theirs = testKey('RS256', 'theirs')
    ring.apply(
      keyNotice([theirs], time.now(), { issuer: 'partner', iss: 'https://partner.example' }),
      time.now(),
    )
    expect(judged(token({ iss: 'https://partner.example' }, {}, theirs), both)).toBe('verified')
    expect(judged(token({}, { kid: 'RS256' }, theirs), both)).toBe('signature-invalid')
    const verdict = tokens.verify(token({}, {}, theirs), both)
    expect(said(verdict)).toBe('need-key')
  })

  it('the same sub of two issuers is two users', () => {
    const issuers = indexIssuers([plan, issuerPlan({ name: 'partner', iss: 'https://partner.example' })])
    const both = { ...accepting({ accept: ['corp', 'partner'] }), issuers }
    ring.apply(keyNotice([ec], time.now(), { issuer: 'partner', iss: 'https://partner.example' }), time.now())
    const [a, b] = [token(), token({ iss: 'https://partner.example' }, {}, ec)].map((text) =>
      tokens.verify(text, both),
    )
    if (a?.kind !== 'verified' || b?.kind !== 'verified') throw new Error('both are good')
    expect([a.subject.issuer, b.subject.issuer]).toEqual(['corp', 'partner'])
  })
})

describe('revocation, on the next call', () => {
  const until = (): number => time.now().wallMs + 3_600_000
  const revoke = (key: `jti:${string}` | `digest:${string}`): boolean =>
    revocations.apply({ kind: 'token', key, until: until(), by: 'ops', at: time.now().wallMs })

  it('by jti and by digest', () => {
    const [one, two] = [token(), token({ jti: 'token-2' })]
    expect([judged(one), judged(two)]).toEqual(['verified', 'verified'])
    revoke('jti:token-1')
    expect([judged(one), judged(two)]).toEqual(['token-revoked', 'verified'])
    revoke(tokenKeyOf(two) ?? 'jti:')
    expect(judged(two)).toBe('token-revoked')
  })

  it('also for the other valid form of an ECDSA signature', () => {
    const text = token({}, {}, ec)
    revoke(tokenKeyOf(text) ?? 'jti:')
    const at = text.lastIndexOf('.') + 1
    const raw = Buffer.from(text.slice(at), 'base64url')
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const s = order - BigInt(`0x${raw.subarray(32).toString('hex')}`)
    const twin = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
    expect(judged(text.slice(0, at) + twin.toString('base64url'))).toBe('token-revoked')
  })

  it('by subject up to a time, for that issuer only', async () => {
    const old = token()
    revocations.apply({
      kind: 'subject',
      iss: 'https://idp.example',
      sub: 'alice',
      notBefore: time.seconds,
      until: until(),
      by: 'ops',
      at: time.now().wallMs,
    })
    expect(judged(old)).toBe('subject-revoked')
    expect(judged(token({ sub: 'bob' }))).toBe('verified')
    // The issuer's clock is ahead within its skew of 30 s: issued before the revocation, dated after it.
    expect(judged(token({ iat: time.seconds + 20 }))).toBe('subject-revoked')
    expect(judged(token({ iat: time.seconds + 30 }))).toBe('subject-revoked')
    await time.pass(1_000)
    expect(judged(token({ iat: time.seconds + 29 }))).toBe('subject-revoked')
    expect(judged(token({ iat: time.seconds + 30 }))).toBe('verified')
    await time.pass(30_000)
    expect(judged(token())).toBe('verified')
  })
})
