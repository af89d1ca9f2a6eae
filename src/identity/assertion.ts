/**
 * The gate's own word to the upstream: a short-lived JWT that says who calls, in place of the caller's credential.
 * ES256, because every JOSE library in front of an old API reads it; Ed25519 signs about a quarter faster, which does
 * not matter while one assertion serves a caller for some seconds.
 */
import { Buffer } from 'node:buffer'
import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { PublicJwk, SigningKeys } from '../model/channel.ts'
import type { Instant } from '../model/exchange.ts'
import type { Clock, Random } from '../model/ports.ts'
import { principalId, type Subject } from '../model/subject.ts'
import { thumbprint } from './jwks.ts'

type SigningKey = SigningKeys[number]

export interface AssertionPorts {
  readonly clock: Clock
  readonly random: Random
  /** `iss` of the assertions. */
  readonly gateId: string
}

export const ASSERTION_SECONDS = 60
/** An assertion states who calls and decides nothing, so it may serve the same caller again while half its life is left. */
export const REUSE_MS = 30_000
const MAX_KEPT = 10_000

interface Kept {
  readonly value: string
  readonly untilMono: number
}

export class AssertionSigner {
  readonly #ports: AssertionPorts
  #key: { readonly head: string; readonly key: KeyObject } | null = null
  #kept = new Map<string, Kept>()

  constructor(ports: AssertionPorts) {
    this.#ports = ports
  }

  /** Takes what control broadcast: the first key signs from now on, and nothing signed by another is used again. */
  useKeys(keys: SigningKeys): void {
    const [first] = keys
    this.#kept = new Map()
    this.#key = first === undefined ? null : signingKey(first)
  }

  /** A key is there: without one no call may go upstream under the gate's identity. */
  get ready(): boolean {
    return this.#key !== null
  }

  /**
   * The `Authorization` value for calls of this subject to this API. `sub` is the subject's own where the API knows
   * one issuer only (`plain`): what an upstream's owner columns hold. Where it knows several, a bare `sub` would name
   * two people (RFC 7519 §4.1.2), so it is the principal as policies name it (`qualified`: `<issuer>/<sub>`). In both,
   * `sub_id` (RFC 9493 §4.1) holds the two parts as they were. Throws where there is no key.
   */
  authorization(subject: Subject, api: string, form: 'plain' | 'qualified' = 'qualified'): string {
    const principal = principalId(subject)
    // Quoted, so that no two callers share a name however their ids are spelt.
    const name = JSON.stringify([form, subject.kind, api, subject.iss, principal, subject.client])
    const sub = form === 'plain' ? subject.id : principal
    return this.#reused(name) ?? this.#keep(name, api, { sub, ...identityOf(subject) })
  }

  /** For calls the gate makes of itself, such as look-ups. */
  gateAuthorization(api: string): string {
    const name = `gate ${api}`
    return this.#reused(name) ?? this.#keep(name, api, { sub: this.#ports.gateId })
  }

  #reused(name: string): string | undefined {
    const kept = this.#kept.get(name)
    return kept !== undefined && this.#ports.clock.now().monoMs < kept.untilMono ? kept.value : undefined
  }

  #keep(name: string, aud: string, claims: Readonly<Record<string, unknown>>): string {
    const now = this.#ports.clock.now()
    const value = `Bearer ${this.#sign(aud, claims, now)}`
    // Signing anew is cheap beside what keeping an order of use would cost, so a full store starts over.
    if (this.#kept.size >= MAX_KEPT) this.#kept = new Map()
    this.#kept.set(name, { value, untilMono: now.monoMs + REUSE_MS })
    return value
  }

  #sign(aud: string, claims: Readonly<Record<string, unknown>>, now: Instant): string {
    if (this.#key === null) throw new Error('the gate has no signing key')
    const iat = Math.floor(now.wallMs / 1000)
    const jti = Buffer.from(this.#ports.random.bytes(16)).toString('base64url')
    const payload = { iss: this.#ports.gateId, ...claims, aud, iat, exp: iat + ASSERTION_SECONDS, jti }
    const input = `${this.#key.head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
    const { key } = this.#key
    const signature =
      key.asymmetricKeyType === 'ed25519'
        ? sign(null, Buffer.from(input), key)
        : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
}

/** Where software acts for a person, `act` names it (RFC 8693 §4.1). */
function identityOf(subject: Subject): Readonly<Record<string, unknown>> {
  if (subject.kind === 'anonymous') return {}
  const sub_id = { format: 'iss_sub', iss: subject.iss, sub: subject.id }
  if (subject.kind !== 'user' || subject.client === '') return { sub_id }
  return { sub_id, act: { iss: subject.iss, sub: subject.client } }
}

function signingKey({ kid, privateJwk }: SigningKey): { readonly head: string; readonly key: KeyObject } {
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
  const isEdwards = key.asymmetricKeyType === 'ed25519'
  if (!isEdwards && key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('a signing key is neither P-256 nor Ed25519')
  }
  const header = { alg: isEdwards ? 'EdDSA' : 'ES256', typ: 'JWT', kid }
  return { head: Buffer.from(JSON.stringify(header)).toString('base64url'), key }
}

/** A new P-256 key; its `kid` is its thumbprint (RFC 7638). `createdAt` in wall milliseconds. */
export function generateSigningKey(createdAt: number): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty = '', crv = '', x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  return { kid: thumbprint({ kty, crv, x, y }), privateJwk: { kty, crv, x, y, d }, createdAt }
}

/** The gate's JWK Set for upstreams (RFC 7517 §5). Public members are named one by one, so no other can slip in. */
export function publicJwks(keys: SigningKeys): { readonly keys: readonly PublicJwk[] } {
  return {
    keys: keys.map(({ kid, privateJwk }) => {
      const { kty = '', crv = '', x = '', y } = privateJwk
      const alg = kty === 'EC' ? 'ES256' : 'EdDSA'
      return { kty, crv, x, ...(y === undefined ? {} : { y }), kid, alg, use: 'sig' }
    }),
  }
}
