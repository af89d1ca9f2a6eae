import type { Contract, ContractMatch } from '../contract/instantiate.ts'
import type { CleanHead } from './hygiene.ts'
import type { ApiSnapshot } from './snapshot.ts'

/**
 * The API as a call meets it that is no operation. Where only some operations of an observed API are enforced, a call
 * that upstreams may take for one of these is refused as in an enforced API: another method on its path (HEAD for
 * GET, one overridden by a parameter), its path in another case, or with a slash at the end. Else the operation would
 * be enforced for those only who spell it as the contract does.
 */
export function inModeNear(
  api: ApiSnapshot,
  matched: Exclude<ContractMatch, { readonly kind: 'match' }>,
  segments: readonly string[],
  head: Pick<CleanHead, 'query' | 'fields'>,
): ApiSnapshot {
  const { contract, otherMode, plan } = api
  if (contract === null || otherMode === undefined || plan.mode !== 'observe') return api
  if (matched.kind === 'method') {
    for (const method of matched.allow) {
      const other = contract.match(method, segments, head.query, head.fields)
      if (other.kind === 'match' && other.operation.plan.mode === 'enforce') return otherMode
    }
    return api
  }
  const asked = folded(segments)
  return enforcedPaths(contract).some((path) => isNear(path, asked)) ? otherMode : api
}

const known = new WeakMap<Contract, readonly (readonly string[])[]>()

/** Worked out once: callers may ask for unknown paths as often as they like. */
function enforcedPaths(contract: Contract): readonly (readonly string[])[] {
  const made = known.get(contract)
  if (made !== undefined) return made
  const templates = new Set<string>()
  for (const { plan } of contract.operations.values())
    if (plan.mode === 'enforce') templates.add(plan.template.replace(/[?#].*$/s, ''))
  const paths = [...templates].map((template) => folded(template.slice(1).split('/')))
  known.set(contract, paths)
  return paths
}

function isNear(path: readonly string[], asked: readonly string[]): boolean {
  if (path.length !== asked.length) return false
  return path.every((segment, index) => segment.includes('{') || segment === asked[index])
}

/** Without an empty segment at the end; escapes read, case put aside. */
function folded(segments: readonly string[]): readonly string[] {
  const named = segments.length > 1 && segments.at(-1) === '' ? segments.slice(0, -1) : segments
  return named.map((segment) => {
    try {
      return decodeURIComponent(segment).toLowerCase()
    } catch {
      return segment.toLowerCase()
    }
  })
}
