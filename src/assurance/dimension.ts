import { templateParameters } from '../decision/cedar/schema.ts'
import type { OperationPlan } from '../model/operation.ts'
import { addressCells } from './address-cells.ts'
import type { Constant } from './constants.ts'
import type { Draft, DraftValue } from './draft.ts'
import { statesOwner, statesTenant } from './draft.ts'
import type { Mention, Mentions } from './mentions.ts'

/** One attribute, or one element of a set, with a representative of each of its kinds of value. */
export interface Dimension {
  readonly path: string
  /** Of a set: the element that is or is not in it. */
  readonly element?: string
  /** The first is the usual one: absent, not a member, none that a policy names. */
  readonly values: readonly Choice[]
}

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

/**
 * The dimensions of one operation's requests, and what they do not cover. `plans` are those of all sides compared.
 *
 * Equality between attributes: the first of a group of compared attributes takes every constant named for any of them
 * and one value nobody names; each next one takes the same, and also the values of those before it. That is every way
 * in which they can be equal or differ (small-model property of equality logic, "range allocation").
 */
export function dimensionsOf(
  mentions: Mentions,
  plans: readonly OperationPlan[],
  issuer: string,
): { readonly dimensions: readonly Dimension[]; readonly hard: readonly string[] } {
  const hard = new Map<string, string>(mentions.hard)
  const objects = objectParameters(mentions, plans)
  const groups = classesOf(mentions)
  const scopes = [...new Set(plans.flatMap(scopesOf))]
  const implied = [...(scopes.length > 0 ? ['context.scopes'] : []), ...objects.keys()]
  const paths = [...new Set([...mentions.paths, ...implied])]
  const dimensions: Dimension[] = [callerTypes(plans)]
  for (const path of paths.sort(byRank)) {
    if (isFixed(path, plans)) {
      hard.delete(path)
      continue
    }
    const given = mentions.at(path) ?? NOT_MENTIONED
    const mention = { ...given, constants: [...given.constants, ...(objects.get(path) ?? [])] }
    if (path === 'context' || (path === 'resource.params' && mention.constants.length > 0))
      hard.set(path, `${path} is compared as a whole`)
    if (path === 'context' || path === 'resource.params') continue
    const group = groups.get(path) ?? [path]
    if (path === 'context.path') hard.set(path, 'context.path depends on the path’s parameters')
    if (mention.patterns.length > 0) hard.set(path, `${path} is compared by like`)
    if (isSet(path, mention))
      dimensions.push(...elements(path, mention, path === 'context.scopes' ? scopes : []))
    else dimensions.push(...scalar(path, mention, group, mentions, { plans, issuer, hard, paths }))
  }
  return { dimensions, hard: [...new Set(hard.values())].sort() }
}

interface Around {
  readonly plans: readonly OperationPlan[]
  readonly issuer: string
  readonly hard: Map<string, string>
  readonly paths: readonly string[]
}

const NOT_MENTIONED: Mention = {
  constants: [],
  tested: false,
  bool: false,
  set: false,
  whole: false,
  patterns: [],
}

const GIVEN: ReadonlySet<string> = new Set([
  'resource',
  'resource.type',
  'action',
  'context.scopesMet',
  'context.method',
  'context.checkpoint',
])

/** An Object's id is `<api>/<type>/<parameter>…`: what a policy names by it, it says of the parameters. */
function objectParameters(
  mentions: Mentions,
  plans: readonly OperationPlan[],
): ReadonlyMap<string, readonly Constant[]> {
  const found = new Map<string, Constant[]>()
  for (const each of mentions.at('resource')?.constants ?? []) {
    if (each.sort !== 'entity' || each.value.type !== 'Object') continue
    const values = each.value.id.split('/').slice(2)
    for (const { template } of plans) {
      const names = templateParameters(template)
      if (names.length !== values.length) continue
      names.forEach((name, index) => {
        const value = (values[index] ?? '').replaceAll('%2F', '/').replaceAll('%25', '%')
        const path = `resource.params.${name}`
        found.set(path, [...(found.get(path) ?? []), { sort: 'string', value }])
      })
    }
  }
  return found
}

/** Given by the operation, or by what the contract makes of the scopes: no value of it is chosen. */
function isFixed(path: string, plans: readonly OperationPlan[]): boolean {
  if (GIVEN.has(path)) return true
  if (path === 'context.path') return plans.every(({ template }) => templateParameters(template).length === 0)
  if (path.startsWith('resource.params.')) {
    const name = path.slice('resource.params.'.length)
    return !plans.some(({ template }) => templateParameters(template).includes(name))
  }
  if (path === 'resource.owner') return !plans.some((plan) => statesOwner(plan) && isEverKnown(plan))
  if (path === 'resource.tenant') return !plans.some((plan) => statesTenant(plan) && isEverKnown(plan))
  return false
}

function isEverKnown({ object }: OperationPlan): boolean {
  return object !== undefined && object.ownerKnownAt !== 'never'
}

function scopesOf({ security }: OperationPlan): readonly string[] {
  return security.alternatives.flatMap(({ schemes }) => schemes.flatMap(({ scopes }) => scopes))
}

function callerTypes(plans: readonly OperationPlan[]): Dimension {
  const anonymous = plans.some(
    ({ security }) =>
      security.need !== 'required' ||
      security.alternatives.some(({ schemes }) => schemes.some(({ kind }) => kind === 'unsupported')),
  )
  const types = ['User', 'Client', 'Workload', ...(anonymous ? ['Anonymous'] : [])]
  return { path: 'principal.type', values: types.map((type) => constant('principal.type', type, type)) }
}

/** Identities first: what is compared with them can then be the same. Records before what is in them. */
const RANK = ['principal', 'context', 'resource.params', 'resource']

function byRank(left: string, right: string): number {
  const rank = (path: string): number =>
    RANK.findIndex((start) => path === start || path.startsWith(`${start}.`))
  return rank(left) - rank(right) || (left < right ? -1 : 1)
}

function classesOf(mentions: Mentions): ReadonlyMap<string, readonly string[]> {
  const classes = new Map<string, Set<string>>()
  for (const [one, other] of mentions.related) {
    const merged = new Set([one, other, ...(classes.get(one) ?? []), ...(classes.get(other) ?? [])])
    for (const path of merged) classes.set(path, merged)
  }
  return new Map([...classes].map(([path, members]) => [path, [...members].sort(byRank)]))
}

const SETS: ReadonlySet<string> = new Set([
  'principal.groups',
  'principal.roles',
  'context.scopes',
  'context.audience',
  'context.amr',
  'context.networks',
])

function isSet(path: string, mention: Mention): boolean {
  return mention.set || SETS.has(path)
}

function elements(path: string, mention: Mention, more: readonly string[]): readonly Dimension[] {
  const names = new Set([...mention.constants.map(nameOf), ...more])
  const dimensions: Dimension[] = mention.tested ? [presence(path)] : []
  for (const name of [...names].sort()) dimensions.push(membership(path, name, name, mention.tested))
  if (mention.whole)
    dimensions.push(membership(path, unlike('anything', names), 'anything else', mention.tested))
  return dimensions
}

function presence(path: string): Dimension {
  const here: Choice = { kind: 'present', words: 'known', put: (draft) => draft.set(path, []) !== undefined }
  return { path, values: [absent(path), here] }
}

function membership(path: string, name: string, words: string, tested: boolean): Dimension {
  const outside: Choice = { kind: 'outside', words, put: () => true }
  const member: Choice = {
    kind: 'member',
    words,
    put: (draft) => {
      const held = draft.get(path)
      if (tested && held === undefined) return false
      draft.set(path, [...(Array.isArray(held) ? held : []), name])
      return true
    },
  }
  return { path, element: words, values: [outside, member] }
}

function scalar(
  path: string,
  mention: Mention,
  group: readonly string[],
  mentions: Mentions,
  around: Around,
): readonly Dimension[] {
  const constants = [...mention.constants, ...group.flatMap((member) => mentions.at(member)?.constants ?? [])]
  const sorts = new Set(constants.map(({ sort }) => sort))
  const optional = path.startsWith('principal')
    ? path === 'principal.zone'
    : mention.tested || OBJECT.has(path)
  const values: Choice[] = optional ? [absent(path)] : []
  if (
    sorts.size > 1 ||
    (group.length > 1 && (sorts.has('long') || sorts.has('datetime') || sorts.has('ip')))
  ) {
    around.hard.set(path, `${path} is compared in more than one way`)
  }
  if (sorts.has('long') || sorts.has('datetime') || path in BOUNDS) values.push(...ranges(path, constants))
  else if (sorts.has('ip') || path === 'context.ip') values.push(...addresses(path, constants))
  else if (sorts.has('bool') || mention.bool) values.push(...truth(path))
  else if (RECORDS.has(path) && sorts.size === 0) values.push(here(path))
  else values.push(...names(path, constants, group, mention, around))
  return values.length > 1 ? [{ path, values: inRecord(path, values, around.paths) }] : single(path, values)
}

const OBJECT: ReadonlySet<string> = new Set(['resource.owner', 'resource.tenant'])
const RECORDS: ReadonlySet<string> = new Set([
  'context.time',
  'context.device',
  'context.geo',
  'context.rates',
  'context.message',
])

/** An attribute with one kind of value only takes no choice, but the value has to stand in the request. */
function single(path: string, values: readonly Choice[]): readonly Dimension[] {
  return values[0] === undefined || values[0].kind === 'absent' ? [] : [{ path, values }]
}

/** What is in a record is there only where the record is. */
function inRecord(path: string, values: readonly Choice[], paths: readonly string[]): readonly Choice[] {
  const parts = path.split('.')
  const parent = parts.slice(0, -1).join('.')
  if (parts[0] !== 'context' || parts.length < 3 || !paths.includes(parent)) return values
  return values.map((choice, index) => ({
    ...choice,
    put: (draft: Draft) => (draft.has(parent) ? choice.put(draft) : index === 0),
  }))
}

function names(
  path: string,
  constants: readonly Constant[],
  group: readonly string[],
  mention: Mention,
  { issuer }: Around,
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

function absent(path: string): Choice {
  return { kind: 'absent', words: 'absent', put: (draft) => draft.delete(path) || true }
}

function here(path: string): Choice {
  return { kind: 'present', words: 'known', put: (draft) => draft.set(path, true) !== undefined }
}

function constant(path: string, value: DraftValue, words: string): Choice {
  return { kind: 'constant', words, put: (draft) => draft.set(path, value) !== undefined }
}

function truth(path: string): readonly Choice[] {
  return [constant(path, false, 'false'), constant(path, true, 'true')]
}

/** Least and greatest value; a number no policy bounds has one representative. */
const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  'context.tokenAgeSeconds': [0, Number.MAX_SAFE_INTEGER],
  'context.authAgeSeconds': [0, Number.MAX_SAFE_INTEGER],
  'context.time.hour': [0, 23],
  'context.time.minute': [0, 59],
  'context.risk': [0, 100],
  'context.rates.callerPerMinute': [0, Number.MAX_SAFE_INTEGER],
  'context.message.bytes': [0, Number.MAX_SAFE_INTEGER],
  'context.geo.asn': [0, 4_294_967_295],
}

/** Comparisons with constants change only at the constants: each is a range of its own, and so is what lies between. */
function ranges(path: string, constants: readonly Constant[]): readonly Choice[] {
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

function addresses(path: string, constants: readonly Constant[]): readonly Choice[] {
  const cells = addressCells(constants.flatMap((each) => (each.sort === 'ip' ? [each.value] : [])))
  return cells.map(({ address, within }) => ({
    ...constant(path, address, within.length === 0 ? 'elsewhere' : `in ${within.join(' and ')}`),
    kind: within.length === 0 ? ('other' as const) : ('constant' as const),
  }))
}

function nameOf(each: Constant): string {
  return each.sort === 'entity' ? each.value.id : String(each.value)
}

function entityType(each: Constant): string {
  return each.sort === 'entity' ? each.value.type : ''
}

function unlike(name: string, taken: ReadonlySet<string>): string {
  let found = name
  for (let number = 2; taken.has(found); number++) found = `${name}-${number}`
  return found
}
