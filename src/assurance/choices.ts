import { addressCells } from './address-cells.ts'
import type { Constant } from './constants.ts'
import type { Draft, DraftValue } from './draft.ts'
import type { Mention } from './mention.ts'

/** One representative of a kind of value that an attribute can have. */
export interface Choice {
  readonly kind: 'absent' | 'same' | 'constant' | 'other' | 'member' | 'outside' | 'range' | 'present'
  /** Of `same`: the path; of `range`: its bounds; else what a person reads. */
  readonly words: string
  /** Bounds of a number's range, both inside; left out where there is none. */
  readonly from?: number
  readonly to?: number
  /** False where the choice is another one under a second name, or cannot be: such a request is left out. */
  put(draft: Draft): boolean
}

/** Representatives of a name: one nobody mentions, those of attributes it is compared with, and each that is mentioned. */
export function names(
  path: string,
  constants: readonly Constant[],
  group: readonly string[],
  mention: Mention,
  issuer: string,
): readonly Choice[] {
  const prefix = path === 'principal' || path === 'resource.owner' ? `${issuer}/` : ''
  const earlier = group.slice(0, group.indexOf(path))
  const usable =
    path === 'resource.owner' ? constants.filter((each) => entityType(each) === 'User') : constants
  const taken = new Set(usable.map(nameOf))
  const index = group.indexOf(path)
  const fresh =
    prefix +
    unlike(
      FRESH[path] ?? (index === 0 ? 'other' : `other${index + 1}`),
      new Set([...taken].map((name) => name.slice(prefix.length))),
    )
  const found: Choice[] = []
  const open = CLOSED[path]
  const unnamed = open === undefined ? fresh : open.find((name) => !taken.has(name))
  if (unnamed !== undefined && (path !== 'principal.zone' || taken.size > 0))
    found.push({ ...constant(path, unnamed, 'another'), kind: 'other' })
  for (const other of earlier) found.push(same(path, other, earlier))
  const seen = new Set<string>()
  for (const each of usable) {
    const name = nameOf(each)
    const type = path === 'principal' ? entityType(each) : ''
    if (seen.has(`${type} ${name}`)) continue
    seen.add(`${type} ${name}`)
    found.push(named(path, name, type, earlier))
  }
  for (const pattern of mention.patterns) {
    for (const filling of ['', 'x', 'x/y']) {
      const text = pattern.map((part) => part ?? filling).join('')
      if (!seen.has(text)) found.push(constant(path, text, text))
      seen.add(text)
    }
  }
  return found
}

/** Values no policy names, as a reader would expect them in an example. */
const FRESH: Readonly<Record<string, string>> = {
  principal: 'someone',
  'resource.owner': 'someone-else',
  'resource.tenant': 'another-tenant',
  'principal.tenant': 'a-tenant',
}

/** Attributes that take no other values. */
const CLOSED: Readonly<Record<string, readonly string[]>> = {
  'context.time.weekday': ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
}

function named(path: string, name: string, type: string, earlier: readonly string[]): Choice {
  return {
    kind: 'constant',
    words: type === '' || type === 'User' ? name : `${type} ${name}`,
    put: (draft) => {
      if (type !== '' && draft.get('principal.type') !== type) return false
      if (earlier.some((other) => resolved(draft, other) === name)) return false
      draft.set(path, name)
      return true
    },
  }
}

function same(path: string, other: string, earlier: readonly string[]): Choice {
  return {
    kind: 'same',
    words: other,
    put: (draft) => {
      const value = resolved(draft, other)
      if (value === undefined) return false
      const before = earlier.slice(0, earlier.indexOf(other))
      if (before.some((first) => resolved(draft, first) === value)) return false
      draft.set(path, value)
      return true
    },
  }
}

/** An owner is a User: the same id of a Client or Workload is someone else. */
function resolved(draft: Draft, path: string): DraftValue | undefined {
  if (path === 'principal' && draft.get('principal.type') !== 'User') return undefined
  return draft.get(path)
}

export function absent(path: string): Choice {
  return { kind: 'absent', words: 'absent', put: (draft) => draft.delete(path) || true }
}

export function here(path: string): Choice {
  return { kind: 'present', words: 'known', put: (draft) => draft.set(path, true) !== undefined }
}

export function constant(path: string, value: DraftValue, words: string): Choice {
  return { kind: 'constant', words, put: (draft) => draft.set(path, value) !== undefined }
}

export function truth(path: string): readonly Choice[] {
  return [constant(path, false, 'false'), constant(path, true, 'true')]
}

/** For numbers whose use cannot be followed: values to sample. */
export const USUAL: readonly Constant[] = [1, 10, 60, 600, 3600, 86_400].map((value) => ({
  sort: 'long',
  value,
}))

/** Least and greatest value; a number no policy bounds has one representative. */
export const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  'context.tokenAgeSeconds': [0, Number.MAX_SAFE_INTEGER],
  'context.authAgeSeconds': [0, Number.MAX_SAFE_INTEGER],
  // The year 2100: beyond it no call is made.
  'context.time.now': [0, 4_102_444_800_000],
  'context.time.hour': [0, 23],
  'context.time.minute': [0, 59],
  'context.risk': [0, 100],
  'context.rates.callerPerMinute': [0, Number.MAX_SAFE_INTEGER],
  'context.message.bytes': [0, Number.MAX_SAFE_INTEGER],
  'context.geo.asn': [0, 4_294_967_295],
}

/** Comparisons with constants change only at the constants: each is a range of its own, and so is what lies between. */
export function ranges(path: string, constants: readonly Constant[]): readonly Choice[] {
  const [least, greatest] = BOUNDS[path] ?? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  const points = [
    ...new Set(
      constants.flatMap((each) => (each.sort === 'long' || each.sort === 'datetime' ? [each.value] : [])),
    ),
  ]
    .filter((point) => point >= least && point <= greatest)
    .sort((a, b) => a - b)
  const found: Choice[] = []
  let from = least
  const add = (first: number, last: number): void => {
    if (first > last) return
    const value = first === least && least < 0 ? last : first
    found.push({ ...constant(path, value, `${first}..${last}`), kind: 'range', from: first, to: last })
  }
  for (const point of points) {
    add(from, point - 1)
    add(point, point)
    from = point + 1
  }
  add(from, greatest)
  return found
}

export function addresses(path: string, constants: readonly Constant[]): readonly Choice[] {
  const cells = addressCells(constants.flatMap((each) => (each.sort === 'ip' ? [each.value] : [])))
  return cells.map(({ address, within }) => ({
    ...constant(path, address, within.length === 0 ? 'elsewhere' : `in ${within.join(' and ')}`),
    kind: within.length === 0 ? ('other' as const) : ('constant' as const),
  }))
}

export function nameOf(each: Constant): string {
  return each.sort === 'entity' ? each.value.id : String(each.value)
}

function entityType(each: Constant): string {
  return each.sort === 'entity' ? each.value.type : ''
}

export function unlike(name: string, taken: ReadonlySet<string>): string {
  let found = name
  for (let number = 2; taken.has(found); number++) found = `${name}-${number}`
  return found
}
