import type { OperationPlan } from '../../model/operation.ts'
import { escapePointer, parsePointer, readPointer } from '../../syntax/json-pointer.ts'
import { slug, unused } from './names.ts'

/** An object rule the contract suggests: a path that names one object, and the field of it that names its owner. */
export interface ObjectSuggestion {
  readonly type: string
  readonly template: string
  /** JSON pointer into the GET's answer. */
  readonly owner: string
  /** operationId of the GET, where there are writes to look up for. */
  readonly lookup?: string
  /** Operations that ask for a caller and for which the owner is then known. */
  readonly operations: readonly OperationPlan[]
}

type Contract = Readonly<Record<string, unknown>>

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
const MAX_HOPS = 20
const MAX_PARTS = 50

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
    found.push({
      type: unused(typeName(get.template, parts[1] ?? ''), types),
      template: get.template,
      owner,
      ...(hasLookup && writes.length > 0 ? { lookup } : {}),
      operations: ruled,
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

function answerSchema(root: Contract, template: string): unknown {
  const item = resolved(root, member(member(root, 'paths'), template))
  const responses = member(resolved(root, member(item, 'get')), 'responses')
  const status = ['200', '2XX', '2xx', 'default'].find((code) => member(responses, code) !== undefined)
  const content = member(resolved(root, member(responses, status ?? '200')), 'content')
  if (!isRecord(content)) return undefined
  const json = Object.keys(content).find((type) => /^application\/(?:[\w.+-]+\+)?json\b|^\*\/\*$/i.test(type))
  return json === undefined ? undefined : member(content[json], 'schema')
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

function typesOf(root: Contract, schema: unknown): readonly unknown[] {
  const type = member(resolved(root, schema), 'type')
  return Array.isArray(type) ? type : [type]
}

/** Own and inherited (`allOf`) properties that the schema declares; of very many parts, the first ones. */
function propertiesOf(root: Contract, schema: unknown): ReadonlyMap<string, unknown> {
  const properties = new Map<string, unknown>()
  const open: unknown[] = [schema]
  const seen = new Set<unknown>()
  for (let part = open.shift(); part !== undefined && seen.size < MAX_PARTS; part = open.shift()) {
    const value = resolved(root, part)
    if (!isRecord(value) || seen.has(value)) continue
    seen.add(value)
    const own = member(value, 'properties')
    if (isRecord(own)) for (const [name, each] of Object.entries(own)) properties.set(name, each)
    const parts = member(value, 'allOf')
    if (Array.isArray(parts)) open.push(...parts.slice(0, MAX_PARTS))
  }
  return properties
}

/** What a local `$ref` names; undefined where it names nothing. */
function resolved(root: Contract, value: unknown): unknown {
  let at = value
  for (let hop = 0; isRecord(at) && typeof at['$ref'] === 'string'; hop++) {
    if (hop === MAX_HOPS || !at['$ref'].startsWith('#')) return undefined
    try {
      at = readPointer(root, parsePointer(decodeURIComponent(at['$ref'].slice(1))))
    } catch {
      return undefined
    }
  }
  return at
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '')
}

function isRecord(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
