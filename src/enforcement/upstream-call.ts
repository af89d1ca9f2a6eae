import type { ApiPlan } from '../model/bundle.ts'
import { isFault } from '../model/errors.ts'
import type { Reply } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { UpstreamAnswer } from '../model/ports.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import type { AdmittedCall } from './admitted-call.ts'
import type { Credential } from './forward.ts'
import { NONE, ONLY_STATED, ONLY_WHOLE, upstreamFields, upstreamPath } from './forward.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'
import type { Verdict } from './judge.ts'
import { judge } from './judge.ts'

export type Called =
  | { readonly ok: true; readonly answer: UpstreamAnswer }
  | { readonly ok: false; readonly verdict: Verdict }

/** Whoever has an admitted call answered. */
export type Carry = typeof callUpstream

/** The exchange with the upstream, under the gate's own identity: exactly the judged bytes go on. */
export async function callUpstream(
  call: AdmittedCall,
  reply: Reply,
  journal: Journal,
  gate: Gate,
): Promise<Called> {
  const { api, exchange, head, body } = call
  const started = gate.clock.now().monoMs
  try {
    const credential = credentialFor(api.plan, call.subject, gate)
    const fields = upstreamFields(call, credential, withheldFrom(call))
    const answer = await gate.upstream.call({
      target: { origin: api.plan.upstream.origin },
      method: exchange.head.method,
      path: upstreamPath(api.plan, head),
      fields,
      body,
      connectTimeoutMs: api.plan.timeouts.connectMs,
      headTimeoutMs: api.plan.timeouts.headMs,
      bodyTimeoutMs: api.plan.timeouts.bodyMs,
      onAbandon: (stop) => reply.onGone(stop),
    })
    journal.answered(answer.status, gate.clock.now().monoMs - started)
    return { ok: true, answer }
  } catch (error) {
    journal.answered(0, gate.clock.now().monoMs - started)
    return { ok: false, verdict: judge(journal, 'response', [upstreamFinding(error, exchange.id, gate)]) }
  }
}

/** Fields of the caller's that would get it an answer the gate cannot check. */
export function withheldFrom({ api, operation, verdict }: AdmittedCall): ReadonlySet<string> {
  if (api.plan.mode === 'observe' || operation === null) return NONE
  return verdict.decision.pending ? ONLY_STATED : ONLY_WHOLE
}

/**
 * What the upstream is shown instead of the caller's credential. In observe mode, and where the API checks it
 * itself, the caller's goes on and no assertion is sent (design.md, Observe).
 */
export function credentialFor(api: ApiPlan, subject: Subject, gate: Gate): Credential {
  if (api.mode === 'observe' || api.credential === 'pass') return { kind: 'pass' }
  if (subject.kind === 'anonymous') return { kind: 'none' }
  return {
    kind: 'assertion',
    value: gate.assertions.authorization(subject, api.name, api.accept.length === 1 ? 'plain' : 'qualified'),
  }
}

/** Holds in every mode: without an answer there is nothing to release. */
export function upstreamFinding(error: unknown, exchange: string, gate: Gate): Finding {
  if (isFault(error, 'upstream-timeout')) return finding(reason('upstream-timeout', 'upstream'), true)
  if (isFault(error, 'upstream-unreachable')) return finding(reason('upstream-unreachable', 'upstream'), true)
  if (isFault(error, 'upstream-broken')) {
    const evidence = error.data['abandoned'] === true ? { abandoned: true } : {}
    return finding(reason('upstream-broken', 'upstream', evidence), true)
  }
  gate.fault('upstream', exchange, error)
  return finding(reason('stage-failed', 'stage', { stage: 'upstream' }), true)
}
