import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessTokens } from '../../src/identity/access-token.ts'
import { readBearer } from '../../src/identity/bearer.ts'
import { challenge } from '../../src/identity/challenge.ts'
import { indexIssuers } from '../../src/identity/issuers.ts'
import { parseJwks } from '../../src/identity/jwks.ts'
import { KeyRing } from '../../src/identity/key-ring.ts'
import { RevocationSet } from '../../src/identity/revocations.ts'
import { reason } from '../../src/model/reason.ts'
import { decodeBase64url, parseJws } from '../../src/syntax/jws.ts'
import {
  accessClaims,
  accessToken,
  encode,
  issuerPlan,
  keyNotice,
  signed,
  TestTime,
  testKey,
} from '../token-issuer.ts'

const time = new TestTime()
const keys = ['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => testKey(alg))
const ring = new KeyRing()
ring.apply(
  keyNotice(keys, time.now(), { cooldownFrom: time.now().wallMs, cooldownUntil: time.now().wallMs + 10_000 }),
  time.now(),
)
const tokens = new AccessTokens({ clock: time, ring, revocations: new RevocationSet() })
const call = {
  issuers: indexIssuers([issuerPlan({ types: ['JWT'] })]),
  api: { accept: ['corp'], audience: ['shop'], environment: 'default' },
  limits: { tokenBytes: 16_384 },
}
const claims = accessClaims(time.seconds)
const character = fc.oneof(
  fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\u0000'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
/** JSON that may or may not be like claims: real names with any values. */
const claimsLike = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...Object.keys(claims), 'nbf', 'cnf', 'scp', 'azp', 'acr', 'events', 'typ'),
    fc.string(),
  ),
  fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(...Object.values(claims).filter((value) => typeof value !== 'object')),
  ),
)

describe('a valid token', () => {
  it.each(keys.map((key) => [key.alg, accessToken(key, claims)] as const))(
    'signed with %s is refused with any one character changed, left out or put in',
    (_alg, token) => {
      expect(tokens.verify(token, call).kind).toBe('verified')
      fc.assert(
        fc.property(fc.nat(token.length), character, fc.constantFrom(0, 1), (at, put, drop) => {
          const changed = token.slice(0, at) + put + token.slice(at + drop)
          fc.pre(changed !== token)
          expect(tokens.verify(changed, call).kind).toBe('finding')
        }),
        { numRuns: 1_500 },
      )
      for (let at = 0; at < token.length; at++) {
        const changed = token.slice(0, at) + token.slice(at + 1)
        // Leaving out one of two equal neighbours is one change for both places; it is never the same token.
        expect(tokens.verify(changed, call).kind).toBe('finding')
      }
      expect(tokens.verify(token, call).kind).toBe('verified')
    },
  )
})

describe('nothing throws', () => {
  it('on arbitrary text as a token', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
        expect(parseJws(text).ok).toBe(false)
        expect(tokens.verify(text, call).kind).toBe('finding')
        readBearer(['Authorization', text], [text])
      }),
      { numRuns: 2_000 },
    )
  })

  it('on arbitrary JSON as header and payload', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), fc.base64String(), (header, payload, signature) => {
        const verdict = tokens.verify(
          `${encode(header)}.${encode(payload)}.${signature.replace(/=+$/, '')}`,
          call,
        )
        expect(verdict.kind).toBe('finding')
      }),
      { numRuns: 2_000 },
    )
  })

  it('on signed claims of any form: what verifies is bounded text and numbers', () => {
    const key = testKey('EdDSA')
    fc.assert(
      fc.property(claimsLike, fc.constantFrom('at+jwt', 'JWT'), (over, typ) => {
        const verdict = tokens.verify(
          signed({ alg: 'EdDSA', typ, kid: key.kid }, { ...claims, ...over }, key),
          call,
        )
        if (verdict.kind !== 'verified') return
        const { subject } = verdict
        for (const text of [
          subject.id,
          subject.client,
          ...subject.groups,
          ...subject.scopes,
          ...subject.audience,
        ]) {
          expect(typeof text).toBe('string')
          expect(text.length).toBeLessThanOrEqual(1024)
        }
        expect(Number.isFinite(subject.expiresAt + subject.issuedAt + verdict.tokenAgeSeconds)).toBe(true)
        expect(over['cnf']).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  })

  it('on arbitrary bytes and JSON as a key set', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          parseJwks(bytes)
        },
      ),
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            kty: fc.constantFrom('RSA', 'EC', 'OKP', 'oct'),
            crv: fc.constantFrom('P-256', 'P-521', 'Ed25519', 'X25519', 'secp256k1'),
            n: fc.base64String({ maxLength: 400 }),
            e: fc.constantFrom('AQAB', 'AQ', 'Aw', '', 'AQABAQAB'),
            x: fc.string({ maxLength: 50 }),
            y: fc.jsonValue(),
          }),
        ),
        (list) => {
          const parsed = parseJwks(Buffer.from(JSON.stringify({ keys: list })))
          if (parsed.ok) expect(parsed.keys.length + parsed.ignored.length).toBe(list.length)
        },
      ),
    )
  })
})

it('base64url decoding has one spelling for every byte string', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), (bytes, text) => {
      const spelled = Buffer.from(bytes).toString('base64url')
      expect(decodeBase64url(spelled)).toEqual(Buffer.from(bytes))
      const decoded = decodeBase64url(text)
      if (decoded !== null) expect(Buffer.from(decoded).toString('base64url')).toBe(text)
    }),
  )
})

it('a challenge is one line of quoted strings whatever realm and scopes hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (realm, scopes) => {
      const value = challenge(reason('insufficient-scope', 'policy'), realm, scopes) ?? ''
      expect(value).toMatch(/^Bearer (?:[a-z_]+="[\x20-\x21\x23-\x5b\x5d-\x7e]*"(?:, |$))+$/)
    }),
  )
})
