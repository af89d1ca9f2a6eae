/**
 * JWK Sets, RFC 7517 §5: an issuer's document becomes the public keys that may verify its tokens. What is no use for
 * that (symmetric, for encryption, weak, of an unknown kind) is left out; a key whose private part was published is
 * left out too, since anyone may sign with it.
 */
import { Buffer } from 'node:buffer'
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { PublicJwk } from '../model/channel.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { decodeBase64url } from '../syntax/jws.ts'
import { type AlgorithmName, algorithmsOf } from './algorithms.ts'

export const MAX_JWKS_BYTES = 262_144
export const MAX_KEYS = 100

/** Below, RSA is too weak (RFC 7518 §3.3); above, one verification costs a thread milliseconds. */
const RSA_BITS = { min: 2048, max: 8192 }

/** Bytes of one coordinate: RFC 7518 §6.2.1.2 wants the full size, RFC 8037 §2 likewise. */
const COORDINATE_BYTES: Readonly<Record<string, number>> = {
  'P-256': 32,
  'P-384': 48,
  'P-521': 66,
  Ed25519: 32,
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const LIMITS: JsonLimits = Object.freeze({
  maxBytes: MAX_JWKS_BYTES,
  maxDepth: 6,
  maxNodes: 8_192,
  maxStringBytes: 32_768,
  maxKeys: 64,
})

export type KeyFault =
  | 'not-an-object'
  | 'kid'
  | 'kty'
  | 'private-part'
  | 'use'
  | 'key-ops'
  | 'alg'
  | 'curve'
  | 'coordinates'
  | 'modulus'
  | 'exponent'
  | 'refused-by-crypto'

export type JwksParse =
  | { readonly ok: true; readonly keys: readonly PublicJwk[]; readonly ignored: readonly KeyFault[] }
  | { readonly ok: false; readonly why: 'json' | 'form' | 'too-many-keys' }

/** Reads a JWK Set; an empty one is valid and means that the issuer withdrew every key. Never throws. */
export function parseJwks(bytes: Uint8Array): JwksParse {
  const scan = scanJson(bytes, LIMITS)
  if (!scan.ok) return { ok: false, why: 'json' }
  const list = isObject(scan.value) ? scan.value['keys'] : undefined
  if (!Array.isArray(list)) return { ok: false, why: 'form' }
  if (list.length > MAX_KEYS) return { ok: false, why: 'too-many-keys' }

  const keys: PublicJwk[] = []
  const ignored: KeyFault[] = []
  for (const member of list as readonly unknown[]) {
    const jwk = readJwk(member)
    if (typeof jwk === 'string') ignored.push(jwk)
    else if (importKey(jwk) === null) ignored.push('refused-by-crypto')
    else keys.push(jwk)
  }
  return { ok: true, keys, ignored }
}

/** A key ready to verify. Two spellings of one key have one thumbprint (RFC 7638). */
export interface UsableKey {
  readonly kid: string | undefined
  readonly thumbprint: string
  readonly algorithms: readonly AlgorithmName[]
  readonly key: KeyObject
}

/** From the plain form that `parseJwks` gave and the channel carried; null where it is no such form. */
export function usableKey(jwk: PublicJwk): UsableKey | null {
  const checked = readJwk(jwk)
  if (typeof checked === 'string') return null
  const key = importKey(checked)
  if (key === null) return null
  return {
    kid: checked['kid'],
    thumbprint: thumbprint(checked),
    algorithms: algorithmsOf(checked['kty'] ?? '', checked['crv'], checked['alg']),
    key,
  }
}

/** RFC 7638 §3: base64url SHA-256 over the required members in lexical order. */
export function thumbprint(jwk: PublicJwk): string {
  const { kty, n, e, crv, x, y } = jwk
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  return hash('sha256', JSON.stringify(members), 'base64url')
}

function readJwk(value: unknown): PublicJwk | KeyFault {
  if (!isObject(value)) return 'not-an-object'
  const { kid, kty, use, key_ops: operations, alg, crv } = value
  if (kid !== undefined && !isText(kid, 512)) return 'kid'
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'kty'
  if (PRIVATE_MEMBERS.some((name) => value[name] !== undefined)) return 'private-part'
  if (use !== undefined && use !== 'sig') return 'use'
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'key-ops'
  if (alg !== undefined && !isText(alg, 32)) return 'alg'

  const material = kty === 'RSA' ? readRsa(value) : readPoint(kty, crv, value)
  if (typeof material === 'string') return material
  if (algorithmsOf(kty, 'crv' in material ? material.crv : undefined, alg).length === 0) return 'alg'
  return {
    kty,
    ...material,
    ...(kid === undefined ? {} : { kid }),
    ...(alg === undefined ? {} : { alg }),
  }
}

type Rsa = { readonly n: string; readonly e: string }
type Point = { readonly crv: string; readonly x: string; readonly y?: string }

function readRsa(value: Readonly<Record<string, unknown>>): Rsa | KeyFault {
  const { n, e } = value
  const modulus = integer(n, RSA_BITS.max / 8)
  if (modulus === null || typeof n !== 'string') return 'modulus'
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24
  if (bits < RSA_BITS.min || bits > RSA_BITS.max || ((modulus.at(-1) ?? 0) & 1) === 0) return 'modulus'
  // An exponent of 1 makes every signature its own message; a huge one makes verification slow.
  const exponent = integer(e, 4)
  if (exponent === null || typeof e !== 'string') return 'exponent'
  if (((exponent.at(-1) ?? 0) & 1) === 0 || (exponent.length === 1 && exponent[0] === 1)) return 'exponent'
  return { n, e }
}

/** Base64urlUInt (RFC 7518 §2). Leading zeros are tolerated, as some issuers send one, but never give size. */
function integer(value: unknown, maxBytes: number): Uint8Array | null {
  if (typeof value !== 'string' || value.length === 0) return null
  const bytes = decodeBase64url(value)
  if (bytes === null) return null
  let from = 0
  while (from < bytes.length && bytes[from] === 0) from++
  const digits = bytes.subarray(from)
  return digits.length === 0 || digits.length > maxBytes || from > 1 ? null : digits
}

function readPoint(
  kty: 'EC' | 'OKP',
  crv: unknown,
  value: Readonly<Record<string, unknown>>,
): Point | KeyFault {
  if (typeof crv !== 'string' || !Object.hasOwn(COORDINATE_BYTES, crv)) return 'curve'
  if ((kty === 'OKP') !== (crv === 'Ed25519')) return 'curve'
  const { x, y } = value
  if (!isCoordinate(x, crv)) return 'coordinates'
  if (kty === 'OKP') return { crv, x }
  return isCoordinate(y, crv) ? { crv, x, y } : 'coordinates'
}

function isCoordinate(value: unknown, crv: string): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === COORDINATE_BYTES[crv]
}

/** The library checks what is left: that a point lies on its curve. */
function importKey(jwk: PublicJwk): KeyObject | null {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    return null
  }
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && Buffer.byteLength(value) <= max
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
