import type { Decision } from '../../model/decision.ts'
import type { Caller, ExchangeId, Instant } from '../../model/exchange.ts'
import type { Reason } from '../../model/reason.ts'
import type { MessageShape } from '../../model/record.ts'
import { ANONYMOUS } from '../../model/subject.ts'
import type { StatedEntity } from '../../syntax/authzen.ts'
import type { Gate } from '../gate.ts'

/** One answer about another application's question, as its record tells it. */
export interface RecordedAnswer {
  readonly id: ExchangeId
  readonly received: Instant
  /** Who asked: an application, not the subject. */
  readonly asker: Asker
  readonly domain: string
  readonly bundle: string
  /** The action's name; empty for a search of actions. */
  readonly action: string
  readonly subject: Pick<StatedEntity, 'type' | 'id'>
  readonly resource: Pick<StatedEntity, 'type' | 'id'>
  readonly decision: boolean
  readonly reasons: readonly [Reason, ...Reason[]]
  readonly policies: readonly string[]
  /** Keyed digest of the question as it came. */
  readonly digest: string
  readonly bytes: number
}

export interface Asker {
  readonly caller: Caller
  readonly userAgent: string
}

/** What an answer to a question can never show, whoever asks. */
export const NOT_PLAYED: readonly string[] = [
  'identity',
  'request-contract',
  'upstream',
  'response-contract',
  'response-decision',
]

const NOTHING_RELEASED = { bytes: 0, mediaType: '', digest: '', query: [], dropped: [] }
const MAX_NAME = 200

/** Writes the answer's record. False where it could not be: then nothing may be answered but a failure. */
export async function recordAnswer(answer: RecordedAnswer, gate: Gate): Promise<boolean> {
  const { id, received, asker, domain, bundle, action, subject, resource, digest, bytes } = answer
  const now = gate.clock.now()
  const micros = Math.max(0, Math.round((now.monoMs - received.monoMs) * 1000))
  const decision: Decision = {
    checkpoint: 'head',
    effect: answer.decision ? 'allow' : 'deny',
    pending: false,
    mode: 'enforce',
    reasons: answer.reasons,
    obligations: [],
    policies: answer.policies,
    bundle,
  }
  const request: MessageShape = { bytes, mediaType: 'application/json', digest, query: [] }
  const api = `authzen:${domain}`
  try {
    const durable = gate.audit.refusal(
      {
        id,
        at: received,
        entrance: 'authzen',
        tenant: 'default',
        environment: 'default',
        api,
        operation: action.slice(0, MAX_NAME),
        governed: true,
        mode: 'enforce',
        method: 'POST',
        template: '',
        // Stated by the application that asks: the gate has verified nothing of it.
        subject: { ...ANONYMOUS, kind: 'user', issuer: api, id: `${subject.type}/${subject.id}` },
        bundle,
        decisions: [decision],
        request,
        personal: {
          address: asker.caller.text,
          path: `${resource.type}/${resource.id}`,
          userAgent: asker.userAgent,
          host: '',
        },
        attributes: null,
      },
      {
        id,
        at: now,
        action: answer.decision ? 'forwarded' : 'refused',
        effect: answer.decision ? 'allow' : 'deny',
        wouldDeny: false,
        status: 200,
        decisions: [],
        attributes: null,
        upstreamStatus: 0,
        lookups: [],
        released: NOTHING_RELEASED,
        notPlayed: NOT_PLAYED,
        timings: { total: micros, upstream: 0, gate: micros },
      },
    )
    if (durable !== undefined) await durable
  } catch (error) {
    gate.fault('audit', id, error)
    gate.count('sallyport_unrecorded_total', 1, api)
    return false
  }
  for (const { code } of answer.reasons)
    gate.count('sallyport_reasons_total', 1, api, code, answer.decision ? 'go' : 'stop')
  const effect = answer.decision ? 'allow' : 'deny'
  gate.count('sallyport_exchanges_total', 1, api, effect, answer.decision ? 'forwarded' : 'refused', '2xx')
  return true
}
