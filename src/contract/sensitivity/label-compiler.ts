import type { OpenApiDocument } from '../document.ts'
import { faultAt } from '../fault.ts'
import { isRecord, type JsonRecord, listAt, own } from '../json-value.ts'
import type { Located } from '../reference.ts'
import type { Label } from './classes.ts'
import { type FieldStatement, type FieldVisibility, statedOf } from './field-statement.ts'
import { classOfFormat, classOfName } from './field-words.ts'
import type { LabelId, LabelNode } from './label-node.ts'
import { LabelStates, type PointerStatements, type State } from './label-states.ts'

/** A labelled place: where it stands in the contract, or where a pointer into the answer names it. */
export interface Place extends Label {
  readonly at: string
}

/** A field rule with its place. */
export interface PlacedVisibility extends FieldVisibility {
  readonly at: string
}

/** What one place has of its own. */
interface Own {
  readonly places: readonly Place[]
  readonly rules: readonly PlacedVisibility[]
  readonly nullable: boolean
}

export interface LabelOptions {
  /** Statements beside the contract, by JSON pointer without `#`. */
  readonly stated: ReadonlyMap<string, FieldStatement>
  /** Names and formats of fields tell classes too. */
  readonly names: boolean
}

/**
 * Finds which places of an operation's instances hold what. It reads the contract's schemas beside the converter: a
 * label merges over branches and references, where a check has to tell them apart.
 */
export class LabelCompiler {
  readonly #document: OpenApiDocument
  readonly #options: LabelOptions
  readonly #states: LabelStates
  readonly #own = new Map<State, Own>()
  readonly #roots = new Set<State>()
  #labelled: ReadonlySet<State> = new Set()
  #explicit: boolean

  constructor(document: OpenApiDocument, options: LabelOptions) {
    this.#document = document
    this.#options = options
    this.#states = new LabelStates(document, options.names ? classOfName : () => null)
    this.#explicit = options.stated.size > 0
  }

  /** The place of a whole instance that all these schemas describe. */
  root(schemas: readonly Located[], stated: readonly PointerStatements[], name?: string): State | null {
    const named = name === undefined || !this.#options.names ? null : classOfName(name)
    const root = this.#states.state(schemas, named, stated)
    if (root !== null) this.#roots.add(root)
    return root
  }

  /** Works out every place that the roots lead to. */
  finish(): void {
    const { all } = this.#states
    const parents = new Map<State, State[]>()
    const queue: State[] = []
    // `all` grows while it is read.
    for (let index = 0; index < all.length; index++) {
      const state = all[index]
      if (state === undefined) break
      const own = this.#ownOf(state)
      if (own.places.length > 0 || own.rules.length > 0) queue.push(state)
      for (const child of this.#children(state)) {
        const known = parents.get(child)
        if (known === undefined) parents.set(child, [state])
        else known.push(state)
      }
    }
    if (this.#states.exhausted && this.#explicit) {
      const message = 'schemas lead to too many places for the classes stated to be followed'
      throw faultAt(this.#document, '', message)
    }
    const labelled = new Set<State>(this.#states.exhausted ? [] : queue)
    if (!this.#states.exhausted) {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        for (const parent of parents.get(next) ?? []) {
          if (labelled.has(parent)) continue
          labelled.add(parent)
          queue.push(parent)
        }
      }
    }
    this.#labelled = labelled
  }

  get exhausted(): boolean {
    return this.#states.exhausted
  }

  idOf(root: State | null): LabelId {
    return root !== null && this.#labelled.has(root) ? root.id : 0
  }

  /** All places and rules that the roots lead to, without duplicates. */
  reached(roots: readonly (State | null)[]): {
    readonly places: readonly Place[]
    readonly rules: readonly PlacedVisibility[]
  } {
    const seen = new Set<State>()
    const places = new Map<string, Place>()
    const rules = new Map<string, PlacedVisibility>()
    const open = roots.filter((root): root is State => root !== null)
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next) || !this.#labelled.has(next)) continue
      seen.add(next)
      const own = this.#ownOf(next)
      for (const place of own.places) places.set(`${place.at} ${place.class}`, place)
      for (const rule of own.rules) rules.set(rule.at, rule)
      open.push(...this.#children(next))
    }
    const byPlace = (a: { readonly at: string }, b: { readonly at: string }): number => (a.at < b.at ? -1 : 1)
    return { places: [...places.values()].sort(byPlace), rules: [...rules.values()].sort(byPlace) }
  }

  /** Whether the schemas below a root declare the place; `*` stands for any name or index. */
  declares(root: State | null, segments: readonly string[]): boolean {
    let at: readonly State[] = root === null ? [] : [root]
    for (const segment of segments) {
      at = at.flatMap((state) => {
        const { names, patterns, others, items, prefix } = this.#states.below(state)
        const named = segment === '*' ? [...names.values()] : [names.get(segment) ?? others]
        const index = segment === '*' || /^\d{1,6}$/.test(segment)
        const within = index ? [items, ...prefix] : []
        return [...named, ...patterns.map(([, child]) => child), ...within].filter((each) => each !== null)
      })
      at = [...new Set(at)]
    }
    return at.length > 0
  }

  *table(): Generator<readonly [LabelId, LabelNode], void> {
    for (const state of this.#labelled) yield [state.id, this.#node(state)]
  }

  #node(state: State): LabelNode {
    const { names, patterns, overlap, others, items, prefix } = this.#states.below(state)
    const { places, rules, nullable } = this.#ownOf(state)
    const node: { -readonly [K in keyof LabelNode]: LabelNode[K] } = {}
    if (places.length > 0) node.c = [...new Set(places.map((place) => place.class))].sort()
    if (rules.length > 0) node.f = rules.map(({ at }) => at)
    if (nullable && (places.length > 0 || rules.length > 0)) node.z = 1
    const labelled = [...names].filter(([, child]) => this.idOf(child) !== 0)
    // A name without labels shields it from those of the further names.
    const shown = others === null && patterns.length === 0 ? labelled : [...names]
    if (shown.length > 0) {
      const p: Record<string, LabelId> = Object.create(null)
      for (const [name, child] of shown) p[name] = this.idOf(child)
      node.p = p
      const required = this.#required(state)
      const must = labelled.map(([name]) => name).filter((name) => required.has(name))
      if (must.length > 0) node.m = must
    }
    if (patterns.some(([, child]) => this.idOf(child) !== 0))
      node.q = patterns.map(([text, child]) => [text, this.idOf(child)])
    if (overlap !== null && this.idOf(overlap) !== 0) node.o = this.idOf(overlap)
    if (others !== null && this.idOf(others) !== 0) node.r = this.idOf(others)
    if (items !== null && this.idOf(items) !== 0) node.i = this.idOf(items)
    if (prefix.some((child) => this.idOf(child) !== 0)) node.t = prefix.map((child) => this.idOf(child))
    return node
  }

  #children(state: State): readonly State[] {
    const { names, patterns, overlap, others, items, prefix } = this.#states.below(state)
    const rest = [overlap, others, items].filter((each) => each !== null)
    return [...names.values(), ...patterns.map(([, child]) => child), ...rest, ...prefix]
  }

  #ownOf(state: State): Own {
    const known = this.#own.get(state)
    if (known !== undefined) return known
    const made = this.#makeOwn(state)
    this.#own.set(state, made)
    return made
  }

  #makeOwn(state: State): Own {
    const members = this.#states.members(state)
    const places: Place[] = []
    const rules: PlacedVisibility[] = []
    let silent = false
    const take = (at: string, { classes, field }: FieldStatement): void => {
      this.#explicit = true
      if (classes !== undefined) silent = true
      for (const name of classes ?? []) places.push({ at, class: name, origin: 'annotation' })
      if (field !== undefined) rules.push({ at, ...field })
    }
    for (const { value, pointer } of members) {
      const beside = this.#options.stated.get(pointer)
      const stated = statedOf(value)
      if (typeof stated === 'string') throw faultAt(this.#document, `${pointer}/x-sallyport`, stated)
      if (stated !== null) take(`#${pointer}`, stated)
      if (beside !== undefined) take(`#${pointer}`, beside)
    }
    for (const { at, statement } of state.stated) if (statement !== undefined) take(at, statement)
    if (!silent && isScalar(members)) {
      const at = `#${state.schemas[0]?.pointer ?? ''}`
      const guesses = [
        state.named,
        ...(this.#options.names
          ? members.map(({ value }) => classOfFormat((value as JsonRecord)['format']))
          : []),
      ]
      const found = new Map(guesses.flatMap((each) => (each === null ? [] : [[each.class, each] as const])))
      for (const label of found.values()) places.push({ at, ...label })
    }
    return { places, rules, nullable: members.some(({ value }) => isNullable(value as JsonRecord)) }
  }

  #required(state: State): ReadonlySet<unknown> {
    return new Set(
      this.#states.members(state).flatMap(({ value }) => listAt(value as JsonRecord, 'required')),
    )
  }
}

/** Texts and numbers can be what a name tells; an object or a yes and no of that name is about it. */
function isScalar(members: readonly Located[]): boolean {
  const types = members.flatMap(({ value }) => {
    const type = own(value as JsonRecord, 'type')
    return Array.isArray(type) ? (type as unknown[]) : type === undefined ? [] : [type]
  })
  if (types.length > 0)
    return types.some((type) => type === 'string' || type === 'integer' || type === 'number')
  return !members.some(({ value }) => isRecord(value) && ('properties' in value || 'items' in value))
}

function isNullable(schema: JsonRecord): boolean {
  const type = own(schema, 'type')
  if (own(schema, 'nullable') === true || type === 'null') return true
  if (Array.isArray(type) && type.includes('null')) return true
  return listAt(schema, 'enum').includes(null)
}
