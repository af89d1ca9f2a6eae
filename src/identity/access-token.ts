/**
 * One call's JWT access token (RFC 9068 §4, RFC 8725 §3), judged anew at every call. Only the proof that a key verifies
 * the whole token is remembered (proof-cache.ts); issuer, type, algorithm, key still published, times, audience, age
 * and revocation are asked each time. Synchronous: where a key is missing that a fetch could bring, it says so.
 */
import type { ApiPlan, LimitsPlan } from '../model/bundle.ts'
import type { Instant } from '../model/exchange.ts'
import { type Finding, finding } from '../model/fact.ts'
import type { Clock } from '../model/ports.ts'
import { type Reason, type ReasonCode, reason } from '../model/reason.ts'
import type { NamedSubject, Subject } from '../model/subject.ts'
import { type JsonLimits, scanJson } from '../syntax/json.ts'
import { type JoseHeader, type Jws, parseJws } from '../syntax/jws.ts'
import { isAlgorithm, signatureHolds } from './algorithms.ts'
import { type Claims, isClaims, readClaims } from './claims.ts'
import { type IssuerIndex, type TrustedIssuer, typeName } from './issuers.ts'
import type { KeyAnswer, KeyRing, VerifyKey } from './key-ring.ts'
import { type Proof, ProofCache } from './proof-cache.ts'
import { type RevocationSet, tokenDigest } from './revocations.ts'

export type TokenApi = Pick<ApiPlan, 'accept' | 'audience' | 'maxTokenAgeSeconds' | 'environment'>

/** What the call's snapshot says. */
export interface TokenCall {
  readonly issuers: IssuerIndex
  readonly api: TokenApi
  readonly limits: Pick<LimitsPlan, 'tokenBytes'>
}

/** What lives as long as the thread. */
export interface TokenPorts {
  readonly clock: Clock
  readonly ring: KeyRing
  readonly revocations: RevocationSet
  readonly proofs?: ProofCache
}

export interface Verified {
  readonly kind: 'verified'
  readonly subject: Subject
  /** Since `iat`, never negative. */
  readonly tokenAgeSeconds: number
}

/** A fetch could bring the key: wait for it (key-wait.ts), then verify again with `asked`. */
export interface NeedKey {
  readonly kind: 'need-key'
  /** Config name. */
  readonly issuer: string
  /** Empty where the token names none. */
  readonly kid: string
  readonly waitMs: number
}

/** Why a token is not accepted. */
export interface Refused extends Finding {
  /** Whom it names, only where its signature verified; for the record alone, since nothing may be allowed by it. */
  readonly named?: NamedSubject
}

export type TokenVerdict = Verified | Refused | NeedKey

const PAYLOAD_LIMITS: JsonLimits = Object.freeze({
  maxBytes: 65_536,
  maxDepth: 16,
  maxNodes: 4_096,
  maxStringBytes: 16_384,
  maxKeys: 256,
})

const EVIDENCE_CHARS = 128

/** A gate thread's checker of access tokens. */
export class AccessTokens {
  readonly #clock: Clock
  readonly #ring: KeyRing
  readonly #revocations: RevocationSet
  readonly #proofs: ProofCache

  constructor({ clock, ring, revocations, proofs = new ProofCache() }: TokenPorts) {
    this.#clock = clock
    this.#ring = ring
    this.#revocations = revocations
    this.#proofs = proofs
  }

  /**
   * Never throws. With `asked`, control was asked already: a key still missing then is `keys-unavailable`, and
   * `need-key` is not among the answers.
   */
  verify(token: string, call: TokenCall, asked: 'asked'): Verified | Refused
  verify(token: string, call: TokenCall): TokenVerdict
  verify(token: string, call: TokenCall, asked?: 'asked'): TokenVerdict {
    const now = this.#clock.now()
    const verdict = this.#verify(token, call, now)
    if (asked === undefined || verdict.kind !== 'need-key') return verdict
    return keysUnavailable(verdict.issuer, this.#ring.retryAfterSeconds(verdict.issuer, now))
  }

  /** Of a subject that was verified before: whether it, or its token, was revoked since. */
  revoked(subject: Subject, skewSeconds: number): Finding | null {
    return this.#revocations.check(subject, skewSeconds)
  }

  #verify(token: string, call: TokenCall, now: Instant): TokenVerdict {
    if (token.length > call.limits.tokenBytes) return refused('token-too-large', { bytes: token.length })
    let proof = this.#proofs.get(token)
    if (proof === undefined || !isCurrent(proof, call.issuers, this.#ring, now)) {
      this.#proofs.delete(token)
      const proved = prove(token, call, this.#ring, now)
      if ('kind' in proved) return proved
      this.#proofs.set(token, proved)
      proof = proved
    }
    const subject = subjectOf(proof, call.api)
    const against = judge(proof, call.api, now) ?? this.#revocations.check(subject, proof.issuer.skewSeconds)
    if (against !== null) return { ...against, named: { recordAs: subject } }
    const tokenAgeSeconds = Math.max(0, Math.floor(now.wallMs / 1000 - proof.claims.iat))
    return { kind: 'verified', subject, tokenAgeSeconds }
  }
}

/** The bundle's issuer is the one it was proved under, and the ring still holds the very key for this header. */
function isCurrent(proof: Proof, issuers: IssuerIndex, ring: KeyRing, now: Instant): boolean {
  const { issuer } = proof
  if (issuers.get(issuer.plan.iss) !== issuer) return false
  const keys = ring.find(issuer, proof.kid, proof.alg, now)
  return typeof keys !== 'string' && keys.includes(proof.key)
}

function prove(token: string, call: TokenCall, ring: KeyRing, now: Instant): Proof | Finding | NeedKey {
  const parsed = parseJws(token)
  if (!parsed.ok) {
    return refused(parsed.why === 'alg-none' ? 'algorithm-refused' : 'token-malformed', { fault: parsed.why })
  }
  const { jws } = parsed
  const scan = scanJson(jws.payloadBytes, PAYLOAD_LIMITS)
  if (!scan.ok || !isObject(scan.value)) return refused('token-malformed', { fault: 'payload' })
  // Read before the signature is checked, and used for nothing but to choose who must have made it.
  const iss = scan.value['iss']
  if (typeof iss !== 'string') return refused('claim-invalid', { claim: 'iss' }, 'iss')
  const issuer = call.issuers.get(iss)
  if (issuer === undefined) return refused('issuer-unknown', { iss: cut(iss) })

  const { header } = jws
  const type = typeName(header.typ)
  // Before the key is looked up: a token that nothing could make acceptable starts no fetch.
  const against = inadmissible(header.alg, type, issuer, call.api)
  if (against !== null) return against
  const key = provenKey(jws, issuer, ring, now)
  if ('kind' in key) return key

  const claims = readClaims(scan.value, issuer.plan, type === 'at+jwt')
  if (!isClaims(claims)) {
    if ('kind' in claims) return refused('token-type-refused', { claim: claims.claim })
    return refused('claim-invalid', { claim: claims.claim, problem: claims.problem }, claims.claim)
  }
  return {
    alg: header.alg,
    kid: header.kid,
    type,
    issuer,
    key,
    claims,
    digest: tokenDigest(jws.signingInput),
  }
}

function provenKey(
  jws: Jws,
  issuer: TrustedIssuer,
  ring: KeyRing,
  now: Instant,
): VerifyKey | Finding | NeedKey {
  const { header } = jws
  const { alg } = header
  const keys = ring.find(issuer, header.kid, alg, now)
  if (typeof keys === 'string') return withoutKey(keys, header, issuer, ring, now)
  for (const key of keys) {
    const check = isAlgorithm(alg) ? key.checks.get(alg) : undefined
    if (check !== undefined && signatureHolds(check, jws.signingInput, jws.signature)) return key
  }
  if (header.kid !== undefined) return refused('signature-invalid', { kid: cut(header.kid) })
  // Without `kid` a new key cannot be told from a forgery, so it is asked for like an unknown one.
  const missing = ring.missing(issuer.plan.name, now)
  return missing === 'unknown-fresh'
    ? refused('signature-invalid')
    : withoutKey(missing, header, issuer, ring, now)
}

function withoutKey(
  answer: Extract<KeyAnswer, string>,
  { kid, alg }: JoseHeader,
  { plan }: TrustedIssuer,
  ring: KeyRing,
  now: Instant,
): Finding | NeedKey {
  switch (answer) {
    case 'alg-refused':
      return refused('algorithm-refused', { alg, kid: cut(kid ?? '') })
    case 'unknown-fresh':
      return refused('key-unknown', { issuer: plan.name, kid: cut(kid ?? '') })
    case 'unavailable':
      return keysUnavailable(plan.name, ring.retryAfterSeconds(plan.name, now))
    case 'unknown-ask':
      return { kind: 'need-key', issuer: plan.name, kid: kid ?? '', waitMs: plan.keys.waitMs }
  }
}

/** 503: not the caller's fault. `evidence.retryAfterSeconds` is for the answer's Retry-After. */
export function keysUnavailable(issuer: string, retryAfterSeconds: number): Finding {
  return refused('keys-unavailable', { issuer, retryAfterSeconds })
}

function inadmissible(alg: string, type: string, issuer: TrustedIssuer, api: TokenApi): Finding | null {
  const { name } = issuer.plan
  if (!api.accept.includes(name)) return refused('issuer-refused', { issuer: name })
  if (!issuer.types.has(type)) return refused('token-type-refused', { issuer: name, typ: cut(type) })
  if (!issuer.algorithms.has(alg)) return refused('algorithm-refused', { issuer: name, alg: cut(alg) })
  return null
}

function judge({ alg, type, claims, issuer }: Proof, api: TokenApi, now: Instant): Finding | null {
  const against = inadmissible(alg, type, issuer, api) ?? untimely(claims, issuer, api, now)
  if (against !== null) return against
  if (claims.aud.some((audience) => api.audience.includes(audience))) return null
  return refused('audience-mismatch', { audience: claims.aud.slice(0, 8).map(cut) })
}

/** RFC 7519 §4.1.4–4.1.6 with the issuer's skew, and the API's own maximum age. */
function untimely(claims: Claims, issuer: TrustedIssuer, api: TokenApi, now: Instant): Finding | null {
  const seconds = now.wallMs / 1000
  const skew = issuer.skewSeconds
  if (seconds >= claims.exp + skew) {
    return refused('token-expired', { secondsAgo: Math.floor(seconds - claims.exp) })
  }
  if (claims.nbf !== undefined && seconds < claims.nbf - skew) {
    return refused('token-not-yet-valid', { claim: 'nbf', inSeconds: Math.ceil(claims.nbf - seconds) })
  }
  if (seconds < claims.iat - skew) {
    return refused('token-not-yet-valid', { claim: 'iat', inSeconds: Math.ceil(claims.iat - seconds) })
  }
  const max = api.maxTokenAgeSeconds
  if (max !== undefined && seconds - claims.iat > max + skew) {
    return refused('token-too-old', { ageSeconds: Math.floor(seconds - claims.iat), maxSeconds: max })
  }
  return null
}

function subjectOf({ claims, issuer, digest }: Proof, api: TokenApi): Subject {
  return {
    // RFC 9068 §2.2: where no person is involved, `sub` names the client itself.
    kind: issuer.plan.subjects ?? (claims.client === claims.sub ? 'client' : 'user'),
    issuer: issuer.plan.name,
    iss: claims.iss,
    id: claims.sub,
    client: claims.client,
    groups: claims.groups,
    scopes: claims.scopes,
    audience: claims.aud,
    ...(claims.roles.length === 0 ? {} : { roles: claims.roles }),
    ...(claims.acr === undefined ? {} : { acr: claims.acr }),
    ...(claims.amr.length === 0 ? {} : { amr: claims.amr }),
    ...(claims.authTime === undefined ? {} : { authTime: claims.authTime }),
    ...(claims.device === undefined ? {} : { device: claims.device }),
    ...(claims.named === undefined ? {} : { claims: claims.named }),
    issuedAt: claims.iat,
    expiresAt: claims.exp,
    ...(claims.jti === undefined ? {} : { tokenId: claims.jti }),
    tokenDigest: digest,
    tenant: claims.tenant ?? 'default',
    environment: api.environment,
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What an unproven token says is kept only so far as it helps the person who reads the record. */
function cut(text: string): string {
  return text.length <= EVIDENCE_CHARS ? text : `${text.slice(0, EVIDENCE_CHARS)}…`
}

function refused(code: ReasonCode, evidence: Reason['evidence'] = {}, forCaller?: string): Finding {
  return finding(reason(code, 'identity', evidence, forCaller))
}
