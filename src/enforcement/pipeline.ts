import { checkScopes } from '../decision/floor.ts'
import type { Exchange, Reply } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { announcedTooLarge, readRequestBody } from './body.ts'
import { checkContent } from './content.ts'
import { atCheckpoint, headInput, withObject } from './decision-input.ts'
import { deliver, refuse } from './deliver.ts'
import { loops } from './forward.ts'
import type { Gate } from './gate.ts'
import { checkHead } from './hygiene.ts'
import { identify } from './identify.ts'
import { Journal } from './journal.ts'
import { judge, type Verdict } from './judge.ts'
import { lookUpObject } from './object.ts'
import { release } from './release.ts'
import type { Snapshot } from './snapshot.ts'
import { callUpstream } from './upstream-call.ts'

/**
 * One exchange, read top to bottom: admit → exchange with the upstream → release. The order changes only by
 * editing this page. Stages state findings, `judge` decides, the journal writes the record.
 */
export async function play(exchange: Exchange, reply: Reply, gate: Gate): Promise<void> {
  const journal = new Journal(exchange, gate)
  // One bundle from the head to the answer's end, however often the gate reloads meanwhile.
  const pin = gate.snapshots.pin()
  try {
    await playActs(exchange, reply, gate, journal, pin?.snapshot ?? null)
  } catch (error) {
    // No call is left unanswered or unrecorded: what no stage could cope with denies, in every mode (standards 1.5).
    journal.fault('pipeline', error)
    if (journal.recorded) throw error
    const failed = finding(reason('stage-failed', 'stage', { stage: 'pipeline' }), true)
    await refuse(judge(journal, 'head', [failed]), reply, journal, gate)
  } finally {
    pin?.unpin()
  }
}

async function playActs(
  exchange: Exchange,
  reply: Reply,
  gate: Gate,
  journal: Journal,
  snapshot: Snapshot | null,
): Promise<void> {
  const admission = await admit(exchange, reply, gate, journal, snapshot)
  if (!admission.ok) return refuse(admission.verdict, reply, journal, gate)

  // The intent is in the log by now: whatever happens next, the record says that the call went upstream.
  const called = await callUpstream(admission.call, reply, journal, gate)
  if (!called.ok) return refuse(called.verdict, reply, journal, gate)

  const released = await release(admission.call, called.answer, journal, gate)
  if (!released.ok) return refuse(released.verdict, reply, journal, gate)
  return deliver(released.answer, reply, journal)
}

type Admission =
  | { readonly ok: true; readonly call: AdmittedCall }
  | { readonly ok: false; readonly verdict: Verdict }

async function admit(
  exchange: Exchange,
  reply: Reply,
  gate: Gate,
  journal: Journal,
  snapshot: Snapshot | null,
): Promise<Admission> {
  if (snapshot === null) return refused(judge(journal, 'head', [finding(reason('not-ready', 'stage'), true)]))
  journal.pinned(snapshot)

  // Hygiene comes first: no later stage may have to guess what the head means.
  const hygiene = checkHead(exchange.head, snapshot.head.limits)
  if (!hygiene.ok) return refused(judge(journal, 'head', [hygiene.finding]))
  const { head } = hygiene
  journal.headRead(head)
  if (loops(exchange.head.fields))
    return refused(judge(journal, 'head', [finding(reason('loop-detected', 'hygiene'), true)]))

  const route = snapshot.apis.match(head.host, head.path, head.segments)
  if (route.kind !== 'api')
    return refused(judge(journal, 'head', [finding(reason(route.kind, 'route'), true)]))
  const { api } = route
  const matched = api.contract?.match(exchange.head.method, route.segments) ?? null
  const operation = matched?.kind === 'match' ? matched.operation : null
  const params = matched?.kind === 'match' ? matched.params : {}
  journal.routed(api.plan, operation?.plan ?? null)
  const findings: Finding[] = []
  if (matched?.kind === 'none') findings.push(finding(reason('route-unknown', 'route')))
  if (matched?.kind === 'method')
    findings.push(finding(reason('method-not-allowed', 'route', { allow: matched.allow })))

  // Unknown paths are identified too, so that the record says who asked for them; the refusal stays a 404.
  const {
    subject,
    named,
    finding: unidentified,
  } = await identify(exchange, head, api, operation?.plan ?? null, snapshot, gate)
  journal.identified(named)
  if (unidentified !== null) findings.push(unidentified)

  const scopes =
    operation === null ? null : checkScopes(operation.plan.security, subject, api.plan.credential)
  const input =
    operation && scopes ? headInput(exchange, head, subject, operation.plan, params, scopes) : null
  const facts = { operation: operation?.plan ?? null, subject, scopes, engine: api.policies }
  const atHead = judge(journal, 'head', findings, { ...facts, input, last: false })
  if (atHead.stops) return refused(atHead)

  // Only an allowed head invites the body (RFC 9110 §10.1.1).
  let body: Uint8Array | null = null
  if (exchange.body !== null) {
    const { maxRequestBytes, timeouts } = api.plan
    const tooLarge = announcedTooLarge(head.announcedBytes, maxRequestBytes)
    if (tooLarge !== null) return refused(judge(journal, 'body', [tooLarge]))
    if (head.expectsContinue) reply.inform(100, [])
    const read = await readRequestBody(exchange.body, maxRequestBytes, timeouts.requestMs)
    journal.bodyRead(read.bytes)
    if (read.finding !== null) return refused(judge(journal, 'body', [read.finding]))
    body = read.bytes
  }
  const content = checkContent(exchange, head, operation, params, body, journal, gate)

  const object = operation?.plan.object
  const lookupDue = object?.ownerKnownAt === 'body' && content.length === 0 && !atHead.opposed
  let known = input === null ? null : atCheckpoint(input, 'body')
  if (lookupDue && operation !== null && known !== null) {
    // The look-up is an upstream call of its own, so the intent stands in the log before it.
    const unwritten = await journal.intent()
    if (unwritten !== null) return refused(judge(journal, 'body', [unwritten]))
    const looked = await lookUpObject(exchange, head, api, operation.plan, journal, gate)
    if (looked.finding !== null) content.push(looked.finding)
    known = withObject(known, 'body', looked.facts)
  }

  // A call without a body, a fault in its parameters or a look-up shows nothing here that its head did not; but what
  // still waits is denied here, unless the answer will state what it waits for.
  let verdict = atHead
  const last = object?.ownerKnownAt !== 'response'
  if (body !== null || content.length > 0 || lookupDue || (last && atHead.decision.pending)) {
    verdict = judge(journal, 'body', [...atHead.findings, ...content], {
      ...facts,
      input: known,
      last,
      before: atHead,
    })
    if (verdict.stops) return refused(verdict)
  }
  const unwritten = await journal.intent()
  if (unwritten !== null) return refused(judge(journal, 'body', [unwritten]))
  return {
    ok: true,
    call: { exchange, snapshot, api, head, operation, subject, input: known, body, verdict },
  }
}

function refused(verdict: Verdict): Admission {
  return { ok: false, verdict }
}
