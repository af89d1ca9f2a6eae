/**
 * What control tells the gate to refuse: from a person, later from an incident. Scoped, reasoned, expiring. `until`
 * and `at` are wall milliseconds; a start leaves behind what has run out, a running gate forgets nothing.
 */
export type Revocation =
  | {
      readonly kind: 'token'
      readonly key: TokenKey
      readonly until: number
      readonly by: string
      readonly at: number
    }
  /** Every token of the subject issued at or before `notBefore` (NumericDate seconds) and its issuer's clock skew. */
  | {
      readonly kind: 'subject'
      readonly iss: string
      readonly sub: string
      readonly notBefore: number
      readonly until: number
      readonly by: string
      readonly at: number
    }

/** `jti:<jti>` (of any issuer: to refuse too much is the safe side) or `digest:<SHA-256 of the signing input>`. */
export type TokenKey = `jti:${string}` | `digest:${string}`
