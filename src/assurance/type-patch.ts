import { own } from '../contract/json-value.ts'
import { SIGHT_TYPES, type Sight, type SightType } from '../syntax/value-sight.ts'
import { below } from './overlay.ts'
import { type PatchDraft, tellShared } from './patch-draft.ts'
import type { Placed } from './schema-places.ts'
import { schemaOfSight, typeMembers } from './sight-schema.ts'

/** Of branches that a check tried in vain, each says what it lacked: that one of another type did is no drift. */
export const TAKEN = 'a branch of the schema takes such a type: what it lacked there is a row of its own'

/** The schema takes what was seen besides what it took; null, or why no action says so. */
export function widen(start: Placed, sight: Sight, patch: PatchDraft): string | null {
  const typed = patch.places.layers(start).filter(({ value }) => own(value, 'type') !== undefined)
  const [schema] = typed
  const takes = typed.flatMap(({ value }) => statedTypes(value['type']) ?? [])
  if (typed.length > 1 && sight.types.every((type) => takes.includes(type))) return TAKEN
  if (schema === undefined || typed.length > 1) return 'its type is not stated in one place'
  if (own(schema.value, 'enum') !== undefined || own(schema.value, 'const') !== undefined)
    return 'the schema lists its values: a type alone would not let others in'
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

function statedTypes(type: unknown): readonly SightType[] | null {
  const list: readonly unknown[] = Array.isArray(type) ? type : [type]
  const known = SIGHT_TYPES.filter((each) => list.includes(each))
  return known.length === list.length ? known : null
}
