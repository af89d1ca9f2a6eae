/**
 * The values a Cedar expression works on: booleans, longs, strings, entity references, sets, records and extension
 * values, and when two of them are equal. All are immutable.
 */

/**
 * A 64-bit signed whole number. A JavaScript `number` wherever it is a safe integer, otherwise a `bigint`; one
 * number has one form, so `===` compares longs. Make them with `longOf`.
 */
export type Long = number | bigint

/** A value of an extension type. Two are equal if their types and their keys are. */
export interface ExtensionValue {
  readonly ext: 'ipaddr' | 'decimal' | 'datetime' | 'duration'
  /** The value in its one canonical writing, unique within its type: equal values have equal keys. */
  key(): string
  /** Milliseconds since the epoch (datetime) or in length (duration); absent on the types without `<`. */
  readonly ms?: Long
}

/**
 * One extension function or method, e.g. `ip("10.0.0.0/8")` or `a.isInRange(b)` (then `a` is the receiver).
 * `b` is undefined where the arity is 1. Throws an `EvaluationError`, also for arguments of another type.
 */
export interface ExtensionFunction {
  readonly name: string
  readonly style: 'function' | 'method'
  readonly arity: 1 | 2
  readonly apply: (a: Value, b: Value | undefined) => Value
}

export type Value = boolean | Long | string | EntityUid | CedarSet | CedarRecord | ExtensionValue

/** A reference to an entity, whether or not it exists: `User::"alice"`. */
export class EntityUid {
  readonly type: string
  readonly id: string

  constructor(type: string, id: string) {
    this.type = type
    this.id = id
  }
}

/** An unordered set. Elements may repeat in the array it was made of: they count once. */
export class CedarSet {
  readonly elements: readonly Value[]
  #keys: ReadonlySet<string> | undefined

  constructor(elements: readonly Value[]) {
    this.elements = elements
  }

  /** Whether `value` is an element: by comparing while the set is small, by a prepared index once it is not. */
  has(value: Value): boolean {
    const { elements } = this
    if (elements.length > COMPARED_ONE_BY_ONE) return this.keys().has(keyOf(value))
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i]
      if (element !== undefined && equal(element, value)) return true
    }
    return false
  }

  /** The keys of the elements, each once. */
  keys(): ReadonlySet<string> {
    this.#keys ??= new Set(this.elements.map(keyOf))
    return this.#keys
  }
}

/** A record. An implementation may compute its attributes when they are asked for, each time the same. */
export abstract class CedarRecord {
  /** The value of an attribute, or undefined where the record has none of that name. */
  abstract get(name: string): Value | undefined
  /** The names of the attributes, each once, in any order. */
  abstract names(): readonly string[]
}

/** A record over a map made beforehand. */
export class MapRecord extends CedarRecord {
  readonly #attributes: ReadonlyMap<string, Value>

  constructor(attributes: ReadonlyMap<string, Value>) {
    super()
    this.#attributes = attributes
  }

  get(name: string): Value | undefined {
    return this.#attributes.get(name)
  }

  names(): readonly string[] {
    return [...this.#attributes.keys()]
  }
}

/** Why a policy could not be evaluated. A policy that throws one decides nothing and is reported by its id. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
}

const COMPARED_ONE_BY_ONE = 8

const I64_MAX = 9223372036854775807n
const I64_MIN = -9223372036854775808n

/** A long of a bigint. Throws an `EvaluationError` outside the 64 bits of a Cedar long. */
export function longOf(exact: bigint): Long {
  if (exact > I64_MAX || exact < I64_MIN) throw OVERFLOW
  const small = Number(exact)
  return Number.isSafeInteger(small) ? small : exact
}

/** Integer overflow, made once: the error carries nothing of the call. */
export const OVERFLOW: EvaluationError = new EvaluationError('integer overflow')

/** Whether a value is a long. */
export function isLong(value: Value): value is Long {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** Whether a value is of an extension type. */
export function isExtension(value: Value): value is ExtensionValue {
  return typeof value === 'object' && 'ext' in value
}

/** Cedar's `==`: values of different types are unequal, never an error. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (a instanceof EntityUid) return b instanceof EntityUid && a.id === b.id && a.type === b.type
  if (a instanceof CedarSet) return b instanceof CedarSet && equalSets(a, b)
  if (a instanceof CedarRecord) return b instanceof CedarRecord && equalRecords(a, b)
  if (b instanceof EntityUid || b instanceof CedarSet || b instanceof CedarRecord) return false
  return a.ext === b.ext && a.key() === b.key()
}

function equalSets(a: CedarSet, b: CedarSet): boolean {
  return includesAll(a, b) && includesAll(b, a)
}

/** Whether every element of `part` is in `whole`. */
export function includesAll(whole: CedarSet, part: CedarSet): boolean {
  for (const element of part.elements) if (!whole.has(element)) return false
  return true
}

/** Whether some element of `b` is in `a`. */
export function includesAny(a: CedarSet, b: CedarSet): boolean {
  for (const element of b.elements) if (a.has(element)) return true
  return false
}

function equalRecords(a: CedarRecord, b: CedarRecord): boolean {
  const names = a.names()
  if (names.length !== b.names().length) return false
  for (const name of names) {
    const left = a.get(name)
    const right = b.get(name)
    if (left === undefined || right === undefined || !equal(left, right)) return false
  }
  return true
}

/** A text that two values share exactly if they are equal: what sets and indexes are keyed by. */
export function keyOf(value: Value): string {
  if (typeof value === 'string') return `s${JSON.stringify(value)}`
  if (typeof value !== 'object') return `${typeof value === 'boolean' ? 'b' : 'l'}${value}`
  if (value instanceof EntityUid) return `e${entityKey(value.type, value.id)}`
  if (value instanceof CedarSet) return `[${[...value.keys()].sort().join(',')}]`
  if (value instanceof CedarRecord) {
    return `{${value
      .names()
      .map((name) => `${JSON.stringify(name)}:${keyOf(value.get(name) ?? '')}`)
      .sort()
      .join(',')}}`
  }
  return `x${value.ext}${JSON.stringify(value.key())}`
}

/** The key of an entity: its type and id, told apart by a character no type has. */
export function entityKey(type: string, id: string): string {
  return `${type}"${id}"`
}
