import type { CheckName, ParameterType, TextShape } from '../detail.ts'

/**
 * How content that is not JSON becomes the value its schema speaks of: plain data inside a bundle. A range with a
 * wildcard has several readings; what has none is not checked. `C`: the schema of a part's field before it is compiled,
 * its check's name in the bundle, its check on a gate thread.
 */
export interface MediaDetail<C = CheckName> {
  readonly form?: FormDetail
  readonly multipart?: MultipartDetail<C>
  readonly xml?: XmlDetail
  readonly text?: { readonly types: readonly ParameterType[] }
  /** Bytes that nobody reads here: their schema can say how many there are. */
  readonly bytes?: true
}

export interface FormDetail {
  readonly text: TextShape
  /** Properties that are not written as one pair for each value. */
  readonly written: Readonly<Record<string, FormWriting>>
}

export interface FormWriting {
  readonly writing: 'form' | 'spaceDelimited' | 'pipeDelimited' | 'deepObject' | 'json'
  readonly explode: boolean
}

export interface MultipartDetail<C = CheckName> {
  /** By name, of multipart/form-data and others whose parts are named. */
  readonly named: Readonly<Record<string, PartDetail<C>>>
  /** Of names the schema welcomes without declaring them. */
  readonly others?: PartDetail<C>
  /** By position, where the schema is a list. */
  readonly prefix?: readonly PartDetail<C>[]
  readonly item?: PartDetail<C>
}

export interface PartDetail<C = CheckName> {
  readonly kind: 'text' | 'json' | 'bytes'
  /** Parts of one name are a list. */
  readonly list: boolean
  readonly types: readonly ParameterType[]
  /** Media ranges its Content-Type has to be in; empty: what its kind is usually sent as. */
  readonly ranges: readonly string[]
  readonly fields: readonly PartField<C>[]
}

export interface PartField<C = CheckName> {
  /** Lower case. */
  readonly name: string
  readonly required: boolean
  readonly types: readonly ParameterType[]
  readonly check: C
}

/** Elements by the schema that describes them; nodes refer to one another by index, in circles too. */
export interface XmlDetail {
  readonly root: number
  /** What the outermost element is called; null: anything. */
  readonly name: string | null
  /** Null: any. */
  readonly namespace: string | null
  readonly nodes: readonly XmlNode[]
}

export interface XmlNode {
  readonly types: readonly ParameterType[]
  /** Present where an object may stand there. */
  readonly members?: readonly XmlMember[]
  /** Present where a list may: its elements. */
  readonly items?: XmlName & { readonly node: number }
}

export interface XmlName {
  readonly local: string
  /** Null: that of the element around it, or none. */
  readonly namespace: string | null
}

export interface XmlMember extends XmlName {
  readonly property: string
  readonly at: 'element' | 'attribute' | 'text'
  readonly node: number
  /** Elements of this name are a list, inside `wrapper` where there is one. */
  readonly list: boolean
  readonly wrapper?: XmlName
}
