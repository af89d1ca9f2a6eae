/** The contract room's own plain data inside a bundle: what `compile` writes and `instantiate` reads. */

/** A schema's function in the generated modules, or null where every value fits. */
export type CheckName = string | null
/** A shape in the generated modules; 0: nothing is undeclared anywhere below. */
export type ShapeId = number

export type ParameterType = 'string' | 'integer' | 'number' | 'boolean' | 'null'

export interface ParameterDetail {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  /**
   * `one` value; a `list` of them (repeated in the query, comma-separated in path and header); `either`: one where
   * that fits; `unchecked`: in a style that is not read yet, of which presence alone is checked.
   */
  readonly form: 'one' | 'list' | 'either' | 'unchecked'
  /** What a text may be read as, most specific first; string last. */
  readonly types: readonly ParameterType[]
  readonly check: CheckName
  readonly allowEmpty: boolean
}

export interface ContentDetail {
  /** Media range as the contract writes it. */
  readonly range: string
  readonly json: boolean
  readonly check: CheckName
  readonly shape: ShapeId
}

export interface OperationDetail {
  /** Can no request path match it (a template with `?` or `#`, or one equal to an earlier template)? */
  readonly routable: boolean
  readonly parameters: readonly ParameterDetail[]
  /** Beginnings of further query names that are let through unread: members of objects in the query. */
  readonly queryPrefixes: readonly string[]
  /** The contract lets the query have any name (a form-style object with further properties). */
  readonly queryOpen: boolean
  readonly body: { readonly required: boolean; readonly content: readonly ContentDetail[] } | null
  /** By status as the contract writes it: `200`, `2XX`, `default`. */
  readonly answers: Readonly<Record<string, readonly ContentDetail[]>>
}

/**
 * Which names an object may have at one place, and what stands below. `p`: declared names; `q`: names by pattern;
 * `r`: shape of all others (absent: there are no others, the place is sealed); `i`: array items after `t`.
 */
export interface Shape {
  readonly p?: Readonly<Record<string, ShapeId>>
  readonly q?: readonly (readonly [pattern: string, shape: ShapeId])[]
  readonly r?: ShapeId
  readonly i?: ShapeId
  readonly t?: readonly ShapeId[]
}

export interface ContractWarning {
  readonly code: WarningCode
  /** JSON pointer into the contract. */
  readonly pointer: string
  readonly message: string
}

export type WarningCode =
  | 'combinator-union'
  | 'sealing-too-complex'
  | 'schema-keyword'
  | 'format-unknown'
  | 'pattern-unusable'
  | 'nullable-without-type'
  | 'read-write-only'
  | 'parameter-style'
  | 'parameter-cookie'
  | 'parameter-invalid'
  | 'media-type-unchecked'
  | 'security-unsupported'
  | 'security-undefined'
  | 'path-unroutable'
  | 'path-parameter'
  | 'servers'
  | 'webhooks-callbacks'
  | 'object-undeclared'
