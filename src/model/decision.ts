import type { Reason } from './reason.ts'

export type Checkpoint = 'head' | 'body' | 'response' | 'message'

/** A call comes to them in this order. */
export const CHECKPOINT_ORDER: Readonly<Record<Checkpoint, number>> = {
  head: 0,
  body: 1,
  response: 2,
  message: 3,
}
export type Effect = 'allow' | 'deny' | 'challenge'
export type Mode = 'enforce' | 'observe'

/**
 * What one checkpoint judged. `pending` is only true of an allow that still waits for an attribute a later
 * checkpoint knows: at the last checkpoint it is a deny.
 */
export interface Decision {
  readonly checkpoint: Checkpoint
  readonly effect: Effect
  readonly pending: boolean
  readonly mode: Mode
  readonly reasons: readonly [Reason, ...Reason[]]
  readonly obligations: readonly Obligation[]
  /** Ids of the policies that decided; empty where the floor (identity, scopes, contract) did. */
  readonly policies: readonly string[]
  readonly bundle: string
  /**
   * What speaks against the call and has no effect yet: of an operation, stage or policy that is only observed. Left
   * out where there is none.
   */
  readonly observed?: readonly Reason[]
  /** Of an answer whose items were judged one by one; left out elsewhere. */
  readonly items?: ItemDecisions
}

/** A list's items, judged at one checkpoint: rows for those that differ in what policies read, and how many of each. */
export interface ItemDecisions {
  readonly judged: number
  readonly released: number
  /** Row i was judged over `RecordedInput.items[i]`. */
  readonly rows: readonly ItemRow[]
}

export interface ItemRow {
  readonly effect: 'allow' | 'deny'
  /** How many items were alike. */
  readonly count: number
  readonly policies: readonly string[]
  /** What these items go out with; left out where nothing is asked. */
  readonly obligations?: readonly FieldObligation[]
}

/** What distinguishes one item of a list from its neighbours. */
export interface ItemInput {
  /** Of a GraphQL request: the field asked for, `shop.Query.orders`, which is judged as an action of its own. */
  readonly action?: string
  /** The object's own id, where the rule names it and a policy reads it. */
  readonly id?: string
  readonly owner?: string
  readonly tenant?: string
}

export type Obligation = { readonly kind: 'drop-undeclared' } | FieldObligation

/** What goes out with a permit's allow, but for these fields of the answer (XACML 3.0 §7.18: those of all that decided). */
export interface FieldObligation {
  /** `drop`: the field is left out; `redact`: its value is replaced; `mask`: all but its end is. */
  readonly kind: 'drop' | 'redact' | 'mask'
  /**
   * JSON pointers into the answer with `*` for any one name or index (of a list with an object rule: into each item
   * too), `class:<name>`, or, of the contract's own rules, `#/components/…`: a place of the contract; sorted.
   */
  readonly fields: readonly string[]
  /** Id of the policy that asks for it; empty: a field rule of the contract. */
  readonly policy: string
}

/** The typed attributes policies may read; `decide` is pure over this and the bundle. */
export interface DecisionInput {
  readonly checkpoint: Checkpoint
  readonly principal: PrincipalInput
  readonly action: string
  readonly resource: ResourceInput
  readonly context: ContextInput
}

export interface PrincipalInput {
  readonly type: 'User' | 'Client' | 'Workload' | 'Anonymous'
  readonly id: string
  /** Entity ids of its groups: `<issuer>/<group>`. */
  readonly groups: readonly string[]
  /** Entity ids of its roles: `<issuer>/<role>`. */
  readonly roles?: readonly string[]
  /** Name of the trust zone it calls from, by its workload identity, client or network; empty or absent: none. */
  readonly zone?: string
  readonly client: string
  readonly tenant: string
}

export interface ResourceInput {
  readonly api: string
  /** Object type of the config's rule, else the empty string: the resource is then the operation itself. */
  readonly objectType: string
  readonly params: Readonly<Record<string, string>>
  /** Of a list below another path: the parameters that name one of its objects, as that object's own path has them. */
  readonly named?: readonly string[]
  /** Principal id (`<issuer>/<sub>`) of the owner; absent where unknown, see `unknown`. */
  readonly owner?: string
  readonly tenant?: string
  /** Attributes that a later checkpoint will state: policies that read them are not yet decidable. */
  readonly unknown: readonly ('owner' | 'tenant')[]
}

export interface ContextInput {
  readonly scopes: readonly string[]
  readonly scopesMet: boolean
  readonly issuer: string
  readonly audience: readonly string[]
  readonly acr?: string
  readonly tokenAgeSeconds: number
  readonly method: string
  readonly path: string
  readonly ip: string
  /** How the subject authenticated (RFC 8176). */
  readonly amr?: readonly string[]
  /** Seconds since `auth_time`. */
  readonly authAgeSeconds?: number
  /** Names of the declared networks that hold `ip`. */
  readonly networks?: readonly string[]
  readonly time?: TimeInput
  readonly device?: DeviceInput
  /** Stated by a signal, or by who asks for a decision; so are the following. */
  readonly geo?: { readonly country: string; readonly asn?: number }
  /** 0 (none) to 100. */
  readonly risk?: number
  /** Sensitivity classes of the fields that the operation's contract declares, known with the head. */
  readonly requestClasses?: readonly string[]
  readonly answerClasses?: readonly string[]
  readonly rates?: { readonly callerPerMinute: number }
  readonly message?: { readonly kind: string; readonly bytes: number }
}

/** The moment of the call, as a clock on the wall of the named place shows it. */
export interface TimeInput {
  /** Milliseconds since the epoch. */
  readonly epochMs: number
  /** IANA name: `Europe/Berlin`. */
  readonly zone: string
  readonly hour: number
  readonly minute: number
  /** `Monday` … `Sunday`. */
  readonly weekday: string
}

export interface DeviceInput {
  /** `<issuer>/<id>`. */
  readonly id: string
  readonly compliant?: boolean
  readonly managed?: boolean
}

/** What the policies alone say: before the floor and the findings are weighed in. */
export interface PolicyVerdict {
  readonly verdict: 'allow' | 'deny' | 'pending'
  /** Determining policies: the permits of an allow, the forbids of a deny; for pending, those that wait. */
  readonly policies: readonly string[]
  readonly errors: readonly { readonly policy: string; readonly message: string }[]
  /** Set where all that kept a permit from applying was an attribute of the object. */
  readonly object?: ObjectTurn
  /**
   * Of a call that is judged field by field (GraphQL): the actions of those that are not allowed; empty with `pending`
   * where the fields are not known (yet).
   */
  readonly fields?: readonly string[]
  /** What policies under `@mode("observe")` would decide: they count for nothing yet. Left out where none applies. */
  readonly observed?: ObservedPolicies
  /** Of an allow, or what still may be one: what goes out with it, by every permit that decided and the contract. */
  readonly obligations?: readonly FieldObligation[]
}

/** Ids of policies that are only observed and apply to the call. */
export interface ObservedPolicies {
  readonly wouldPermit: readonly string[]
  readonly wouldForbid: readonly string[]
}

/** The object's attribute a verdict turned on, and the permits that read it. */
export interface ObjectTurn {
  readonly attribute: 'owner' | 'tenant'
  /** False where nothing has stated it (yet). */
  readonly known: boolean
  readonly policies: readonly string[]
}

/** The port behind which the policy engine stands: synchronous and pure over its input. */
export interface PolicyEngine {
  evaluate(input: DecisionInput): PolicyVerdict
  /** Attribute paths the bundle's policies read (`resource.owner`, `context.scopesMet`): what records must keep. */
  readonly reads: ReadonlySet<string>
  /** Those of them that the policies which decide calls of one operation read; left out: any may. */
  readsOf?(api: string, operation: string): ReadonlySet<string>
}
