import type { UrlPlan } from '../../model/bundle.ts'
import type { UrlNameState } from '../../model/channel.ts'
import type { CheckError } from '../runtime.ts'
import { type UrlPlace, urlFault } from './url-rule.ts'

/** One API's rule for URLs in its requests, with what control found out of the names it lists. */
export interface UrlGuard {
  readonly rule: UrlPlan | undefined
  readonly nameState: (name: string) => UrlNameState
}

/** More tell a caller nothing. */
const MAX_FOUND = 20

/**
 * What a check that is running found of URLs. It is gathered beside the schema's own result, because whether a branch
 * of a combinator fits says nothing of what stands in the URL: refusing it only there would let the text pass as the
 * plain string of another branch.
 */
export const urlWatch: { guard: UrlGuard | null; found: CheckError[] } = { guard: null, found: [] }

/** Called by generated code where a schema has a URL; `urlWatch.guard` is set. */
export function watchUrl(text: string, instancePath: string, place: UrlPlace): void {
  const { guard, found } = urlWatch
  if (guard === null || found.length >= MAX_FOUND) return
  const rule = urlFault(text, place, guard.rule, guard.nameState)
  if (rule === null || found.some((each) => each.instancePath === instancePath)) return
  found.push({ instancePath, keyword: 'url', params: { rule } })
}

/** What was found since the last time; null for nothing. */
export function takeFound(): readonly CheckError[] | null {
  if (urlWatch.found.length === 0) return null
  const { found } = urlWatch
  urlWatch.found = []
  return found
}
