import type { AccessTokens } from '../identity/access-token.ts'
import type { AssertionSigner } from '../identity/assertion.ts'
import type { KeyWait } from '../identity/key-wait.ts'
import type { AuditWriter, Clock, Upstream } from '../model/ports.ts'
import type { PinnedSnapshots } from './pinned.ts'

/** What one gate thread lends to every exchange: the whole world as the pipeline may touch it. */
export interface Gate {
  readonly clock: Clock
  /** The bundle in force, pinned by a call from its head to its end. */
  readonly snapshots: Pick<PinnedSnapshots, 'pin'>
  readonly tokens: AccessTokens
  /** The same for a candidate, with proofs of its own; absent where none is ever staged. */
  readonly candidateTokens?: AccessTokens
  /** Keyed digest that settles which callers a candidate judges; absent: none. */
  readonly canary?: (text: string) => string
  /** Where calls that brought an unknown key wait for control's fetch. */
  readonly keyWait: Pick<KeyWait, 'wait'>
  readonly assertions: Pick<AssertionSigner, 'authorization' | 'gateAuthorization'>
  readonly upstream: Upstream
  /** Where decision sources are asked, if not by the upstream's connector: the upstream may be no server at all. */
  readonly sources?: Upstream
  /** The secret a reference of the bundle stands for; null or absent: not known here. */
  credential?(reference: string): string | null
  readonly audit: AuditWriter
  /** Keyed digest of a body for the record: base64url of HMAC-SHA-256 cut to 16 bytes. */
  digest(bytes: Uint8Array): string
  /** Adds to a counter: its name, how much, its label values. */
  count(name: string, by: number, ...labels: readonly string[]): void
  /** A fault of the gate itself, for its log: never a value of a call. */
  fault(stage: string, exchange: string, error: unknown): void
}
