import type { Schema } from '../schema.ts'
import {
  type Direction,
  entries,
  isDeclaredAt,
  isObjectPlace,
  members,
  type PlaceNames,
  type PlaceReader,
} from './place-names.ts'

type SchemaObject = Exclude<Schema, boolean>

/** What holds at a place beside the schema that is being sealed. */
export interface Beside {
  /** Required here or not: the property is not in this direction. */
  readonly waived: ReadonlySet<string>
  /** Declared by something else that applies here. */
  readonly names: ReadonlySet<string>
  /** Something else that applies here welcomes further names. */
  readonly open: boolean
}

const NONE: ReadonlySet<string> = new Set()
export const ALONE: Beside = Object.freeze({ waived: NONE, names: NONE, open: false })
/** Stands for a property that its contract keeps out of the direction: shape.ts seals its name. */
const FORBIDDEN: Schema = Object.freeze({ forbidden: true })

/** Keywords whose schemas apply one step further into the instance, where everything begins anew. */
export const STEPS = [
  'items',
  'additionalProperties',
  'contains',
  'unevaluatedProperties',
  'unevaluatedItems',
] as const
/** Applied at the same place, and true of the instance there; `if` and `not` are not, and stay as they are. */
export const BRANCHES = ['then', 'else'] as const

/** Names one combinator is told apart by, over all of its branches: what the generated code may grow by. */
const MAX_SEAM_NAMES = 4_096

/** How what stands inside is sealed, and which component stands for a reference. */
interface Inside {
  inner(schema: Schema, beside: Beside): Schema
  reference(ref: string, beside: Beside): string
  exhausted(): void
}

/** A part of what applies at the place; those of one group are branches of one combinator. */
interface Part {
  readonly place: PlaceNames
  readonly group: string | null
}

/** Seals one schema object at its place; see SealedSchemas. */
export class PlaceSealer {
  readonly #schema: SchemaObject
  readonly #direction: Direction
  readonly #beside: Beside
  readonly #places: PlaceReader
  readonly #inside: Inside
  readonly #own: Part
  #parts: Map<Schema, Part> | undefined
  #out: Record<string, unknown> | undefined

  constructor(
    schema: SchemaObject,
    direction: Direction,
    beside: Beside,
    places: PlaceReader,
    inside: Inside,
  ) {
    this.#schema = schema
    this.#direction = direction
    this.#beside = beside
    this.#places = places
    this.#inside = inside
    this.#own = { place: places.of(ownOf(schema)), group: null }
  }

  /** The schema itself where nothing has to be otherwise. */
  sealed(): Schema {
    const schema = this.#schema
    this.#required()
    for (const keyword of ['properties', 'patternProperties'] as const) this.#map(keyword)
    for (const keyword of STEPS) {
      const member = schema[keyword] as Schema | undefined
      if (member === undefined) continue
      // The annotation is one of properties.
      const sealed = keyword.endsWith('Properties')
        ? this.#property(member)
        : this.#inside.inner(member, ALONE)
      this.#set(keyword, member, sealed)
    }
    this.#list('prefixItems', (member) => this.#inside.inner(member, ALONE))
    const ref = schema['$ref']
    if (typeof ref === 'string') this.#set('$ref', ref, this.#inside.reference(ref, this.#around(refOf(ref))))
    this.#list('allOf', (member) => this.#inside.inner(member, this.#around(member)))
    this.#combinator('oneOf')
    this.#combinator('anyOf')
    for (const keyword of BRANCHES) {
      const member = schema[keyword] as Schema | undefined
      if (member !== undefined) this.#set(keyword, member, this.#inside.inner(member, this.#around(member)))
    }
    this.#dependent()
    this.#conditions()
    return this.#out ?? schema
  }

  #set(keyword: string, before: unknown, after: unknown): void {
    if (before === after) return
    this.#out ??= { ...this.#schema }
    this.#out[keyword] = after
  }

  /** OpenAPI 3.0.3 Schema Object: of a read-only property, `required` takes effect on the response only. */
  #required(): void {
    const stated = this.#schema['required']
    if (!Array.isArray(stated)) return
    const { marked } = this.#places.of(this.#schema)
    const left = stated.filter(
      (name: string) => !this.#beside.waived.has(name) && !marked[this.#direction].has(name),
    )
    if (left.length === stated.length) return
    this.#set('required', stated, left)
    if (left.length === 0) delete this.#out?.['required']
  }

  #property(member: Schema): Schema {
    return this.#places.isMarked(member, this.#direction) ? FORBIDDEN : this.#inside.inner(member, ALONE)
  }

  #map(keyword: 'properties' | 'patternProperties'): void {
    let out: Record<string, Schema> | undefined
    const given = entries(this.#schema[keyword])
    given.forEach(([name, member], index) => {
      const sealed = this.#property(member as Schema)
      if (sealed === member && out === undefined) return
      if (out === undefined) {
        out = Object.create(null) as Record<string, Schema>
        for (const [earlier, unchanged] of given.slice(0, index)) out[earlier] = unchanged as Schema
      }
      out[name] = sealed
    })
    if (out !== undefined) this.#set(keyword, this.#schema[keyword], out)
  }

  #list(keyword: string, seal: (member: Schema) => Schema): void {
    const given = members(this.#schema, keyword)
    const sealed = given.map(seal)
    if (sealed.some((member, index) => member !== given[index])) this.#set(keyword, given, sealed)
  }

  #dependent(): void {
    const given = entries(this.#schema['dependentSchemas']) as readonly (readonly [string, Schema])[]
    const sealed = given.map(
      ([name, member]) => [name, this.#inside.inner(member, this.#around(member))] as const,
    )
    if (sealed.some(([, member], index) => member !== given[index]?.[1])) {
      const out: Record<string, Schema> = Object.create(null)
      for (const [name, member] of sealed) out[name] = member
      this.#set('dependentSchemas', given, out)
    }
  }

  /** What one of the conditionals alone declares is undeclared where that one does not apply. */
  #conditions(): void {
    const schema = this.#schema
    const gates: Schema[] = []
    for (const [name, member] of entries(schema['dependentSchemas'])) {
      const absent = this.#declaredBy(member as Schema)
      if (absent.length > 0) gates.push({ anyOf: [{ required: [name] }, { absent }] })
    }
    if (gates.length > 0) this.#set('allOf', gates, [...members(this.#out ?? schema, 'allOf'), ...gates])
    if (schema['if'] === undefined) return
    for (const [keyword, other] of [
      ['then', 'else'],
      ['else', 'then'],
    ] as const) {
      const absent = schema[other] === undefined ? [] : this.#declaredBy(schema[other] as Schema)
      if (absent.length === 0) continue
      const now = (this.#out ?? schema)[keyword] ?? true
      this.#set(keyword, now, { allOf: [now, { absent }] })
    }
  }

  /** Names that nothing else which applies here declares; none where further ones are welcome. */
  #declaredBy(part: Schema): readonly string[] {
    const { names, open } = this.#places.of(part)
    const others = [this.#own]
    for (const [other, its] of this.#allParts()) if (other !== part) others.push(its)
    if (open || this.#beside.open || others.some(({ place }) => place.open)) return []
    return [...names].filter(
      (name) => !this.#beside.names.has(name) && !others.some(({ place }) => isDeclaredAt(place, name)),
    )
  }

  #combinator(keyword: 'oneOf' | 'anyOf'): void {
    const branches = members(this.#schema, keyword)
    if (branches.length === 0) return
    const seams = this.#seamsOf(keyword, branches)
    const covers = new Map<string, { names: string[]; branches: number[] }>()
    const sealed = branches.map((branch): Schema => {
      const around = this.#around(branch, keyword === 'anyOf')
      const inner = this.#inside.inner(branch, around)
      if (keyword === 'anyOf' || seams.size === 0 || around.open) return inner
      const place = this.#places.of(branch)
      if (!place.declares || place.free || place.open) return inner
      const absent = [...seams].filter((name) => !around.names.has(name) && !isDeclaredAt(place, name))
      if (absent.length === 0) return inner
      return { ...(inner as SchemaObject), absent }
    })
    if (sealed.some((member, index) => member !== branches[index])) this.#set(keyword, branches, sealed)
    if (keyword === 'oneOf' || seams.size === 0 || this.#outside(keyword).open) return
    const places = branches.map((branch) => this.#places.of(branch))
    const outside = this.#outside(keyword)
    for (const name of seams) {
      if (outside.declares(name)) continue
      const by = places.flatMap((place, index) =>
        isObjectPlace(place) && (place.free || place.open || isDeclaredAt(place, name)) ? [index] : [],
      )
      if (by.length === places.filter(isObjectPlace).length) continue
      const key = by.join()
      const group = covers.get(key)
      if (group === undefined) covers.set(key, { names: [name], branches: by })
      else group.names.push(name)
    }
    if (covers.size > 0) this.#set('covers', undefined, [...covers.values()])
  }

  /** Names by which the branches differ; none where they are too many to be told apart. */
  #seamsOf(keyword: string, branches: readonly Schema[]): ReadonlySet<string> {
    const { seams } = this.#places.of({ [keyword]: branches })
    const own = new Set<string>()
    const places = branches.map((branch) => this.#places.of(branch)).filter(isObjectPlace)
    for (const name of seams) {
      const count = places.filter(({ names }) => names.has(name)).length
      if (count > 0 && count < places.length) own.add(name)
    }
    if (own.size * places.length <= MAX_SEAM_NAMES) return own
    this.#inside.exhausted()
    return NONE
  }

  /** What holds beside one part: the rest of this schema, and what holds beside all of it. */
  #around(part: Schema, siblings = false): Beside {
    const parts = this.#allParts()
    const own = parts.get(part) ?? { place: this.#places.of(part), group: null }
    const { seams, required } = own.place
    const others = [this.#own, ...parts.values()].filter(
      (other) => other !== own && (siblings || own.group === null || other.group !== own.group),
    )
    const waived = new Set<string>()
    for (const name of required) {
      const isWaived = (other: Part): boolean => other.place.marked[this.#direction].has(name)
      if (this.#beside.waived.has(name) || others.some(isWaived)) waived.add(name)
    }
    const ofGroup = own.group === null ? seams : new Set([...seams, ...this.#groupNames(own.group)])
    const names = new Set<string>()
    for (const name of ofGroup) {
      if (this.#beside.names.has(name) || others.some(({ place }) => isDeclaredAt(place, name)))
        names.add(name)
    }
    return { waived, names, open: this.#beside.open || others.some(({ place }) => place.open) }
  }

  /** What holds beside a whole combinator. */
  #outside(keyword: string): { readonly open: boolean; declares(name: string): boolean } {
    const others = [this.#own, ...this.#allParts().values()].filter(({ group }) => group !== keyword)
    return {
      open: this.#beside.open || others.some(({ place }) => place.open),
      declares: (name) =>
        this.#beside.names.has(name) || others.some(({ place }) => isDeclaredAt(place, name)),
    }
  }

  #groupNames(keyword: string): ReadonlySet<string> {
    const names = new Set<string>()
    for (const branch of members(this.#schema, keyword))
      for (const name of this.#places.of(branch).names) names.add(name)
    return names
  }

  #allParts(): Map<Schema, Part> {
    if (this.#parts !== undefined) return this.#parts
    const parts = new Map<Schema, Part>()
    const schema = this.#schema
    const add = (part: Schema, group: string | null): void => {
      parts.set(part, { place: this.#places.of(part), group })
    }
    const ref = schema['$ref']
    if (typeof ref === 'string') add(refOf(ref), null)
    for (const member of members(schema, 'allOf')) add(member, null)
    for (const keyword of ['oneOf', 'anyOf'] as const)
      for (const branch of members(schema, keyword)) add(branch, keyword)
    for (const keyword of ['if', ...BRANCHES] as const) {
      const part = schema[keyword] as Schema | undefined
      if (part !== undefined) add(part, null)
    }
    for (const [, part] of entries(schema['dependentSchemas'])) add(part as Schema, null)
    this.#parts = parts
    return parts
  }
}

const refs = new Map<string, SchemaObject>()

/** One object for each reference, so that it can be told apart as a part. */
function refOf(ref: string): SchemaObject {
  let schema = refs.get(ref)
  if (schema === undefined) {
    schema = { $ref: ref }
    refs.set(ref, schema)
  }
  return schema
}

/** What the schema itself says of its place, without what it refers to. */
function ownOf(schema: SchemaObject): SchemaObject {
  const own: Record<string, unknown> = {}
  for (const keyword of OWN) if (schema[keyword] !== undefined) own[keyword] = schema[keyword]
  return own
}

const OWN = [
  'type',
  'enum',
  'const',
  'properties',
  'patternProperties',
  'additionalProperties',
  'unevaluatedProperties',
  'required',
] as const
