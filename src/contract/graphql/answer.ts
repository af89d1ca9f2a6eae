import type { FieldNode, OperationDefinitionNode, SelectionSetNode } from 'graphql/language'
import type { GraphQLCompositeType, GraphQLObjectType, GraphQLOutputType, GraphQLSchema } from 'graphql/type'
import type { Finding } from '../../model/fact.ts'
import { escapePointer } from '../../syntax/json-pointer.ts'
import { isRawNumber } from '../exact-json.ts'
import { contractFinding, MAX_FINDINGS, shortPointer } from '../findings.ts'
import { isRecord } from '../json-value.ts'
import { graphql } from './library.ts'
import type { Fragments } from './measure.ts'

/** An answer's `data` held against what the operation selected: what was not asked for is taken out. */

export interface HeldData {
  readonly value: unknown
  readonly dropped: ReadonlySet<string>
  readonly findings: readonly Finding[]
}

const MAX_DROPPED = 100

/** One response name of an object: what it holds, and what was selected below it. */
interface Selected {
  readonly type: GraphQLOutputType
  readonly below: Selection | null
  /** `@skip` or `@include` may leave it out. */
  readonly conditional: boolean
}

interface SetOf {
  readonly set: SelectionSetNode
  readonly parent: GraphQLCompositeType
}

/** All that is selected of the objects at one place, by the type that answers; worked out as answers need it. */
class Selection {
  /** The type that answers, where only one can. */
  readonly type: GraphQLObjectType | null
  readonly sets: readonly SetOf[]
  readonly byType = new Map<string, ReadonlyMap<string, Selected>>()

  constructor(sets: readonly SetOf[]) {
    const [only, ...others] = new Set(sets.map(({ parent }) => parent))
    this.type = only !== undefined && others.length === 0 && graphql().isObjectType(only) ? only : null
    this.sets = sets
  }
}

export class SelectedAnswer {
  readonly #schema: GraphQLSchema
  readonly #fragments: Fragments
  readonly #root: Selection | null

  constructor(schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) {
    this.#schema = schema
    this.#fragments = fragments
    const root = schema.getRootType(operation.operation)
    this.#root = root == null ? null : new Selection([{ set: operation.selectionSet, parent: root }])
  }

  /** `data` is changed in place where it is not as selected. */
  hold(data: unknown): HeldData {
    const walk = new Walk(this.#schema, this.#fragments)
    const value = data === null || this.#root === null ? null : walk.composite(data, this.#root, '/data')
    return { value, dropped: walk.dropped, findings: walk.findings }
  }
}

class Walk {
  readonly dropped = new Set<string>()
  readonly findings: Finding[] = []
  readonly #schema: GraphQLSchema
  readonly #fragments: Fragments

  constructor(schema: GraphQLSchema, fragments: Fragments) {
    this.#schema = schema
    this.#fragments = fragments
  }

  composite(value: unknown, selection: Selection, at: string): unknown {
    if (!isRecord(value) || isRawNumber(value)) {
      this.#drop(at)
      return null
    }
    const selected = this.#selectedOf(value, selection)
    const members = value as Record<string, unknown>
    for (const name of Object.keys(members)) {
      const place = `${at}/${escapePointer(name)}`
      const one = selected.fields.get(name)
      if (one === undefined) {
        delete members[name]
        this.#drop(place)
      } else members[name] = this.#value(members[name], one.type, one.below, place)
    }
    if (selected.exact)
      for (const [name, { type, conditional }] of selected.fields)
        if (!conditional && graphql().isNonNullType(type) && !Object.hasOwn(members, name))
          this.#say(`${at}/${escapePointer(name)}`, 'missing')
    return value
  }

  #value(value: unknown, type: GraphQLOutputType, below: Selection | null, at: string): unknown {
    const { isNonNullType, isListType } = graphql()
    if (isNonNullType(type)) {
      const held = this.#value(value, type.ofType, below, at)
      if (held === null) this.#say(at, 'non-null')
      return held
    }
    if (value === null) return null
    if (isListType(type)) {
      if (!Array.isArray(value)) {
        this.#drop(at)
        return null
      }
      for (let index = 0; index < value.length; index++)
        value[index] = this.#value(value[index], type.ofType, below, `${at}/*`)
      return value
    }
    return below === null ? this.#leaf(value, type, at) : this.composite(value, below, at)
  }

  /** Of a built-in scalar or an enum nothing but one value is released; what another scalar holds is its own affair. */
  #leaf(value: unknown, type: GraphQLOutputType, at: string): unknown {
    const { isEnumType, isSpecifiedScalarType, isScalarType } = graphql()
    const raw = typeof value === 'object' && value !== null && isRawNumber(value)
    if (isEnumType(type)) {
      if (typeof value === 'string' && type.getValue(value) != null) return value
    } else if (!isScalarType(type) || !isSpecifiedScalarType(type)) return value
    else if (isOf(type.name, value, raw)) return value
    if (typeof value === 'object' && !raw) {
      this.#drop(at)
      return null
    }
    this.#say(at, 'type')
    return value
  }

  #drop(at: string): void {
    if (this.dropped.size < MAX_DROPPED) this.dropped.add(shortPointer(at))
  }

  #say(at: string, rule: string): void {
    if (this.findings.length >= MAX_FINDINGS) return
    const pointer = shortPointer(at)
    if (this.findings.some(({ reason: { evidence } }) => evidence['pointer'] === pointer)) return
    this.findings.push(contractFinding('response-invalid', { pointer, rule }))
  }

  /** Which type answers is known where there is one, or where `__typename` says; else any of them may. */
  #selectedOf(
    value: Readonly<Record<string, unknown>>,
    selection: Selection,
  ): { readonly fields: ReadonlyMap<string, Selected>; readonly exact: boolean } {
    let { type } = selection
    if (type === null) {
      const any = this.#fieldsOf(selection, null)
      for (const name of any.keys()) {
        if (!this.#isTypename(selection, name)) continue
        const said = Object.hasOwn(value, name) ? value[name] : undefined
        const named = typeof said === 'string' ? this.#schema.getType(said) : undefined
        if (named !== undefined && graphql().isObjectType(named)) type = named
      }
      if (type === null) return { fields: any, exact: false }
    }
    return { fields: this.#fieldsOf(selection, type), exact: true }
  }

  #isTypename(selection: Selection, name: string): boolean {
    return (
      this.#nodes(selection, null)
        .get(name)
        ?.every(({ node }) => node.name.value === '__typename') === true
    )
  }

  #fieldsOf(selection: Selection, type: GraphQLObjectType | null): ReadonlyMap<string, Selected> {
    const key = type?.name ?? ''
    const known = selection.byType.get(key)
    if (known !== undefined) return known
    const { getNamedType, isCompositeType } = graphql()
    const fields = new Map<string, Selected>()
    for (const [name, chosen] of this.#nodes(selection, type)) {
      const [first] = chosen
      if (first === undefined) continue
      const conditional = chosen.every((each) => each.conditional)
      const sets = chosen.flatMap(({ node: { selectionSet: set }, type: own }): readonly SetOf[] => {
        const parent = getNamedType(own)
        return set === undefined || !isCompositeType(parent) ? [] : [{ set, parent }]
      })
      const below = sets.length === 0 ? null : new Selection(sets)
      fields.set(name, { type: first.type, below, conditional })
    }
    selection.byType.set(key, fields)
    return fields
  }

  #nodes(selection: Selection, type: GraphQLObjectType | null): ReadonlyMap<string, Chosen[]> {
    const chosen = new Map<string, Chosen[]>()
    const seen = new Set<string>()
    for (const { set, parent } of selection.sets) {
      if (type === null || parent === type || this.#includes(parent, type))
        this.#collect(set, parent, type, false, chosen, seen)
    }
    return chosen
  }

  #collect(
    { selections }: SelectionSetNode,
    parent: GraphQLCompositeType,
    type: GraphQLObjectType | null,
    conditional: boolean,
    chosen: Map<string, Chosen[]>,
    seen: Set<string>,
  ): void {
    for (const selection of selections) {
      const may = conditional || (selection.directives?.length ?? 0) > 0
      if (selection.kind === 'Field') {
        const field =
          this.#schema.getField(type ?? parent, selection.name.value) ??
          this.#schema.getField(parent, selection.name.value)
        if (field === undefined) continue
        const name = selection.alias?.value ?? selection.name.value
        const one = { node: selection, type: field.type, conditional: may }
        const group = chosen.get(name)
        if (group === undefined) chosen.set(name, [one])
        else group.push(one)
        continue
      }
      const spread = selection.kind === 'FragmentSpread'
      // A spread that may be left out says less than a later one that may not.
      const key = spread ? `${selection.name.value}${may ? '?' : ''}` : ''
      if (spread && seen.has(key)) continue
      if (spread) seen.add(key)
      const part = spread ? this.#fragments.get(selection.name.value) : selection
      if (part === undefined) continue
      const condition = part.typeCondition?.name.value
      const named = condition === undefined ? parent : this.#schema.getType(condition)
      if (named === undefined || !graphql().isCompositeType(named)) continue
      if (type !== null && named !== type && !this.#includes(named, type)) continue
      this.#collect(part.selectionSet, named, type, may, chosen, seen)
    }
  }

  #includes(named: GraphQLCompositeType, type: GraphQLObjectType): boolean {
    return graphql().isAbstractType(named) && this.#schema.isSubType(named, type)
  }
}

interface Chosen {
  readonly node: FieldNode
  readonly type: GraphQLOutputType
  readonly conditional: boolean
}

function isOf(name: string, value: unknown, raw: boolean): boolean {
  switch (name) {
    case 'Int':
      return Number.isInteger(value) && Math.abs(Number(value)) <= 2_147_483_648
    case 'Float':
      return raw || typeof value === 'number'
    case 'Boolean':
      return typeof value === 'boolean'
    case 'ID':
      return typeof value === 'string' || raw || Number.isInteger(value)
    default:
      return typeof value === 'string'
  }
}
