import { POLICY_CODES } from '../decision/decide.ts'
import { challenge } from '../identity/challenge.ts'
import type { Answer, Reply } from '../model/exchange.ts'
import type { Reason } from '../model/reason.ts'
import { REASONS, reason } from '../model/reason.ts'
import type { Gate } from './gate.ts'
import { asGraphql, graphqlMediaType } from './graphql-refusal.ts'
import type { Journal } from './journal.ts'
import type { Verdict } from './judge.ts'
import { decisiveReason, refusalAnswer } from './refusal.ts'

/** Sends an answer whose outcome is in the log; a caller that leaves before its end is recorded as `cut`. */
export async function deliver(answer: Answer, reply: Reply, journal: Journal): Promise<void> {
  const delivery = await reply.send(answer)
  if (!delivery.complete) await journal.cut(delivery.bytes, delivery.why)
}

/** Ends a call with a refusal: recorded first, then answered. */
export async function refuse(verdict: Verdict, reply: Reply, journal: Journal, gate: Gate): Promise<void> {
  let decisive = shown(verdict, journal)
  const status = REASONS[decisive.code].status
  const action = decisive.source === 'upstream' ? 'failed' : 'refused'
  const { id, head } = journal.exchange
  const graphql = journal.operation?.graphql === 'endpoint' ? graphqlMediaType(head.fields) : null
  const mediaType = graphql ?? 'application/problem+json'
  const released = { bytes: 0, mediaType, digest: '', query: [], dropped: [] }
  const unwritten = await journal.outcome({ action, status, released })
  // Even a refusal is not given without a record: the caller learns that nothing was decided.
  if (unwritten !== null) decisive = unwritten.reason
  const asked = journal.operation?.security.alternatives[0]?.schemes.flatMap(({ scopes }) => scopes) ?? []
  const authenticate = challenge(decisive, journal.realm, asked)
  const problem = refusalAnswer(id, decisive, authenticate === null ? [] : ['WWW-Authenticate', authenticate])
  const answer = graphql === null ? problem : asGraphql(problem, id, decisive, graphql)
  try {
    await deliver(answer, reply, journal)
  } catch (error) {
    gate.fault('reply', id, error)
  }
}

/**
 * What the caller is told. Once the gate knows whose object it is, `foreign` must not be told from `absent`
 * (standards 1.10), where the object's rule says so.
 */
function shown(verdict: Verdict, journal: Journal): Reason {
  const decisive = decisiveReason(verdict.decision)
  const object = journal.operation?.object
  // At the head only a policy can have asked whose object it is, and only where the request says so.
  const asked =
    verdict.decision.checkpoint !== 'head' ||
    (object?.ownerKnownAt === 'head' && POLICY_CODES.has(decisive.code))
  const hides = object?.hideAbsent === true && asked
  if (hides && (decisive.source === 'policy' || decisive.source === 'object'))
    return reason('object-absent', decisive.source)
  return decisive
}
