import type { Mode } from './decision.ts'

/**
 * What a contract promises of one operation, as plain data inside a bundle. The contract room makes these
 * from OpenAPI and instantiates validators from them; enforcement and decision only read them.
 */

/** Entity and action names fixed in users' policies: `shop.getOrder`, or `shop.GET /orders` without operationId. */
export type OperationKey = string

/** One alternative of a `security` list (OpenAPI 3.1 §4.8.30): all of its schemes must hold. */
export interface SecurityAlternative {
  readonly schemes: readonly {
    readonly name: string
    readonly kind: 'bearer' | 'unsupported'
    readonly scopes: readonly string[]
  }[]
}

/**
 * `required`: a verified token of one alternative. `optional` (the list holds `{}`): none is needed, one that is
 * presented is verified. `anonymous` (`[]`): none is read.
 */
export interface SecurityPlan {
  readonly need: 'required' | 'optional' | 'anonymous'
  readonly alternatives: readonly SecurityAlternative[]
}

/** Whose object the operation touches, and how the gate gets to know it (config `apis.*.objects`). */
export interface ObjectPlan {
  readonly type: string
  /** Owner and tenant where the request itself states them, instead of the object's representation. */
  readonly requestOwner?: RequestPlace
  readonly requestTenant?: RequestPlace
  /** What the owner field holds: a claim of the owner's token; absent: `sub`. */
  readonly ownerClaim?: string
  /** Of an operation that answers a list of such objects: where its items are, and how each is judged. */
  readonly items?: ItemsPlan
  /** JSON pointer segments to the owner in the object's representation. */
  readonly owner?: readonly string[]
  readonly tenant?: readonly string[]
  /** The issuer (config name) whose subjects the owner field names, and whose tenants the tenant field. */
  readonly issuer?: string
  /**
   * The operation (same template, GET) that states the owner; asked under the gate's identity: for writes, and for
   * reads whose answer does not come back through the gate.
   */
  readonly lookup?: OperationKey
  /** Foreign and absent objects are answered with equal bytes. */
  readonly hideAbsent: boolean
  /**
   * Where `owner` becomes known: with the head (path, query), the body, the look-up of a write (`body` too), at the
   * answer of a read, or never.
   */
  readonly ownerKnownAt: 'head' | 'body' | 'response' | 'never'
}

export type RequestPlace =
  | { readonly in: 'path' | 'query'; readonly name: string }
  | { readonly in: 'body'; readonly pointer: readonly string[] }

export interface ItemsPlan {
  /** JSON pointer segments to the array in the answer; empty: the answer is the array. */
  readonly at: readonly string[]
  /** Within an item: its id, where policies may name one object. */
  readonly id?: readonly string[]
  /** The path parameter of the object's own template that the id stands for: `orderId`. */
  readonly param?: string
  /** All parameters of that template: what of the list's own path names its objects. */
  readonly named?: readonly string[]
  /** JSON pointer segments to numbers that count the items: set to how many are released. */
  readonly counts?: readonly (readonly string[])[]
  /** Names, in lower case, of answer fields that count them too. */
  readonly countFields?: readonly string[]
}

/**
 * Sensitivity classes known without being declared. `pii`: of a person; `phi`: of a person's health; `pci`: of payment
 * cards.
 */
export const KNOWN_CLASSES: readonly string[] = ['credential', 'pci', 'phi', 'pii', 'secret']

export interface OperationPlan {
  readonly key: OperationKey
  readonly api: string
  readonly operationId?: string
  readonly method: string
  /** Template below the API's base path, as in the contract: `/orders/{orderId}`. */
  readonly template: string
  readonly tags: readonly string[]
  /** GET, HEAD, OPTIONS, TRACE and QUERY read; all others write (RFC 9110 §9.2.1). */
  readonly kind: 'read' | 'write'
  readonly deprecated: boolean
  readonly security: SecurityPlan
  readonly object?: ObjectPlan
  /** The operation's own mode; absent: its API's. */
  readonly mode?: Mode
  /** The operation's own; absent: its API's. */
  readonly unknownFields?: UnknownFields
  /** The operation's own; absent: its API's. */
  readonly answers?: AnswerMode
  /**
   * Of a GraphQL API. `endpoint`: what calls are routed to; a call is allowed where each field it asks for is. `field`:
   * a field of the schema, `shop.Query.orders`, which is judged and never routed to.
   */
  readonly graphql?: 'endpoint' | 'field'
  /** Sensitivity classes (`pii`, `pci`…) that its contract states or its fields' names and formats say, sorted. */
  readonly classes?: { readonly request: readonly string[]; readonly answer: readonly string[] }
  /** Fields of the answer that not every caller sees, sorted by place. */
  readonly fieldRules?: readonly FieldRulePlan[]
  /** Parameters with a class: their values stand in no record. */
  readonly hiddenParameters?: readonly {
    readonly in: 'path' | 'query' | 'header' | 'cookie'
    readonly name: string
  }[]
}

/** Who sees a field: whoever has one of the roles or groups (`<issuer>/<name>`) or scopes; none at all: nobody. */
export interface FieldRulePlan {
  /** Its place in the contract, `#/components/…`, or a JSON pointer into the answer. */
  readonly at: string
  readonly visibleTo: {
    readonly roles: readonly string[]
    readonly groups: readonly string[]
    readonly scopes: readonly string[]
  }
  /** What becomes of it for everybody else. */
  readonly otherwise: 'drop' | 'redact' | 'mask'
}

/**
 * What becomes of request fields the contract does not declare: the call is refused, or they are taken out before it
 * goes upstream, or they only are recorded.
 */
export type UnknownFields = 'reject' | 'strip' | 'observe'

/**
 * What becomes of an answer that is not as the contract says. `strip`: undeclared fields are taken out, anything else
 * is refused; `block`: undeclared fields are refused too; `observe`: it is only recorded.
 */
export type AnswerMode = 'strip' | 'block' | 'observe'

/** The call met this operation: the path parameters are percent-decoded once, `/` never among separators. */
export interface RouteMatch {
  readonly plan: OperationPlan
  readonly params: Readonly<Record<string, string>>
}
