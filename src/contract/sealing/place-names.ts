import { isRecord } from '../json-value.ts'
import { compilePattern, type Pattern } from '../pattern.ts'
import type { Schema } from '../schema.ts'
import { allows } from '../shape.ts'

export type Direction = 'request' | 'answer'

/** The annotation that keeps a property out of a direction (OpenAPI 3.0.3 Schema Object; JSON Schema 2020-12 §9.4). */
export const MARK: Readonly<Record<Direction, 'readOnly' | 'writeOnly'>> = {
  request: 'readOnly',
  answer: 'writeOnly',
}

/** What a schema says of one place of an instance, with all that applies there through `$ref` and combinators. */
export interface PlaceNames {
  readonly names: ReadonlySet<string>
  readonly patterns: readonly Pattern[]
  /** Names of properties that are not in the direction. */
  readonly marked: Readonly<Record<Direction, ReadonlySet<string>>>
  readonly required: ReadonlySet<string>
  /** Names that some branches of a `oneOf` or `anyOf` here declare and others do not, or that a conditional declares. */
  readonly seams: ReadonlySet<string>
  readonly declares: boolean
  /** It may be an object of which nothing is declared. */
  readonly free: boolean
  /** It says that further names are welcome. */
  readonly open: boolean
}

type SchemaObject = Exclude<Schema, boolean>
type Form = Pick<PlaceNames, 'declares' | 'free' | 'open'>

const NO_NAMES: ReadonlySet<string> = new Set()
const NO_MARKS = { request: NO_NAMES, answer: NO_NAMES }
const NO_OBJECT: Form = { declares: false, free: false, open: false }
const ANYTHING: Form = { ...NO_OBJECT, free: true }

/** Reads places of converted schemas; everything is worked out once for a schema. */
export class PlaceReader {
  readonly #components: readonly Schema[]
  readonly #places = new Map<SchemaObject, PlaceNames>()
  readonly #forms = new Map<SchemaObject, Form>()
  readonly #marks: Readonly<Record<Direction, Map<SchemaObject, boolean>>> = {
    request: new Map(),
    answer: new Map(),
  }

  constructor(components: readonly Schema[]) {
    this.#components = components
  }

  target(ref: string): Schema {
    return this.#components[Number(ref.slice(2))] ?? true
  }

  of(schema: Schema): PlaceNames {
    if (typeof schema === 'boolean') return emptyPlace(schema ? ANYTHING : NO_OBJECT)
    let place = this.#places.get(schema)
    if (place === undefined) {
      // Branches of its own may lead back to it.
      this.#places.set(schema, emptyPlace(NO_OBJECT))
      place = this.#read(schema)
      this.#places.set(schema, place)
    }
    return place
  }

  /** The property's schema keeps it out of the direction: its own, what it refers to, any of an allOf, all branches. */
  isMarked(schema: unknown, direction: Direction): boolean {
    if (!isRecord(schema)) return false
    const marks = this.#marks[direction]
    const known = marks.get(schema)
    if (known !== undefined) return known
    marks.set(schema, false)
    const ref = schema['$ref']
    const marked =
      schema[MARK[direction]] === true ||
      (typeof ref === 'string' && this.isMarked(this.target(ref), direction)) ||
      members(schema, 'allOf').some((member) => this.isMarked(member, direction)) ||
      (['anyOf', 'oneOf'] as const).some((keyword) => {
        const branches = members(schema, keyword).filter((branch) => !isNull(branch))
        return branches.length > 0 && branches.every((branch) => this.isMarked(branch, direction))
      })
    marks.set(schema, marked)
    return marked
  }

  #read(schema: SchemaObject): PlaceNames {
    const names = new Set<string>()
    const patterns: Pattern[] = []
    const marked = { request: new Set<string>(), answer: new Set<string>() }
    const required = new Set<string>()
    const seams = new Set<string>()
    for (const part of this.#inPlace(schema)) {
      if (allows(part, 'object')) {
        for (const [name, member] of entries(part['properties'])) {
          names.add(name)
          for (const direction of ['request', 'answer'] as const)
            if (this.isMarked(member, direction)) marked[direction].add(name)
        }
        for (const [text] of entries(part['patternProperties'])) {
          const pattern = compilePattern(text)
          if (pattern !== null) patterns.push(pattern)
        }
      }
      const asked = Array.isArray(part['required']) ? part['required'].map(String) : []
      for (const name of asked) required.add(name)
      // As in shape.ts: a name that must be there is known.
      if (allows(part, 'object') && isSilent(part)) for (const name of asked) names.add(name)
      for (const keyword of ['anyOf', 'oneOf'] as const) this.#addSeams(members(part, keyword), seams)
      for (const gated of gatedParts(part)) for (const name of this.of(gated).names) seams.add(name)
    }
    return { names, patterns, marked, required, seams, ...this.#form(schema) }
  }

  #addSeams(branches: readonly Schema[], seams: Set<string>): void {
    const places = branches.map((branch) => this.of(branch)).filter(isObjectPlace)
    if (places.length < 2) return
    const counts = new Map<string, number>()
    for (const { names } of places) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [name, count] of counts) if (count < places.length) seams.add(name)
  }

  /** The schema and all that applies at the same place, each once. */
  #inPlace(schema: SchemaObject): Iterable<SchemaObject> {
    const found = new Set<SchemaObject>()
    const open: Schema[] = [schema]
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (typeof at === 'boolean' || found.has(at)) continue
      found.add(at)
      for (const part of partsOf(at)) open.push(part)
      const ref = at['$ref']
      if (typeof ref === 'string') open.push(this.target(ref))
    }
    return found
  }

  #form(schema: Schema): Form {
    if (typeof schema === 'boolean') return schema ? ANYTHING : NO_OBJECT
    const known = this.#forms.get(schema)
    if (known !== undefined) return known
    this.#forms.set(schema, NO_OBJECT)
    const all: Form[] = [ownForm(schema)]
    const ref = schema['$ref']
    if (typeof ref === 'string') all.push(this.#form(this.target(ref)))
    for (const member of members(schema, 'allOf')) all.push(this.#form(member))
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const branches = members(schema, keyword)
      if (branches.length > 0) all.push(either(branches.map((branch) => this.#form(branch))))
    }
    for (const part of conditional(schema)) all.push(this.#form(part))
    const form = both(all)
    this.#forms.set(schema, form)
    return form
  }
}

/** A place where objects may stand. */
export const isObjectPlace = ({ declares, free, open }: Form): boolean => declares || free || open

export function isDeclaredAt({ names, patterns }: PlaceNames, name: string): boolean {
  return names.has(name) || patterns.some((pattern) => pattern.test(name))
}

function emptyPlace(form: Form): PlaceNames {
  return { names: NO_NAMES, patterns: [], marked: NO_MARKS, required: NO_NAMES, seams: NO_NAMES, ...form }
}

/** As shape.ts merges objects: a part that says nothing of names adds nothing to what else holds. */
function both(forms: readonly Form[]): Form {
  const solid = forms.some(({ declares, free }) => declares && !free)
  return {
    declares: forms.some(({ declares }) => declares),
    free: !solid && forms.some(({ free }) => free),
    open: forms.some(({ open }) => open),
  }
}

function either(forms: readonly Form[]): Form {
  return {
    declares: forms.some(({ declares }) => declares),
    free: forms.some(({ free }) => free),
    open: forms.some(({ open }) => open),
  }
}

/** It says nothing of names beyond its properties. */
const isSilent = (schema: SchemaObject): boolean =>
  schema['additionalProperties'] === undefined &&
  schema['unevaluatedProperties'] === undefined &&
  schema['patternProperties'] === undefined

function ownForm(schema: SchemaObject): Form {
  if (!allows(schema, 'object')) return NO_OBJECT
  const patterns = entries(schema['patternProperties']).length
  const stated = schema['additionalProperties'] ?? schema['unevaluatedProperties']
  const open = stated === undefined ? patterns > 0 : stated !== false
  const declares = entries(schema['properties']).length > 0 || patterns > 0 || stated !== undefined
  return { declares, free: !declares, open }
}

/** Applied at the same place, but for `$ref`. */
function partsOf(schema: SchemaObject): readonly Schema[] {
  return [
    ...members(schema, 'allOf'),
    ...members(schema, 'anyOf'),
    ...members(schema, 'oneOf'),
    ...conditional(schema),
  ]
}

export function conditional(schema: SchemaObject): readonly Schema[] {
  const stated = [schema['if'], schema['then'], schema['else']].filter((part) => part !== undefined)
  return [...stated, ...entries(schema['dependentSchemas']).map(([, part]) => part)] as readonly Schema[]
}

/** What applies where a condition holds or does not. */
export function gatedParts(schema: SchemaObject): readonly Schema[] {
  const stated = [schema['then'], schema['else']].filter((part) => part !== undefined)
  return [...stated, ...entries(schema['dependentSchemas']).map(([, part]) => part)] as readonly Schema[]
}

export function members(schema: SchemaObject, keyword: string): readonly Schema[] {
  const value = schema[keyword]
  return Array.isArray(value) ? (value as readonly Schema[]) : []
}

export const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : []

const isNull = (schema: Schema): boolean => typeof schema === 'object' && schema['type'] === 'null'
