import { classOfFormat, classOfName } from '../contract/sensitivity/field-words.ts'
import type { Sight, SightType } from '../syntax/value-sight.ts'

type Schema = Readonly<Record<string, unknown>>

/**
 * The schema of what was seen, in the words of its OpenAPI version. What records do not tell of an object or list stays
 * open; what was empty whenever it was seen has no member.
 * @param name Of the field, for its class; empty where it has none.
 */
export function schemaOfSight(sight: Sight, version: '3.0' | '3.1', name: string): Schema {
  const types = sight.types.filter((type) => type !== 'null')
  const nullable = types.length < sight.types.length
  const classes = classOf(sight, name)
  const stated = classes === null ? {} : { 'x-sallyport': { class: classes } }
  if (version === '3.1') {
    const all = nullable ? [...types, 'null'] : types
    const type = all.length === 0 ? {} : { type: all.length === 1 ? all[0] : all }
    return { ...type, ...typeMembers(types, sight, version), ...stated }
  }
  const [only] = types
  // Seen as null alone, and 3.0 has no type null: a text is the least that may be null.
  if (only === undefined) return nullable ? { type: 'string', nullable: true, ...stated } : stated
  const more = nullable ? { nullable: true } : {}
  if (types.length === 1) return { type: only, ...more, ...typeMembers(types, sight, version), ...stated }
  const anyOf = types.map((type) => ({ type, ...more, ...typeMembers([type], sight, version) }))
  return { anyOf, ...stated }
}

/** Keywords beside `type`. */
export function typeMembers(types: readonly SightType[], sight: Sight, version: '3.0' | '3.1'): Schema {
  const { format, items, members, more } = sight
  const ofObject = (): Schema => {
    const properties = Object.fromEntries(
      [...(members ?? [])].map(([name, member]) => [name, schemaOfSight(member, version, name)]),
    )
    const any = Object.keys(properties).length > 0
    if (more === true) return { ...(any ? { properties } : {}), additionalProperties: true }
    return any ? { properties } : { additionalProperties: false }
  }
  return {
    ...(types.includes('string') && format !== undefined ? { format } : {}),
    ...(types.includes('array')
      ? { items: items === undefined ? {} : schemaOfSight(items, version, '') }
      : {}),
    ...(types.includes('object') ? ofObject() : {}),
  }
}

/** What the field is, by its name, its format, or what its values showed; null where nothing tells. */
export function classOf({ types, format, detected }: Sight, name: string): string | null {
  const named = name === '' ? null : classOfName(name)
  // An object or list of this name holds more than the word says.
  if (named !== null && !types.includes('object')) return named.class
  return classOfFormat(format)?.class ?? detected?.class ?? null
}
