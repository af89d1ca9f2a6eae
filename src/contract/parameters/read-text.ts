import { numberFate } from '../../syntax/json-number.ts'
import type { ParameterType, TextShape } from '../detail.ts'
import { parseExact } from '../exact-json.ts'

/** A parameter's text taken apart by its style, not yet read by its schema. */
export type TextNode = string | readonly TextNode[] | ReadonlyMap<string, TextNode>

/** No value: what a text cannot be read as. */
export const UNREADABLE = Symbol('unreadable')

/** One reading of a node. */
export interface Reading {
  /** Strings come first where a place takes them beside other types, for schemas that only fit so. */
  readonly texts: boolean
  /** Numbers that a double does not hold stay their digits (exact-json.ts) instead of being rounded. */
  readonly exact: boolean
  /** Set where there was such a number. */
  rounded: boolean
}

export const firstReading = (): Reading => ({ texts: false, exact: false, rounded: false })

/** The value a node is by its shape, or `UNREADABLE`. Nothing is coerced: each text is one of its types' JSON texts. */
export function readNode(node: TextNode, shape: TextShape, reading: Reading = firstReading()): unknown {
  if (typeof node === 'string') return readText(node, shape.types, reading)
  if (node instanceof Map) return readMembers(node, shape, reading)
  const { items } = shape
  if (items === undefined) return UNREADABLE
  const list: unknown[] = []
  for (const item of node as readonly TextNode[]) {
    const value = readNode(item, items, reading)
    if (value === UNREADABLE) return UNREADABLE
    list.push(value)
  }
  return list
}

/** Read where nothing is declared: sealing names it, if it may not be there. */
const UNDECLARED: TextShape = { types: ['string'] }

function readMembers(node: ReadonlyMap<string, TextNode>, shape: TextShape, reading: Reading): unknown {
  const { members, others } = shape
  if (members === undefined) return UNREADABLE
  const object: Record<string, unknown> = {}
  for (const [name, inner] of node) {
    // As in JSON bodies: behind the gate a careless merge would set the prototype.
    if (name === '__proto__') return UNREADABLE
    const own = Object.hasOwn(members, name) ? members[name] : undefined
    const value = readNode(inner, own ?? others ?? UNDECLARED, reading)
    if (value === UNREADABLE) return UNREADABLE
    object[name] = value
  }
  return object
}

function readText(text: string, types: readonly ParameterType[], reading: Reading): unknown {
  if (reading.texts && types.includes('string')) return text
  for (const type of types) {
    const value = readScalar(text, type, reading)
    if (value !== UNREADABLE) return value
  }
  return UNREADABLE
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,308})$/
const NUMBER = /^-?(?:0|[1-9][0-9]{0,308})(?:\.[0-9]{1,308})?(?:[eE][+-]?[0-9]{1,3})?$/

/** A text as the type's JSON value. */
export function readScalar(text: string, type: ParameterType, reading: Reading = firstReading()): unknown {
  switch (type) {
    case 'string':
      return text
    case 'integer':
      return INTEGER.test(text) ? readNumber(text, reading) : UNREADABLE
    case 'number':
      return NUMBER.test(text) ? readNumber(text, reading) : UNREADABLE
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : UNREADABLE
    case 'null':
      return text === '' || text === 'null' ? null : UNREADABLE
  }
}

function readNumber(text: string, reading: Reading): unknown {
  const fate = numberFate(text)
  if (fate === 'overflow') return UNREADABLE
  if (fate === 'kept') return Number(text)
  reading.rounded = true
  return reading.exact ? parseExact(Buffer.from(text)) : Number(text)
}
