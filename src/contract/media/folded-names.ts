import { foldCase } from '../twin-names.ts'

const foldedBy = new WeakMap<object, ReadonlySet<string>>()

/**
 * What is undeclared and may be there must not be what some reader behind takes for a declared name: PHP, Rack and qs
 * read `role[]` and `role[x]` into `role`, PHP `user.id` into `user_id`, Spring and ASP.NET `user.id` into `user`, Spring
 * `!role` into `role` where that is absent, and ASP.NET names in any case. Rails, Laravel and Symfony take `_method` for the
 * method that was judged.
 */
export function isTakenFor(name: string, declared: Readonly<Record<string, unknown>>): boolean {
  let names = foldedBy.get(declared)
  if (names === undefined) {
    names = new Set(Object.keys(declared).map(foldedName))
    foldedBy.set(declared, names)
  }
  const own = foldedName(name)
  if (names.has(own) || own === '_method') return true
  const stem = name.replace(/^!/, '').split('.', 1)[0] ?? ''
  return stem !== name && names.has(foldedName(stem))
}

/** As PHP makes variables of names, in one case: what follows a bracket is a key, space and dot become an underscore. */
export const foldedName = (name: string): string =>
  foldCase((name.trimStart().split('[', 1)[0] ?? '').replace(/[ .]/g, '_'))
