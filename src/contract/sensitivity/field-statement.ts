import { isRecord, own } from '../json-value.ts'
import { readClasses } from './classes.ts'

/** What is stated of one field: `x-sallyport: { class, field }` in the contract, or the same in the file beside it. */
export interface FieldStatement {
  /** Undefined: nothing is stated; empty: `none`. */
  readonly classes?: readonly string[]
  readonly field?: FieldVisibility
}

/** Who sees a field of the answer; whom no list names meets it dropped, redacted or masked. */
export interface FieldVisibility {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  readonly otherwise: 'drop' | 'redact' | 'mask'
}

const MAX_NAMES = 64
const OTHERWISE: ReadonlySet<unknown> = new Set(['drop', 'redact', 'mask'])

/** The statement of an `x-sallyport` value; a text says what is wrong with it. */
export function readStatement(value: unknown): FieldStatement | string {
  if (!isRecord(value)) return 'a group of keys is expected: class, field'
  // `url` is read where the schema is (urls/url-place.ts).
  const unknown = Object.keys(value).find((key) => key !== 'class' && key !== 'field' && key !== 'url')
  if (unknown !== undefined)
    return `unknown key "${unknown.slice(0, 40)}": known here are class, field and url`
  const stated = own(value, 'class')
  const classes = stated === undefined ? undefined : readClasses(stated)
  if (typeof classes === 'string') return classes
  const rule = own(value, 'field')
  const field = rule === undefined ? undefined : readVisibility(rule)
  if (typeof field === 'string') return field
  return { ...(classes === undefined ? {} : { classes }), ...(field === undefined ? {} : { field }) }
}

function readVisibility(value: unknown): FieldVisibility | string {
  if (!isRecord(value)) return 'field is a group of keys: visibleTo, otherwise'
  const unknown = Object.keys(value).find((key) => key !== 'visibleTo' && key !== 'otherwise')
  if (unknown !== undefined)
    return `unknown key "${unknown.slice(0, 40)}": known in field are visibleTo and otherwise`
  const otherwise = own(value, 'otherwise') ?? 'drop'
  if (otherwise !== 'drop' && otherwise !== 'redact' && otherwise !== 'mask')
    return `otherwise is ${[...OTHERWISE].join(', ')}`
  const visibleTo = own(value, 'visibleTo') ?? {}
  if (!isRecord(visibleTo)) return 'visibleTo is a group of keys: roles, groups, scopes'
  const found = { roles: [] as string[], groups: [] as string[], scopes: [] as string[] }
  for (const [key, list] of Object.entries(visibleTo)) {
    if (key !== 'roles' && key !== 'groups' && key !== 'scopes')
      return `unknown key "${key.slice(0, 40)}": visibleTo has roles, groups and scopes`
    const usable =
      Array.isArray(list) &&
      list.length <= MAX_NAMES &&
      list.every((name) => typeof name === 'string' && name !== '' && name.length <= 256)
    if (!usable) return `${key} is a list of at most ${MAX_NAMES} names`
    const bare = key === 'scopes' ? undefined : list.find((name: string) => !/^[^/]+\/./.test(name))
    if (bare !== undefined) return `${key} are named as in policies, with their issuer: corp/${String(bare)}`
    found[key].push(...[...new Set(list as string[])].sort())
  }
  return { ...found, otherwise }
}

/** Other tools' extensions that say the same; a text is the class, `true` a person's data. */
const SYNONYMS: Readonly<Record<string, string>> = {
  'x-pii': 'pii',
  'x-phi': 'phi',
  'x-pci': 'pci',
  'x-sensitive': 'pii',
  'x-secret': 'secret',
  'x-data-classification': '',
}

/** What a schema, parameter or header object itself states; null for nothing, a text for what is wrong. */
export function statedOf(value: unknown): FieldStatement | string | null {
  if (!isRecord(value)) return null
  const stated = own(value, 'x-sallyport')
  if (stated !== undefined) return readStatement(stated)
  const classes: string[] = []
  for (const [key, implied] of Object.entries(SYNONYMS)) {
    const given = own(value, key)
    if (given === true && implied !== '') classes.push(implied)
    else if (typeof given === 'string' || Array.isArray(given)) {
      const read = readClasses(given)
      // What another tool means by its own words is not an error here.
      if (typeof read !== 'string') classes.push(...read)
    }
  }
  return classes.length === 0 ? null : { classes: [...new Set(classes)].sort() }
}
