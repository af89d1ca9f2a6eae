import { escapePointer } from '../syntax/json-pointer.ts'
import type { Pattern } from './pattern.ts'

/** A shape linked to those below it. */
export interface LinkedShape {
  names: ReadonlyMap<string, LinkedShape | null> | null
  patterns: readonly (readonly [Pattern, LinkedShape | null])[]
  /** Undefined: an object may have no further names; null: they may hold anything. */
  others: LinkedShape | null | undefined
  items: LinkedShape | null
  prefix: readonly (LinkedShape | null)[]
}

/** Undeclared names in a value, in document order; `undeclared` says whether to go on. */
export interface WalkVisitor {
  undeclared(holder: Record<string, unknown>, name: string, pointer: () => string): boolean
}

/**
 * Visits every name that the shape does not declare. Recursion is bounded by the scanner's depth limit; pointers are
 * made only where something was found.
 */
export function walkUndeclared(value: unknown, shape: LinkedShape, visitor: WalkVisitor): void {
  const path: (string | number)[] = []
  const pointer = (): string =>
    path.map((step) => (typeof step === 'number' ? `/${step}` : `/${escapePointer(step)}`)).join('')

  const visit = (at: unknown, here: LinkedShape | null): boolean => {
    if (here === null || typeof at !== 'object' || at === null) return true
    return Array.isArray(at) ? visitItems(at, here) : visitNames(at as Record<string, unknown>, here)
  }
  const visitItems = (items: readonly unknown[], here: LinkedShape): boolean => {
    const { prefix, items: rest } = here
    const end = rest === null ? Math.min(prefix.length, items.length) : items.length
    for (let i = 0; i < end; i++) {
      path.push(i)
      const next = i < prefix.length ? (prefix[i] ?? null) : rest
      if (!visit(items[i], next)) return false
      path.pop()
    }
    return true
  }
  const visitNames = (object: Record<string, unknown>, here: LinkedShape): boolean => {
    if (here.names === null && here.others === null) return true
    // A snapshot of the names: the visitor may delete.
    for (const name of Object.keys(object)) {
      const next = shapeFor(name, here)
      if (next === null) continue
      path.push(name)
      const goOn = next === undefined ? visitor.undeclared(object, name, pointer) : visit(object[name], next)
      if (!goOn) return false
      path.pop()
    }
    return true
  }
  visit(value, shape)
}

function shapeFor(name: string, shape: LinkedShape): LinkedShape | null | undefined {
  const declared = shape.names?.get(name)
  if (declared !== undefined) return declared
  if (shape.patterns.length > 0) {
    const fits = shape.patterns.filter(([pattern]) => pattern.test(name))
    const [only] = fits
    // Two patterns at once: which names both allow below was not worked out, so all are.
    if (only !== undefined) return fits.length === 1 ? only[1] : null
  }
  return shape.others
}
