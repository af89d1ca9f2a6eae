import type { Answer, Delivery, Exchange, ExchangeId, RawFields, Reply } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { OutcomeEntry } from '../model/record.ts'
import { fieldValue } from '../syntax/http.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { watchBeside } from './candidate.ts'
import { refuse } from './deliver.ts'
import { NONE } from './forward.ts'
import type { Gate } from './gate.ts'
import { isStripped } from './identity-fields.ts'
import { Journal } from './journal.ts'
import { judge, type Verdict } from './judge.ts'
import { admit } from './pipeline.ts'
import { notPlayed, type Sight } from './sight.ts'
import { credentialFor } from './upstream-call.ts'

/** What is told to somebody else who carries the call: how it may go on, or how it is to be answered. */
export type Advice =
  | {
      readonly kind: 'allow'
      readonly id: ExchangeId
      /** Value of `Authorization` the upstream is to get instead of the caller's; null: none. */
      readonly authorization: string | null
      /** Lower-case names of the call's fields that must not go upstream. */
      readonly remove: readonly string[]
      /** Target as it was judged, where the caller's own must not go on as it is; else null. */
      readonly target: string | null
    }
  | { readonly kind: 'refuse'; readonly id: ExchangeId; readonly answer: Refusal }

/** An answer whose body is there. */
export interface Refusal {
  readonly status: number
  readonly fields: RawFields
  readonly body: Uint8Array
}

/** What proxies state themselves on the way, rightly: whose word it is they see to. */
const PROXYS_OWN: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-proto', 'via'])

const NOTHING_RELEASED: OutcomeEntry['released'] = {
  bytes: 0,
  mediaType: '',
  digest: '',
  query: [],
  dropped: [],
}

/**
 * The first act alone, for entrances that somebody else's proxy or program stands behind: the same stages, decisions
 * and record as any call. Intent and outcome stand in the log before the advice is given; the outcome of an allowed
 * call has status 0, because its answer comes another way, and names under `notPlayed` what could not be played.
 * Never rejects but where not even a refusal could be recorded and sent.
 */
export async function playAdmission(exchange: Exchange, gate: Gate, sight: Sight): Promise<Advice> {
  const journal = new Journal(exchange, gate)
  const pin = gate.snapshots.pin()
  watchBeside(journal, pin, gate, sight)
  try {
    const admission = await admit(exchange, NO_REPLY, gate, journal, pin?.snapshot ?? null, sight)
    if (!admission.ok) return await refusal(admission.verdict, journal, gate)
    const { call } = admission
    const { remove, target } = changes(call)
    const uncarried = findUncarried(remove, target, sight)
    if (uncarried !== null) {
      const verdict = judge(journal, 'body', [uncarried])
      if (verdict.stops) return await refusal(verdict, journal, gate)
      journal.notPlayed(target === null ? 'field-stripping' : 'retargeting')
    }
    for (const name of notPlayed(sight)) journal.notPlayed(name)
    const authorization = authorizationOf(call, gate)
    const unwritten = await journal.outcome({ action: 'forwarded', status: 0, released: NOTHING_RELEASED })
    if (unwritten !== null) return await refusal(judge(journal, 'body', [unwritten]), journal, gate)
    return { kind: 'allow', id: exchange.id, authorization, remove, target }
  } catch (error) {
    // As for any call: what no stage could cope with denies, in every mode (standards 1.5).
    journal.fault('admission', error)
    if (journal.recorded) throw error
    const failed = finding(reason('stage-failed', 'stage', { stage: 'admission' }), true)
    return await refusal(judge(journal, 'head', [failed]), journal, gate)
  } finally {
    pin?.unpin()
  }
}

/** A call that was not stated well enough to be judged: refused and recorded all the same. */
export async function refuseUnstated(exchange: Exchange, found: Finding, gate: Gate): Promise<Advice> {
  const journal = new Journal(exchange, gate)
  const pin = gate.snapshots.pin()
  try {
    if (pin !== null) journal.pinned(pin.snapshot)
    return await refusal(judge(journal, 'head', [found]), journal, gate)
  } finally {
    pin?.unpin()
  }
}

/** Notes that whoever asked was gone before the advice was given. */
export function noteUnheard(gate: Gate, id: ExchangeId, why: string): void {
  try {
    gate.audit.cut({ id, at: gate.clock.now(), bytes: 0, why })
  } catch (error) {
    gate.fault('audit', id, error)
  }
}

async function refusal(verdict: Verdict, journal: Journal, gate: Gate): Promise<Advice> {
  const kept = new KeptAnswer()
  await refuse(verdict, kept, journal, gate)
  return { kind: 'refuse', id: journal.exchange.id, answer: kept.taken() }
}

/** What has to differ between the call as it came and as it goes upstream. */
function changes({ head, api, operation }: AdmittedCall): {
  readonly remove: readonly string[]
  readonly target: string | null
} {
  const declared = operation?.headers ?? NONE
  const remove = new Set<string>()
  for (let i = 0; i + 1 < head.fields.length; i += 2) {
    const lower = (head.fields[i] ?? '').toLowerCase()
    if (!PROXYS_OWN.has(lower) && isStripped(lower, api.plan, declared)) remove.add(lower)
  }
  // Some readers part a query at `;` too: what was judged as one value must not become two parameters there.
  const parted = api.plan.mode === 'enforce' && head.rawQuery.includes(';')
  const target = parted ? `${head.path}?${head.rawQuery.replaceAll(';', '%3B')}` : null
  return { remove: [...remove], target }
}

/** A change that is due and that this entrance cannot have made. */
function findUncarried(remove: readonly string[], target: string | null, sight: Sight): Finding | null {
  if (target !== null && !sight.retargets)
    return finding(reason('target-invalid', 'hygiene', { rule: 'semicolon' }, 'a semicolon in the query'))
  if (remove.length > 0 && sight.strips === 'refuse')
    return finding(reason('field-not-strippable', 'hygiene', { fields: remove.slice(0, 20) }, remove[0]))
  return null
}

function authorizationOf(call: AdmittedCall, gate: Gate): string | null {
  const credential = credentialFor(call.api.plan, call.subject, gate)
  if (credential.kind === 'assertion') return credential.value
  return credential.kind === 'none' ? null : (fieldValue(call.head.fields, 'authorization') ?? null)
}

/** Nobody listens while a call is only judged. */
const NO_REPLY: Pick<Reply, 'inform'> = { inform: () => undefined }

/** Takes an answer instead of sending it. */
class KeptAnswer implements Reply {
  readonly gone = false
  #answer: Answer | null = null

  inform(): void {}

  onGone(): void {}

  send(answer: Answer): Promise<Delivery> {
    this.#answer = answer
    return Promise.resolve({ complete: true })
  }

  taken(): Refusal {
    const answer = this.#answer
    if (answer === null || !(answer.body instanceof Uint8Array))
      throw new Error('a refusal ended without an answer')
    return { status: answer.status, fields: answer.fields, body: answer.body }
  }
}
