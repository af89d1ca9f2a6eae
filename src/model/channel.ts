/** Plain data that control broadcasts to the gate; the rooms that use it give it meaning. */

/** A public key as in a JWKS (RFC 7517), members checked by the identity room. */
export type PublicJwk = Readonly<Record<string, string>>

/** What control knows of an issuer's key set. Times are wall milliseconds. */
export interface KeyNotice {
  readonly issuer: string
  /** The `iss` these keys sign for: a name may be given to another issuer by a reload. */
  readonly iss: string
  /** The last fetch succeeded. */
  readonly ok: boolean
  /** The last good set; null while there never was one. */
  readonly keys: readonly PublicJwk[] | null
  /** When the last good set was fetched. */
  readonly fetchedAt: number
  /** No unknown `kid` starts a fetch before this. */
  readonly cooldownUntil: number
  /** When the present cool-down began; 0 before the first. */
  readonly cooldownFrom: number
  /** Secret-free; for /readyz and the log. */
  readonly error?: string
  /** When a fetch that failed is tried again. */
  readonly retryAt?: number
}

/** The gate's own signing keys, newest first; only the first signs. */
export type SigningKeys = readonly {
  readonly kid: string
  readonly privateJwk: Readonly<Record<string, string>>
  readonly createdAt: number
}[]

export type AddressTable = Readonly<
  Record<string, readonly { readonly address: string; readonly family: 4 | 6 }[]>
>

/** What a name that a URL rule lists resolves to; a name that is not there did not resolve for too long. */
export type UrlNameState = 'public' | 'private' | 'unresolved'
export type UrlNameTable = Readonly<Record<string, UrlNameState>>

interface EnvoysBodies {
  /** `max_request_bytes` of `with_request_body`: what is as long may have been cut. Left out: not known. */
  readonly maxRequestBytes?: number | undefined
}

/** Where proxies and programs ask for decisions about calls that do not come through the gate. */
export type DecisionPointSettings = {
  /** Config key, for faults: `decisionPoints.extAuthz`. */
  readonly key: string
  readonly host: string
  readonly port: number
  /** CIDRs of those who may ask; they are believed what they state of a call. */
  readonly peers: readonly string[]
  /** What becomes of operations that take a body where bodies are not shown. */
  readonly bodies: 'deny' | 'unchecked'
} & (
  | (EnvoysBodies & { readonly kind: 'ext-authz'; readonly maxMessageBytes: number })
  | (EnvoysBodies & {
      readonly kind: 'ext-authz-http'
      readonly pathPrefix: string
      readonly maxBodyBytes: number
    })
  | {
      readonly kind: 'forward-auth'
      readonly dialect: 'nginx' | 'traefik'
      readonly identityFields: 'refuse' | 'proxy'
    }
  | {
      readonly kind: 'authzen'
      /** Scheme, host and port by which it is reached from outside. */
      readonly origin: string
      /** SHA-256 in hex of the bearer tokens that may ask; none: everybody who may connect. */
      readonly credentials: readonly string[]
      /** Name of the domain asked without naming one. */
      readonly defaultDomain: string
    }
)

/** What a gate process needs to know for its whole life. */
export interface GateSettings {
  readonly host: string
  readonly port: number
  /** How long a predecessor that drains may still hold the address, in ms; left out: not at all. */
  readonly portWaitMs?: number
  readonly threads: number
  readonly store: string
  readonly node: string
  readonly boot: string
  readonly durability: 'os' | 'disk'
  /** What the parser takes of one request's head, in bytes: the fields' limit and room for the request line. */
  readonly headBytes: number
  /** Left out: none. */
  readonly decisionPoints?: readonly DecisionPointSettings[]
  /** `iss` of the gate's assertions. */
  readonly gateId: string
  /** SPKI PEM: bundles are signed by its other half, or are not instantiated. */
  readonly bundleKey: string
}
