import { Buffer } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { testKey } from '../../test/token-issuer.ts'
import { MAX_JWKS_BYTES, MAX_KEYS, parseJwks, thumbprint, usableKey } from './jwks.ts'

const bytes = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const rsa = testKey('RS256').publicJwk
const ec = testKey('ES256').publicJwk
const ed = testKey('EdDSA').publicJwk

/** `taken`, or why the one key was ignored. */
function fate(jwk: unknown): string {
  const parsed = parseJwks(bytes({ keys: [jwk] }))
  if (!parsed.ok) return parsed.why
  return parsed.ignored[0] ?? 'taken'
}

const rsaOf = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' })
const decoded = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')

describe('parseJwks', () => {
  it.each([
    ['RSA', { ...rsa, kid: 'a', use: 'sig', alg: 'RS256', x5c: ['AA'], x5t: 'AA' }, 'taken'],
    ['P-256', ec, 'taken'],
    ['P-384', testKey('ES384').publicJwk, 'taken'],
    ['P-521', testKey('ES512').publicJwk, 'taken'],
    ['Ed25519', ed, 'taken'],
    ['key_ops verify', { ...rsa, key_ops: ['verify'] }, 'taken'],
    ['symmetric', { kty: 'oct', k: 'c2VjcmV0' }, 'kty'],
    ['no type', { n: rsa.n, e: rsa.e }, 'kty'],
    ['private RSA', testKey('RS256').privateKey.export({ format: 'jwk' }), 'private-part'],
    ['private EC', testKey('ES256').privateKey.export({ format: 'jwk' }), 'private-part'],
    ['public with k', { ...rsa, k: 'c2VjcmV0' }, 'private-part'],
    ['for encryption', { ...rsa, use: 'enc' }, 'use'],
    ['use as a list', { ...rsa, use: ['sig'] }, 'use'],
    ['key_ops encrypt', { ...rsa, key_ops: ['encrypt'] }, 'key-ops'],
    ['key_ops as text', { ...rsa, key_ops: 'verify' }, 'key-ops'],
    ['kid as a number', { ...rsa, kid: 1 }, 'kid'],
    ['empty kid', { ...rsa, kid: '' }, 'kid'],
    ['encryption alg', { ...rsa, alg: 'RSA-OAEP' }, 'alg'],
    ['HMAC alg on RSA', { ...rsa, alg: 'HS256' }, 'alg'],
    ['alg of another curve', { ...ec, alg: 'ES512' }, 'alg'],
    ['alg of the prototype', { ...ec, alg: 'constructor' }, 'alg'],
    ['secp256k1', { ...ec, crv: 'secp256k1' }, 'curve'],
    ['X25519', { ...ed, crv: 'X25519' }, 'curve'],
    ['curve of another type', { ...ed, crv: 'P-256' }, 'curve'],
    ['a point off its curve', { ...ec, y: ec.x }, 'refused-by-crypto'],
    ['a short coordinate', { ...ec, x: decoded(ec.x).subarray(1).toString('base64url') }, 'coordinates'],
    ['a padded coordinate', { ...ec, x: `${ec.x}=` }, 'coordinates'],
    ['no y', { ...ec, y: undefined }, 'coordinates'],
    ['1024 bits', rsaOf(1024), 'modulus'],
    [
      '1024 bits made long with zeros',
      { ...rsa, n: Buffer.concat([Buffer.alloc(128), decoded(rsaOf(1024).n)]).toString('base64url') },
      'modulus',
    ],
    ['16384 bits', { ...rsa, n: Buffer.alloc(2048, 0xff).toString('base64url') }, 'modulus'],
    ['an even modulus', { ...rsa, n: Buffer.alloc(256, 0xfe).toString('base64url') }, 'modulus'],
    ['exponent 1', { ...rsa, e: 'AQ' }, 'exponent'],
    ['an even exponent', { ...rsa, e: 'AQAC' }, 'exponent'],
    ['a huge exponent', { ...rsa, e: Buffer.alloc(256, 0xff).toString('base64url') }, 'exponent'],
    ['no exponent', { ...rsa, e: undefined }, 'exponent'],
    ['no object', 'rsa', 'not-an-object'],
  ])('%s: %s', (_name, jwk, expected) => {
    expect(fate(jwk)).toBe(expected)
  })

  it('gives only what it checked', () => {
    const parsed = parseJwks(bytes({ keys: [{ ...rsa, kid: 'a', alg: 'RS256', x5c: ['AA'], note: 'x' }] }))
    expect(parsed.ok && Object.keys(parsed.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n'])
  })

  it('an empty set means every key was withdrawn', () => {
    expect(parseJwks(bytes({ keys: [] }))).toEqual({ ok: true, keys: [], ignored: [] })
  })

  it('one bad key does not spoil the others', () => {
    const parsed = parseJwks(bytes({ keys: [{ kty: 'oct', k: 'AA' }, rsa, null, ec] }))
    expect(parsed.ok && parsed.keys.map((key) => key['kty'])).toEqual(['RSA', 'EC'])
  })

  it.each([
    ['', 'json'],
    ['{"keys":[]', 'json'],
    ['{"keys":[],"keys":[]}', 'json'],
    [' '.repeat(MAX_JWKS_BYTES + 1), 'json'],
    ['[]', 'form'],
    ['{}', 'form'],
    ['{"keys":{}}', 'form'],
    [{ keys: Array.from({ length: MAX_KEYS + 1 }, () => ({})) }, 'too-many-keys'],
  ])('refuses the document %#', (document, why) => {
    expect(parseJwks(bytes(document))).toEqual({ ok: false, why })
  })
})

describe('usableKey', () => {
  it('knows what the key may verify', () => {
    const of = (jwk: unknown) => {
      const parsed = parseJwks(bytes({ keys: [jwk] }))
      const [key] = parsed.ok ? parsed.keys : []
      return key === undefined ? null : usableKey(key)?.algorithms
    }
    expect(of(rsa)).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    expect(of({ ...rsa, alg: 'PS256' })).toEqual(['PS256'])
    expect(of(ec)).toEqual(['ES256'])
    expect(of({ ...ed, alg: 'Ed25519' })).toEqual(['EdDSA', 'Ed25519'])
  })

  it('refuses what is not in its form', () => {
    expect(usableKey({})).toBeNull()
    expect(usableKey({ kty: 'oct', k: 'AA' })).toBeNull()
  })
})

it.each([rsa, ec, ed])('the thumbprint is RFC 7638’s', async (jwk) => {
  const { kty = '', ...rest } = jwk as Record<string, string>
  expect(thumbprint({ kty, ...rest })).toBe(await calculateJwkThumbprint({ kty, ...rest }))
})
