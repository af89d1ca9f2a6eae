import { Buffer } from 'node:buffer'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { TestTime } from '../../test/token-issuer.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { AssertionSigner, generateSigningKey, publicJwks } from './assertion.ts'

const key = generateSigningKey(1)
const alice: Subject = {
  ...ANONYMOUS,
  kind: 'user',
  issuer: 'corp',
  iss: 'https://idp.example',
  id: 'alice',
  client: 'web',
}

let time: TestTime
let signer: AssertionSigner

beforeEach(() => {
  time = new TestTime()
  signer = new AssertionSigner({
    clock: time,
    random: { bytes: (length) => randomBytes(length) },
    gateId: 'https://gate.example',
  })
  signer.useKeys([key])
})

const jwtOf = (authorization: string): string => authorization.replace(/^Bearer /, '')
const claimsOf = (authorization: string) => decodeJwt(jwtOf(authorization))

describe('AssertionSigner', () => {
  it('makes a JWT that an upstream can verify with the gate’s key set alone', async () => {
    const set = createLocalJWKSet(structuredClone(publicJwks([key])) as unknown as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(jwtOf(signer.authorization(alice, 'shop')), set, {
      issuer: 'https://gate.example',
      audience: 'shop',
      typ: 'JWT',
      algorithms: ['ES256'],
      currentDate: new Date(time.now().wallMs),
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    expect(payload).toEqual({
      iss: 'https://gate.example',
      sub: 'corp/alice',
      sub_id: { format: 'iss_sub', iss: 'https://idp.example', sub: 'alice' },
      act: { iss: 'https://idp.example', sub: 'web' },
      aud: 'shop',
      iat: time.seconds,
      exp: time.seconds + 60,
      jti: expect.stringMatching(/^[\w-]{22}$/),
    })
  })

  it('names no actor where the client calls for itself, and nobody for the anonymous', () => {
    const own = claimsOf(signer.authorization({ ...alice, kind: 'client', id: 'web' }, 'shop'))
    expect([own.sub, own['act']]).toEqual(['corp/web', undefined])
    const workload = claimsOf(signer.authorization({ ...alice, kind: 'workload', id: 'job' }, 'shop'))
    expect([workload.sub, workload['act']]).toEqual(['corp/job', undefined])
    const nobody = claimsOf(signer.authorization(ANONYMOUS, 'shop'))
    expect([nobody.sub, nobody['sub_id'], nobody['act']]).toEqual(['anonymous', undefined, undefined])
  })

  it('speaks for itself in look-ups', () => {
    const own = claimsOf(signer.gateAuthorization('shop'))
    expect([own.sub, own.aud, own['act']]).toEqual(['https://gate.example', 'shop', undefined])
  })

  it('serves the same caller and API again for 30 s, so that half its life is left', async () => {
    const first = signer.authorization(alice, 'shop')
    await time.pass(29_999)
    expect(signer.authorization({ ...alice }, 'shop')).toBe(first)
    await time.pass(1)
    const second = signer.authorization(alice, 'shop')
    expect(second).not.toBe(first)
    expect(claimsOf(second).exp).toBe(Math.floor(time.seconds) + 60)
  })

  it('never serves another caller, client, issuer or API', () => {
    const others = [
      signer.authorization(alice, 'shop'),
      signer.authorization(alice, 'billing'),
      signer.authorization({ ...alice, id: 'bob' }, 'shop'),
      signer.authorization({ ...alice, client: 'app' }, 'shop'),
      signer.authorization({ ...alice, kind: 'client' }, 'shop'),
      signer.authorization({ ...alice, issuer: 'partner' }, 'shop'),
      signer.authorization({ ...alice, iss: 'https://moved.example' }, 'shop'),
      signer.authorization({ ...alice, id: 'a b', client: 'c' }, 'shop'),
      signer.authorization({ ...alice, id: 'a', client: 'b c' }, 'shop'),
      signer.authorization({ ...alice, id: 'alicew', client: 'eb' }, 'shop'),
      signer.gateAuthorization('shop'),
      signer.gateAuthorization('billing'),
    ]
    expect(new Set(others).size).toBe(others.length)
  })

  it('signs with the newest key at once, and publishes the older one too', () => {
    const before = signer.authorization(alice, 'shop')
    const newer = generateSigningKey(2)
    signer.useKeys([newer, key])
    const after = signer.authorization(alice, 'shop')
    expect(after).not.toBe(before)
    expect(JSON.parse(Buffer.from(jwtOf(after).split('.')[0] ?? '', 'base64url').toString()).kid).toBe(
      newer.kid,
    )
    expect(publicJwks([newer, key]).keys.map(({ kid }) => kid)).toEqual([newer.kid, key.kid])
  })

  it('can sign with Ed25519 too', async () => {
    const pair = generateKeyPairSync('ed25519')
    const { kty = '', crv = '', x = '', d = '' } = pair.privateKey.export({ format: 'jwk' })
    const edwards = { kid: 'ed', privateJwk: { kty, crv, x, d }, createdAt: 1 }
    signer.useKeys([edwards])
    const set = createLocalJWKSet(structuredClone(publicJwks([edwards])) as unknown as JSONWebKeySet)
    const options = { currentDate: new Date(time.now().wallMs) }
    expect((await jwtVerify(jwtOf(signer.authorization(alice, 'shop')), set, options)).payload.sub).toBe(
      'corp/alice',
    )
  })

  it('without a key there is no assertion', () => {
    signer.useKeys([])
    expect(signer.ready).toBe(false)
    expect(() => signer.authorization(alice, 'shop')).toThrow('no signing key')
  })

  it('refuses a key of another kind', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const { kty = '', crv = '', x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
    expect(() => signer.useKeys([{ kid: 'k', privateJwk: { kty, crv, x, y, d }, createdAt: 1 }])).toThrow(
      'neither',
    )
  })
})

it('the published set holds no private part', () => {
  expect(JSON.stringify(publicJwks([key]))).not.toContain(key.privateJwk['d'] ?? '?')
  expect(Object.keys(publicJwks([key]).keys[0] ?? {}).sort()).toEqual([
    'alg',
    'crv',
    'kid',
    'kty',
    'use',
    'x',
    'y',
  ])
})
