import { isCheckable } from '../decision/floor.ts'
import type { AccessTokens, Refused, Verified } from '../identity/access-token.ts'
import { readBearer } from '../identity/bearer.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { NamedSubject, Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import type { RoutedCall } from './approach.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { ApiSnapshot, Snapshot } from './snapshot.ts'

export interface Identification {
  /** Who is judged: anonymous where no token was sent or it was not accepted, which the finding then says. */
  readonly subject: Subject
  /** Who stands in the record: also whom a proved token names that was not accepted. */
  readonly named: NamedSubject
  readonly finding: Finding | null
}

const UNNAMED: NamedSubject = { recordAs: ANONYMOUS }
const NOBODY: Identification = { subject: ANONYMOUS, named: UNNAMED, finding: null }

/**
 * Who calls (design.md, "Who needs a token"): `anonymous` operations read none, `optional` ones verify what is
 * presented, all others need one. A path without an operation is identified where it can be, so that the record
 * says who asked for it.
 */
export async function identify(
  exchange: Exchange,
  head: CleanHead,
  { api, operation }: RoutedCall,
  snapshot: Snapshot,
  gate: Gate,
  /** Those of a candidate keep their own proofs: two bundles name one issuer in two ways. */
  tokens: AccessTokens = gate.tokens,
): Promise<Identification> {
  try {
    const due = tokenDue(head, api, operation?.plan ?? null)
    if (typeof due !== 'string') return due
    const call = { issuers: snapshot.issuers, api: api.plan, limits: snapshot.head.limits }
    let verdict = tokens.verify(due, call)
    if (verdict.kind === 'need-key') {
      await gate.keyWait.wait(verdict.issuer, verdict.kid, verdict.waitMs)
      verdict = tokens.verify(due, call, 'asked')
    }
    return identification(verdict)
  } catch (error) {
    gate.fault('identity', exchange.id, error)
    return refused(finding(reason('stage-failed', 'stage', { stage: 'identity' })))
  }
}

/** The same by what is known already: it waits for no key. */
export function identifyNow(
  head: CleanHead,
  { api, operation }: RoutedCall,
  snapshot: Snapshot,
  tokens: AccessTokens,
): Identification {
  const due = tokenDue(head, api, operation?.plan ?? null)
  if (typeof due !== 'string') return due
  const call = { issuers: snapshot.issuers, api: api.plan, limits: snapshot.head.limits }
  return identification(tokens.verify(due, call, 'asked'))
}

function identification(verdict: Verified | Refused): Identification {
  if (verdict.kind === 'finding') return refused(verdict, verdict.named)
  return { subject: verdict.subject, named: { recordAs: verdict.subject }, finding: null }
}

/** The token that says who calls, or what is to be made of its absence. */
function tokenDue(
  head: CleanHead,
  api: ApiSnapshot,
  operation: OperationPlan | null,
): string | Identification {
  const need = operation?.security.need ?? 'optional'
  const bearer = readBearer(
    head.fields,
    head.query.map(([name]) => name),
  )
  // A token in the query is a fault whoever may call: it has been written to logs and histories by now.
  if (bearer.kind === 'finding' && bearer.reason.code === 'token-in-query') return refused(bearer)
  if (need === 'anonymous' || api.plan.accept.length === 0) return NOBODY
  const uncheckable = operation !== null && !operation.security.alternatives.some(isCheckable)
  if (uncheckable && operation.security.alternatives.length > 0) {
    return api.plan.credential === 'pass' ? NOBODY : refused(unsupported(operation))
  }
  if (bearer.kind === 'finding') return refused(bearer)
  if (bearer.kind === 'none')
    return need === 'optional' ? NOBODY : refused(finding(reason('token-missing', 'identity')))
  return bearer.token
}

function refused(found: Finding, named: NamedSubject = UNNAMED): Identification {
  return { subject: ANONYMOUS, named, finding: found }
}

function unsupported(operation: OperationPlan): Finding {
  const schemes = operation.security.alternatives.flatMap((alternative) => alternative.schemes)
  const names = schemes.filter(({ kind }) => kind === 'unsupported').map(({ name }) => name)
  return finding(reason('scheme-unsupported', 'identity', { schemes: [...new Set(names)] }))
}
