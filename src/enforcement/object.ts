import type { Operation, StatedObject } from '../contract/instantiate.ts'
import type { ApiPlan } from '../model/bundle.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import type { UpstreamAnswer, UpstreamRequest } from '../model/ports.ts'
import type { Reason } from '../model/reason.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { fieldValue } from '../syntax/http.ts'
import { collectWithin } from './body.ts'
import type { ObjectFacts } from './decision-input.ts'
import type { Credential } from './forward.ts'
import { lookupFields, upstreamPath } from './forward.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import { objectFacts, type RequestStated } from './object-facts.ts'
import type { ApiSnapshot } from './snapshot.ts'
import { upstreamFinding } from './upstream-call.ts'

export interface LookedUp {
  readonly facts: ObjectFacts
  readonly finding: Finding | null
}

/**
 * Asks the upstream whose object a write is about: the declared GET on the same path, bounded in size and, from its
 * start to its last byte, in time.
 * It is the gate that asks, so the answer never depends on what the caller may see and is never released.
 */
export async function lookUpObject(
  exchange: Exchange,
  head: CleanHead,
  api: ApiSnapshot,
  operation: OperationPlan,
  subject: Subject,
  stated: RequestStated,
  journal: Journal,
  gate: Gate,
): Promise<LookedUp> {
  const object = operation.object
  const lookup = api.contract?.operations.get(object?.lookup ?? '')
  if (object === undefined || lookup === undefined) return failed('undeclared')
  const started = gate.clock.now().monoMs
  let status = 0
  try {
    const answer = await gate.upstream.call(lookupRequest(head, api.plan, gate))
    status = answer.status
    const { headMs, bodyMs } = api.plan.timeouts
    const left = started + headMs + bodyMs - gate.clock.now().monoMs
    const read = await readLookup(answer, lookup, api.plan.maxAnswerBytes, left)
    // Whatever was not read is not wanted.
    answer.body.cancel('not needed')
    return 'representation' in read
      ? { facts: objectFacts(object, subject, stated, read.representation), finding: null }
      : read
  } catch (error) {
    // Without `always`: observing goes on without the look-up.
    return unstated(upstreamFinding(error, exchange.id, gate).reason)
  } finally {
    journal.lookedUp(lookup.plan.key, status, gate.clock.now().monoMs - started)
  }
}

function lookupRequest(head: CleanHead, api: ApiPlan, gate: Gate): UpstreamRequest {
  const credential: Credential =
    api.mode === 'observe' || api.credential === 'pass'
      ? { kind: 'pass' }
      : { kind: 'assertion', value: gate.assertions.gateAuthorization(api.name) }
  return {
    target: { origin: api.upstream.origin },
    method: 'GET',
    path: upstreamPath(api, { ...head, rawQuery: '' }),
    fields: lookupFields(head.fields, api, credential),
    body: null,
    connectTimeoutMs: api.timeouts.connectMs,
    headTimeoutMs: api.timeouts.headMs,
    bodyTimeoutMs: api.timeouts.bodyMs,
  }
}

/** `left`: ms for what is still to come of it. */
async function readLookup(
  { status, fields, body }: UpstreamAnswer,
  lookup: Operation,
  limit: number,
  left: number,
): Promise<LookedUp | { readonly representation: StatedObject }> {
  if (status === 404) return unstated(reason('object-absent', 'object'))
  // The upstream's own trouble says nothing about whose the object is, and is not told as if it did.
  if (status >= 500) return unstated(reason('upstream-failed', 'upstream', { status }))
  const type = fieldValue(fields, 'content-type')
  if (status !== 200 || type === undefined) return failed(`status ${status}`)
  const read = await collectWithin(body, limit, left, 'upstream-timeout')
  if (!read.ok) return failed('too large')
  const { checked, stated } = lookup.checkAnswer(status, type, read.bytes)
  if (!checked) return failed(`not JSON as declared: ${mediaTypeOf(type)}`)
  return { representation: stated }
}

function failed(why: string): LookedUp {
  return unstated(reason('object-lookup-failed', 'object', { why }))
}

function unstated(why: Reason): LookedUp {
  return { facts: {}, finding: finding(why) }
}
