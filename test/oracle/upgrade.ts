/**
 * An OpenAPI 3.0 document as 3.1 would write it (OpenAPI Initiative, "Migrating from OpenAPI 3.0 to 3.1.0"): `null` as a
 * type, numeric exclusive bounds, `examples` in their array form, nothing beside `$ref`. Test material only: the gate
 * reads 3.0 as it stands.
 */
type Json = Record<string, unknown>

const SINGLE = ['items', 'not', 'additionalProperties']
const LISTS = ['allOf', 'anyOf', 'oneOf']
const MAPS = ['properties']

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function upgrade(document: Json): Json {
  const out = structuredClone(document)
  out['openapi'] = '3.1.0'
  visit(out, [], (schema) => modernize(schema))
  return out
}

/** The document as one direction's judge must read it: what the other direction alone has is not required here. */
export function directed(document: Json, direction: 'request' | 'answer'): Json {
  const out = structuredClone(document)
  const mark = direction === 'request' ? 'readOnly' : 'writeOnly'
  const hidden = (schema: unknown, hops = 0): boolean => {
    if (!isRecord(schema) || hops > 20) return false
    if (schema[mark] === true) return true
    const { $ref, allOf } = schema
    if (typeof $ref === 'string' && hidden(at(document, $ref), hops + 1)) return true
    return Array.isArray(allOf) && allOf.some((member) => hidden(member, hops + 1))
  }
  visit(out, [], (schema) => {
    if (Array.isArray(schema['required']) && isRecord(schema['properties'])) {
      const { properties } = schema
      schema['required'] = schema['required'].filter((name) => !hidden((properties as Json)[String(name)]))
    }
  })
  return out
}

export function at(document: Json, ref: string): unknown {
  let value: unknown = document
  for (const part of ref.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    value = isRecord(value) || Array.isArray(value) ? (value as Json)[name] : undefined
  }
  return value
}

function modernize(schema: Json): void {
  if (typeof schema['$ref'] === 'string') {
    for (const name of Object.keys(schema)) if (name !== '$ref') delete schema[name]
    return
  }
  if (schema['nullable'] === true && typeof schema['type'] === 'string') {
    schema['type'] = [schema['type'], 'null']
  }
  delete schema['nullable']
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue
    if (schema[exclusive] === true && schema[bound] !== undefined) {
      schema[exclusive] = schema[bound]
      delete schema[bound]
    } else delete schema[exclusive]
  }
  if ('example' in schema) {
    schema['examples'] = [schema['example']]
    delete schema['example']
  }
}

/** Every Schema Object: under `schema`, under components.schemas, and inside one. */
function visit(value: unknown, path: readonly string[], change: (schema: Json) => void): void {
  if (Array.isArray(value)) {
    for (const member of value) visit(member, [...path, '*'], change)
    return
  }
  if (!isRecord(value)) return
  const last = path.at(-1)
  if (path.length >= 1 && (last === 'example' || last === 'examples' || last === 'default')) return
  const isComponent = path.length === 3 && path[0] === 'components' && path[1] === 'schemas'
  if (isComponent || (last === 'schema' && path.length > 2)) {
    schemaAt(value, change)
    return
  }
  for (const [name, member] of Object.entries(value)) visit(member, [...path, name], change)
}

function schemaAt(schema: unknown, change: (schema: Json) => void): void {
  if (!isRecord(schema)) return
  for (const name of SINGLE) schemaAt(schema[name], change)
  for (const name of LISTS) for (const member of listOf(schema[name])) schemaAt(member, change)
  for (const name of MAPS) {
    const map = schema[name]
    if (isRecord(map)) for (const member of Object.values(map)) schemaAt(member, change)
  }
  change(schema)
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
