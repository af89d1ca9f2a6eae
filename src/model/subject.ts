/** Who calls, as verified: a user is `iss` + `sub` (ASVS 10.3.3), never `sub` alone. */
export interface Subject {
  /** `workload`: software with an identity of its own (a SPIFFE id), not an OAuth client acting for itself. */
  readonly kind: 'user' | 'client' | 'workload' | 'anonymous'
  /** Config name of the issuer; the empty string for anonymous callers. */
  readonly issuer: string
  /** `iss` exactly as in the token. */
  readonly iss: string
  readonly id: string
  /** `client_id` or `azp`: the software that calls, whoever it calls for. */
  readonly client: string
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  readonly roles?: readonly string[]
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly authTime?: number
  readonly device?: { readonly id: string; readonly compliant?: boolean; readonly managed?: boolean }
  /** Claims that object rules compare with, by name: only those the configuration names. */
  readonly claims?: Readonly<Record<string, string>>
  /** NumericDate seconds (RFC 7519 §2). */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly tokenId?: string
  /** SHA-256 (base64url) of the token's signing input: what a revocation names where there is no `jti`. */
  readonly tokenDigest: string
  readonly tenant: string
  readonly environment: string
}

/**
 * Whom a record names as the caller. Not a `Subject`, so that no decision is made for it by mistake: of a token that
 * was proved but refused (revoked, expired, for another API) the record says whose it is, while nobody is judged.
 */
export interface NamedSubject {
  readonly recordAs: Subject
}

export const ANONYMOUS: Subject = Object.freeze({
  kind: 'anonymous',
  issuer: '',
  iss: '',
  id: 'anonymous',
  client: '',
  groups: [],
  scopes: [],
  audience: [],
  issuedAt: 0,
  expiresAt: 0,
  tokenDigest: '',
  tenant: 'default',
  environment: 'default',
})

/** The entity a policy sees. Issuer names hold no `/`, so the first one separates. */
export function principalId(subject: Subject): string {
  return subject.kind === 'anonymous' ? 'anonymous' : `${subject.issuer}/${subject.id}`
}
