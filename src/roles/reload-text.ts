import { count } from '../management/printable.ts'
import type { ApiPlan, IssuerPlan } from '../model/bundle.ts'
import type { BundleSummary } from './compile-in-thread.ts'

interface Compared extends Pick<BundleSummary, 'hash' | 'operations' | 'policies' | 'tests'> {
  readonly apis: readonly Pick<ApiPlan, 'name' | 'mode' | 'upstream' | 'zone' | 'observeStages'>[]
  readonly issuers: readonly Pick<IssuerPlan, 'name' | 'iss'>[]
}

/** What a reload changed that matters to who reads the log: APIs and issuers, how they are guarded, how much there is. */
export function changesText(before: Compared, after: Compared): string {
  if (before.hash === after.hash) return `bundle ${after.hash.slice(0, 12)} as before`
  const changes = [`bundle ${after.hash.slice(0, 12)}`]
  const old = new Map(before.apis.map((api) => [api.name, api]))
  for (const api of after.apis) {
    const was = old.get(api.name)
    if (was === undefined) changes.push(`API ${api.name} added (${api.mode})`)
    else if (was.mode !== api.mode) changes.push(`API ${api.name} from ${was.mode} to ${api.mode}`)
    if (was !== undefined && was.zone !== api.zone)
      changes.push(`API ${api.name} from zone ${was.zone ?? 'none'} to ${api.zone ?? 'none'}`)
    const [held, holds] = [stages(was), stages(api)]
    if (held !== holds)
      changes.push(`API ${api.name} only observes ${holds === '' ? 'no stage any more' : holds}`)
    if (was !== undefined && was.upstream.origin !== api.upstream.origin)
      changes.push(`API ${api.name} now at ${api.upstream.origin}`)
  }
  changes.push(...removed('API', before.apis, after.apis))
  const known = new Map(before.issuers.map((issuer) => [issuer.name, issuer.iss]))
  for (const { name, iss } of after.issuers)
    if (known.get(name) !== iss) changes.push(`issuer ${name} ${known.has(name) ? `now ${iss}` : 'added'}`)
  changes.push(...removed('issuer', before.issuers, after.issuers))
  changes.push(
    [
      count(after.operations, 'operation'),
      count(after.policies, 'policy file'),
      count(after.tests, 'policy test'),
    ].join(', '),
  )
  return changes.join('; ')
}

function stages(api: Pick<ApiPlan, 'observeStages'> | undefined): string {
  return (api?.observeStages ?? []).join(' and ')
}

interface Named {
  readonly name: string
}

function removed(what: string, before: readonly Named[], after: readonly Named[]): readonly string[] {
  const names = new Set(after.map(({ name }) => name))
  return before.filter(({ name }) => !names.has(name)).map(({ name }) => `${what} ${name} removed`)
}
