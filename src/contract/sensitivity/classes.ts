/** Sensitivity classes: what a field holds, for policies, field rules, records and the inventory (SP 800-228 REC-API-4). */

/** Where a label comes from: stated in the contract or beside it, or told by the field's name or format. */
export type Origin = 'annotation' | 'name' | 'format'

export interface Label {
  readonly class: string
  readonly origin: Origin
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/
const MAX_CLASSES = 16

/**
 * What `class:` states: one name or a list, `none` alone for a field whose name or format misleads. Names are taken in
 * lower case. A text says what is wrong.
 */
export function readClasses(value: unknown): readonly string[] | string {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > MAX_CLASSES) return `class names 1 to ${MAX_CLASSES} classes`
  const names: string[] = []
  for (const each of list) {
    const name = typeof each === 'string' ? each.toLowerCase() : ''
    if (!NAME.test(name))
      return 'a class is a word of letters, digits and hyphens: pii, phi, pci, credential …'
    names.push(name)
  }
  if (names.includes('none')) return names.length === 1 ? [] : 'none stands alone'
  return [...new Set(names)].sort()
}
