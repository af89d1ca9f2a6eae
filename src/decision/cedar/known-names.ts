import { nearest } from '../../syntax/nearest.ts'
import type { EntityName } from './est.ts'
import type { ApiOperations } from './schema.ts'
import { actionIds } from './schema.ts'

export interface KnownNames {
  /** By entity type, the ids there are; of other types any may be named. */
  readonly ids: ReadonlyMap<string, readonly ReadonlySet<string>[]>
  /** Config names of the issuers; null: any may be named. */
  readonly issuers: ReadonlySet<string> | null
}

/** Entities whose id begins with their issuer's name. */
const ISSUED: ReadonlySet<string> = new Set(['User', 'Client', 'Workload', 'Group', 'Role', 'Device'])

/** @param issuers Left out: who issues what is not looked at. */
export function knownNames(
  apis: readonly ApiOperations[],
  zones: readonly string[],
  issuers?: readonly string[],
): KnownNames {
  const operations = apis.flatMap((api) => api.operations.map(({ key }) => key))
  const ids = new Map([
    ['Action', apis.map(actionIds)],
    ['Api', [new Set(apis.map(({ api }) => api))]],
    ['Operation', [new Set(operations)]],
    ['Zone', [new Set(zones)]],
  ])
  return { ids, issuers: issuers === undefined ? null : new Set(issuers) }
}

/**
 * Actions, operations, APIs and zones a policy names must exist, and callers, groups, roles and devices must be of an
 * issuer that does: a forbid over a misspelt name would forbid nothing.
 * @returns what to say of a name there is not, with the nearest there is; null of any other.
 */
export function unknownName(name: EntityName, { ids, issuers }: KnownNames): string | null {
  if (issuers !== null && ISSUED.has(name.type)) return unknownIssuer(name, issuers)
  const candidates = ids.get(name.type)
  if (candidates === undefined || candidates.some((set) => set.has(name.id))) return null
  const close = nearest(
    name.id,
    candidates.flatMap((set) => [...set]),
  )
  const hint = close === null ? '' : `; the nearest is ${literal({ type: name.type, id: close })}`
  return `there is no ${literal(name)}${hint}`
}

/** `corp/ana`, and of an owner known by another claim than `sub`, `corp~email/ana`. */
function unknownIssuer({ type, id }: EntityName, issuers: ReadonlySet<string>): string | null {
  const slash = id.indexOf('/')
  const form = `${type}::"<issuer>/${type === 'User' ? 'sub' : 'name'}"`
  if (slash === -1) {
    const [only = ''] = issuers
    const meant = issuers.size === 1 ? literal({ type, id: `${only}/${id}` }) : form
    return `${literal({ type, id })} names no issuer: write ${meant}`
  }
  const mark = id.indexOf('~')
  const end = mark === -1 || mark > slash ? slash : mark
  const issuer = id.slice(0, end)
  if (issuers.has(issuer)) return null
  const close = nearest(issuer, [...issuers])
  const hint = close === null ? '' : `; the nearest is ${literal({ type, id: close + id.slice(end) })}`
  return `there is no issuer ${JSON.stringify(issuer)}, of which ${literal({ type, id })} would be${hint}`
}

function literal(name: EntityName): string {
  return `${name.type}::${JSON.stringify(name.id.slice(0, 200))}`
}
