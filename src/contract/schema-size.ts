import { isRecord } from './json-value.ts'
import type { Schema } from './schema.ts'

/**
 * Keeps generated functions small. Ajv makes one function of a schema with all that stands inside it, nested a level
 * deeper for every property; from some hundred on, a thread needs tens of milliseconds to compile one. So what is
 * large becomes components of its own, in a form that means the same.
 */
export class SchemaSizer {
  readonly #weights = new WeakMap<object, number>()
  readonly #component: (schema: Schema) => Schema

  /** `component` keeps a schema and gives a reference to it. */
  constructor(component: (schema: Schema) => Schema) {
    this.#component = component
  }

  /** Rewrites one schema whose inner schemas have been through here. */
  fit(schema: Record<string, unknown>): void {
    for (const keyword of Object.keys(schema)) {
      if (SINGLE.has(keyword)) schema[keyword] = this.#light(schema[keyword] as Schema, MAX_WEIGHT)
      else if (LISTS.has(keyword)) {
        const members = schema[keyword] as readonly Schema[]
        schema[keyword] = members.map((member) => this.#light(member, members.length > 4 ? 10 : MAX_WEIGHT))
      }
    }
    this.#splitProperties(schema)
    for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) this.#splitBranches(schema, keyword)
    let weight = 1 + (Array.isArray(schema['enum']) ? schema['enum'].length / 10 : 0)
    for (const [keyword, value] of Object.entries(schema)) {
      if (SINGLE.has(keyword)) weight += this.#weight(value)
      else if (LISTS.has(keyword))
        for (const member of value as readonly Schema[]) weight += this.#weight(member)
      else if (MAPS.has(keyword) && isRecord(value)) {
        for (const member of Object.values(value)) weight += this.#weight(member)
      }
    }
    this.#weights.set(schema, weight)
  }

  #weight(schema: unknown): number {
    return typeof schema === 'object' && schema !== null ? (this.#weights.get(schema) ?? 1) : 0
  }

  #light(schema: Schema, limit: number): Schema {
    return this.#weight(schema) > limit ? this.#component(schema) : schema
  }

  /** `properties` in parts: `allOf` of them says the same; the names stay for `additionalProperties` to know. */
  #splitProperties(schema: Record<string, unknown>): void {
    const properties = schema['properties']
    if (!isRecord(properties)) return
    const parts: Record<string, Schema>[] = []
    let total = Number.POSITIVE_INFINITY
    for (const [name, member] of Object.entries(properties)) {
      const light = this.#light(member as Schema, MAX_WEIGHT / 4)
      total += this.#weight(light) + 1
      if (total > MAX_WEIGHT) {
        parts.push(Object.create(null))
        total = 1
      }
      const part = parts[parts.length - 1]
      if (part !== undefined) part[name] = light
    }
    const [only] = parts
    if (parts.length < 2) {
      if (only !== undefined) schema['properties'] = only
      return
    }
    const names: Record<string, Schema> = Object.create(null)
    for (const name of Object.keys(properties)) names[name] = true
    schema['properties'] = names
    const given = (schema['allOf'] ?? []) as readonly Schema[]
    schema['allOf'] = [...given, ...parts.map((part) => this.#component({ properties: part }))]
  }

  /**
   * Hundreds of branches in groups. For `oneOf`: exactly one group has a branch that fits, and some group has exactly
   * one that does; together, exactly one branch of all fits.
   */
  #splitBranches(schema: Record<string, unknown>, keyword: 'allOf' | 'anyOf' | 'oneOf'): void {
    let branches = (schema[keyword] ?? []) as readonly Schema[]
    if (branches.length <= MAX_BRANCHES) return
    if (keyword !== 'oneOf') {
      while (branches.length > MAX_BRANCHES) {
        branches = groups(branches).map((group) => this.#component({ [keyword]: group }))
      }
      schema[keyword] = branches
      return
    }
    delete schema['oneOf']
    const parts = groups(branches)
    const any = parts.map((group) => this.#component(this.#fitted({ anyOf: group })))
    const one = parts.map((group) => this.#component(this.#fitted({ oneOf: group })))
    const both = [this.#fitted({ oneOf: any }), this.#fitted({ anyOf: one })]
    schema['allOf'] = [...((schema['allOf'] ?? []) as readonly Schema[]), ...both]
  }

  #fitted(schema: Record<string, unknown>): Schema {
    this.fit(schema)
    return schema
  }
}

/** Inner schemas of one function and branches of one combinator: the longest first call on the fixtures fell from 45 to 7 ms. */
const MAX_WEIGHT = 80
const MAX_BRANCHES = 100

const SINGLE = new Set([
  'items',
  'not',
  'additionalProperties',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
])
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas'])

function groups(branches: readonly Schema[]): readonly (readonly Schema[])[] {
  const out: (readonly Schema[])[] = []
  for (let from = 0; from < branches.length; from += MAX_BRANCHES)
    out.push(branches.slice(from, from + MAX_BRANCHES))
  return out
}
