import type { ParameterType, TextShape } from '../detail.ts'
import { isRecord, listAt, own, recordAt } from '../json-value.ts'
import type { Schema } from '../schema.ts'

const ALL = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'] as const
type Type = (typeof ALL)[number]
const SCALARS: readonly ParameterType[] = ['number', 'integer', 'boolean', 'null', 'string']

/** Recursive schemas go on for ever; what stands deeper than the style can reach is never read. */
const MAX_REACH = 5
/** Names one parameter may have, at all depths. */
const MAX_MEMBERS = 2_000
const MAX_HOPS = 20

/** What texts at a schema's places may be read as, `reach` steps deep; what is deeper is taken for one text. */
export function textShape(schema: Schema, components: readonly Schema[], reach: number): TextShape {
  return new Reader(components).shape([schema], Math.min(reach, MAX_REACH))
}

interface Gathered {
  readonly items: Schema[]
  readonly members: Map<string, Schema[]>
  readonly others: Schema[]
}

/** A schema that says nothing of types is meant for the members or items it names, else for one text. */
function meant(possible: ReadonlySet<Type>, { items, members, others }: Gathered): Iterable<Type> {
  if (possible.size < ALL.length) return possible
  if (members.size > 0 || others.length > 0) return ['object']
  return items.length > 0 ? ['array'] : SCALARS
}

class Reader {
  readonly #components: readonly Schema[]
  #left = MAX_MEMBERS

  constructor(components: readonly Schema[]) {
    this.#components = components
  }

  /** Of a place that all these schemas describe, together or one instead of another. */
  shape(schemas: readonly Schema[], reach: number): TextShape {
    const kinds = new Set<Type>()
    const items: Schema[] = []
    const members = new Map<string, Schema[]>()
    const others: Schema[] = []
    for (const schema of schemas) {
      const own: Gathered = { items: [], members: new Map(), others: [] }
      this.#gather(schema, own, 0)
      for (const kind of meant(this.#possible(schema, 0), own)) kinds.add(kind)
      for (const [name, stated] of own.members) members.set(name, [...(members.get(name) ?? []), ...stated])
      items.push(...own.items)
      others.push(...own.others)
    }
    const types = readable(kinds)
    const array = kinds.has('array')
    const object = kinds.has('object')
    if (reach === 0 || (!array && !object)) return { types: types.length === 0 ? ['string'] : types }
    return {
      types,
      ...(array ? { items: this.shape(items.length === 0 ? [true] : items, reach - 1) } : {}),
      ...(object ? this.#object(members, others, reach - 1) : {}),
    }
  }

  #object(
    members: ReadonlyMap<string, Schema[]>,
    others: readonly Schema[],
    reach: number,
  ): Pick<TextShape, 'members' | 'others'> {
    const out: Record<string, TextShape> = Object.create(null)
    for (const [name, schemas] of members) if (this.#left-- > 0) out[name] = this.shape(schemas, reach)
    // An object that declares no names is free-form, as in bodies.
    const rest = others.length === 0 && members.size === 0 ? [true] : others
    return { members: out, ...(rest.length === 0 ? {} : { others: this.shape(rest, reach) }) }
  }

  #gather(schema: Schema, into: Gathered, hops: number): void {
    if (typeof schema === 'boolean' || hops > MAX_HOPS) return
    for (const [name, member] of Object.entries(recordAt(schema, 'properties'))) {
      const known = into.members.get(name)
      if (known === undefined) into.members.set(name, [member as Schema])
      else if (known.length < MAX_HOPS) known.push(member as Schema)
    }
    for (const keyword of ['additionalProperties', 'unevaluatedProperties']) {
      const stated = own(schema, keyword)
      if (stated !== undefined && stated !== false) into.others.push(stated as Schema)
    }
    into.others.push(...(Object.values(recordAt(schema, 'patternProperties')) as Schema[]))
    const items = own(schema, 'items')
    if (items !== undefined) into.items.push(items as Schema)
    into.items.push(...(listAt(schema, 'prefixItems') as Schema[]))
    for (const member of this.#beside(schema)) this.#gather(member, into, hops + 1)
  }

  /** Schemas that describe the same place. */
  #beside(schema: Exclude<Schema, boolean>): readonly Schema[] {
    const ref = schema['$ref']
    const target = typeof ref === 'string' ? [this.#components[Number(ref.slice(2))] ?? true] : []
    const combined = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => listAt(schema, keyword).slice(0, 100))
    const conditional = ['then', 'else'].flatMap((keyword) => own(schema, keyword) ?? [])
    return [...target, ...(combined as Schema[]), ...(conditional as Schema[])]
  }

  /** Types a value may have, read off `type`, `enum` and through references and combinators; all where none is said. */
  #possible(schema: Schema, depth: number): Set<Type> {
    if (typeof schema === 'boolean' || depth > MAX_HOPS) return new Set(ALL)
    let types: Set<Type> | undefined
    const narrow = (other: Set<Type>): void => {
      types = types === undefined ? other : new Set(ALL.filter((type) => types?.has(type) && other.has(type)))
    }
    const stated = schema['type']
    if (stated !== undefined) {
      const listed = new Set((Array.isArray(stated) ? stated : [stated]) as Type[])
      if (listed.has('number')) listed.add('integer')
      narrow(listed)
    }
    const values = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : []
    if (values.length > 0) narrow(new Set(values.flatMap(typesOf)))
    if (typeof schema['$ref'] === 'string') {
      narrow(this.#possible(this.#components[Number(schema['$ref'].slice(2))] ?? true, depth + 1))
    }
    for (const member of listAt(schema, 'allOf')) narrow(this.#possible(member as Schema, depth + 1))
    for (const keyword of ['anyOf', 'oneOf']) {
      const branches = listAt(schema, keyword).slice(0, 100)
      if (branches.length === 0) continue
      narrow(new Set(branches.flatMap((branch) => [...this.#possible(branch as Schema, depth + 1)])))
    }
    return types ?? new Set(ALL)
  }
}

function typesOf(value: unknown): Type[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (isRecord(value)) return ['object']
  if (typeof value === 'number') return ['number', 'integer']
  return typeof value === 'boolean' ? ['boolean'] : ['string']
}

/** In which order a text is tried: the most specific first. */
function readable(types: ReadonlySet<Type>): readonly ParameterType[] {
  return SCALARS.filter((type) => types.has(type) && !(type === 'integer' && types.has('number')))
}
