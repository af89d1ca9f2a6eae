import type { ApiSnapshot } from './snapshot.ts'

export type ApiMatch =
  | { readonly kind: 'api'; readonly api: ApiSnapshot; readonly segments: readonly string[] }
  | { readonly kind: 'host-unknown' }
  | { readonly kind: 'route-unknown' }

/**
 * Which API a call is for: those that name its host come before those for any host, the longest base path first.
 * Base paths match whole segments only: `/v1` is no prefix of `/v10`.
 */
export class ApiTable {
  readonly all: readonly ApiSnapshot[]
  readonly #byHost = new Map<string, readonly ApiSnapshot[]>()
  readonly #anyHost: readonly ApiSnapshot[]

  constructor(apis: readonly ApiSnapshot[]) {
    this.all = apis
    this.#anyHost = byBasePath(apis.filter(({ plan }) => plan.hosts.length === 0))
    for (const host of new Set(apis.flatMap(({ plan }) => plan.hosts))) {
      this.#byHost.set(host, [
        ...byBasePath(apis.filter(({ plan }) => plan.hosts.includes(host))),
        ...this.#anyHost,
      ])
    }
  }

  match(host: string, path: string, segments: readonly string[]): ApiMatch {
    const candidates = this.#byHost.get(host) ?? this.#anyHost
    if (candidates.length === 0) return { kind: 'host-unknown' }
    for (const api of candidates) {
      const { basePath } = api.plan
      if (basePath === '') return { kind: 'api', api, segments }
      if (path.startsWith(basePath) && (path.length === basePath.length || path[basePath.length] === '/')) {
        return { kind: 'api', api, segments: segments.slice(depth(basePath)) }
      }
    }
    return { kind: 'route-unknown' }
  }
}

function byBasePath(apis: readonly ApiSnapshot[]): ApiSnapshot[] {
  return [...apis].sort((a, b) => b.plan.basePath.length - a.plan.basePath.length)
}

function depth(basePath: string): number {
  let count = 0
  for (const char of basePath) if (char === '/') count++
  return count
}
