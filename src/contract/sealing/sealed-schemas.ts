import type { Schema } from '../schema.ts'
import { type Direction, entries, gatedParts, members, PlaceReader } from './place-names.ts'
import { ALONE, type Beside, BRANCHES, PlaceSealer, STEPS } from './place-sealer.ts'

type SchemaObject = Exclude<Schema, boolean>

/** Components made anew for a direction or a place; the fixtures need 2,400 at most. */
const MAX_VARIANTS = 20_000
/**
 * Converted schemas as they hold in one direction, sealed where names alone cannot tell:
 *
 * - a property that is not in the direction (`readOnly` in a request, `writeOnly` in an answer) is forbidden, and not
 *   required at its place, whichever of the schemas that apply there says so (OpenAPI 3.0.3 Schema Object);
 * - a branch of a `oneOf` may not have the names that its siblings declare and nothing that holds with it does
 *   (`absent`), so that branches which differ by such names alone are told apart;
 * - of an `anyOf`, a name needs a matching branch that declares it (`covers`);
 * - what `then`, `else` or one of `dependentSchemas` alone declares may only stand where that one applies.
 *
 * All other undeclared names are the shape's business (shape.ts): they are sealed over the place, never in a member of
 * an allOf. What none of this touches is shared between the directions and stays as it is.
 */
export class SealedSchemas {
  readonly #components: Schema[]
  readonly #places: PlaceReader
  readonly #variants = new Map<string, string>()
  readonly #pending: {
    readonly index: number
    readonly schema: Schema
    readonly direction: Direction
    readonly beside: Beside
  }[] = []
  readonly #reach: Readonly<Record<Direction | 'seams', ReadonlySet<number>>>
  #made = 0
  /** Something was too large to be sealed branch by branch. */
  exhausted = false

  /** `components`: those of the converter, to which variants are added. */
  constructor(components: Schema[]) {
    this.#components = components
    this.#places = new PlaceReader(components)
    const local = components.map((schema) => this.#touches(schema))
    const users = components.map((): number[] => [])
    local.forEach(({ refs }, index) => {
      for (const ref of refs) users[ref]?.push(index)
    })
    const reach = (of: Direction | 'seams'): ReadonlySet<number> => {
      const found = new Set<number>()
      const open = local.flatMap((each, index) => (each[of] ? [index] : []))
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        if (found.has(at)) continue
        found.add(at)
        open.push(...(users[at] ?? []))
      }
      return found
    }
    this.#reach = { request: reach('request'), answer: reach('answer'), seams: reach('seams') }
  }

  /** One schema as it holds in a direction; the components it needs are made too. */
  seal(schema: Schema, direction: Direction): Schema {
    const sealed = this.#sealed(schema, direction, ALONE)
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      this.#components[next.index] = this.#sealed(next.schema, next.direction, next.beside)
    }
    return sealed
  }

  /** What stands in a component itself, and the components it leads to. */
  #touches(root: Schema): Record<Direction | 'seams', boolean> & { readonly refs: ReadonlySet<number> } {
    const found = { request: false, answer: false, seams: false, refs: new Set<number>() }
    const open: unknown[] = [root]
    while (open.length > 0) {
      const at = open.pop()
      if (typeof at !== 'object' || at === null) continue
      const schema = at as SchemaObject
      const ref = schema['$ref']
      if (typeof ref === 'string') found.refs.add(Number(ref.slice(2)))
      const others = [schema['additionalProperties'], schema['unevaluatedProperties']]
      const stated = [...entries(schema['properties']), ...entries(schema['patternProperties'])]
      for (const member of [...stated.map(([, each]) => each), ...others]) {
        open.push(member)
        for (const direction of ['request', 'answer'] as const)
          if (this.#places.isMarked(member, direction)) found[direction] = true
      }
      for (const keyword of ['anyOf', 'oneOf'] as const) {
        const branches = members(schema, keyword)
        if (branches.length > 1 && this.#places.of({ [keyword]: branches }).seams.size > 0) found.seams = true
        open.push(...branches)
      }
      if (gatedParts(schema).length > 0) found.seams = true
      open.push(...members(schema, 'allOf'), ...members(schema, 'prefixItems'))
      for (const keyword of [...STEPS, ...BRANCHES]) open.push(schema[keyword])
      for (const [, member] of entries(schema['dependentSchemas'])) open.push(member)
    }
    return found
  }

  #reference(ref: string, direction: Direction, beside: Beside): string {
    const index = Number(ref.slice(2))
    const place = this.#places.of(this.#components[index] ?? true)
    const waived = [...beside.waived].filter(
      (name) => place.required.has(name) && !place.marked[direction].has(name),
    )
    const names = [...beside.names].filter((name) => place.seams.has(name))
    const open = beside.open && place.seams.size > 0
    const directed = this.#reach[direction].has(index)
    if (!directed && waived.length + names.length === 0 && !open && !this.#reach.seams.has(index)) return ref
    const key = JSON.stringify([index, directed ? direction : '', waived.sort(), open ? true : names.sort()])
    const known = this.#variants.get(key)
    if (known !== undefined) return known
    if (this.#made++ >= MAX_VARIANTS) {
      this.exhausted = true
      return ref
    }
    const variant = this.#components.push(true) - 1
    this.#variants.set(key, `s:${variant}`)
    this.#pending.push({
      index: variant,
      schema: this.#components[index] ?? true,
      direction,
      beside: { waived: new Set(waived), names: new Set(names), open },
    })
    return `s:${variant}`
  }

  #sealed(schema: Schema, direction: Direction, beside: Beside): Schema {
    if (typeof schema === 'boolean') return schema
    return new PlaceSealer(schema, direction, beside, this.#places, {
      inner: (inner, around) => this.#sealed(inner, direction, around),
      reference: (ref, around) => this.#reference(ref, direction, around),
      exhausted: () => {
        this.exhausted = true
      },
    }).sealed()
  }
}
