/** What the bundle commands ask of the store; `config` is the configuration's file. */
export interface BundleActions {
  /** All bundles the store holds, by version; `records`: also how many records refer to each. */
  list(config: string, records: boolean): Promise<readonly ListedBundle[]>
  /** By version, hash or the hash's beginning. Throws `bundle-unknown`, `bundle-signature`, `bundle-corrupt`. */
  show(config: string, asked: string): Promise<ShownBundle>
  /** Signature and every byte; of one bundle, or of all. */
  verify(config: string, asked: string | null): Promise<readonly VerifiedBundle[]>
}

export interface ListedBundle {
  readonly hash: string
  /** Null where no good statement stands beside it, which `problem` then says. */
  readonly version: number | null
  /** Wall milliseconds when it was compiled first. */
  readonly at: number
  readonly by: string
  readonly why: string
  readonly inForce: boolean
  /** What a rollback would put in force. */
  readonly before: boolean
  /** Records that name it; null where they were not counted. */
  readonly records: number | null
  readonly problem: string
}

export interface ShownBundle extends ListedBundle {
  /** SHA-256 of the configuration file it was compiled from. */
  readonly config: string
  readonly apis: readonly { readonly name: string; readonly mode: string; readonly operations: number }[]
  readonly issuers: readonly string[]
  readonly policies: number
  readonly tests: number
  /** When it was put in force, and why: the latest last. */
  readonly changes: readonly { readonly at: number; readonly by: string; readonly why: string }[]
}

export interface VerifiedBundle {
  readonly hash: string
  readonly version: number | null
  readonly ok: boolean
  readonly problem: string
}
