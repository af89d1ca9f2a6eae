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

/** An API with the templates its contract declares, below its base path. */
export interface Covered extends Claim {
  readonly basePath: string
  readonly templates: readonly string[]
}

/**
 * A longer base path must not take an operation away from the API that declares it: calls of `/v1/items/{id}` would be
 * answered under the rules of whoever claims `/v1/items`, and those may be none. Asked where both answer on one host.
 */
export function checkCovered(
  apis: readonly Covered[],
  sources: readonly { readonly name: string; readonly source: Source }[],
): readonly Problem[] {
  const findings = new Findings()
  for (const longer of apis) {
    const source = sources.find(({ name }) => name === longer.name)?.source
    for (const other of apis) {
      const prefix = `${other.basePath}/`
      if (source === undefined || !longer.basePath.startsWith(prefix) || !overlap(longer.hosts, other.hosts))
        continue
      const taken = other.templates.find((template) =>
        liesUnder(`${other.basePath}${template}`, longer.basePath),
      )
      if (taken === undefined) continue
      findings.problem(
        source,
        ['basePath'],
        `the base path ${longer.basePath} of "${longer.name}" takes ${other.basePath}${taken} away from "${other.name}", whose contract declares it`,
        'Give one of them another basePath, or both their own hosts.',
      )
    }
  }
  return findings.problems
}

/** Some path of the template has the base path as its beginning; a parameter can be any segment. */
function liesUnder(template: string, basePath: string): boolean {
  const parts = template.split('/')
  const base = basePath.split('/')
  return (
    base.length <= parts.length &&
    base.every((segment, at) => parts[at] === segment || parts[at]?.includes('{') === true)
  )
}
