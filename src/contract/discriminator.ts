import { escapePointer } from '../syntax/json-pointer.ts'
import { isRecord, type JsonRecord, own, recordAt, textAt } from './json-value.ts'

/**
 * The discriminator validates nothing (OpenAPI 3.1 §4.8.25): which branches fit decides `oneOf` with it as without it. Where none does, it says whose errors are worth telling: those of the branch that the value names.
 */
export interface Branches {
  readonly property: string
  /** Values of the property by the branch they name. */
  readonly cases: readonly (readonly [value: string, branch: number])[]
}

const COMPONENTS = '/components/schemas/'

/** `placeOf` gives the place a reference points to, or null. */
export function branchesOf(schema: JsonRecord, placeOf: (ref: string) => string | null): Branches | null {
  const stated = own(schema, 'discriminator')
  const property = isRecord(stated) ? textAt(stated, 'propertyName') : undefined
  const members = own(schema, 'oneOf')
  if (!isRecord(stated) || property === undefined || !Array.isArray(members)) return null
  const places = members.map((member: unknown) => {
    const ref = isRecord(member) ? textAt(member, '$ref') : undefined
    return ref === undefined ? null : placeOf(ref)
  })
  const cases = new Map<string, number>()
  for (const [branch, place] of places.entries()) {
    if (place?.startsWith(COMPONENTS)) cases.set(place.slice(COMPONENTS.length), branch)
  }
  for (const [value, target] of Object.entries(recordAt(stated, 'mapping'))) {
    if (typeof target !== 'string') continue
    const named = `${COMPONENTS}${escapePointer(target)}`
    const place = places.includes(named) ? named : placeOf(target)
    const branch = place === null ? -1 : places.indexOf(place)
    if (branch >= 0) cases.set(value, branch)
  }
  return cases.size === 0 ? null : { property, cases: [...cases] }
}

/** Which branch a value names, or -1. */
export function branchOf(data: unknown, property: string, cases: ReadonlyMap<unknown, number>): number {
  if (!isRecord(data) || !Object.hasOwn(data, property)) return -1
  return cases.get(data[property]) ?? -1
}
