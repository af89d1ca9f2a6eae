import type { OperationPlan } from '../../model/operation.ts'
import { escapePointer } from '../../syntax/json-pointer.ts'
import { answerSchema, type Contract, propertiesOf, typesOf } from './contract-schema.ts'
import { type ListSuggestion, suggestList } from './list-field.ts'
import { slug, unused } from './names.ts'

/** An object rule the contract suggests: a path that names one object, and the field of it that names its owner. */
export interface ObjectSuggestion {
  readonly type: string
  readonly template: string
  /** JSON pointer into the GET's answer. */
  readonly owner: string
  /** operationId of the GET, where there are writes to look up for. */
  readonly lookup?: string
  /** The list of such objects, where its items name the owner too. */
  readonly list?: ListSuggestion
  /** Operations that ask for a caller and for which the owner is then known. */
  readonly operations: readonly OperationPlan[]
}

/** Most telling first; compared in lower case without `_` and `-`. */
const OWNER_IDS = [
  'ownerid',
  'owneruserid',
  'customerid',
  'userid',
  'accountid',
  'createdby',
  'createdbyid',
  'createdbyuserid',
  'creatorid',
  'authorid',
  'memberid',
  'owner',
  'customer',
  'user',
  'creator',
  'author',
  'account',
]
const IDS_WITHIN = ['id', 'sub', 'userid', 'uuid', 'uid']
/** Resources that are people with an account of their own. */
const PEOPLE = new Set([
  'customer',
  'user',
  'member',
  'person',
  'patient',
  'student',
  'employee',
  'subscriber',
])
/** What wraps the object itself in many APIs' answers. */
const WRAPPERS = ['data', 'result', 'item']

const MAX_SUGGESTIONS = 50

/**
 * Looks at paths that end in one parameter (`/orders/{orderId}`). A guess from names, to be offered and never put
 * into force: only a person knows whether the field holds the `sub` of the tokens.
 * @param root The contract; read here without trust, since names of fields are all that is wanted of it.
 */
export function suggestObjects(
  root: Contract,
  operations: readonly OperationPlan[],
): readonly ObjectSuggestion[] {
  const byForm = Map.groupBy(operations, ({ template }) => template.replace(/\{[^{}]*\}/g, '{}'))
  const types = new Set<string>()
  const found: ObjectSuggestion[] = []
  for (const matched of byForm.values()) {
    if (found.length === MAX_SUGGESTIONS) break
    const get = matched.find(({ method }) => method === 'GET')
    const parts = get === undefined ? null : TRAILING.exec(get.template)
    if (get === undefined || parts === null || get.template.length > 1024) continue
    const schema = answerSchema(root, get.template)
    const owner = ownerPointer(root, schema) ?? selfPointer(root, schema, get.template, parts[1] ?? '')
    if (owner === null) continue
    const lookup = get.operationId
    const hasLookup = lookup !== undefined && lookup !== '' && lookup.length <= 256
    const writes = matched.filter(({ method }) => method !== 'GET')
    // What is public anyway belongs to no one.
    const ruled = (hasLookup ? [get, ...writes] : [get]).filter(
      ({ security }) => security.need === 'required',
    )
    if (ruled.length === 0) continue
    const list = suggestList(root, operations, get.template, owner)
    found.push({
      type: unused(typeName(get.template, parts[1] ?? ''), types),
      template: get.template,
      owner,
      ...(hasLookup && writes.length > 0 ? { lookup } : {}),
      ...(list === null ? {} : { list }),
      operations: list === null ? ruled : [...ruled, list.operation],
    })
  }
  return found
}

/** In the form configuration takes, and ending in `/literal/{parameter}`. */
const TRAILING = /^(?:\/(?:[^\s/?#{}]|\{[^\s/?#{}]+\})*)*\/[^\s/?#{}]+\/\{([^\s/?#{}]+)\}$/

/** `/orders/{orderId}` and `/orders/{id}` are both of an order. */
function typeName(template: string, parameter: string): string {
  const ofParameter = /^(.{2,}?)[_-]?(?:id|Id|ID|uuid|key)$/.exec(parameter)?.[1]
  const literal = template
    .split('/')
    .slice(0, -1)
    .findLast((part) => /^[A-Za-z]/.test(part) && !/^v\d+$/i.test(part))
  const name = slug((ofParameter ?? singular(literal ?? parameter)).replace(/([a-z])([A-Z])/g, '$1-$2'), 50)
  return /^[a-z]/.test(name) ? name : 'object'
}

function singular(noun: string): string {
  if (/ies$/i.test(noun)) return noun.replace(/ies$/i, 'y')
  return /[^s]s$/i.test(noun) ? noun.slice(0, -1) : noun
}

function ownerPointer(root: Contract, schema: unknown): string | null {
  const properties = propertiesOf(root, schema)
  const direct = ownerAmong(root, properties)
  if (direct !== null) return direct
  const [wrapper] =
    properties.size === 1 ? properties.keys() : WRAPPERS.filter((name) => properties.has(name))
  if (wrapper === undefined) return null
  const within = ownerAmong(root, propertiesOf(root, properties.get(wrapper)))
  return within === null ? null : `/${escapePointer(wrapper)}${within}`
}

/** `/customers/{customerId}` is a person, whose own id may be the `sub`: no other resource owns itself. */
function selfPointer(root: Contract, schema: unknown, template: string, parameter: string): string | null {
  const resource = singular(template.split('/').at(-2) ?? '')
  if (!PEOPLE.has(plain(resource)) || plain(parameter) !== `${plain(resource)}id`) return null
  const id = propertiesOf(root, schema).get('id')
  return id !== undefined && typesOf(root, id).includes('string') ? '/id' : null
}

function ownerAmong(root: Contract, properties: ReadonlyMap<string, unknown>): string | null {
  const byName = new Map([...properties.keys()].reverse().map((name) => [plain(name), name]))
  for (const wanted of OWNER_IDS) {
    const name = byName.get(wanted)
    if (name === undefined) continue
    const value = properties.get(name)
    const pointer = `/${escapePointer(name)}`
    if (isId(root, value)) return pointer
    const id = [...propertiesOf(root, value)].find(
      ([key, inner]) => IDS_WITHIN.includes(plain(key)) && isId(root, inner),
    )
    if (id !== undefined) return `${pointer}/${escapePointer(id[0])}`
  }
  return null
}

/** Strings and integers are what the gate takes for an owner's id. */
function isId(root: Contract, schema: unknown): boolean {
  return typesOf(root, schema).some((each) => each === 'string' || each === 'integer')
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}
