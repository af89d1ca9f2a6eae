import { fieldObligations } from '../decision/obligations.ts'
import type { Exchange, Reply } from '../model/exchange.ts'
import { finding } from '../model/fact.ts'
import { reason } from '../model/reason.ts'
import type { AdmittedCall } from './admitted-call.ts'
import { approach, routeCall } from './approach.ts'
import { announcedTooLarge, readRequestBody } from './body.ts'
import { canaryFor } from './canary.ts'
import { watchBeside } from './candidate.ts'
import { checkContent } from './content.ts'
import { atCheckpoint, withObject } from './decision-input.ts'
import { deliver, refuse } from './deliver.ts'
import { loops } from './forward.ts'
import type { Gate } from './gate.ts'
import { checkHead } from './hygiene.ts'
import { identify } from './identify.ts'
import { Journal } from './journal.ts'
import { judge, opposesCall, type Verdict } from './judge.ts'
import { filtersItems } from './list-items.ts'
import { lookUpObject } from './object.ts'
import { objectFacts, withBody } from './object-facts.ts'
import { release } from './release.ts'
import { FULL_SIGHT, type Sight, unseenAnswer, waitsForAnswer } from './sight.ts'
import { askSources } from './signals.ts'
import type { Snapshot } from './snapshot.ts'
import { type Carry, callUpstream } from './upstream-call.ts'

/**
 * One exchange, read top to bottom: admit → exchange with the upstream → release. The order changes only by
 * editing this page. Stages state findings, `judge` decides, the journal writes the record. `carry`: the exchange with
 * the upstream, where that is not another server.
 */
export async function play(
  exchange: Exchange,
  reply: Reply,
  gate: Gate,
  carry: Carry = callUpstream,
): Promise<void> {
  const journal = new Journal(exchange, gate)
  // One bundle from the head to the answer's end, however often the gate reloads meanwhile.
  const pin = gate.snapshots.pin()
  watchBeside(journal, pin, gate)
  try {
    await playActs(exchange, reply, gate, journal, pin?.snapshot ?? null, carry)
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
  carry: Carry,
): Promise<void> {
  const admission = await admit(exchange, reply, gate, journal, snapshot)
  if (!admission.ok) return refuse(admission.verdict, reply, journal, gate)

  // The intent is in the log by now: whatever happens next, the record says that the call went upstream.
  const called = await carry(admission.call, reply, journal, gate)
  if (!called.ok) return refuse(called.verdict, reply, journal, gate)

  const released = await release(admission.call, called.answer, journal, gate)
  if (!released.ok) return refuse(released.verdict, reply, journal, gate)
  return deliver(released.answer, reply, journal)
}

export type Admission =
  | { readonly ok: true; readonly call: AdmittedCall }
  | { readonly ok: false; readonly verdict: Verdict }

/** `sight`: what the entrance shows of the call; whatever it hides that a decision turns on is denied. */
export async function admit(
  exchange: Exchange,
  reply: Pick<Reply, 'inform'>,
  gate: Gate,
  journal: Journal,
  snapshot: Snapshot | null,
  sight: Sight = FULL_SIGHT,
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

  let judging = snapshot
  let route = routeCall(exchange, head, judging)
  if (route.kind !== 'api')
    return refused(judge(journal, 'head', [finding(reason(route.kind, 'route'), true)]))
  journal.routed(route.api.plan, route.operation?.plan ?? null)
  // Unknown paths are identified too, so that the record says who asked for them; the refusal stays a 404.
  let identified = await identify(exchange, head, route, judging, gate)
  const canary = canaryFor(journal.candidate, identified.subject, exchange, gate.canary)
  if (canary !== null) {
    // Of the candidate's share: from here on all is as if the call had been admitted with that bundle.
    judging = canary
    journal.pinned(canary)
    journal.routed(null, null)
    const again = checkHead(exchange.head, canary.head.limits)
    if (!again.ok) return refused(judge(journal, 'head', [again.finding]))
    route = routeCall(exchange, head, canary)
    if (route.kind !== 'api')
      return refused(judge(journal, 'head', [finding(reason(route.kind, 'route'), true)]))
    journal.routed(route.api.plan, route.operation?.plan ?? null)
    identified = await identify(exchange, head, route, canary, gate, gate.candidateTokens)
  }
  journal.identified(identified.named)
  const { api, operation, params } = route
  const { subject } = identified
  const object = operation?.plan.object
  const approached = approach(exchange, head, judging, route, identified)
  const { facts, input } = approached
  let { findings, stated } = approached
  // What others have to say of the call: asked only where nothing else speaks against it.
  if (api.plan.signals !== undefined && input !== null && !opposesCall(findings, journal)) {
    const said = await askSources(api.plan.signals, exchange, input, journal, gate)
    findings = [...findings, ...said]
    journal.shadow?.signalled(api.plan.signals, said)
  }
  const atHead = judge(journal, 'head', findings, { ...facts, input, last: false })
  if (atHead.stops) return refused(atHead)

  // Only an allowed head invites the body (RFC 9110 §10.1.1).
  let came: Uint8Array | null = null
  if (exchange.body !== null) {
    const { maxRequestBytes, timeouts } = api.plan
    const tooLarge = announcedTooLarge(head.announcedBytes, maxRequestBytes)
    if (tooLarge !== null) return refused(judge(journal, 'body', [tooLarge]))
    if (head.expectsContinue) reply.inform(100, [])
    const read = await readRequestBody(exchange.body, maxRequestBytes, timeouts.requestMs)
    journal.bodyRead(read.bytes)
    if (read.finding !== null) return refused(judge(journal, 'body', [read.finding]))
    came = read.bytes
  }
  const checked = checkContent(exchange, head, api.plan, operation, params, came, journal, gate, sight)
  const { findings: content, judged: body } = checked
  if (checked.unchecked === true) journal.notPlayed('body-contract')
  const asked = checked.asked?.reading.fields

  // An answer that stays unseen cannot state whose the object is; a declared look-up can.
  const pending = atHead.decision.pending || filtersItems(object, input, api.policies)
  const unanswered = waitsForAnswer(object, pending, sight)
  if (unanswered && object?.lookup === undefined) content.push(unseenAnswer())
  const sound = !opposesCall(content, journal) && !atHead.opposed
  const lookupDue = (unanswered || (object?.ownerKnownAt === 'body' && object.lookup !== undefined)) && sound
  let known = input === null ? null : atCheckpoint(input, 'body')
  if (object !== undefined && sound && operation !== null && known !== null) {
    stated = withBody(stated, object, operation, checked.stated, sight)
    if (stated !== approached.stated)
      known = withObject(known, 'body', objectFacts(object, subject, stated, null))
  }
  if (lookupDue && operation !== null && known !== null) {
    // The look-up is an upstream call of its own, so the intent stands in the log before it.
    const unwritten = await journal.intent()
    if (unwritten !== null) return refused(judge(journal, 'body', [unwritten]))
    const looked = await lookUpObject(exchange, head, api, operation.plan, subject, stated, journal, gate)
    if (looked.finding !== null) content.push(looked.finding)
    if (object !== undefined) journal.shadow?.lookedUp(looked, object)
    known = withObject(known, 'body', looked.facts)
  }

  // A call without a body, a fault in its parameters or a look-up shows nothing here that its head did not; but what
  // still waits is denied here, unless the answer will state what it waits for.
  let verdict = atHead
  const last = object?.ownerKnownAt !== 'response' || !sight.answer
  if (
    body !== null ||
    asked !== undefined ||
    content.length > 0 ||
    lookupDue ||
    (last && atHead.decision.pending)
  ) {
    verdict = judge(journal, 'body', [...atHead.findings, ...content], {
      ...facts,
      input: known,
      last,
      before: atHead,
      asked,
    })
    if (verdict.stops) return refused(verdict)
  }
  // Fields that are to be hidden go out in clear where the answer does not come back through the gate.
  if (
    !sight.answer &&
    operation !== null &&
    operation.fieldEdits(fieldObligations(verdict.decision.obligations)) !== null
  ) {
    const findings = [...atHead.findings, ...content, unseenAnswer()]
    verdict = judge(journal, 'body', findings, { ...facts, input: known, last, before: verdict })
    if (verdict.stops) return refused(verdict)
  }
  const unwritten = await journal.intent()
  if (unwritten !== null) return refused(judge(journal, 'body', [unwritten]))
  return {
    ok: true,
    call: {
      exchange,
      snapshot: judging,
      api,
      head: checked.head,
      // What an answer may hold is what this call asked for.
      operation: checked.asked?.operation ?? operation,
      subject,
      stated,
      input: known,
      body: checked.forwarded,
      bodyChanged: checked.forwarded !== came,
      verdict,
    },
  }
}

function refused(verdict: Verdict): Admission {
  return { ok: false, verdict }
}
