import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { ObjectPlan, OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import { fieldValue } from '../syntax/http.ts'
import { readPointer } from '../syntax/json-pointer.ts'
import { collect } from './body.ts'
import type { ObjectFacts } from './decision-input.ts'
import type { Credential } from './forward.ts'
import { lookupFields, upstreamPath } from './forward.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { Journal } from './journal.ts'
import { mediaTypeOf } from './journal.ts'
import type { ApiSnapshot } from './snapshot.ts'
import { upstreamFinding } from './upstream-call.ts'

/** Longer owner ids are no ids: they are not taken for one. */
const MAX_ID = 512

/** Reads the declared owner and tenant from an object's representation; only strings and integers are ids. */
export function objectFacts(object: ObjectPlan, value: unknown): ObjectFacts {
  const owner = object.owner === undefined ? undefined : idAt(value, object.owner)
  const tenant = object.tenant === undefined ? undefined : idAt(value, object.tenant)
  return {
    ...(owner === undefined ? {} : { owner: `${object.issuer ?? ''}/${owner}` }),
    ...(tenant === undefined ? {} : { tenant }),
  }
}

function idAt(value: unknown, pointer: readonly string[]): string | undefined {
  const found = readPointer(value, pointer)
  if (typeof found === 'string') return found.length > 0 && found.length <= MAX_ID ? found : undefined
  return Number.isSafeInteger(found) ? String(found) : undefined
}

export interface LookedUp {
  readonly facts: ObjectFacts
  readonly finding: Finding | null
}

/**
 * Asks the upstream whose object a write is about: the declared GET on the same path, bounded in size and time.
 * It is the gate that asks, so the answer never depends on what the caller may see and is never released.
 */
export async function lookUpObject(
  exchange: Exchange,
  head: CleanHead,
  api: ApiSnapshot,
  operation: OperationPlan,
  journal: Journal,
  gate: Gate,
): Promise<LookedUp> {
  const object = operation.object
  const lookup = api.contract?.operations.get(object?.lookup ?? '')
  if (object === undefined || lookup === undefined) return failed('undeclared')
  const started = gate.clock.now().monoMs
  try {
    const credential: Credential =
      api.plan.mode === 'observe' || api.plan.credential === 'pass'
        ? { kind: 'pass' }
        : { kind: 'assertion', value: gate.assertions.gateAuthorization(api.plan.name) }
    const answer = await gate.upstream.call({
      target: { origin: api.plan.upstream.origin },
      method: 'GET',
      path: upstreamPath(api.plan, { ...head, rawQuery: '' }),
      fields: lookupFields(head.fields, api.plan, credential),
      body: null,
      connectTimeoutMs: api.plan.timeouts.connectMs,
      headTimeoutMs: api.plan.timeouts.headMs,
      bodyTimeoutMs: api.plan.timeouts.bodyMs,
    })
    journal.lookedUp(lookup.plan.key, answer.status, gate.clock.now().monoMs - started)
    if (answer.status === 404) {
      answer.body.cancel('not needed')
      return { facts: {}, finding: finding(reason('object-absent', 'object')) }
    }
    const type = fieldValue(answer.fields, 'content-type')
    if (answer.status >= 500) {
      answer.body.cancel('not needed')
      // The upstream's own trouble says nothing about whose the object is, and is not told as if it did.
      return { facts: {}, finding: finding(reason('upstream-failed', 'upstream', { status: answer.status })) }
    }
    if (answer.status !== 200 || type === undefined) {
      answer.body.cancel('not needed')
      return failed(`status ${answer.status}`)
    }
    const body = await collect(answer.body, api.plan.maxAnswerBytes)
    if (!body.ok) {
      answer.body.cancel('over the limit')
      return failed('too large')
    }
    const checked = lookup.checkAnswer(answer.status, type, body.bytes)
    if (!checked.checked) return failed(`not JSON as declared: ${mediaTypeOf(type)}`)
    return { facts: objectFacts(object, checked.value), finding: null }
  } catch (error) {
    journal.lookedUp(lookup.plan.key, 0, gate.clock.now().monoMs - started)
    // Without `always`: observing goes on without the look-up.
    return { facts: {}, finding: finding(upstreamFinding(error, exchange.id, gate).reason) }
  }
}

function failed(why: string): LookedUp {
  return { facts: {}, finding: finding(reason('object-lookup-failed', 'object', { why })) }
}
