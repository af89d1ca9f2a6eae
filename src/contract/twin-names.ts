/**
 * Names that some readers behind the gate take for one: encoding/json of Go, System.Text.Json and everything that
 * ASP.NET binds read names in any case, and the last one wins.
 */

/** Letters whose upper case is one are one: `ſ` is an `s` to such readers. */
export const foldCase = (text: string): string => text.toUpperCase().toLowerCase()

const foldedBy = new WeakMap<object, ReadonlySet<string>>()

/** The name, which is none of those declared, is one of them but for its case. */
export function isTwin(name: string, declared: ReadonlyMap<string, unknown>): boolean {
  let names = foldedBy.get(declared)
  if (names === undefined) {
    names = new Set(Array.from(declared.keys(), foldCase))
    foldedBy.set(declared, names)
  }
  return names.has(foldCase(name))
}
