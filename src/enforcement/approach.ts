import type { Operation } from '../contract/instantiate.ts'
import { checkScopes } from '../decision/floor.ts'
import type { DecisionInput } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import { headInput, withObject } from './decision-input.ts'
import type { CleanHead } from './hygiene.ts'
import type { Identification } from './identify.ts'
import type { Judged } from './judge.ts'
import { inModeNear } from './near-operation.ts'
import { objectFacts, type RequestStated, statedByHead } from './object-facts.ts'
import { type ApiSnapshot, inModeOf, type Snapshot } from './snapshot.ts'
import { foreignCall } from './zones.ts'

/** What a bundle knows of a call by its head alone. */
export interface RoutedCall {
  readonly kind: 'api'
  readonly api: ApiSnapshot
  readonly operation: Operation | null
  readonly params: Readonly<Record<string, string>>
  readonly findings: readonly Finding[]
}

export type NoRoute = { readonly kind: 'host-unknown' | 'route-unknown' | 'target-invalid' }

/** Which API and operation of the bundle the call is for. */
export function routeCall(exchange: Exchange, head: CleanHead, snapshot: Snapshot): RoutedCall | NoRoute {
  const route = snapshot.apis.match(head.host, head.path, head.segments)
  // No base path has path parameters.
  if (route.kind !== 'api') return head.pathParameters ? { kind: 'target-invalid' } : route
  const matched =
    route.api.contract?.match(exchange.head.method, route.segments, head.query, head.fields) ?? null
  const operation = matched?.kind === 'match' ? matched.operation : null
  const params = matched?.kind === 'match' ? matched.params : {}
  const api =
    matched === null || matched.kind === 'match'
      ? inModeOf(route.api, operation?.plan ?? null)
      : inModeNear(route.api, matched, route.segments, head)
  const findings: Finding[] = []
  // Held in every mode: servers that leave path parameters out would route another path than was judged.
  if (head.pathParameters && operation?.takesPathParameters(head.segments) !== true)
    findings.push(
      finding(reason('target-invalid', 'hygiene', { rule: 'path-parameter' }, 'path-parameter'), true),
    )
  if (matched?.kind === 'none') findings.push(finding(reason('route-unknown', 'route')))
  if (matched?.kind === 'method')
    findings.push(finding(reason('method-not-allowed', 'route', { allow: matched.allow })))
  return { kind: 'api', api, operation, params, findings }
}

/** A call as its head is judged: by whom, for what, on which facts. */
export interface Approach {
  readonly findings: readonly Finding[]
  /** What path and query say of whose object it is. */
  readonly stated: RequestStated
  readonly input: DecisionInput | null
  readonly facts: Pick<Judged, 'operation' | 'subject' | 'scopes' | 'engine'>
}

/** The facts of a call whose caller is known, before any of its body: zone, scopes, object, policies' input. */
export function approach(
  exchange: Exchange,
  head: CleanHead,
  snapshot: Snapshot,
  { api, operation, params, findings: routed }: RoutedCall,
  identified: Identification,
): Approach {
  const { subject, finding: unidentified } = identified
  const findings = [...routed]
  const { zones } = snapshot
  const zone = zones?.placeOf(subject, exchange.caller.bytes).zone ?? ''
  const foreign = zones === null ? null : foreignCall(zones, exchange, api, operation, identified)
  // Who may not call from here is told nothing of what is here.
  if (foreign !== null) findings.unshift(foreign)
  if (unidentified !== null && foreign !== null) findings.unshift(unidentified)
  else if (unidentified !== null) findings.push(unidentified)

  const scopes =
    operation === null ? null : checkScopes(operation.plan.security, subject, api.plan.credential)
  const object = operation?.plan.object
  // What the request itself says of whose object it is about: it is held to that.
  const stated = statedByHead(object, params, head.query)
  const asked =
    operation && scopes
      ? headInput(exchange, head, subject, operation.plan, params, scopes, snapshot.surroundings, zone)
      : null
  const input =
    asked && object ? withObject(asked, 'head', objectFacts(object, subject, stated, null)) : asked
  const facts = { operation: operation?.plan ?? null, subject, scopes, engine: api.policies }
  return { findings, stated, input, facts }
}
