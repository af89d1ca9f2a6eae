import { escapePointer } from '../syntax/json-pointer.ts'
import { joinSights, type Sight, sightText } from '../syntax/value-sight.ts'
import { isRawNumber } from './exact-json.ts'
import { type Pattern, surelyFits } from './pattern.ts'
import { toldStep } from './told-pointer.ts'
import { isTwin } from './twin-names.ts'
import { Sighting } from './value-sight.ts'

/** A shape linked to those below it. */
export interface LinkedShape {
  names: ReadonlyMap<string, LinkedShape | null> | null
  patterns: readonly (readonly [Pattern, LinkedShape | null])[]
  /** Undefined: an object may have no further names; null: they may hold anything. */
  others: LinkedShape | null | undefined
  items: LinkedShape | null
  prefix: readonly (LinkedShape | null)[]
}

/** Stands where a name is declared and may all the same not be in this direction: read-only in a request. */
export const FORBIDDEN: LinkedShape = Object.freeze({
  names: null,
  patterns: [],
  others: null,
  items: null,
  prefix: [],
})

/** One undeclared name; `readOnly`: the contract declares it, for the other direction. */
export interface Undeclared {
  readonly pointer: string
  readonly readOnly: boolean
  /** What stood there, as a sight (value-sight.ts). */
  readonly type: string
}

type Path = (string | number)[]

/** Undeclared names in document order, at most `limit`; null where there are none. */
export function findUndeclared(
  value: unknown,
  shape: LinkedShape,
  limit: number,
): readonly Undeclared[] | null {
  const search = new Search(limit)
  search.visit(value, shape)
  return search.found
}

class Search {
  found: Undeclared[] | null = null
  readonly #limit: number
  readonly #path: Path = []
  #sighting: Sighting | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** False once enough was found. Recursion is bounded by the scanner's depth limit. */
  visit(at: unknown, shape: LinkedShape | null): boolean {
    if (shape === null || typeof at !== 'object' || at === null) return true
    if (Array.isArray(at)) return this.#visitItems(at, shape)
    if (shape.names === null && shape.others === null) return true
    const object = at as Readonly<Record<string, unknown>>
    for (const name in object) {
      const next = requestShapeFor(name, shape)
      if (next === null) continue
      const given = object[name]
      // Nothing stands below what is no object.
      if (next !== undefined && next !== FORBIDDEN && typeof given !== 'object') continue
      this.#path.push(name)
      if (next === undefined || next === FORBIDDEN) {
        this.found ??= []
        this.#sighting ??= new Sighting()
        const type = this.#sighting.text(given, name)
        const undeclared = { pointer: pointerOf(this.#path), readOnly: next === FORBIDDEN, type }
        if (this.found.push(undeclared) >= this.#limit) return false
      } else if (!this.visit(given, next)) return false
      this.#path.pop()
    }
    return true
  }

  #visitItems(items: readonly unknown[], shape: LinkedShape): boolean {
    for (let i = 0, end = reach(items, shape); i < end; i++) {
      this.#path.push(i)
      if (!this.visit(items[i], itemShape(shape, i))) return false
      this.#path.pop()
    }
    return true
  }
}

export interface Stripped {
  readonly value: unknown
  /** Pointers with array indexes as `*`, without duplicates, at most the limit; null where nothing was dropped. */
  readonly dropped: ReadonlySet<string> | null
  /** What stood at each of them, as sights (value-sight.ts) in the same order; empty where nobody asked. */
  readonly types: readonly string[]
}

const UNASKED: readonly string[] = Object.freeze([])

/**
 * The value without undeclared names. What changes is made anew, what does not is the given value's own.
 * @param asked The value is a request's, as those of `findUndeclared` are.
 * @param sees Says what stood there, too: of a value that is dropped from for the second time, it was said before.
 */
export function dropUndeclared(
  value: unknown,
  shape: LinkedShape,
  limit: number,
  sees = false,
  asked = false,
): Stripped {
  const strip = new Strip(limit, sees, asked ? requestShapeFor : shapeFor)
  const kept = strip.visit(value, shape)
  return { value: kept, dropped: strip.dropped, types: strip.types }
}

class Strip {
  dropped: Set<string> | null = null
  readonly #limit: number
  readonly #sees: boolean
  readonly #shapeOf: typeof shapeFor
  readonly #path: Path = []
  #seen: Map<string, Sight> | null = null
  #sighting: Sighting | null = null

  constructor(limit: number, sees: boolean, shapeOf: typeof shapeFor) {
    this.#limit = limit
    this.#sees = sees
    this.#shapeOf = shapeOf
  }

  get types(): readonly string[] {
    return this.#seen === null ? UNASKED : Array.from(this.#seen.values(), (sight) => sightText(sight))
  }

  visit(at: unknown, shape: LinkedShape | null): unknown {
    if (shape === null || typeof at !== 'object' || at === null) return at
    if (Array.isArray(at)) return this.#visitItems(at, shape)
    if ((shape.names === null && shape.others === null) || isRawNumber(at)) return at
    const object = at as Record<string, unknown>
    // Deleting would turn the object into a slow one, for every reader after this.
    let copy: Record<string, unknown> | undefined
    let name = ''
    for (name in object) {
      const next = this.#shapeOf(name, shape)
      const given = object[name]
      if (next === undefined || next === FORBIDDEN) {
        copy ??= membersBefore(name, object)
        this.#drop(name, given)
        continue
      }
      let kept = given
      if (next !== null && typeof given === 'object') {
        this.#path.push(name)
        kept = this.visit(given, next)
        this.#path.pop()
      }
      if (copy !== undefined) put(copy, name, kept)
      else if (kept !== given) put(object, name, kept)
    }
    return copy ?? object
  }

  #visitItems(items: unknown[], shape: LinkedShape): unknown[] {
    this.#path.push('*')
    for (let i = 0, end = reach(items, shape); i < end; i++) {
      const given = items[i]
      const kept = this.visit(given, itemShape(shape, i))
      if (kept !== given) items[i] = kept
    }
    this.#path.pop()
    return items
  }

  #drop(name: string, given: unknown): void {
    this.dropped ??= new Set()
    if (this.dropped.size >= this.#limit) return
    this.#path.push(name)
    const pointer = pointerOf(this.#path)
    this.dropped.add(pointer)
    this.#path.pop()
    if (this.#sees) this.#see(pointer, name, given)
  }

  /** Of all items of a list, as far as the budget goes: one of them may be null, or of another type. */
  #see(pointer: string, name: string, given: unknown): void {
    this.#sighting ??= new Sighting()
    this.#seen ??= new Map()
    const known = this.#seen.get(pointer)
    if (known !== undefined && this.#sighting.spent) return
    const sight = this.#sighting.see(given, name, 0)
    this.#seen.set(pointer, known === undefined ? sight : joinSights(known, sight))
  }
}

/** A copy of the members that stand before that name. */
function membersBefore(name: string, object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const earlier in object) {
    if (earlier === name) break
    put(copy, earlier, object[earlier])
  }
  return copy
}

/** Assigning to `__proto__` would set the prototype: media types that are not JSON may have such a name. */
function put(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
  else object[name] = value
}

const MAX_POINTER = 256

/** Cut to a bounded, well-formed length: names are the sender's. */
function pointerOf(path: Path): string {
  let pointer = ''
  for (const step of path) {
    pointer += typeof step === 'number' ? `/${step}` : `/${toldStep(escapePointer(step))}`
    if (pointer.length > MAX_POINTER) return `${pointer.slice(0, MAX_POINTER - 1).toWellFormed()}…`
  }
  return pointer
}

function shapeFor(name: string, shape: LinkedShape): LinkedShape | null | undefined {
  const declared = shape.names?.get(name)
  if (declared !== undefined) return declared
  if (shape.patterns.length > 0) {
    const fits = shape.patterns.filter(([pattern]) => surelyFits(pattern, name))
    const [only] = fits
    // Two patterns at once: which names both allow below was not worked out, so all are.
    if (only !== undefined) return fits.length === 1 ? only[1] : null
  }
  return shape.others
}

/** In a request, a name that readers behind may take for a declared one is not welcome as another. */
function requestShapeFor(name: string, shape: LinkedShape): LinkedShape | null | undefined {
  const { names } = shape
  const declared = names?.get(name)
  if (declared !== undefined) return declared
  const next = shapeFor(name, shape)
  return names !== null && next !== undefined && isTwin(name, names) ? undefined : next
}

/** How many of the items have a shape. */
const reach = (items: readonly unknown[], shape: LinkedShape): number =>
  shape.items === null ? Math.min(shape.prefix.length, items.length) : items.length

const itemShape = (shape: LinkedShape, index: number): LinkedShape | null =>
  index < shape.prefix.length ? (shape.prefix[index] ?? null) : shape.items
