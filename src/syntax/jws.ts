/**
 * JWS compact serialisation, RFC 7515 §7.1, read so strictly that one signed content has one spelling: exactly three
 * parts, canonical base64url without padding (RFC 4648 §5, §3.5), one JSON object without repeated members as header.
 * What this gate does not understand but must (`crit`, `b64`, `zip`) is refused; header members that carry or name
 * keys (`jwk`, `jku`, `x5u`, `x5c`) are not even handed on, so that nothing behind can select a key by them.
 */
import { Buffer } from 'node:buffer'
import { type JsonLimits, scanJson } from './json.ts'

export interface JoseHeader {
  readonly alg: string
  readonly kid?: string
  readonly typ?: string
  readonly cty?: string
}

export interface Jws {
  readonly header: JoseHeader
  readonly payloadBytes: Uint8Array
  readonly signature: Uint8Array
  /** `header.payload` as received: what the signature covers, in ASCII. */
  readonly signingInput: string
}

export type JwsFault =
  | 'too-large'
  | 'parts'
  | 'encoding'
  | 'header-json'
  | 'header-member'
  | 'alg-none'
  | 'crit'
  | 'b64'
  | 'zip'
  | 'signature-empty'

export type JwsParse =
  | { readonly ok: true; readonly jws: Jws }
  | { readonly ok: false; readonly why: JwsFault }

/** Characters of a whole JWS; config may ask for less (`limits.tokenBytes`), nothing may ask for more. */
export const MAX_JWS_CHARS = 65_536

/** Room for an `x5c` chain that is then ignored, none for a document. */
const HEADER_LIMITS: JsonLimits = Object.freeze({
  maxBytes: 12_288,
  maxDepth: 4,
  maxNodes: 128,
  maxStringBytes: 8_192,
  maxKeys: 32,
})

const MAX_NAME = 512

/** Reads one compact JWS. Never throws; what it gives is unverified. */
export function parseJws(text: string): JwsParse {
  if (text.length > MAX_JWS_CHARS) return refuse('too-large')
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  if (first <= 0 || second < 0 || text.indexOf('.', second + 1) >= 0) return refuse('parts')

  const headerBytes = decodeBase64url(text.slice(0, first))
  const payloadBytes = decodeBase64url(text.slice(first + 1, second))
  const signature = decodeBase64url(text.slice(second + 1))
  if (headerBytes === null || payloadBytes === null || signature === null) return refuse('encoding')
  // Only `none` has no signature (RFC 7518 §3.6).
  if (signature.length === 0) return refuse('signature-empty')

  const scan = scanJson(headerBytes, HEADER_LIMITS)
  if (!scan.ok) return refuse('header-json')
  const header = readHeader(scan.value)
  if (typeof header === 'string') return refuse(header)
  return { ok: true, jws: { header, payloadBytes, signature, signingInput: text.slice(0, second) } }
}

/**
 * Canonical base64url to bytes, or null. Encoding back and comparing catches at once what decoders differ on:
 * padding, white space, the other alphabet, stray characters, an impossible length and unused bits that are set.
 */
export function decodeBase64url(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}

function readHeader(value: unknown): JoseHeader | JwsFault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'header-json'
  const members = value as Readonly<Record<string, unknown>>
  // No extension is understood here, so any `crit` names one that is not (RFC 7515 §4.1.11).
  if (members['crit'] !== undefined) return 'crit'
  // RFC 7797 §3: true is the default, and needs `crit` when said.
  if (members['b64'] !== undefined && members['b64'] !== true) return 'b64'
  if (members['zip'] !== undefined) return 'zip'

  const { alg, kid, typ, cty } = members
  if (!isName(alg) || !isOptionalName(kid) || !isOptionalName(typ) || !isOptionalName(cty))
    return 'header-member'
  if (alg.toLowerCase() === 'none') return 'alg-none'
  return {
    alg,
    ...(kid === undefined ? {} : { kid }),
    ...(typ === undefined ? {} : { typ }),
    ...(cty === undefined ? {} : { cty }),
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME
}

function isOptionalName(value: unknown): value is string | undefined {
  return value === undefined || isName(value)
}

function refuse(why: JwsFault): JwsParse {
  return { ok: false, why }
}
