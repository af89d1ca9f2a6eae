import { exactNumber, isRawNumber } from './exact-json.ts'
import { canonicalNumber } from './exact-number.ts'

/**
 * JSON Schema `uniqueItems` in linear time: items are compared by a canonical text in which members are sorted.
 * Objects of the same members in another order are equal (JSON Schema core 2020-12 §4.2.2).
 */
export function unique(items: readonly unknown[]): boolean {
  const seen = new Set<string>()
  for (const item of items) {
    const text = canonical(item)
    if (seen.has(text)) return false
    seen.add(text)
  }
  return true
}

/** The same text for equal values, however written. Depth is bounded by the scanner that made the value. */
export function canonical(value: unknown): string {
  if (typeof value === 'number') return value === 0 ? '0' : String(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value === 'object' && value !== null) {
    if (isRawNumber(value)) {
      const number = exactNumber(value.rawJSON)
      return typeof number === 'number' ? canonical(number) : canonicalNumber(number)
    }
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`,
    )
    return `{${members.sort().join()}}`
  }
  return JSON.stringify(value)
}
