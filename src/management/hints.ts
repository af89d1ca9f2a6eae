/** What the configuration adds to a record when a way out is named: a record says only what the call showed. */
export interface Hints {
  readonly issuers: readonly { readonly name: string; readonly iss: string }[]
  /** Names of the APIs that accept no issuer. */
  readonly withoutIdentity: ReadonlySet<string>
}

export const NO_HINTS: Hints = { issuers: [], withoutIdentity: new Set() }
