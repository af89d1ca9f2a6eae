import { escapePointer } from '../../syntax/json-pointer.ts'
import type { OpenApiDocument } from '../document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt } from '../json-value.ts'
import { compilePattern, mayFit } from '../pattern.ts'
import type { Located } from '../reference.ts'
import { referredSchemas } from '../schema-resources.ts'
import type { Label } from './classes.ts'
import type { FieldStatement } from './field-statement.ts'

/** Statements of one operation by pointer into its instances: `/customer/email`, `*` for any name or index. */
export interface PointerStatements {
  /** The pointer so far. */
  readonly at: string
  statement?: FieldStatement
  /** Some declared place is meant by it. */
  met: boolean
  readonly below: Map<string, PointerStatements>
}

/** All schemas that apply at one place of an instance, with what the way there says of it. */
export interface State {
  readonly id: number
  readonly schemas: readonly Located[]
  /** Told by the name of the field. */
  readonly named: Label | null
  readonly stated: readonly PointerStatements[]
}

export interface Below {
  readonly names: ReadonlyMap<string, State>
  readonly patterns: readonly (readonly [string, State])[]
  /** Of a name that meets several patterns. */
  readonly overlap: State | null
  readonly others: State | null
  readonly items: State | null
  readonly prefix: readonly State[]
}

/** A contract's schemas lead to so many places at most; the largest published ones stay below 60,000. */
const MAX_STATES = 200_000

/** Schemas that apply together are one state: references, combinators and conditions are taken as one place. */
export class LabelStates {
  readonly all: State[] = []
  exhausted = false
  readonly #document: OpenApiDocument
  readonly #name: (name: string) => Label | null
  readonly #ids = new Map<string, number>()
  readonly #states = new Map<string, State>()
  readonly #statements = new Map<PointerStatements, number>()
  readonly #members = new Map<State, readonly Located[]>()
  readonly #below = new Map<State, Below>()

  constructor(document: OpenApiDocument, name: (name: string) => Label | null) {
    this.#document = document
    this.#name = name
  }

  state(
    schemas: readonly Located[],
    named: Label | null,
    stated: readonly PointerStatements[],
  ): State | null {
    const ids = [...new Set(schemas.map(({ pointer }) => this.#idOf(pointer)))].sort((a, b) => a - b)
    const marks = stated.map((each) => this.#markOf(each)).sort((a, b) => a - b)
    const key = `${ids.join()}|${named?.class ?? ''}|${marks.join()}`
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.all.length >= MAX_STATES) {
      this.exhausted = true
      return null
    }
    const made: State = { id: this.all.length + 1, schemas, named, stated }
    this.#states.set(key, made)
    this.all.push(made)
    return made
  }

  /** The state's schemas with all that they take in at the same place. */
  members(state: State): readonly Located[] {
    const known = this.#members.get(state)
    if (known !== undefined) return known
    const found = new Map<string, Located>()
    const open: Located[] = [...state.schemas]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { value, pointer } = next
      if (!isRecord(value) || found.has(pointer)) continue
      found.set(pointer, next)
      open.push(...referredSchemas(this.#document, value, pointer))
      for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
        listAt(value, keyword).forEach((member, index) => {
          open.push({ value: member, pointer: `${pointer}/${keyword}/${index}` })
        })
      }
      for (const keyword of ['if', 'then', 'else']) {
        const member = own(value, keyword)
        if (isRecord(member)) open.push({ value: member, pointer: `${pointer}/${keyword}` })
      }
      for (const [name, member] of Object.entries(recordAt(value, 'dependentSchemas')))
        open.push({ value: member, pointer: `${pointer}/dependentSchemas/${escapePointer(name)}` })
    }
    const members = [...found.values()]
    this.#members.set(state, members)
    return members
  }

  below(state: State): Below {
    const known = this.#below.get(state)
    if (known !== undefined) return known
    const made = this.#makeBelow(state)
    this.#below.set(state, made)
    return made
  }

  #makeBelow(state: State): Below {
    const names = new Map<string, Located[]>()
    const patterns = new Map<string, Located[]>()
    const others: Located[] = []
    const items: Located[] = []
    const prefix: Located[][] = []
    let open = false
    for (const { value, pointer } of this.members(state)) {
      const schema = value as JsonRecord
      each(schema, 'properties', pointer, (name, at) => append(names, name, at))
      each(schema, 'patternProperties', pointer, (name, at) => append(patterns, name, at))
      for (const keyword of ['additionalProperties', 'unevaluatedProperties']) {
        const member = own(schema, keyword)
        if (member === true || isRecord(member)) open = true
        if (isRecord(member)) others.push({ value: member, pointer: `${pointer}/${keyword}` })
      }
      const tuple = listAt(schema, 'prefixItems')
      tuple.forEach((member, index) => {
        prefix[index] ??= []
        prefix[index].push({ value: member, pointer: `${pointer}/prefixItems/${index}` })
      })
      for (const keyword of ['items', 'unevaluatedItems', 'contains']) {
        const member = own(schema, keyword)
        if (isRecord(member)) items.push({ value: member, pointer: `${pointer}/${keyword}` })
      }
    }
    for (const [text, at] of patterns) {
      const pattern = compilePattern(text)
      for (const [name, known] of names) if (pattern === null || mayFit(pattern, name)) known.push(...at)
    }
    // A branch that does not name a field may still let it in by its further ones.
    for (const known of names.values()) known.push(...others)
    // A pointer may name what only further names let in.
    for (const trie of state.stated) {
      for (const name of trie.below.keys())
        if (open && name !== '*' && !names.has(name)) names.set(name, [...others])
    }
    const childOf = (
      schemas: readonly Located[],
      named: Label | null,
      ...steps: readonly string[]
    ): State | null => {
      const stated = state.stated.flatMap((trie) => steps.flatMap((step) => trie.below.get(step) ?? []))
      for (const trie of stated) trie.met = true
      return schemas.length === 0 && stated.length === 0 ? null : this.state(schemas, named, stated)
    }
    const found = new Map<string, State>()
    for (const [name, schemas] of names) {
      const child = childOf(schemas, this.#name(name), name, '*')
      if (child !== null) found.set(name, child)
    }
    return {
      names: found,
      patterns: [...patterns].flatMap(([text, at]) => {
        const child = childOf([...at, ...others], null, '*')
        return child === null ? [] : [[text, child] as const]
      }),
      overlap: patterns.size < 2 ? null : childOf([...[...patterns.values()].flat(), ...others], null, '*'),
      others: others.length === 0 ? null : childOf(others, null, '*'),
      // What a list of them is called, each of them is.
      items: items.length === 0 ? null : childOf(items, state.named, '*'),
      prefix: prefix.flatMap((at, index) => childOf(at, state.named, '*', String(index)) ?? []),
    }
  }

  #idOf(pointer: string): number {
    let id = this.#ids.get(pointer)
    if (id === undefined) {
      id = this.#ids.size
      this.#ids.set(pointer, id)
    }
    return id
  }

  #markOf(statements: PointerStatements): number {
    let mark = this.#statements.get(statements)
    if (mark === undefined) {
      mark = this.#statements.size
      this.#statements.set(statements, mark)
    }
    return mark
  }
}

function append(into: Map<string, Located[]>, name: string, at: Located): void {
  const known = into.get(name)
  if (known === undefined) into.set(name, [at])
  else known.push(at)
}

function each(
  schema: JsonRecord,
  keyword: string,
  pointer: string,
  visit: (name: string, at: Located) => void,
): void {
  for (const [name, value] of Object.entries(recordAt(schema, keyword)))
    visit(name, { value, pointer: `${pointer}/${keyword}/${escapePointer(name)}` })
}

/** The statements of an operation as a tree; `at` names each in faults. */
export function pointerStatements(
  stated: Readonly<Record<string, FieldStatement>>,
  parse: (pointer: string) => readonly string[],
): PointerStatements {
  const root: PointerStatements = { at: '', met: true, below: new Map() }
  for (const [pointer, statement] of Object.entries(stated)) {
    let node = root
    for (const step of parse(pointer)) {
      let next = node.below.get(step)
      if (next === undefined) {
        next = { at: `${node.at}/${escapePointer(step)}`, met: false, below: new Map() }
        node.below.set(step, next)
      }
      node = next
    }
    node.statement = statement
  }
  return root
}
