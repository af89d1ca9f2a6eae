import type { Answer, Body, Instant, RawFields, Source } from './exchange.ts'
import type { CutEntry, IntentEntry, OutcomeEntry } from './record.ts'

/** Time comes through this port everywhere, so that tests own it. */
export interface Clock {
  now(): Instant
}

export interface Random {
  bytes(length: number): Uint8Array
}

export interface UpstreamTarget {
  /** Origin with scheme, host and port: `http://127.0.0.1:3000`. */
  readonly origin: string
}

export interface UpstreamRequest {
  readonly target: UpstreamTarget
  readonly method: string
  /** Path and query as they go on the wire. */
  readonly path: string
  readonly fields: RawFields
  readonly body: Body | null
  readonly connectTimeoutMs: number
  /** From the request's last byte to the answer's head. */
  readonly headTimeoutMs: number
  /** Between two chunks of the answer's body. */
  readonly bodyTimeoutMs: number
  inform?(status: number, fields: RawFields): void
  /** Called once with what ends the call when nobody waits for it any more. */
  onAbandon?(stop: () => void): void
}

export interface UpstreamAnswer {
  readonly status: number
  readonly fields: RawFields
  readonly body: Source
}

/**
 * The other side. `call` resolves at the answer's head, which may come before the request body was read to its
 * end; rejects with a SallyportError `upstream-*`.
 */
export interface Upstream {
  call(request: UpstreamRequest): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/**
 * Where records go. Each call returns undefined when the entry is as durable as the setting asks (`os`), or a
 * promise that settles when it is (`disk`); throws or rejects with `audit-write-failed`.
 */
export interface AuditWriter {
  intent(entry: IntentEntry): Promise<void> | undefined
  outcome(entry: OutcomeEntry): Promise<void> | undefined
  /** Both at once, in one write: a refusal's whole record. */
  refusal(intent: IntentEntry, outcome: OutcomeEntry): Promise<void> | undefined
  cut(entry: CutEntry): void
}

export type { Answer }
