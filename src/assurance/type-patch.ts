import { listAt, own } from '../contract/json-value.ts'
import type { DriftRow } from '../inventory/drift.ts'
import { joinSights, SIGHT_TYPES, type Sight, type SightType } from '../syntax/value-sight.ts'
import { below } from './overlay.ts'
import { type PatchDraft, tellShared } from './patch-draft.ts'
import type { Placed } from './schema-places.ts'
import { schemaOfSight, typeMembers } from './sight-schema.ts'

/** Of branches that a check tried in vain, each says what it lacked: that one of another type did is no drift. */
export const TAKEN = 'a branch of the schema takes such a type: what it lacked there is a row of its own'

interface Widened {
  readonly schema: Placed
  sight: Sight
  readonly rows: DriftRow[]
}

/** Types other than declared: one change of a schema each, however many operations and calls showed one. */
export class TypePatch {
  readonly #patch: PatchDraft
  readonly #widened = new Map<string, Widened>()

  constructor(patch: PatchDraft) {
    this.#patch = patch
  }

  add(row: DriftRow, schema: Placed, sight: Sight): void {
    const known = this.#widened.get(schema.pointer)
    if (known === undefined) this.#widened.set(schema.pointer, { schema, sight, rows: [row] })
    else {
      known.sight = joinSights(known.sight, sight)
      known.rows.push(row)
    }
  }

  /** Writes what was added; gives back what cannot be, and why. */
  finish(): readonly { readonly row: DriftRow; readonly why: string }[] {
    return [...this.#widened.values()].flatMap(({ schema, sight, rows }) => {
      const why = widen(schema, sight, this.#patch)
      return why === null ? [] : rows.map((row) => ({ row, why }))
    })
  }
}

/** The schema takes what was seen besides what it took; null, or why no action says so. */
function widen(start: Placed, sight: Sight, patch: PatchDraft): string | null {
  const typed = patch.places.layers(start).filter(({ value }) => own(value, 'type') !== undefined)
  const [schema] = typed
  if (schema === undefined) return NO_ONE_PLACE
  if (typed.length > 1) return widenChoice(start, typed, sight, patch)
  if (listsValues(schema)) return 'the schema lists its values: a type alone would not let others in'
  const stated = statedTypes(schema.value['type'])
  if (stated === null) return 'its type is not one of JSON'
  const added = sight.types.filter((type) => !stated.includes(type))
  if (added.length === 0) return 'the schema takes such a type now'
  if (added.includes('number') && stated.includes('integer') && own(schema.value, 'format') !== undefined)
    return 'the schema’s format is one of whole numbers'
  const { draft, pointer } = patch.file(schema.pointer)
  tellShared(schema.pointer, patch)
  const description = `Was seen as ${added.join(' and ')}, declared is ${stated.join(' and ')}.`
  if (patch.document.version === '3.1') {
    if (Array.isArray(schema.value['type'])) draft.remove(below(pointer, 'type'))
    const all = union(stated, added)
    draft.merge(
      pointer,
      { type: all.length === 1 ? all[0] : all, ...unstated(schema, added, sight, patch) },
      description,
    )
    return null
  }
  return widenOld(schema, stated, added, sight, patch, description)
}

/** Where branches state the types, what none of them takes becomes a branch. */
function widenChoice(
  start: Placed,
  typed: readonly Placed[],
  sight: Sight,
  patch: PatchDraft,
): string | null {
  const { document, places } = patch
  const old = document.version === '3.0'
  const takes = new Set(typed.flatMap(({ value }) => statedTypes(value['type']) ?? []))
  if (old && typed.some(({ value }) => value['nullable'] === true)) takes.add('null')
  const added = sight.types.filter((type) => !takes.has(type) && !(type === 'integer' && takes.has('number')))
  if (added.length === 0) return TAKEN
  const choice = places.layers(start).flatMap((layer) =>
    (['anyOf', 'oneOf'] as const).flatMap((key) => {
      const at = below(layer.pointer, key)
      const branches = listAt(layer.value, key).map((member, index) => {
        const branch = places.at(member, below(at, String(index)))
        return branch === null ? [] : places.layers(branch)
      })
      const all = new Set(branches.flat().map(({ pointer }) => pointer))
      if (!typed.every(({ pointer }) => all.has(pointer))) return []
      // A branch of any type beside a new one: a oneOf would find both.
      const open = branches.some((each) => !each.some(({ value }) => own(value, 'type') !== undefined))
      return open && key === 'oneOf' ? [] : [{ at, branches }]
    }),
  )[0]
  if (choice === undefined) return NO_ONE_PLACE
  const alone = choice.branches.flatMap((layers) => (layers.length === 1 ? layers : []))
  const plain = alone.filter((each) => own(each.value, 'type') !== undefined && !listsValues(each))
  // Beside a branch of whole numbers one of all numbers would take the same: that one is widened.
  const whole =
    added.includes('number') && takes.has('integer')
      ? plain.find(({ value }) => value['type'] === 'integer' && own(value, 'format') === undefined)
      : undefined
  if (whole === undefined && added.includes('number') && takes.has('integer'))
    return 'a branch of the schema takes whole numbers of its own kind'
  const nulled = old && added.includes('null') ? plain[0] : undefined
  if (nulled === undefined && old && added.includes('null')) return 'no branch of the schema can be nullable'
  tellShared(choice.at, patch)
  const description = `Was seen as ${added.join(' and ')}, declared is ${[...takes].join(' or ')}.`
  for (const type of added) {
    const changed = type === 'number' ? whole : type === 'null' ? nulled : undefined
    const { draft, pointer } = patch.file(changed?.pointer ?? choice.at)
    if (changed === undefined)
      draft.append(pointer, schemaOfSight({ ...sight, types: [type] }, document.version, ''), description)
    else draft.merge(pointer, type === 'number' ? { type } : { nullable: true }, description)
  }
  return null
}

/** OpenAPI 3.0 has one type in a schema, and `nullable` beside it. */
function widenOld(
  schema: Placed,
  stated: readonly SightType[],
  added: readonly SightType[],
  sight: Sight,
  patch: PatchDraft,
  description: string,
): string | null {
  const { draft, pointer } = patch.file(schema.pointer)
  const nullable = added.includes('null') || schema.value['nullable'] === true
  const others = union(
    stated,
    added.filter((type) => type !== 'null'),
  )
  const more = added.includes('null') ? { nullable: true } : {}
  if (others.length === 1) {
    draft.merge(pointer, { type: others[0], ...more }, description)
    return null
  }
  if (own(schema.value, 'anyOf') !== undefined) return 'the schema has an anyOf already'
  const anyOf = others.map((type) => {
    const known = stated.includes(type)
    const one = known
      ? { type, ...(type === 'array' ? { items: {} } : {}) }
      : schemaOfSight({ ...sight, types: [type] }, '3.0', '')
    return { ...one, ...(nullable ? { nullable: true } : {}) }
  })
  draft.remove(below(pointer, 'type'))
  if (schema.value['nullable'] !== undefined) draft.remove(below(pointer, 'nullable'))
  draft.merge(pointer, { anyOf }, description)
  return null
}

/** What the seen types bring along, where the schema says nothing of it. */
function unstated(schema: Placed, added: readonly SightType[], sight: Sight, patch: PatchDraft): object {
  const brought = Object.entries(typeMembers(added, sight, patch.document.version))
  // A format of one text says nothing of those that come later.
  return Object.fromEntries(
    brought.filter(([name]) => name !== 'format' && own(schema.value, name) === undefined),
  )
}

function union(a: readonly SightType[], b: readonly SightType[]): readonly SightType[] {
  const both = new Set([...a, ...b])
  if (both.has('number')) both.delete('integer')
  return SIGHT_TYPES.filter((type) => type !== 'null' && both.has(type)).concat(
    both.has('null') ? ['null'] : [],
  )
}

const NO_ONE_PLACE = 'its type is not stated in one place'

const listsValues = ({ value }: Placed): boolean =>
  own(value, 'enum') !== undefined || own(value, 'const') !== undefined

function statedTypes(type: unknown): readonly SightType[] | null {
  const list: readonly unknown[] = Array.isArray(type) ? type : [type]
  const known = SIGHT_TYPES.filter((each) => list.includes(each))
  return known.length === list.length ? known : null
}
