import type { ApiPlan } from '../../model/bundle.ts'
import type { Finding } from '../../model/fact.ts'
import { finding } from '../../model/fact.ts'
import type { OperationPlan } from '../../model/operation.ts'
import type { ReasonCode } from '../../model/reason.ts'
import { opposes, reason } from '../../model/reason.ts'
import type { Subject } from '../../model/subject.ts'
import { HIDDEN } from '../../syntax/sensitive/hidden-text.ts'
import { POLICY_CODES } from '../decide.ts'
import { isCheckable } from '../floor.ts'
import type { ApiOutline, OperationOutline } from './outline.ts'
import type { Against, Comparison, RecordedCall, Standing } from './replayed.ts'

/** Stated by the floor of `decide`, which is asked again. */
const FLOOR: ReadonlySet<ReasonCode> = new Set(['token-missing', 'scheme-unsupported', 'insufficient-scope'])

export interface Routed {
  readonly api: ApiOutline | null
  readonly operation: OperationOutline | null
}

/** Where the call goes by the bundle it is held against; null where its path was erased, or does not tell. */
export function route({ record: { intent } }: RecordedCall, { sameRoutes, by }: Comparison): Routed | null {
  const { outline } = by
  let { api, operation } = intent
  if (!sameRoutes) {
    if (intent.personal === null) return null
    const { host, path } = intent.personal
    // What was hidden of a path does not tell where it goes.
    if (path.includes(HIDDEN)) return null
    const routed = by.route(intent.method, host, path)
    if (routed === null) return null
    api = routed.api
    operation = routed.operation
  }
  const found = outline.apis.get(api) ?? null
  return { api: found, operation: found?.operations.get(operation) ?? null }
}

/** What stages stated against the call, each once. */
export function recordedFindings({ decisions }: RecordedCall): Finding[] {
  const found = new Map<string, Finding>()
  for (const { reasons, observed = [] } of decisions) {
    for (const each of [...reasons, ...observed]) {
      if (!opposes(each.code) || POLICY_CODES.has(each.code) || FLOOR.has(each.code)) continue
      // The upstream's own trouble says nothing about what is decided of the call.
      if (each.source === 'upstream' || each.source === 'route' || each.code === 'lateral-movement') continue
      found.set(`${each.source} ${each.code}`, finding(each))
    }
  }
  return [...found.values()]
}

/** Null where what identity found cannot be said again. */
export function identityFindings(
  { record }: RecordedCall,
  standing: readonly Finding[],
  { api, identity }: Against,
  subject: Subject,
  { made, by }: Comparison,
): readonly Finding[] | null {
  const found = standing.filter(({ reason: { source } }) => source === 'identity')
  if (identity === api.identity) return found
  if (found.length > 0) return null
  if (subject.kind === 'anonymous') return []
  // Another reading of the same token may name other groups, roles or a tenant.
  if (made.issuers.get(subject.issuer) !== by.outline.issuers.get(subject.issuer)) return null
  const { accept, audience, maxTokenAgeSeconds } = api.plan
  if (!accept.includes(subject.issuer)) return [finding(reason('issuer-refused', 'identity'))]
  if (!subject.audience.some((each) => audience.includes(each)))
    return [finding(reason('audience-mismatch', 'identity'))]
  const age = record.intent.at.wallMs / 1000 - subject.issuedAt
  return maxTokenAgeSeconds !== undefined && age > maxTokenAgeSeconds
    ? [finding(reason('token-too-old', 'identity'))]
    : []
}

/** Whether a caller's token is looked at, as the gate's identity stage does it. */
export function readsToken({ accept }: ApiPlan, operation: OperationPlan | undefined): boolean {
  if (accept.length === 0) return false
  if (operation === undefined) return true
  const { need, alternatives } = operation.security
  return need !== 'anonymous' && (alternatives.length === 0 || alternatives.some(isCheckable))
}

/** Undefined where the address it needs was erased. */
export function standingOf(
  { record: { intent } }: RecordedCall,
  subject: Subject,
  { api, operation }: Against,
  { by }: Comparison,
): Standing | undefined {
  if (by.zone === null) return NOWHERE
  if (intent.personal === null) return undefined
  return by.zone(subject, intent.personal.address, api.plan, operation.plan)
}

const NOWHERE: Standing = { zone: '', against: null }

/** What a call that was refused did not get to. */
export function unplayed({ decisions, outcome }: RecordedCall): readonly string[] {
  if (outcome.action !== 'refused') return []
  const last = decisions.at(-1)?.checkpoint ?? 'head'
  if (last === 'response') return []
  return last === 'head' ? ['contract', 'upstream', 'response'] : ['upstream', 'response']
}
