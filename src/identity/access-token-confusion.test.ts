import { Buffer } from 'node:buffer'
import { createHmac, createPublicKey } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  accessClaims,
  accessToken,
  encode,
  issuerPlan,
  keyNotice,
  signed,
  type TestKey,
  TestTime,
  testKey,
} from '../../test/token-issuer.ts'
import { AccessTokens, type TokenCall, type TokenVerdict } from './access-token.ts'
import { indexIssuers } from './issuers.ts'
import { KeyRing } from './key-ring.ts'
import { ProofCache } from './proof-cache.ts'
import { RevocationSet } from './revocations.ts'

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
const under = (over: Parameters<typeof issuerPlan>[0]): TokenCall => ({
  ...shop,
  issuers: indexIssuers([issuerPlan(over)]),
})

describe('kind of token (standards 3.3, 3.4)', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    '%s is an access token',
    (typ) => {
      expect(judged(token({}, { typ }))).toBe('verified')
    },
  )

  it.each(['JWT', 'secevent+jwt', 'logout+jwt', 'dpop+jwt', 'x/at+jwt', 'application/x/at+jwt', undefined])(
    '%s is none',
    (typ) => {
      expect(judged(token({}, { typ }))).toBe('token-type-refused')
    },
  )

  it('JWT, or no typ at all, passes only for an issuer whose types say so', () => {
    const wide = under({ types: ['JWT'] })
    expect(judged(token({}, { typ: 'JWT' }), wide)).toBe('verified')
    expect(judged(token({}, { typ: undefined }), wide)).toBe('verified')
    expect(judged(token({}, { typ: 'JWT' }))).toBe('token-type-refused')
  })

  it.each(['secevent+jwt', 'logout+jwt', 'application/dpop+jwt'])(
    '%s never passes, whatever config lists',
    (typ) => {
      expect(judged(token({}, { typ }), under({ types: [typ] }))).toBe('token-type-refused')
    },
  )

  it.each([
    ['a SET', { events: { 'urn:x': {} } }],
    ['an ID token by at_hash', { at_hash: 'abc' }],
    ['an ID token by Keycloak’s typ', { typ: 'ID' }],
    ['a refresh token by Keycloak’s typ', { typ: 'Refresh' }],
    ['an ID token by Cognito’s token_use', { token_use: 'id' }],
    ['a DPoP proof', { htm: 'GET', htu: 'https://shop.example' }],
  ])('%s does not pass as JWT', (_name, over) => {
    expect(judged(token(over, { typ: 'JWT' }), under({ types: ['JWT'] }))).toBe('token-type-refused')
  })
})

describe('key confusion (standards 3.5, 3.6; RFC 8725 §3.1)', () => {
  it('a public key is no HMAC secret', () => {
    const publicKey = createPublicKey({ key: rsa.publicJwk, format: 'jwk' })
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(rsa.publicJwk),
    ]
    for (const secret of secrets) {
      const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'RS256' })}.${encode(claims())}`
      const text = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      expect(judged(text)).toBe('algorithm-refused')
      expect(judged(text, under({ algorithms: ['HS256', 'RS256'] }))).toBe('algorithm-refused')
    }
  })

  it.each(['none', 'None', 'NONE'])('alg %s is refused', (alg) => {
    expect(judged(token({}, { alg }))).toBe('algorithm-refused')
  })

  it('an algorithm outside the issuer’s list is refused, also when its key would verify it', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    expect(judged(text, under({ algorithms: ['ES256'] }))).toBe('algorithm-refused')
  })

  it('an algorithm that is not the key’s own is refused', () => {
    expect(judged(token({}, { kid: 'ES256' }))).toBe('algorithm-refused')
    const stated = keyNotice([rsa], time.now())
    ring.apply({ ...stated, keys: (stated.keys ?? []).map((jwk) => ({ ...jwk, alg: 'PS256' })) }, time.now())
    expect(judged(token())).toBe('algorithm-refused')
  })

  it('a key brought along in the header is not looked at', () => {
    const mine = testKey('ES256', 'attacker')
    for (const header of [
      { jwk: mine.publicJwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/x' },
      { x5c: ['MIIB'] },
    ]) {
      expect(judged(token({}, { ...header, kid: 'ES256' }, mine))).toBe('signature-invalid')
    }
  })

  it.each([{ crit: ['exp'] }, { b64: false, crit: ['b64'] }, { b64: false }, { zip: 'DEF' }])(
    'the header %j is refused',
    (header) => {
      expect(judged(token({}, header))).toBe('token-malformed')
    },
  )

  it('claims twice, or a payload that is no object, are refused', () => {
    const header = { alg: 'RS256', typ: 'at+jwt', kid: 'RS256' }
    const twice = JSON.stringify(claims()).replace('{', '{"aud":"shop",')
    for (const payload of [twice, '[]', '"x"', 'null', '', '{"iss":']) {
      expect(judged(signed(header, payload, rsa))).toBe('token-malformed')
    }
  })

  it('an ECDSA signature in DER, padded or of another length is refused', () => {
    const text = token({}, {}, ec)
    const at = text.lastIndexOf('.') + 1
    const raw = Buffer.from(text.slice(at), 'base64url')
    for (const other of [
      raw.subarray(0, 63),
      Buffer.concat([raw, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), raw]),
      Buffer.alloc(64),
    ]) {
      expect(judged(text.slice(0, at) + other.toString('base64url'))).toBe('signature-invalid')
    }
  })

  it('a token of a megabyte is refused before it is read', () => {
    expect(judged('a'.repeat(1_000_000))).toBe('token-too-large')
  })
})

describe('keys come and go', () => {
  it('a token without kid verifies with any fitting key', () => {
    publish([testKey('RS256', 'a'), testKey('RS256', 'b'), rsa])
    expect(judged(token({}, { kid: undefined }))).toBe('verified')
  })

  it('a forged token without kid asks for new keys once, and is refused once they are fresh', () => {
    const forged = token({}, { kid: undefined }, testKey('RS256', 'attacker'))
    expect(judged(forged)).toBe('need-key')
    const now = time.now()
    const cooldown = { cooldownFrom: now.wallMs - 5, cooldownUntil: now.wallMs + 10_000 }
    ring.apply(keyNotice([rsa], now, cooldown), now)
    expect(judged(forged)).toBe('signature-invalid')
  })

  it('two keys of one kid are told apart by type, or both tried', () => {
    const other = { ...testKey('RS256', 'other'), kid: 'same' }
    const [mine, curve] = [
      { ...rsa, kid: 'same' },
      { ...ec, kid: 'same' },
    ]
    publish([other, curve, mine])
    expect(judged(token({}, {}, mine))).toBe('verified')
    expect(judged(token({}, {}, curve))).toBe('verified')
    expect(judged(token({}, {}, other))).toBe('verified')
  })

  it('a new key works, and a remembered proof does not outlive its key', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    const next = testKey('RS256', 'next')
    publish([rsa, next])
    expect(judged(text)).toBe('verified')
    expect(judged(token({}, {}, next))).toBe('verified')
    publish([next])
    expect(judged(text)).toBe('need-key')
    expect(said(tokens.verify(text, shop, 'asked'))).toBe('keys-unavailable')
  })

  it('a proof does not carry over to another key of the same kid', () => {
    const text = token()
    expect(judged(text)).toBe('verified')
    publish([{ ...testKey('RS256', 'other'), kid: rsa.kid }])
    expect(judged(text)).toBe('signature-invalid')
  })

  it('keys that are too old verify nothing more, remembered or not', async () => {
    const far = token({ exp: time.seconds + 100_000 })
    expect(judged(far)).toBe('verified')
    await time.pass(3_600_000)
    expect(judged(far)).toBe('verified')
    await time.pass(1_000)
    expect(judged(far)).toBe('need-key')
  })

  it('remembers no failure and no more than its bound', () => {
    const small = new ProofCache({ entries: 10, chars: 1_000_000 })
    const bounded = new AccessTokens({ clock: time, ring, revocations, proofs: small })
    for (let n = 0; n < 50; n++) {
      expect(said(bounded.verify(token({ jti: `t${n}` }), shop))).toBe('verified')
      expect(said(bounded.verify(`${token({ jti: `x${n}` }).slice(0, -8)}AAAAAAAA`, shop))).toBe(
        'signature-invalid',
      )
      expect(small.size).toBeLessThanOrEqual(10)
    }
    expect(small.size).toBeGreaterThan(0)
  })
})
