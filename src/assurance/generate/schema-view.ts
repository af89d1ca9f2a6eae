import type { Chance } from './chance.ts'

/** A JSON Schema as the contract writes it. */
export type RawSchema = boolean | Readonly<Record<string, unknown>>

export type JsonType = 'null' | 'boolean' | 'object' | 'array' | 'number' | 'integer' | 'string'

/** All that several schemas ask of one value at once, with a branch chosen of every union. */
export interface SchemaView {
  types: ReadonlySet<JsonType> | null
  values: readonly unknown[] | null
  minimum: number
  maximum: number
  above: number
  below: number
  multiples: number[]
  minLength: number
  maxLength: number
  patterns: string[]
  formats: string[]
  properties: Map<string, RawSchema[]>
  required: Set<string>
  /** What names nobody declares must fit. */
  others: RawSchema[]
  /** Of each member that takes no further names: those it takes. */
  closed: ReadonlySet<string>[]
  /** Some member says something of further names: it takes them, by name or all, or refuses them itself. */
  statesOthers: boolean
  minProperties: number
  maxProperties: number
  items: RawSchema[]
  prefix: RawSchema[][]
  minItems: number
  maxItems: number
  unique: boolean
  /** A union, a condition or a negation is in it: what one fault makes of it cannot be told from here. */
  unsure: boolean
}

export interface Dialect {
  /** OpenAPI 3.0: `nullable`, boolean exclusive bounds, nothing beside `$ref`. */
  readonly old: boolean
  readonly direction: 'request' | 'answer'
  resolve(ref: string): RawSchema | undefined
}

const MAX_REFERENCES = 40

export function viewOf(schemas: readonly RawSchema[], dialect: Dialect, chance: Chance): SchemaView | null {
  const view: SchemaView = {
    types: null,
    values: null,
    minimum: Number.NEGATIVE_INFINITY,
    maximum: Number.POSITIVE_INFINITY,
    above: Number.NEGATIVE_INFINITY,
    below: Number.POSITIVE_INFINITY,
    multiples: [],
    minLength: 0,
    maxLength: Number.POSITIVE_INFINITY,
    patterns: [],
    formats: [],
    properties: new Map(),
    required: new Set(),
    others: [],
    closed: [],
    statesOthers: false,
    minProperties: 0,
    maxProperties: Number.POSITIVE_INFINITY,
    items: [],
    prefix: [],
    minItems: 0,
    maxItems: Number.POSITIVE_INFINITY,
    unique: false,
    unsure: false,
  }
  for (const schema of schemas) if (!add(view, schema, dialect, chance, 0)) return null
  return view
}

/** False where nothing fits. */
function add(
  view: SchemaView,
  schema: RawSchema,
  dialect: Dialect,
  chance: Chance,
  references: number,
): boolean {
  if (typeof schema === 'boolean') return schema
  if (references > MAX_REFERENCES) return false
  const ref = schema['$ref']
  if (typeof ref === 'string') {
    const target = dialect.resolve(ref)
    if (target === undefined || !add(view, target, dialect, chance, references + 1)) return false
    if (dialect.old) return true
  }
  addTypes(view, schema, dialect)
  addValues(view, schema, dialect)
  addBounds(view, schema, dialect)
  addObject(view, schema, dialect)
  addArray(view, schema)
  for (const member of list(schema['allOf']))
    if (!add(view, member, dialect, chance, references + 1)) return false
  for (const keyword of ['oneOf', 'anyOf'] as const) {
    const branches = list(schema[keyword])
    if (branches.length === 0) continue
    view.unsure = true
    if (!add(view, chance.pick(branches), dialect, chance, references + 1)) return false
  }
  for (const keyword of ['not', 'if', 'dependentSchemas', 'contains', 'unevaluatedItems', 'propertyNames'])
    if (schema[keyword] !== undefined) view.unsure = true
  return true
}

function addTypes(view: SchemaView, schema: Readonly<Record<string, unknown>>, { old }: Dialect): void {
  const stated = schema['type']
  if (stated === undefined) return
  const types = new Set((Array.isArray(stated) ? stated : [stated]) as JsonType[])
  if (old && schema['nullable'] === true) types.add('null')
  if (view.types === null) {
    view.types = types
    return
  }
  const both = new Set<JsonType>()
  for (const type of types) {
    if (view.types.has(type)) both.add(type)
    else if (type === 'integer' && view.types.has('number')) both.add('integer')
    else if (type === 'number' && view.types.has('integer')) both.add('integer')
  }
  view.types = both
}

function addValues(view: SchemaView, schema: Readonly<Record<string, unknown>>, { old }: Dialect): void {
  const stated = Array.isArray(schema['enum'])
    ? schema['enum']
    : !old && 'const' in schema
      ? [schema['const']]
      : null
  if (stated === null) return
  const texts = new Set(stated.map((value) => JSON.stringify(value)))
  view.values = (view.values ?? stated).filter((value) => texts.has(JSON.stringify(value)))
}

function addBounds(view: SchemaView, schema: Readonly<Record<string, unknown>>, { old }: Dialect): void {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema
  if (typeof minimum === 'number') {
    if (old && above === true) view.above = Math.max(view.above, minimum)
    else view.minimum = Math.max(view.minimum, minimum)
  }
  if (typeof maximum === 'number') {
    if (old && below === true) view.below = Math.min(view.below, maximum)
    else view.maximum = Math.min(view.maximum, maximum)
  }
  if (!old && typeof above === 'number') view.above = Math.max(view.above, above)
  if (!old && typeof below === 'number') view.below = Math.min(view.below, below)
  if (typeof schema['multipleOf'] === 'number') view.multiples.push(schema['multipleOf'])
  view.minLength = most(view.minLength, schema['minLength'])
  view.maxLength = least(view.maxLength, schema['maxLength'])
  if (typeof schema['pattern'] === 'string') view.patterns.push(schema['pattern'])
  if (typeof schema['format'] === 'string') view.formats.push(schema['format'])
}

function addObject(view: SchemaView, schema: Readonly<Record<string, unknown>>, dialect: Dialect): void {
  const properties = record(schema['properties'])
  for (const [name, member] of Object.entries(properties)) {
    const known = view.properties.get(name)
    if (known === undefined) view.properties.set(name, [member as RawSchema])
    else known.push(member as RawSchema)
  }
  for (const name of Array.isArray(schema['required']) ? schema['required'] : [])
    if (typeof name === 'string') view.required.add(name)
  const further = schema['additionalProperties'] ?? schema['unevaluatedProperties']
  if (further === false) view.closed.push(new Set(Object.keys(properties)))
  else if (further !== undefined && further !== true) view.others.push(further as RawSchema)
  if (further !== undefined || (!dialect.old && schema['patternProperties'] !== undefined))
    view.statesOthers = true
  view.minProperties = most(view.minProperties, schema['minProperties'])
  view.maxProperties = least(view.maxProperties, schema['maxProperties'])
}

function addArray(view: SchemaView, schema: Readonly<Record<string, unknown>>): void {
  const prefix = list(schema['prefixItems'])
  prefix.forEach((member, at) => {
    const known = view.prefix[at]
    if (known === undefined) view.prefix[at] = [member]
    else known.push(member)
  })
  const { items } = schema
  if (items !== undefined) view.items.push(items as RawSchema)
  view.minItems = most(view.minItems, schema['minItems'])
  view.maxItems = least(view.maxItems, schema['maxItems'])
  if (schema['uniqueItems'] === true) view.unique = true
}

/** Some member marks the property so: requests have no `readOnly` ones, answers no `writeOnly` ones. */
export function isHidden(schemas: readonly RawSchema[], dialect: Dialect, references = 0): boolean {
  const mark = dialect.direction === 'request' ? 'readOnly' : 'writeOnly'
  return schemas.some((schema) => {
    if (typeof schema === 'boolean' || references > MAX_REFERENCES) return false
    const ref = schema['$ref']
    if (typeof ref === 'string') {
      const target = dialect.resolve(ref)
      if (target !== undefined && isHidden([target], dialect, references + 1)) return true
      if (dialect.old) return false
    }
    return schema[mark] === true || isHidden(list(schema['allOf']), dialect, references + 1)
  })
}

const list = (value: unknown): readonly RawSchema[] => (Array.isArray(value) ? (value as RawSchema[]) : [])
const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
const most = (now: number, stated: unknown): number =>
  typeof stated === 'number' ? Math.max(now, stated) : now
const least = (now: number, stated: unknown): number =>
  typeof stated === 'number' ? Math.min(now, stated) : now
