import type { Chance } from './chance.ts'
import {
  type Dialect,
  isHidden,
  type JsonType,
  type RawSchema,
  type SchemaView,
  viewOf,
} from './schema-view.ts'
import { textFor } from './text.ts'

/** Nothing was found that fits. */
export const NOTHING: unique symbol = Symbol('nothing')

export type Path = readonly (string | number)[]

/** One place of a generated value, and all that is asked of it. */
export interface Spot {
  readonly path: Path
  readonly view: SchemaView
  readonly value: unknown
  /** No union, condition or negation applies here or anywhere above. */
  readonly sure: boolean
}

/** Below it only what is required is made, and deeper nothing at all. */
const MAX_DEPTH = 5
const MAX_NESTED = 16
const MAX_VALUES = 400

/**
 * Makes values that schemas ought to accept, by what the schemas say and without any validator: whoever judges by
 * them is held against another reading of the contract than its own.
 */
export class ValueMaker {
  readonly #dialect: Dialect
  readonly #chance: Chance
  #spots: Spot[] = []
  #left = 0

  constructor(dialect: Dialect, chance: Chance) {
    this.#dialect = dialect
    this.#chance = chance
  }

  /** A value with its places, or null where none was found that fits. */
  make(schema: RawSchema): { readonly value: unknown; readonly spots: readonly Spot[] } | null {
    this.#spots = []
    this.#left = MAX_VALUES
    const value = this.#value([schema], [], true)
    return value === NOTHING ? null : { value, spots: this.#spots }
  }

  #value(schemas: readonly RawSchema[], path: Path, sure: boolean): unknown {
    if (path.length > MAX_NESTED || this.#left-- <= 0) return NOTHING
    const view = viewOf(schemas, this.#dialect, this.#chance)
    if (view === null || view.types?.size === 0) return NOTHING
    const here = sure && !view.unsure
    const at = this.#spots.length
    const value = this.#fitting(view, path, here)
    if (value === NOTHING) this.#spots.length = at
    else this.#spots.push({ path, view, value, sure: here })
    return value
  }

  #fitting(view: SchemaView, path: Path, sure: boolean): unknown {
    if (view.values !== null) {
      const fitting = view.values.filter((value) => isOneOf(value, view.types))
      return fitting.length === 0 ? NOTHING : structuredClone(this.#chance.pick(fitting))
    }
    const type = this.#type(view, path)
    switch (type) {
      case 'null':
        return null
      case 'boolean':
        return this.#chance.happens(0.5)
      case 'string':
        return textFor(view, this.#chance) ?? NOTHING
      case 'integer':
      case 'number':
        return this.#number(view, type)
      case 'array':
        return this.#array(view, path, sure)
      case 'object':
        return this.#object(view, path, sure)
    }
  }

  #type(view: SchemaView, path: Path): JsonType {
    if (view.types !== null) {
      const types = [...view.types]
      if (
        types.includes('null') &&
        types.length > 1 &&
        path.length <= MAX_DEPTH &&
        !this.#chance.happens(0.1)
      )
        return this.#chance.pick(types.filter((type) => type !== 'null'))
      return path.length > MAX_DEPTH && types.includes('null') ? 'null' : this.#chance.pick(types)
    }
    if (view.properties.size > 0 || view.required.size > 0 || view.others.length > 0) return 'object'
    if (view.items.length > 0 || view.prefix.length > 0) return 'array'
    if (view.patterns.length > 0 || view.minLength > 0 || Number.isFinite(view.maxLength)) return 'string'
    if (Number.isFinite(view.minimum) || Number.isFinite(view.maximum)) return 'number'
    return 'string'
  }

  #number(view: SchemaView, type: 'integer' | 'number'): unknown {
    const step = view.multiples[0] ?? (type === 'integer' ? 1 : 0.5)
    const whole = type === 'integer' && !Number.isInteger(step) ? 1 : step
    const range = rangeOf(view)
    const low = Number.isFinite(range.low)
      ? range.low
      : Number.isFinite(range.high)
        ? range.high - 100 * whole
        : 0
    const high = Number.isFinite(range.high) ? range.high : Math.max(low, 0) + 100 * whole
    const first = Math.ceil(low / whole)
    const last = Math.floor(high / whole)
    if (first > last) return NOTHING
    for (let attempt = 0; attempt < 10; attempt++) {
      const value = decimal(this.#chance.whole(first, Math.min(last, first + 1_000)), whole)
      if (value > view.above && value < view.below && value >= view.minimum && value <= view.maximum)
        return value
    }
    return NOTHING
  }

  #array(view: SchemaView, path: Path, sure: boolean): unknown {
    const least = Math.max(view.minItems, path.length > MAX_DEPTH ? 0 : 1)
    const length = Math.min(Math.max(view.minItems, this.#chance.whole(least, least + 1)), view.maxItems)
    const items: unknown[] = []
    const seen = new Set<string>()
    for (let attempt = 0; items.length < length && attempt < length * 8 + 8; attempt++) {
      const schemas = view.prefix[items.length] ?? view.items
      const spots = this.#spots.length
      const item = this.#value(schemas, [...path, items.length], sure)
      if (item === NOTHING) break
      const text = JSON.stringify(item)
      if (view.unique && seen.has(text)) {
        this.#spots.length = spots
        continue
      }
      seen.add(text)
      items.push(item)
    }
    return items.length < view.minItems ? NOTHING : items
  }

  #object(view: SchemaView, path: Path, sure: boolean): unknown {
    const made: Record<string, unknown> = {}
    let count = 0
    const put = (name: string, schemas: readonly RawSchema[]): boolean => {
      const value = this.#value(schemas, [...path, name], sure)
      if (value === NOTHING) return false
      Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true })
      count++
      return true
    }
    const welcome = (name: string): boolean => view.closed.every((names) => names.has(name))
    for (const name of view.required) {
      const schemas = view.properties.get(name)
      if (schemas !== undefined && isHidden(schemas, this.#dialect)) continue
      if (!welcome(name) || !put(name, schemas ?? view.others)) return NOTHING
    }
    for (const [name, schemas] of view.properties) {
      if (view.required.has(name) || !welcome(name) || isHidden(schemas, this.#dialect)) continue
      const wanted = count < view.minProperties || (path.length < MAX_DEPTH && this.#chance.happens(0.4))
      if (wanted && count < view.maxProperties) put(name, schemas)
    }
    for (let further = 0; count < view.minProperties && further < 10; further++) {
      if (view.closed.length > 0 || (view.properties.size > 0 && !view.statesOthers)) return NOTHING
      put(`further${further}`, view.others)
    }
    return count < view.minProperties ? NOTHING : made
  }
}

/** The narrowest bounds, taken as included. */
export function rangeOf(view: SchemaView): { readonly low: number; readonly high: number } {
  const limits: Readonly<Record<string, readonly [number, number]>> = {
    int32: [-(2 ** 31), 2 ** 31 - 1],
    int64: [-(2 ** 53), 2 ** 53],
  }
  const [low, high] = limits[view.formats[0] ?? ''] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return { low: Math.max(view.minimum, view.above, low), high: Math.min(view.maximum, view.below, high) }
}

/** `times × step` without the noise of binary fractions. */
function decimal(times: number, step: number): number {
  return Number((times * step).toPrecision(12))
}

export function isOneOf(value: unknown, types: ReadonlySet<JsonType> | null): boolean {
  if (types === null) return true
  const type = typeOf(value)
  return types.has(type) || (type === 'integer' && types.has('number'))
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'boolean') return 'boolean'
  return typeof value === 'string' ? 'string' : 'object'
}
