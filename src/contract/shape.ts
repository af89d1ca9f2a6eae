import { type ContractWarning, FORBIDDEN_SHAPE, type Shape, type ShapeId } from './detail.ts'
import { isRecord } from './json-value.ts'
import { compilePattern, surelyFits } from './pattern.ts'
import type { Schema } from './schema.ts'
import { type FoldedShapes, foldShapes } from './shape-fold.ts'

/**
 * What may stand at one place of an instance, from all schemas that apply there at once.
 *
 * A shape seals without editing the contract: an object is held to the names that its schemas declare, through
 * `$ref`, `allOf` (all members' names) and `anyOf`/`oneOf` (any branch's names), unless one of them says that others
 * are welcome or the object declares none. Putting `additionalProperties: false` into members of an allOf would make
 * each refuse the others' names; a union over the place cannot.
 */
type Expression =
  | { readonly op: 'base'; readonly key: string; readonly schema: Schema }
  | {
      readonly op: '&' | '|'
      readonly key: string
      readonly of: readonly Expression[]
      readonly leaves: number
    }

/** `solid`: names are declared; `free`: an object that declares none is possible; `open`: others are welcome. */
interface ObjectView {
  readonly names: Map<string, Expression>
  readonly patterns: Map<string, Expression>
  readonly others: Expression | null
  readonly declares: boolean
  readonly free: boolean
  readonly open: boolean
}

interface ArrayView {
  readonly prefix: readonly Expression[]
  readonly rest: Expression | null
  readonly free: boolean
}

interface View {
  readonly object: ObjectView
  readonly array: ArrayView
}

const NO_OBJECT: ObjectView = {
  names: new Map(),
  patterns: new Map(),
  others: null,
  declares: false,
  free: false,
  open: false,
}
const NO_ARRAY: ArrayView = { prefix: [], rest: null, free: false }
const NOTHING: View = { object: NO_OBJECT, array: NO_ARRAY }
const ANYTHING: View = { object: { ...NO_OBJECT, free: true }, array: { ...NO_ARRAY, free: true } }

/** Beyond this many schemas at one place `and` and `or` are no longer told apart, with a warning: all are branches. */
const MAX_LEAVES = 64
/** Bounds what recursive schemas under combinators can grow to; fixtures stay below 20,000. */
const MAX_SHAPES = 200_000
const MAX_WORK = 5_000_000

export class ShapeCompiler {
  readonly #components: readonly Schema[]
  readonly #warn: (warning: ContractWarning) => void
  readonly #bases = new Map<object, Expression>()
  readonly #views = new Map<string, View>()
  readonly #ids = new Map<string, ShapeId>()
  readonly #pending: { expression: Expression; id: ShapeId }[] = []
  readonly #shapes: Shape[] = [{}]
  /** Keys of the views being made. */
  readonly #open = new Set<string>()
  #circular = false
  #work = 0
  #exhausted = false
  /** Somewhere below the schema at work there were too many schemas at one place. */
  #blurred = false

  constructor(components: readonly Schema[], warn: (warning: ContractWarning) => void) {
    this.#components = components
    this.#warn = warn
  }

  /** The shape of one schema's instances; `pointer` is where a warning would point to. */
  shape(schema: Schema, pointer: string): ShapeId {
    const id = this.#id(this.#base(schema))
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.#shapes[next.id] = this.#build(next.expression)
    }
    if (this.#exhausted) {
      this.#warn({ code: 'sealing-too-complex', pointer, message: 'undeclared fields below are let through' })
      this.#exhausted = false
    } else if (this.#blurred) {
      const message = `more than ${MAX_LEAVES} schemas at one place below: a field that any of them declares is let through there`
      this.#warn({ code: 'sealing-too-complex', pointer, message })
    }
    this.#blurred = false
    return id
  }

  finish(): FoldedShapes {
    return foldShapes(this.#shapes)
  }

  #base(schema: Schema): Expression {
    let at = schema
    for (let hop = 0; hop < 50 && typeof at === 'object' && typeof at['$ref'] === 'string'; hop++) {
      if (Object.keys(at).length > 1) break
      at = this.#target(at['$ref'])
    }
    if (typeof at === 'boolean') return { op: 'base', key: at ? 'T' : 'F', schema: at }
    let base = this.#bases.get(at)
    if (base === undefined) {
      base = { op: 'base', key: String(this.#bases.size), schema: at }
      this.#bases.set(at, base)
    }
    return base
  }

  #target(ref: string): Schema {
    return this.#components[Number(ref.slice(2))] ?? true
  }

  #id(expression: Expression): ShapeId {
    if (isForbidden(expression)) return FORBIDDEN_SHAPE
    let id = this.#ids.get(expression.key)
    if (id !== undefined) return id
    this.#work += expression.key.length
    if (this.#shapes.length >= MAX_SHAPES || this.#work > MAX_WORK) {
      this.#exhausted = true
      return 0
    }
    id = this.#shapes.length
    this.#shapes.push({})
    this.#ids.set(expression.key, id)
    this.#pending.push({ expression, id })
    return id
  }

  #build(expression: Expression): Shape {
    const { object, array } = this.#view(expression)
    const shape: { -readonly [K in keyof Shape]: Shape[K] } = {}
    if (object.declares) {
      const p: Record<string, ShapeId> = Object.create(null)
      for (const [name, at] of object.names) p[name] = this.#id(at)
      shape.p = p
      if (object.patterns.size > 0) shape.q = [...object.patterns].map(([text, at]) => [text, this.#id(at)])
    }
    if (object.others !== null && !object.free) {
      const others = this.#id(object.others)
      if (others !== FORBIDDEN_SHAPE) shape.r = others
    } else if (!object.declares || object.free || object.open) shape.r = 0
    if (!array.free) {
      if (array.rest !== null) shape.i = this.#id(array.rest)
      if (array.prefix.length > 0) shape.t = array.prefix.map((at) => this.#id(at))
    }
    return shape
  }

  #view(expression: Expression): View {
    const known = this.#views.get(expression.key)
    if (known !== undefined) return known
    // A schema that leads to itself without a step into the instance adds nothing to itself; but what was made on
    // the way round lacks it, and must not be kept for those who come by another way.
    if (this.#open.has(expression.key)) {
      this.#circular = true
      return NOTHING
    }
    if (this.#work++ > MAX_WORK) {
      this.#exhausted = true
      return ANYTHING
    }
    this.#open.add(expression.key)
    const view =
      expression.op === 'base'
        ? this.#baseView(expression.schema)
        : this.#merge(
            expression.op,
            expression.of.map((member) => this.#view(member)),
          )
    this.#open.delete(expression.key)
    if (this.#open.size === 0) this.#circular = false
    if (!this.#circular) this.#views.set(expression.key, view)
    return view
  }

  #baseView(schema: Schema): View {
    if (typeof schema === 'boolean') return schema ? ANYTHING : NOTHING
    const parts: View[] = [{ object: this.#ownObject(schema), array: this.#ownArray(schema) }]
    const schemaView = (member: unknown): View => this.#view(this.#base(member as Schema))
    if (typeof schema['$ref'] === 'string') parts.push(schemaView(this.#target(schema['$ref'])))
    for (const member of list(schema['allOf'])) parts.push(schemaView(member))
    for (const keyword of ['anyOf', 'oneOf'] as const) {
      const branches = list(schema[keyword])
      if (branches.length > 0) parts.push(this.#merge('|', branches.map(schemaView)))
    }
    const conditional = [schema['then'], schema['else']].filter((member) => member !== undefined)
    const dependent = isRecord(schema['dependentSchemas']) ? Object.values(schema['dependentSchemas']) : []
    for (const member of [...conditional, ...dependent]) parts.push(schemaView(member))
    if (isRecord(schema['if'])) parts.push(schemaView(schema['if']))
    return this.#merge('&', parts)
  }

  #ownObject(schema: Exclude<Schema, boolean>): ObjectView {
    if (!allows(schema, 'object')) return NO_OBJECT
    const names = new Map<string, Expression>()
    const patterns = new Map<string, Expression>()
    for (const [name, member] of entries(schema['properties'])) names.set(name, this.#base(member as Schema))
    for (const [text, member] of entries(schema['patternProperties'])) {
      const base = this.#base(member as Schema)
      patterns.set(text, base)
      const pattern = compilePattern(text)
      for (const [name, at] of names)
        if (pattern !== null && surelyFits(pattern, name)) names.set(name, this.#join('&', [at, base]))
    }
    const stated = schema['additionalProperties'] ?? schema['unevaluatedProperties']
    // patternProperties alone says which names are special, not that there are no others.
    const open = stated === undefined ? patterns.size > 0 : stated !== false
    const declares = names.size > 0 || patterns.size > 0 || stated !== undefined
    const others = isRecord(stated) ? this.#base(stated as Schema) : null
    // A name that must be there is known, whatever it holds: sealing it off would refuse every object.
    if (stated === undefined && patterns.size === 0)
      for (const name of list(schema['required']))
        if (!names.has(String(name))) names.set(String(name), this.#base(true))
    return { names, patterns, others, declares, free: !declares, open }
  }

  #ownArray(schema: Exclude<Schema, boolean>): ArrayView {
    if (!allows(schema, 'array')) return NO_ARRAY
    const prefix = list(schema['prefixItems']).map((member) => this.#base(member as Schema))
    const stated = schema['items'] ?? schema['unevaluatedItems']
    const rest = stated === undefined || stated === false ? null : this.#base(stated as Schema)
    return { prefix, rest, free: stated === undefined && prefix.length === 0 }
  }

  #merge(op: '&' | '|', views: readonly View[]): View {
    const [only] = views
    if (only !== undefined && views.length === 1) return only
    return {
      object: this.#mergeObjects(
        op,
        views.map((view) => view.object),
      ),
      array: this.#mergeArrays(
        op,
        views.map((view) => view.array),
      ),
    }
  }

  #mergeObjects(op: '&' | '|', views: readonly ObjectView[]): ObjectView {
    const collect = (of: (view: ObjectView) => Map<string, Expression>): Map<string, Expression> => {
      const all = new Map<string, Expression[]>()
      for (const view of views) {
        for (const [name, at] of of(view)) {
          const members = all.get(name)
          if (members === undefined) all.set(name, [at])
          else members.push(at)
        }
      }
      return new Map([...all].map(([name, members]) => [name, this.#join(op, members)]))
    }
    const others = views.flatMap((view) => (view.others === null ? [] : [view.others]))
    const solid = views.some((view) => view.declares && !view.free)
    return {
      names: collect((view) => view.names),
      patterns: collect((view) => view.patterns),
      others: others.length === 0 ? null : this.#join(op, others),
      declares: views.some((view) => view.declares),
      // A part that says nothing of names adds nothing in an allOf; as a branch of its own it lets all in.
      free: (op === '|' || !solid) && views.some((view) => view.free),
      open: views.some((view) => view.open),
    }
  }

  #mergeArrays(op: '&' | '|', views: readonly ArrayView[]): ArrayView {
    const length = Math.max(...views.map((view) => view.prefix.length))
    const stating = views.filter((view) => !view.free && (view.rest !== null || view.prefix.length > 0))
    const at = (index: number): Expression[] =>
      stating.flatMap((view) => view.prefix[index] ?? view.rest ?? [])
    const rests = stating.flatMap((view) => view.rest ?? [])
    return {
      prefix: Array.from({ length }, (_, index) => this.#join(op, at(index))),
      rest: rests.length === 0 ? null : this.#join(op, rests),
      free: (op === '|' || stating.length === 0) && views.some((view) => view.free),
    }
  }

  #join(op: '&' | '|', members: readonly Expression[]): Expression {
    const flat = new Map<string, Expression>()
    for (const member of members) {
      if (member.op === op) for (const inner of member.of) flat.set(inner.key, inner)
      else flat.set(member.key, member)
    }
    // What takes anything adds nothing to what else holds.
    if (op === '&' && flat.size > 1) flat.delete('T')
    // What is forbidden by one schema is forbidden; by one branch, it is the other branches' to say what may stand there.
    const forbidden = [...flat.values()].filter(isForbidden)
    const [first] = forbidden
    if (first !== undefined && (op === '&' || forbidden.length === flat.size)) return first
    for (const { key } of forbidden) flat.delete(key)
    const [only] = flat.values()
    if (only !== undefined && flat.size === 1) return only
    const of = [...flat.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
    const count = of.reduce((sum, member) => sum + leaves(member), 0)
    if (count > MAX_LEAVES && of.some((member) => member.op !== 'base')) {
      this.#blurred = true
      return this.#join('|', of.flatMap(basesOf))
    }
    const key = `${op}(${of.map((member) => member.key).join()})`
    this.#work += of.length
    return { op, key, of, leaves: count }
  }
}

/** A name that is not in this direction (sealing/place-sealer.ts). */
const isForbidden = (expression: Expression): boolean =>
  expression.op === 'base' && typeof expression.schema === 'object' && expression.schema['forbidden'] === true

const leaves = (expression: Expression): number => (expression.op === 'base' ? 1 : expression.leaves)

function basesOf(expression: Expression): readonly Expression[] {
  return expression.op === 'base' ? [expression] : expression.of.flatMap(basesOf)
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
  isRecord(value) ? Object.entries(value) : []

/** May the type stand where the schema applies, by its type, enum and const alone? */
export function allows(schema: Exclude<Schema, boolean>, type: string): boolean {
  const stated = schema['type']
  if (stated !== undefined) return Array.isArray(stated) ? stated.includes(type) : stated === type
  const values = Array.isArray(schema['enum'])
    ? schema['enum']
    : 'const' in schema
      ? [schema['const']]
      : undefined
  return values?.some((value) => typeof value === 'object' && value !== null) ?? true
}
