import type { Operation } from '../../contract/instantiate.ts'
import { fieldObligations } from '../../decision/obligations.ts'
import type { Exchange, ExchangeId, Instant } from '../../model/exchange.ts'
import { type Finding, finding } from '../../model/fact.ts'
import type { Random } from '../../model/ports.ts'
import { reason } from '../../model/reason.ts'
import type { NamedSubject } from '../../model/subject.ts'
import type { Question, Search } from '../../syntax/authzen.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import { type Approach, approach, type RoutedCall } from '../approach.ts'
import { UNKNOWN_CALLER } from '../entrances/asked.ts'
import type { Gate } from '../gate.ts'
import type { CleanHead } from '../hygiene.ts'
import { Journal } from '../journal.ts'
import { type Bench, judge, opposesCall, type Verdict } from '../judge.ts'
import { askSources } from '../signals.ts'
import type { ApiSnapshot, Snapshot } from '../snapshot.ts'
import { NOT_PLAYED, recordAnswer } from './answer-record.ts'
import { type Asking, type Judged, type Judging, type SearchResult, turn } from './answers.ts'
import { readStatedCall, type StatedCall } from './stated-call.ts'

const ONLY_ACTIONS: ReadonlySet<Search['target']> = new Set(['action'])
const AT_ONE_GO = 100
const NOTHING_RELEASED = { bytes: 0, mediaType: '', digest: '', query: [], dropped: [] }

interface Found {
  readonly api: ApiSnapshot
  readonly operation: Operation
}

/**
 * Questions about the gate's own APIs: the same floor, zones and policies as any call, over what the application that
 * asks says of it. The answer is what enforcing would do, also where an API is only observed.
 */
export class OwnApis implements Judging {
  readonly name = 'apis'
  readonly bundle: string
  readonly searches = ONLY_ACTIONS
  readonly #snapshot: Snapshot
  readonly #gate: Gate
  readonly #random: Random

  constructor(snapshot: Snapshot, gate: Gate, random: Random) {
    this.bundle = snapshot.bundle
    this.#snapshot = snapshot
    this.#gate = gate
    this.#random = random
  }

  async decide(question: Question, asking: Asking): Promise<Judged | null> {
    const found = this.#find(question)
    const received = this.#gate.clock.now()
    if (found === null) return this.#refused('action', 'question-unknown', received, asking)
    const stated = readStatedCall(question, found.operation.plan, this.#snapshot.head, received)
    if (typeof stated === 'string') return this.#refused(stated, 'question-mistyped', received, asking)
    const exchange = this.#exchange(received, asking, stated, found)
    const journal = new Journal(exchange, this.#gate)
    journal.pinned(this.#snapshot)
    const head = headOf(stated, found)
    journal.headRead(head)
    const api = enforced(found.api)
    journal.routed(api.plan, found.operation.plan)
    const who: NamedSubject = { recordAs: stated.subject }
    journal.identified(who)
    const asked = { api, operation: found.operation }
    const seen = this.#see(asked, stated, exchange, head)
    const { signals } = api.plan
    // As for any call: others are asked only where nothing else speaks against it.
    const said =
      signals === undefined || seen.input === null || opposesCall(seen.findings, journal)
        ? []
        : await askSources(signals, exchange, seen.input, journal, this.#gate)
    return this.#record(journal, weigh(journal, seen, said))
  }

  unreadable(fault: string, asking: Asking): Promise<Judged | null> {
    return this.#refused(fault, 'question-malformed', this.#gate.clock.now(), asking)
  }

  async search(search: Search, from: number, limit: number, asking: Asking): Promise<SearchResult | null> {
    const received = this.#gate.clock.now()
    const { subject, resource, context } = search
    const all = [...this.#all()]
    const results: { name: string }[] = []
    let at = from
    for (; at < all.length && results.length < limit; at++) {
      if (at > from && (at - from) % AT_ONE_GO === 0) await turn()
      const found = all[at]
      if (found === undefined) break
      const name = found.operation.plan.key
      const question = { subject, action: { name, properties: {} }, resource, context }
      const stated = readStatedCall(question, found.operation.plan, this.#snapshot.head, received)
      if (typeof stated === 'string') continue
      const exchange = this.#exchange(received, asking, stated, found)
      const api = enforced(found.api)
      // Nobody else is asked about every operation there is, so what others decide is not found.
      if (api.plan.signals !== undefined) continue
      const seen = this.#see({ api, operation: found.operation }, stated, exchange, headOf(stated, found))
      const verdict = weigh(this.#bench(exchange), seen, [])
      if (verdict.decision.effect === 'allow') results.push({ name })
    }
    const filtered = reason('list-filtered', 'policy', {
      searched: 'action',
      judged: at - from,
      released: results.length,
    })
    const recorded = await recordAnswer(
      {
        ...asking,
        id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId,
        received,
        domain: this.name,
        bundle: this.bundle,
        action: '',
        subject,
        resource,
        decision: true,
        reasons: [filtered],
        policies: [],
      },
      this.#gate,
    )
    return recorded ? { results, next: at < all.length ? at : null } : null
  }

  *#all(): Generator<Found> {
    for (const api of this.#snapshot.apis.all)
      for (const operation of api.contract?.operations.values() ?? []) yield { api, operation }
  }

  /** By its key, else by an operationId that only one API has. */
  #find({ action: { name } }: Question): Found | null {
    let byId: Found | null = null
    let several = false
    for (const found of this.#all()) {
      if (found.operation.plan.key === name) return found
      if (found.operation.plan.operationId !== name) continue
      several = byId !== null
      byId = found
      if (several) return null
    }
    return byId
  }

  #see({ api, operation }: Found, stated: StatedCall, exchange: Exchange, head: CleanHead): Approach {
    const { subject, params } = stated
    const routed: RoutedCall = { kind: 'api', api, operation, params, findings: [] }
    const identified = { subject, named: { recordAs: subject }, finding: null }
    const seen = approach({ ...exchange, received: stated.at }, head, this.#snapshot, routed, identified)
    return { ...seen, input: seen.input === null ? null : stated.complete(seen.input) }
  }

  /** Where a judgement is made that is no call's own: of a search, only what was found is recorded. */
  #bench(exchange: Exchange): Bench {
    return {
      mode: 'enforce',
      bundle: this.bundle,
      observe: undefined,
      fault: (stage, error) => this.#gate.fault(stage, exchange.id, error),
      decided: () => undefined,
    }
  }

  async #refused(
    detail: string,
    code: 'question-unknown' | 'question-mistyped' | 'question-malformed',
    received: Instant,
    asking: Asking,
  ): Promise<Judged | null> {
    const journal = new Journal(this.#exchange(received, asking, null, null), this.#gate)
    journal.pinned(this.#snapshot)
    const found: Finding = finding(reason(code, 'hygiene', {}, detail), true)
    return this.#record(journal, judge(journal, 'head', [found]))
  }

  async #record(journal: Journal, { decision }: Verdict): Promise<Judged | null> {
    for (const name of NOT_PLAYED) journal.notPlayed(name)
    const allowed = decision.effect === 'allow' && !decision.pending
    const action = allowed ? 'forwarded' : 'refused'
    const unwritten = await journal.outcome({ action, status: 200, released: NOTHING_RELEASED })
    if (unwritten !== null) return null
    const obligations = fieldObligations(decision.obligations)
    const asked = allowed && obligations.length > 0 ? { obligations } : {}
    return { id: journal.exchange.id, decision: allowed, reasons: decision.reasons, ...asked }
  }

  #exchange(received: Instant, asking: Asking, stated: StatedCall | null, found: Found | null): Exchange {
    return {
      id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId,
      entrance: 'authzen',
      received,
      // The subject's, as it is stated; who asked stands nowhere else in a call, and is a peer.
      caller: stated?.caller ?? UNKNOWN_CALLER,
      head: {
        method: found?.operation.plan.method ?? 'POST',
        target: '',
        httpVersion: '1.1',
        fields: ['User-Agent', asking.asker.userAgent],
        secure: false,
      },
      body: null,
    }
  }
}

function weigh(bench: Bench, { facts, findings, input }: Approach, said: readonly Finding[]): Verdict {
  return judge(bench, 'head', [...findings, ...said], { ...facts, input, last: true })
}

/** As if the API were enforced: a question has no effect that observing could suspend. */
function enforced(api: ApiSnapshot): ApiSnapshot {
  const { observeStages: _, ...plan } = api.plan
  return { ...api, plan: { ...plan, mode: 'enforce' } }
}

function headOf({ path }: StatedCall, { api }: Found): CleanHead {
  const whole = `${api.plan.basePath}${path}`
  return {
    host: '',
    path: whole,
    segments: whole.split('/').slice(1),
    pathParameters: false,
    rawQuery: '',
    query: [],
    fields: [],
    announcedBytes: undefined,
    contentType: undefined,
    contentEncoding: undefined,
    expectsContinue: false,
  }
}
