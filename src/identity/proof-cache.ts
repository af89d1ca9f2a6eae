/**
 * Remembers one pure fact: this key verifies this whole token. Not that the token is acceptable, which is judged at
 * every call. Only successes are kept, so a caller without a good signature cannot fill it.
 */
import type { Claims } from './claims.ts'
import type { TrustedIssuer } from './issuers.ts'
import type { VerifyKey } from './key-ring.ts'

export interface Proof {
  readonly alg: string
  readonly kid: string | undefined
  /** `typ` as compared (issuers.ts). */
  readonly type: string
  readonly issuer: TrustedIssuer
  /** The proof is good only while the ring holds this very key. */
  readonly key: VerifyKey
  readonly claims: Claims
  /** SHA-256 (base64url) of the signing input. */
  readonly digest: string
}

export interface ProofCacheBounds {
  readonly entries: number
  /** Characters of all tokens together. */
  readonly chars: number
}

/** 10,000 tokens of 1.6 kB, which with their claims take about 25 MB a thread, measured. */
export const PROOF_BOUNDS: ProofCacheBounds = Object.freeze({ entries: 10_000, chars: 16_777_216 })

/**
 * Two generations stand in for least-recently-used: a hit in the old one moves to the young one, and when the young one
 * is half the bound it becomes the old one. Constant time, no list to keep, and what is in use stays.
 */
export class ProofCache {
  readonly #bounds: ProofCacheBounds
  #young = new Map<string, Proof>()
  #old = new Map<string, Proof>()
  #youngChars = 0

  constructor(bounds: ProofCacheBounds = PROOF_BOUNDS) {
    this.#bounds = bounds
  }

  get(token: string): Proof | undefined {
    const young = this.#young.get(token)
    if (young !== undefined) return young
    const old = this.#old.get(token)
    if (old === undefined) return undefined
    this.set(token, old)
    return old
  }

  set(token: string, proof: Proof): void {
    if (!this.#young.has(token)) this.#youngChars += token.length
    this.#young.set(token, proof)
    if (this.#young.size * 2 < this.#bounds.entries && this.#youngChars * 2 < this.#bounds.chars) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngChars = 0
  }

  delete(token: string): void {
    if (this.#young.delete(token)) this.#youngChars -= token.length
    this.#old.delete(token)
  }

  /** Entries held; one in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}
