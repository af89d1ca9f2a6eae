const foldedBy = new WeakMap<object, ReadonlySet<string>>()

/**
 * What is undeclared and may be there must not be what some reader behind takes for a declared name: PHP, Rack and qs
 * read `role[]` and `role[x]` into `role`, PHP `user.id` into `user_id`.
 */
export function isTakenFor(name: string, declared: Readonly<Record<string, unknown>>): boolean {
  let names = foldedBy.get(declared)
  if (names === undefined) {
    names = new Set(Object.keys(declared).map(folded))
    foldedBy.set(declared, names)
  }
  return names.has(folded(name))
}

/** As PHP makes variables of names: what follows a bracket is a key, space and dot become an underscore. */
const folded = (name: string): string => (name.trimStart().split('[', 1)[0] ?? '').replace(/[ .]/g, '_')
