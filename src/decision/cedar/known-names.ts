import { nearest } from '../../syntax/nearest.ts'
import type { EntityName } from './est.ts'
import type { ApiOperations } from './schema.ts'
import { actionIds } from './schema.ts'

/** By entity type, the ids there are; of other types any may be named. */
export type KnownNames = ReadonlyMap<string, readonly ReadonlySet<string>[]>

export function knownNames(apis: readonly ApiOperations[], zones: readonly string[]): KnownNames {
  const operations = apis.flatMap((api) => api.operations.map(({ key }) => key))
  return new Map([
    ['Action', apis.map(actionIds)],
    ['Api', [new Set(apis.map(({ api }) => api))]],
    ['Operation', [new Set(operations)]],
    ['Zone', [new Set(zones)]],
  ])
}

/**
 * Actions, operations, APIs and zones a policy names must exist: a forbid over a misspelt name would forbid nothing.
 * @returns what to say of a name there is not, with the nearest there is; null of any other.
 */
export function unknownName(name: EntityName, known: KnownNames): string | null {
  const candidates = known.get(name.type)
  if (candidates === undefined || candidates.some((set) => set.has(name.id))) return null
  const close = nearest(
    name.id,
    candidates.flatMap((set) => [...set]),
  )
  const hint = close === null ? '' : `; the nearest is ${literal({ type: name.type, id: close })}`
  return `there is no ${literal(name)}${hint}`
}

function literal(name: EntityName): string {
  return `${name.type}::${JSON.stringify(name.id)}`
}
