import { Findings, type Source } from './findings.ts'
import type { Problem } from './place.ts'

/** What an API claims of the gate's address space; `basePath` null is not known before its contract is compiled. */
export interface Claim {
  readonly name: string
  /** Lower-case; empty: any. */
  readonly hosts: readonly string[]
  readonly basePath: string | null
}

/**
 * Two APIs must not claim one path: which of them answered, and under whose policies, would be chance. Asked once of
 * what configuration says, and again once contracts have given the base paths left out. A longer base path inside
 * another's is no conflict: the longest wins.
 */
export function checkClaims(
  claims: readonly Claim[],
  apis: readonly { readonly name: string; readonly source: Source }[],
): readonly Problem[] {
  const findings = new Findings()
  const sources = new Map(apis.map(({ name, source }) => [name, source]))
  const byPath = Map.groupBy(
    claims.filter(({ basePath }) => basePath !== null),
    ({ basePath }) => basePath,
  )
  for (const [path, rivals] of byPath) {
    for (const [index, later] of rivals.entries()) {
      const earlier = rivals.slice(0, index).find((other) => overlap(other.hosts, later.hosts))
      const source = sources.get(later.name)
      if (earlier === undefined || source === undefined) continue
      findings.problem(
        source,
        ['basePath'],
        `the APIs "${earlier.name}" and "${later.name}" both claim ${path === '' ? '/' : path} on ${where(earlier.hosts, later.hosts)}`,
        'Give one of them another basePath, or both their own hosts.',
      )
    }
  }
  return findings.problems
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.length === 0 || others.length === 0 || some.some((host) => others.includes(host))
}

function where(some: readonly string[], others: readonly string[]): string {
  if (some.length === 0 && others.length === 0) return 'any host'
  if (some.length === 0) return others[0] ?? ''
  if (others.length === 0) return some[0] ?? ''
  return some.find((host) => others.includes(host)) ?? ''
}
