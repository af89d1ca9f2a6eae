import { isNumber, numberText } from './exact-json.ts'
import { compareNumbers, exactAt, isMultiple, isMultipleOf, isWhole } from './exact-number.ts'
import { canonical, unique } from './unique.ts'

/**
 * The value being checked with all digits, or undefined where each of its numbers is a double. Checks are synchronous
 * and never nested, so one place serves all.
 */
export const exact: { root: unknown } = { root: undefined }

function textAt(data: number, path: string): string {
  if (exact.root === undefined) return String(data)
  const value = exactAt(exact.root, path)
  if (!isNumber(value)) throw new Error('the exact value has another form than the checked one')
  return numberText(value)
}

/** What generated code calls where a comparison of doubles does not do. */
export const EXACT_CHECKS = Object.freeze({
  exact,
  within: (keyword: string, data: number, path: string, limit: string): boolean => {
    const order = compareNumbers(textAt(data, path), limit)
    if (keyword === 'minimum') return order >= 0
    if (keyword === 'maximum') return order <= 0
    return keyword === 'exclusiveMinimum' ? order > 0 : order < 0
  },
  multiple: (data: number, path: string, divisor: string): boolean => isMultiple(textAt(data, path), divisor),
  multipleOf: isMultipleOf,
  whole: (data: number, path: string): boolean => isWhole(textAt(data, path)),
  ranged: (data: number, path: string, least: string, most: string): boolean => {
    const text = textAt(data, path)
    return isWhole(text) && compareNumbers(text, least) >= 0 && compareNumbers(text, most) <= 0
  },
  unique: (data: readonly unknown[], path: string): boolean => {
    const items = exact.root === undefined ? data : exactAt(exact.root, path)
    return Array.isArray(items) && unique(items)
  },
  /** `texts` are the canonical ones of the members that are objects or numbers, `scalars` the members that are none. */
  member: (
    data: unknown,
    path: string,
    scalars: ReadonlySet<unknown>,
    texts: ReadonlySet<string>,
  ): boolean => {
    const isText = typeof data === 'string' || typeof data === 'boolean' || data === null
    if (isText || (typeof data === 'number' && exact.root === undefined && scalars.has(data))) {
      return scalars.has(data)
    }
    const value = exact.root === undefined ? data : exactAt(exact.root, path)
    return texts.has(canonical(value))
  },
})
