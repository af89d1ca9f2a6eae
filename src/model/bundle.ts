import type { Mode } from './decision.ts'
import type { AnswerMode, OperationPlan, UnknownFields } from './operation.ts'

/**
 * The canonical, content-hashed form of config + contracts + policies + generated validator source: plain data,
 * made once by control's compiler, instantiated by every gate thread. It holds no secret.
 *
 * On disk: NDJSON, a part a line in the order head, api…, operation…, policies, domain…, entities…, so that a thread instantiates
 * line by line without one long step. The hash is SHA-256 (hex) of the file's bytes.
 */
export type BundlePart =
  | { readonly part: 'head'; readonly head: BundleHead }
  | { readonly part: 'api'; readonly api: ApiPlan; readonly contracted: boolean }
  | { readonly part: 'module'; readonly api: string; readonly name: string; readonly source: string }
  | { readonly part: 'operation'; readonly operation: CompiledOperation }
  | { readonly part: 'policies'; readonly policies: PolicyPlan }
  | { readonly part: 'policy-list'; readonly policies: readonly unknown[] }
  | { readonly part: 'domain'; readonly domain: DomainPlan }
  | { readonly part: 'entities'; readonly domain: string; readonly entities: readonly unknown[] }

export interface BundleHead {
  readonly format: 1
  readonly version: string
  readonly issuers: readonly IssuerPlan[]
  readonly limits: LimitsPlan
  readonly environment: string
  readonly durability: 'os' | 'disk'
  /** Declared networks by name, and trust zones: who is in one, and which calls go between them. */
  readonly networks?: Readonly<Record<string, readonly string[]>>
  readonly zones?: readonly ZonePlan[]
  readonly flows?: readonly FlowPlan[]
  /** IANA name of the zone in which policies read the time of day; absent: UTC. */
  readonly timeZone?: string
  /** Attribute paths records keep besides those the policies read, for policies to come. */
  readonly auditAttributes: readonly string[]
}

/** What the contract room needs to rebuild one operation's checks; `detail` is that room's own plain data. */
export interface CompiledOperation {
  readonly plan: OperationPlan
  readonly detail: unknown
}

export interface IssuerPlan {
  readonly name: string
  readonly iss: string
  /** Key set URL; absent: found by OpenID discovery below `iss`. */
  readonly jwks?: string
  readonly algorithms: readonly string[]
  /** Accepted `typ` values besides `at+jwt` (RFC 9068 §4): a per-issuer setting, many providers send `JWT`. */
  readonly types: readonly string[]
  readonly groupsClaim: string
  readonly tenantClaim?: string
  readonly rolesClaim?: string
  readonly deviceClaim?: string
  /** Further claims that object rules compare with. */
  readonly claims?: readonly string[]
  /** `workload`: every subject of this issuer is one. */
  readonly subjects?: 'workload'
  readonly keys: {
    readonly refreshSeconds: number
    readonly cooldownSeconds: number
    readonly maxStaleSeconds: number
    readonly waitMs: number
  }
  /** Clock skew in seconds, at most 60 (standards 3.10). */
  readonly skewSeconds: number
}

export interface ApiPlan {
  readonly name: string
  readonly owner: string
  readonly governed: boolean
  readonly mode: Mode
  /** Lower-case host names without port; empty: any. */
  readonly hosts: readonly string[]
  /** Empty, or starts with `/` and has no trailing one. */
  readonly basePath: string
  readonly upstream: { readonly origin: string; readonly basePath: string }
  readonly accept: readonly string[]
  readonly audience: readonly string[]
  readonly maxTokenAgeSeconds?: number
  readonly credential: 'replace' | 'pass'
  readonly onAuditFailure: 'deny' | 'allow'
  readonly timeouts: {
    readonly connectMs: number
    readonly headMs: number
    readonly bodyMs: number
    readonly requestMs: number
  }
  /** Further fields of a caller's that never go upstream: lower case, `_` and `.` as `-`, sorted. */
  readonly stripHeaders: readonly string[]
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
  /** Content codings a request body may come in; absent: all the gate can undo (gzip, deflate, br, zstd). */
  readonly requestCodings?: readonly string[]
  /** Absent: `reject`. */
  readonly unknownFields?: UnknownFields
  /** Absent: `strip`. */
  readonly answers?: AnswerMode
  /** What becomes of answers larger than `maxAnswerBytes`: refused, or passed on unread and counted. Absent: `refuse`. */
  readonly largeAnswers?: 'refuse' | 'pass'
  /** Share of the answers in whose values classes are looked for, and values looked at of each; absent: none. */
  readonly sampling?: { readonly share: number; readonly maxValues: number }
  /** Whom URLs in its requests may name; absent: whoever is public. */
  readonly urls?: UrlPlan
  /** Names that URL rules list, of the API or of its contract, for control to resolve; sorted. */
  readonly urlNames?: readonly string[]
  readonly tenant: string
  readonly environment: string
  /** The trust zone it stands in. */
  readonly zone?: string
  /** Stages whose refusals are recorded and have no effect yet. */
  readonly observeStages?: readonly ObservableStage[]
  /** Decision sources asked about every call of an operation. */
  readonly signals?: readonly SignalPlan[]
}

/** Whom a URL in a request may name (OWASP API7). */
export interface UrlPlan {
  /** Lower-case names, `*.suffix`, or addresses; absent: any. */
  readonly hosts?: readonly string[]
  /** Lower case; absent: any but those known to reach beyond the web. */
  readonly schemes?: readonly string[]
  /** Absent: any. */
  readonly ports?: readonly number[]
  /** Hosts inside networks; absent: `deny`. */
  readonly private?: 'deny' | 'allow'
}

/** An AuthZEN decision source outside the gate. */
export interface SignalPlan {
  readonly name: string
  readonly origin: string
  /** Of its evaluation endpoint. */
  readonly path: string
  readonly timeoutMs: number
  /** Reference of its bearer token, `env:NAME` or `file:PATH`: never the token. */
  readonly credential?: string
}

/** What can be observed while the rest is enforced: hygiene, audit and zones' own framing never. */
export type ObservableStage = 'identity' | 'contract' | 'policy' | 'zone' | 'response'

/** A trust zone (NIST SP 800-207 §3.1.2, micro-segmentation). */
export interface ZonePlan {
  readonly name: string
  /** Names of declared networks, or CIDRs, whose callers are in it. */
  readonly networks: readonly string[]
  /** `<issuer>/<client>`; a token's client says more than the network it comes from. */
  readonly clients: readonly string[]
  /** `<issuer>/<id>` of workloads; a trailing `*` stands for the rest. */
  readonly workloads: readonly string[]
}

/** Calls that may go from one zone to another. */
export interface FlowPlan {
  readonly from: string
  readonly to: string
  /** Operation keys or action groups (`pay/read`); empty: all operations of the zone. */
  readonly operations: readonly string[]
}

export interface LimitsPlan {
  readonly tokenBytes: number
  readonly fieldBytes: number
  readonly fieldCount: number
}

/** Policies as the decision room compiled them; `detail` is that room's own plain data. */
export interface PolicyPlan {
  readonly detail: unknown
  /** Attribute paths the policies read, sorted. */
  readonly reads: readonly string[]
}

/** Another application's policies, for which the gate only decides; `detail` is the decision room's own plain data. */
export interface DomainPlan {
  readonly name: string
  readonly detail: unknown
}
