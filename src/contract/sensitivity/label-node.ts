/** A label's number in the generated modules; 0: nothing below is labelled. */
export type LabelId = number

/**
 * The labels of one place of an instance and of those below it, as modules hold them. Places without any are left
 * out, so that what is not labelled costs nothing.
 */
export interface LabelNode {
  /** Classes, sorted. */
  readonly c?: readonly string[]
  /** Contract places (`#/components/…`, `/customer/email`) whose field rules hold here. */
  readonly f?: readonly string[]
  /** Null fits here. */
  readonly z?: 1
  /** Of the names below: those an instance must have. */
  readonly m?: readonly string[]
  readonly p?: Readonly<Record<string, LabelId>>
  readonly q?: readonly (readonly [pattern: string, id: LabelId])[]
  /** Names that meet several of these patterns: what any of them is labelled. */
  readonly o?: LabelId
  /** All further names. */
  readonly r?: LabelId
  /** Array items after `t`. */
  readonly i?: LabelId
  readonly t?: readonly LabelId[]
}

/** What a contract's own data keeps of an operation's labels. */
export interface LabelDetail {
  /** By status as the contract writes it, over all media types: `200`, `2XX`, `default`. */
  readonly answers: Readonly<Record<string, LabelId>>
  /** Of an item of a sequence, by the same statuses; absent where no answer is one. */
  readonly items?: Readonly<Record<string, ItemLabels>>
  /** Labelled header fields by name in lower case, over all statuses; absent where there are none. */
  readonly headers?: Readonly<Record<string, HeaderLabel>>
  /** Some answer is declared with content that a pointer can point into. */
  readonly json: boolean
}

/** What a header field holds, in whole or in part: classes, contract places whose field rules hold, as in `LabelNode`. */
export interface HeaderLabel {
  /** As the contract spells it. */
  readonly name: string
  readonly c?: readonly string[]
  readonly f?: readonly string[]
  /** It is a list or an object. */
  readonly parts?: 1
}

export interface ItemLabels {
  readonly label: LabelId
  /** Where items stand in the whole that pointers may point into, besides being a whole themselves. */
  readonly within: readonly (readonly string[])[]
}
