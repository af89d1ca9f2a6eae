import type { Distinction } from './distinction.ts'
import type { MediaDetail } from './media/detail.ts'
import type { LabelDetail } from './sensitivity/label-node.ts'

/** The contract room's own plain data inside a bundle: what `compile` writes and `instantiate` reads. */

/** A schema's function in the generated modules, or null where every value fits. */
export type CheckName = string | null
/** A shape in the generated modules; 0: nothing is undeclared anywhere below. */
export type ShapeId = number
/** Of a name that is declared and may not be in this direction: read-only in a request, write-only in an answer. */
export const FORBIDDEN_SHAPE: ShapeId = -1

export type ParameterType = 'string' | 'integer' | 'number' | 'boolean' | 'null'

/** What texts at a place may be read as: one of `types` (most specific first), or a list, or an object. */
export interface TextShape {
  readonly types: readonly ParameterType[]
  /** Present where a list may stand there. */
  readonly items?: TextShape
  /** Present where an object may: its declared members, and what others hold (absent: there are no others). */
  readonly members?: Readonly<Record<string, TextShape>>
  readonly others?: TextShape
}

/**
 * How a parameter is written: the styles of OpenAPI 3.2 §4.12.4, or its whole text as JSON, as a form
 * (application/x-www-form-urlencoded), or as one text.
 */
export type ParameterWriting =
  | 'simple'
  | 'label'
  | 'matrix'
  | 'form'
  | 'spaceDelimited'
  | 'pipeDelimited'
  | 'deepObject'
  | 'cookie'
  | 'json'
  | 'urlencoded'
  | 'text'

export interface ParameterDetail {
  readonly name: string
  /** `querystring`: the whole query. */
  readonly in: 'path' | 'query' | 'header' | 'cookie' | 'querystring'
  readonly required: boolean
  readonly writing: ParameterWriting
  readonly explode: boolean
  readonly text: TextShape
  readonly check: CheckName
  readonly shape: ShapeId
  readonly allowEmpty: boolean
}

export interface ContentDetail {
  /** Media range as the contract writes it. */
  readonly range: string
  readonly json: boolean
  readonly check: CheckName
  readonly shape: ShapeId
  /** How content that is not JSON becomes a value of the schema. */
  readonly media?: MediaDetail
  /** Of a sequence of items: check and shape are of one item, or of one event's data. */
  readonly items?: ItemFraming
}

/** How items are told apart: a line each, a record each (RFC 7464), or an event each with JSON as its data (HTML §9.2). */
export type ItemFraming = 'lines' | 'records' | 'events'

export interface OperationDetail {
  /** Whether a request can match it: not where the template equals an earlier one, for example. */
  readonly routable: boolean
  /** Of a template with `?` or `#`: what stands before them, and what a request states to be meant. */
  readonly path?: string
  readonly when?: readonly Distinction[]
  readonly parameters: readonly ParameterDetail[]
  readonly body: { readonly required: boolean; readonly content: readonly ContentDetail[] } | null
  /** By status as the contract writes it: `200`, `2XX`, `default`. */
  readonly answers: Readonly<Record<string, readonly ContentDetail[]>>
  /** Fields that answers declare, by the same statuses; absent where none does. */
  readonly answerHeaders?: Readonly<Record<string, readonly ParameterDetail[]>>
  /** Absent where no field of an answer has a class or rule, and none can be pointed at. */
  readonly labels?: LabelDetail
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
  /** The file that the pointer is of, where it is not the contract's own. */
  readonly file?: string
}

export type WarningCode =
  | 'sealing-too-complex'
  | 'schema-keyword'
  | 'format-unknown'
  | 'pattern-unusable'
  | 'nullable-without-type'
  | 'parameter-style'
  | 'parameter-cookie'
  | 'parameter-invalid'
  | 'media-type-unchecked'
  | 'security-unsupported'
  | 'security-undefined'
  | 'path-unroutable'
  | 'path-parameter'
  | 'path-item'
  | 'path-distinguished'
  | 'media-type-assumed'
  | 'dialect'
  | 'servers'
  | 'webhooks-callbacks'
  | 'object-undeclared'
  | 'classes-too-complex'
