import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ReasonCode } from '../model/reason.ts'
import { reason } from '../model/reason.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { approach, routeCall } from './approach.ts'
import type { Gate } from './gate.ts'
import { type Identification, identifyNow } from './identify.ts'
import { type Bench, judge } from './judge.ts'
import { decisiveReason } from './refusal.ts'
import type { Snapshot } from './snapshot.ts'

/** While an answer streams, its call is looked at again so often at most, in ms. */
export const LOOK_AGAIN_MS = 1_000

/** A token that ran out, or whose key went, was good when its call was admitted: the call goes on. */
const PASSING: ReadonlySet<ReasonCode> = new Set([
  'token-expired',
  'token-too-old',
  'keys-unavailable',
  'key-unknown',
])

/**
 * Whether a call whose answer is still streaming may go on: its token or subject may have been revoked, or another
 * bundle may have come into force, by which its head is then judged again. Null: it goes on. Nothing is recorded of it.
 */
export function refusedSince(call: AdmittedCall, gate: Gate): Finding | null {
  const { subject, snapshot, api } = call
  const pin = gate.snapshots.pin()
  if (pin === null) return null
  try {
    const enforced = api.plan.mode === 'enforce' && api.plan.observeStages?.includes('identity') !== true
    const skew = snapshot.issuers.get(subject.iss)?.skewSeconds ?? 0
    const revoked = subject.kind === 'anonymous' ? null : gate.tokens.revoked(subject, skew)
    if (revoked !== null && enforced) return revoked
    const judging = pin.candidate?.snapshot === snapshot ? snapshot : pin.snapshot
    return judging.bundle === snapshot.bundle ? null : refusedUnder(judging, call, gate)
  } catch (error) {
    gate.fault('stream', call.exchange.id, error)
    return finding(reason('stage-failed', 'stage', { stage: 'stream' }), true)
  } finally {
    pin.unpin()
  }
}

/** Judged by its head: what its body and its object showed then is not asked for again. */
function refusedUnder(snapshot: Snapshot, call: AdmittedCall, gate: Gate): Finding | null {
  const { exchange, head } = call
  const route = routeCall(exchange, head, snapshot)
  if (route.kind !== 'api') return finding(reason(route.kind, 'route'), true)
  const found = identifyNow(head, route, snapshot, gate.tokens)
  const passing = found.finding !== null && PASSING.has(found.finding.reason.code)
  const identified: Identification = passing ? { ...found, subject: call.subject, finding: null } : found
  const { findings, input, facts } = approach(exchange, head, snapshot, route, identified)
  const { mode, observeStages } = route.api.plan
  const bench: Bench = {
    mode,
    observe: observeStages,
    bundle: snapshot.bundle,
    fault: (_stage, error) => {
      throw error
    },
    decided: () => undefined,
  }
  const verdict = judge(bench, 'head', findings, { ...facts, input, last: false })
  return verdict.stops ? finding(decisiveReason(verdict.decision), true) : null
}
