import { parsePointer, readPointer } from '../../syntax/json-pointer.ts'

/** A contract as init reads it: without trust, since names of fields are all that is wanted of it. */
export type Contract = Readonly<Record<string, unknown>>

const MAX_HOPS = 20
const MAX_PARTS = 50

export function answerSchema(root: Contract, template: string): unknown {
  const item = resolved(root, member(member(root, 'paths'), template))
  const responses = member(resolved(root, member(item, 'get')), 'responses')
  const status = ['200', '2XX', '2xx', 'default'].find((code) => member(responses, code) !== undefined)
  const content = member(resolved(root, member(responses, status ?? '200')), 'content')
  if (!isRecord(content)) return undefined
  const json = Object.keys(content).find((type) => /^application\/(?:[\w.+-]+\+)?json\b|^\*\/\*$/i.test(type))
  return json === undefined ? undefined : member(content[json], 'schema')
}

export function typesOf(root: Contract, schema: unknown): readonly unknown[] {
  const type = member(resolved(root, schema), 'type')
  return Array.isArray(type) ? type : [type]
}

/** Own and inherited (`allOf`) properties that the schema declares; of very many parts, the first ones. */
export function propertiesOf(root: Contract, schema: unknown): ReadonlyMap<string, unknown> {
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
export function resolved(root: Contract, value: unknown): unknown {
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

export function isRecord(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function member(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
