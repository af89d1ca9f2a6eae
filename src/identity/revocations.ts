/**
 * What was revoked, asked at every call (standards 3.12): tokens by `jti` or digest, and all tokens of a subject up to
 * a time. Exact, never a sketch; full means that `apply` says so, never that something is forgotten: what runs out is
 * left behind at a start, since a wall clock that jumps must not make a revoked token good again.
 */
import { hash } from 'node:crypto'
import type { Revocation, TokenKey } from '../model/directive.ts'
import { type Finding, finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { parseJws } from '../syntax/jws.ts'

/** When full about 57 MB a thread, measured; what needs more wants its sessions ended at the issuer. */
export const MAX_REVOCATIONS = 100_000

export class RevocationSet {
  readonly #max: number
  readonly #tokens = new Set<TokenKey>()
  /** NumericDate seconds: when the subject was revoked, by the gate's clock. */
  readonly #subjects = new Map<string, number>()

  constructor(max: number = MAX_REVOCATIONS) {
    this.#max = max
  }

  /** False where the set is full: the revocation is then not in force, and whoever asked must be told. */
  apply(revocation: Revocation): boolean {
    if (revocation.kind === 'token') {
      if (!this.#tokens.has(revocation.key) && this.size >= this.#max) return false
      this.#tokens.add(revocation.key)
      return true
    }
    const key = subjectKey(revocation.iss, revocation.sub)
    const before = this.#subjects.get(key)
    if (before === undefined && this.size >= this.#max) return false
    // Two orders for one subject become the wider of both: to refuse too much is the safe side.
    this.#subjects.set(key, Math.max(before ?? 0, revocation.notBefore))
    return true
  }

  /**
   * Whether the subject's token is revoked. `skewSeconds` is how far the issuer's clock may be ahead of the gate's: a
   * token that it issued just before the revocation may say so much later a time, and is refused with the others.
   */
  check(subject: Subject, skewSeconds: number): Finding | null {
    if (this.#tokens.size > 0) {
      if (this.#tokens.has(`digest:${subject.tokenDigest}`)) return refused('token-revoked', 'digest')
      if (subject.tokenId !== undefined && this.#tokens.has(`jti:${subject.tokenId}`)) {
        return refused('token-revoked', 'jti')
      }
    }
    if (this.#subjects.size > 0) {
      const revoked = this.#subjects.get(subjectKey(subject.iss, subject.id))
      if (revoked !== undefined && subject.issuedAt <= revoked + skewSeconds)
        return refused('subject-revoked', 'subject')
    }
    return null
  }

  get size(): number {
    return this.#tokens.size + this.#subjects.size
  }
}

/** SHA-256 over `header.payload`, not over the signature: an ECDSA signature has a second, equally valid form. */
export function tokenDigest(signingInput: string): string {
  return hash('sha256', signingInput, 'base64url')
}

/** How a token that someone holds is named in a revocation, or null where it is no token. */
export function tokenKeyOf(token: string): TokenKey | null {
  const parsed = parseJws(token)
  return parsed.ok ? `digest:${tokenDigest(parsed.jws.signingInput)}` : null
}

/** The length in front keeps `ab`+`c` and `a`+`bc` apart. */
function subjectKey(iss: string, sub: string): string {
  return `${iss.length}:${iss}${sub}`
}

function refused(code: 'token-revoked' | 'subject-revoked', by: string): Finding {
  return finding(reason(code, 'identity', { by }))
}
