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

/** Depth is bounded by the scanner that made the value. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`,
    )
    return `{${members.sort().join()}}`
  }
  return value === 0 ? '0' : JSON.stringify(value)
}
