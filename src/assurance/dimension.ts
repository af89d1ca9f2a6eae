import { templateParameters } from '../decision/cedar/schema.ts'
import type { OperationPlan } from '../model/operation.ts'
import {
  absent,
  addresses,
  BOUNDS,
  type Choice,
  constant,
  here,
  nameOf,
  names,
  ranges,
  truth,
  USUAL,
  unlike,
} from './choices.ts'
import type { Constant } from './constants.ts'
import type { Draft } from './draft.ts'
import { objectParameterNames, statesOwner, statesTenant } from './draft.ts'
import type { Mention } from './mention.ts'
import type { Mentions } from './mentions.ts'

/** One attribute, or one element of a set, with a representative of each of its kinds of value. */
export interface Dimension {
  readonly path: string
  /** Of a set: the element that is or is not in it. */
  readonly element?: string
  /** The first is the usual one: absent, not a member, none that a policy names. */
  readonly values: readonly Choice[]
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
    if (isSet(path, mention) && group.length > 1) hard.set(path, `${path} is compared with another set`)
    if (isSet(path, mention))
      dimensions.push(...elements(path, mention, path === 'context.scopes' ? scopes : []))
    else dimensions.push(...scalar(path, mention, group, mentions, { plans, issuer, hard, paths, objects }))
  }
  return { dimensions, hard: [...new Set(hard.values())].sort() }
}

interface Around {
  readonly plans: readonly OperationPlan[]
  readonly issuer: string
  readonly hard: Map<string, string>
  readonly paths: readonly string[]
  /** What names of objects say of the parameters they are made of. */
  readonly objects: ReadonlyMap<string, readonly Constant[]>
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
  'context.requestClasses',
  'context.answerClasses',
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
    for (const plan of plans) {
      const names = objectParameterNames(plan)
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
    return !plans.some((plan) => objectParameterNames(plan).includes(name))
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
  'context.requestClasses',
  'context.answerClasses',
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
  const named = (member: string): readonly Constant[] => [
    ...(mentions.at(member)?.constants ?? []),
    ...(around.objects.get(member) ?? []),
  ]
  const constants = [...mention.constants, ...group.flatMap(named)]
  const sorts = new Set(constants.map(({ sort }) => sort))
  const optional = path.startsWith('principal')
    ? path === 'principal.zone'
    : mention.tested || OBJECT.has(path)
  const values: Choice[] = optional ? [absent(path)] : []
  if (group.length > 1 && group.some((member) => NOT_CHOSEN.has(member) || member in BOUNDS)) {
    around.hard.set(path, `${path} is compared with ${group.filter((member) => member !== path).join(', ')}`)
  }
  if (
    sorts.size > 1 ||
    (group.length > 1 && (sorts.has('long') || sorts.has('datetime') || sorts.has('ip')))
  ) {
    around.hard.set(path, `${path} is compared in more than one way`)
  }
  if (sorts.has('long') || sorts.has('datetime') || path in BOUNDS)
    values.push(...ranges(path, around.hard.has(path) ? [...constants, ...USUAL] : constants))
  else if (sorts.has('ip') || path === 'context.ip') values.push(...addresses(path, constants))
  else if (sorts.has('bool') || mention.bool) values.push(...truth(path))
  else if (RECORDS.has(path) && sorts.size === 0) values.push(here(path))
  else values.push(...names(path, constants, group, mention, around.issuer))
  return values.length > 1 ? [{ path, values: inRecord(path, values, around.paths) }] : single(path, values)
}

/** Attributes whose values are given, or of which there are two: equality with another attribute is not covered. */
const NOT_CHOSEN: ReadonlySet<string> = new Set([
  'context.method',
  'context.path',
  'context.checkpoint',
  'context.scopesMet',
  'context.ip',
  'context.device.compliant',
  'context.device.managed',
  'resource.type',
])

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
