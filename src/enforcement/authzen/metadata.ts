import type { SearchTarget } from '../../syntax/authzen.ts'

/**
 * What the decision point says of itself (AuthZEN Authorization API 1.0 §9). `name` is the domain as it is asked for,
 * empty for the one at the root; searches it does not offer are left out.
 */
export function metadata(
  origin: string,
  name: string,
  searches: ReadonlySet<SearchTarget>,
): Readonly<Record<string, string>> {
  const base = name === '' ? origin : `${origin}/${name}`
  const found: Record<string, string> = {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
  }
  for (const target of searches) found[`search_${target}_endpoint`] = `${base}/access/v1/search/${target}`
  return found
}
