/**
 * One call and its answer as plain values: no socket and no framework object, so that every entrance
 * (HTTP listener, in-memory, ext_authz, forward-auth, middleware) plays the same acts.
 */

/** UUIDv7 (RFC 9562) made by the gate; also the id callers see in `Sallyport-Exchange` and problem documents. */
export type ExchangeId = string & { readonly __brand: 'ExchangeId' }

export type EntranceName = 'http' | 'memory' | 'try' | 'ext-authz' | 'forward-auth' | 'authzen' | 'middleware'

/** Field lines in wire order, name and value alternating, names as received: `['Host', 'a', 'Accept', '*']`. */
export type RawFields = readonly string[]

/**
 * A body that is pulled: `read` gives the next chunk, or null at the end; at most one read is outstanding,
 * which is the back-pressure. It rejects with a SallyportError when the sender breaks off or is too slow.
 */
export interface Source {
  read(): Promise<Uint8Array | null>
  /** Trailer fields; complete once `read` gave null. They never merge into the head (RFC 9110 §6.5.1). */
  readonly trailers: RawFields
  /** The reader wants no more: the rest is dropped, not drained, and a read under way gives null. */
  cancel(why: string): void
}

export type Body = Uint8Array | Source

export interface Caller {
  /** 16 bytes in network order, IPv4 mapped (RFC 4291 §2.5.5.2), so one form serves limits and policies. */
  readonly bytes: Uint8Array
  /** Canonical text: dotted for IPv4, RFC 5952 for IPv6. */
  readonly text: string
  readonly port: number
}

export interface RequestHead {
  readonly method: string
  /** The request target as received: origin-form or absolute-form. */
  readonly target: string
  readonly httpVersion: '1.0' | '1.1' | '2'
  readonly fields: RawFields
  /** The connection the call came on was TLS. */
  readonly secure: boolean
}

export interface Exchange {
  readonly id: ExchangeId
  readonly entrance: EntranceName
  readonly received: Instant
  readonly caller: Caller
  readonly head: RequestHead
  /** Null where the head announces no body. */
  readonly body: Source | null
}

/** A point in time: wall milliseconds since the epoch for people and tokens, monotonic for durations. */
export interface Instant {
  readonly wallMs: number
  readonly monoMs: number
}

export interface Answer {
  readonly status: number
  readonly fields: RawFields
  readonly body: Body | null
}

/** What became of an answer: `complete`, or cut with the number of body bytes the caller took. */
export type Delivery =
  | { readonly complete: true }
  | { readonly complete: false; readonly bytes: number; readonly why: string }

/** The caller's side of an exchange, given to the pipeline by its entrance. */
export interface Reply {
  /** Interim answers (1xx), among them 100-continue once the head has been allowed. */
  inform(status: number, fields: RawFields): void
  /** Sends the final answer once; resolves when the last byte was handed to the transport or the caller left. */
  send(answer: Answer): Promise<Delivery>
  /** True once the caller has gone. */
  readonly gone: boolean
  /** Called once when the caller leaves before the answer's end. */
  onGone(listener: () => void): void
}
