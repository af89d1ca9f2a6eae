/** Where an issuer publishes its keys: OpenID Connect Discovery 1.0 §4, else RFC 8414 §3. */
import { type JsonLimits, scanJson } from '../syntax/json.ts'

const LIMITS: JsonLimits = Object.freeze({
  maxBytes: 131_072,
  maxDepth: 8,
  maxNodes: 4_096,
  maxStringBytes: 8_192,
  maxKeys: 256,
})

export const MAX_METADATA_BYTES = LIMITS.maxBytes

/** The documents to try, in this order; empty where `iss` is no URL to fetch from. */
export function metadataUrls(iss: string): readonly string[] {
  const url = httpUrl(iss)
  if (url === null || url.search !== '') return []
  const path = url.pathname.replace(/\/$/, '')
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

export type Metadata =
  | { readonly ok: true; readonly jwksUri: string }
  | { readonly ok: false; readonly why: 'json' | 'issuer-differs' | 'jwks-uri' }

/**
 * The key set's address from a metadata document of `iss`. The document must name exactly this issuer (OIDC Discovery
 * §4.3), or another one's keys would be taken for its own.
 */
export function readMetadata(bytes: Uint8Array, iss: string): Metadata {
  const scan = scanJson(bytes, LIMITS)
  if (!scan.ok || typeof scan.value !== 'object' || scan.value === null) return { ok: false, why: 'json' }
  const { issuer, jwks_uri: jwksUri } = scan.value as Readonly<Record<string, unknown>>
  if (issuer !== iss) return { ok: false, why: 'issuer-differs' }
  if (typeof jwksUri !== 'string' || !mayServeKeys(jwksUri, iss)) return { ok: false, why: 'jwks-uri' }
  return { ok: true, jwksUri }
}

/**
 * https, or plain http where the issuer itself is plain http (config admits that for loopback, or by a key) and the
 * keys are at loopback or at the issuer's own host. So a document fetched securely cannot point the gate to something
 * on its own machine.
 */
function mayServeKeys(jwksUri: string, iss: string): boolean {
  const url = httpUrl(jwksUri)
  const issuer = httpUrl(iss)
  if (url === null || issuer === null) return false
  if (url.protocol === 'https:') return true
  return issuer.protocol === 'http:' && (url.hostname === issuer.hostname || isLoopback(url.hostname))
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function httpUrl(text: string): URL | null {
  if (text.length > 2048 || !URL.canParse(text)) return null
  const url = new URL(text)
  const plain = url.username === '' && url.password === '' && url.hash === ''
  return plain && (url.protocol === 'https:' || url.protocol === 'http:') ? url : null
}
