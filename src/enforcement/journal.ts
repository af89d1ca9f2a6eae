import { recordInput } from '../decision/attributes.ts'
import type { ApiPlan, ObservableStage } from '../model/bundle.ts'
import type { Decision, DecisionInput, Mode } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { IntentEntry, MessageShape, OutcomeEntry, RecordedInput } from '../model/record.ts'
import type { NamedSubject, Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { fieldValue } from '../syntax/http.ts'
import { HIDDEN } from '../syntax/sensitive/hidden-text.ts'
import type { Shadow } from './candidate.ts'
import { isSameCall } from './decision-input.ts'
import type { Gate } from './gate.ts'
import type { CleanHead } from './hygiene.ts'
import type { JudgedItems } from './list-items.ts'
import type { Candidate } from './pinned.ts'
import { hidesField, recordable, recordedPath } from './recorded-path.ts'
import type { Snapshot } from './snapshot.ts'

const NO_SHAPE: MessageShape = { bytes: 0, mediaType: '', digest: '', query: [] }
const MAX_PERSONAL = 2_048
const NO_ATTRIBUTES: readonly string[] = Object.freeze([])

/** How an exchange ends: what is decided to be sent. */
export type Ending = Pick<OutcomeEntry, 'action' | 'status' | 'released' | 'sequence' | 'original'>

/**
 * One exchange's record while it is made: stages state what they saw, and it writes intent, outcome and cut.
 * Nothing reads it to decide anything but the mode in force.
 */
export class Journal {
  readonly #exchange: Exchange
  readonly #gate: Gate
  #snapshot: Snapshot | null = null
  #api: ApiPlan | null = null
  #operation: OperationPlan | null = null
  #head: CleanHead | null = null
  #subject: Subject = ANONYMOUS
  #request: MessageShape = NO_SHAPE
  #decisions: Decision[] = []
  #reads: ReadonlySet<string> | null = null
  #input: DecisionInput | null = null
  #items: JudgedItems | undefined
  #intentInput: DecisionInput | null = null
  #intent: IntentEntry | null = null
  #opposed = false
  #observed = false
  #upstreamStatus = 0
  #upstreamMs = 0
  #waitedMs = 0
  readonly #lookups: { operation: string; status: number }[] = []
  readonly #notPlayed: string[] = []
  #waitFrom: number
  #streamed: (() => Ending) | null = null
  #cutBecause = ''
  #streamedFrom = 0
  #done = false

  candidate: Candidate | null = null
  /** What the candidate would have decided, where one stands beside the bundle that judges. */
  shadow: Shadow | null = null

  constructor(exchange: Exchange, gate: Gate) {
    this.#exchange = exchange
    this.#gate = gate
    this.#waitFrom = exchange.received.monoMs
  }

  /** The mode of the API, or the operation's own; before an API is found, everything is enforced. */
  get mode(): Mode {
    return this.#api?.mode ?? 'enforce'
  }

  /** The API's stages that are only observed; undefined where all that is enforced has its effect. */
  get observe(): readonly ObservableStage[] | undefined {
    return this.#api?.observeStages
  }

  get bundle(): string {
    return this.#snapshot?.bundle ?? ''
  }

  get exchange(): Exchange {
    return this.#exchange
  }

  /** The outcome stands in the log: the exchange has its one record. */
  get recorded(): boolean {
    return this.#done
  }

  get realm(): string {
    return this.#api?.name ?? ''
  }

  get operation(): OperationPlan | null {
    return this.#operation
  }

  /** A candidate stands beside the bundle in force. */
  beside(candidate: Candidate, shadow: Shadow): void {
    this.candidate = candidate
    this.shadow = shadow
  }

  pinned(snapshot: Snapshot): void {
    this.#snapshot = snapshot
    // What the candidate itself judges has nothing beside it.
    if (snapshot === this.candidate?.snapshot) this.shadow = null
  }

  headRead(head: CleanHead): void {
    this.#head = head
    this.shadow?.headRead(head)
    this.#request = {
      bytes: 0,
      mediaType: mediaTypeOf(head.contentType),
      digest: '',
      query: [...new Set(head.query.map(([name]) => name.slice(0, 128)))].sort(),
    }
  }

  routed(api: ApiPlan | null, operation: OperationPlan | null): void {
    this.#api = api
    this.#operation = operation
  }

  identified({ recordAs }: NamedSubject): void {
    this.#subject = recordAs
    this.#waitFrom = this.#gate.clock.now().monoMs
  }

  /** The body has arrived, or failed to: the time since the head was judged was the caller's. */
  bodyRead(bytes: Uint8Array | null): void {
    this.#waitedMs += this.#gate.clock.now().monoMs - this.#waitFrom
    if (bytes === null) return
    this.shadow?.bodyRead(bytes)
    this.#request = { ...this.#request, bytes: bytes.byteLength, digest: this.#gate.digest(bytes) }
  }

  requestShape(fields: readonly string[] | undefined): void {
    if (fields !== undefined) this.#request = { ...this.#request, fields }
  }

  decided(
    decision: Decision,
    stops: boolean,
    reads: ReadonlySet<string> | null,
    input: DecisionInput | null,
    items?: JudgedItems,
  ): void {
    this.#decisions.push(decision)
    // An upstream that fails says nothing about what enforcing would refuse.
    if (decision.effect !== 'allow' && decision.reasons[0].source !== 'upstream') this.#opposed = true
    if (decision.observed?.some(({ source }) => source !== 'upstream')) this.#observed = true
    if (input !== null) {
      this.#reads = reads
      this.#input = input
      this.#items = decision.items === undefined ? undefined : items
    }
    for (const each of decision.reasons)
      this.#gate.count('sallyport_reasons_total', 1, this.#api?.name ?? '', each.code, stops ? 'stop' : 'go')
    for (const each of decision.observed ?? [])
      this.#gate.count('sallyport_reasons_total', 1, this.#api?.name ?? '', each.code, 'go')
  }

  lookedUp(operation: string, status: number, ms: number): void {
    this.#lookups.push({ operation, status })
    this.#upstreamMs += ms
  }

  /** Decision sources outside the gate were asked, all at once. */
  askedSources(answers: readonly { readonly name: string; readonly status: number }[], ms: number): void {
    for (const { name, status } of answers) this.#lookups.push({ operation: `signal ${name}`, status })
    this.#upstreamMs += ms
  }

  answered(status: number, ms: number): void {
    this.#upstreamStatus = status
    this.#upstreamMs += ms
  }

  /** Time the answer's body took: the upstream's, or, where it is passed on as it comes, also the caller's. */
  answerTook(ms: number): void {
    this.#upstreamMs += ms
  }

  /** An answer that goes out as it comes: says at its end, also where it is cut, what its outcome is but for the bytes. */
  streams(ending: () => Ending): void {
    this.#streamed = ending
    this.#streamedFrom = this.#gate.clock.now().monoMs
  }

  /** The gate itself ends a stream under way. */
  cutBecause(code: string): void {
    this.#cutBecause = code
  }

  /** A stage failed to run. */
  fault(stage: string, error: unknown): void {
    this.#gate.fault(stage, this.#exchange.id, error)
  }

  /** An act or stage that this call's entrance, mode or media type could not play. */
  notPlayed(name: string): void {
    this.#notPlayed.push(name)
  }

  /**
   * Writes the intent, once. Null when it stands, or the API goes on without records (`onAuditFailure: allow`);
   * else the finding that ends the call.
   */
  async intent(): Promise<Finding | null> {
    if (this.#intent !== null) return null
    const entry = this.#intentEntry()
    try {
      const durable = this.#gate.audit.intent(entry)
      if (durable !== undefined) await durable
      this.#intent = entry
      this.#intentInput = this.#input
      return null
    } catch (error) {
      return this.#unwritten(error)
    }
  }

  /** Writes how the call ended (with the intent, where none was written yet). As `intent`, null or a finding. */
  async outcome(made: Ending): Promise<Finding | null> {
    const now = this.#gate.clock.now()
    const total = now.monoMs - this.#exchange.received.monoMs
    if (this.#streamed !== null) this.#upstreamMs += now.monoMs - this.#streamedFrom
    const refusedIntent = this.#intent === null ? this.#intentEntry() : null
    const since = (this.#intent ?? refusedIntent)?.decisions.length ?? 0
    const candidate = this.shadow?.verdict({
      stopped: made.action === 'refused',
      opposed: this.#opposed || this.#observed,
      mode: this.mode,
    })
    const entry: OutcomeEntry = {
      id: this.#exchange.id,
      at: now,
      action: made.action,
      effect: made.action === 'forwarded' ? 'allow' : 'deny',
      ...(candidate === undefined ? {} : { candidate }),
      wouldDeny: (this.mode === 'observe' && this.#opposed) || (this.#observed && made.action !== 'refused'),
      status: made.status,
      decisions: this.#decisions.slice(since),
      attributes: this.#decisions.length > since ? this.#newlyRecorded() : null,
      upstreamStatus: this.#upstreamStatus,
      lookups: this.#lookups,
      released: made.released,
      ...(made.sequence === undefined ? {} : { sequence: made.sequence }),
      ...(made.original === undefined ? {} : { original: made.original }),
      notPlayed: this.#notPlayed,
      timings: {
        total: us(total),
        upstream: us(this.#upstreamMs),
        gate: us(total - this.#upstreamMs - this.#waitedMs),
      },
    }
    this.#gate.count(
      'sallyport_exchanges_total',
      1,
      this.#api?.name ?? '',
      entry.effect,
      made.action,
      statusClass(made.status),
    )
    this.#gate.count('sallyport_gate_microseconds_total', entry.timings.gate, this.#api?.name ?? '')
    try {
      const durable =
        refusedIntent === null
          ? this.#gate.audit.outcome(entry)
          : this.#gate.audit.refusal(refusedIntent, entry)
      if (durable !== undefined) await durable
      this.#done = true
      return null
    } catch (error) {
      return this.#unwritten(error)
    }
  }

  /** Caller or upstream left before the answer's end; a streamed answer has its outcome only now. */
  async cut(bytes: number, why: string): Promise<void> {
    if (this.#streamed !== null && !this.#done) {
      const ending = this.#streamed()
      await this.outcome({ ...ending, released: { ...ending.released, bytes } })
    }
    try {
      const ended = this.#cutBecause === '' ? why : `the gate ended the stream: ${this.#cutBecause}`
      this.#gate.audit.cut({ id: this.#exchange.id, at: this.#gate.clock.now(), bytes, why: ended })
    } catch (error) {
      this.#gate.fault('audit', this.#exchange.id, error)
    }
  }

  #unwritten(error: unknown): Finding | null {
    this.#gate.fault('audit', this.#exchange.id, error)
    this.#gate.count('sallyport_unrecorded_total', 1, this.#api?.name ?? '')
    if (this.#api?.onAuditFailure === 'allow') return null
    return finding(reason('audit-unavailable', 'audit'), true)
  }

  #intentEntry(): IntentEntry {
    const { id, received, entrance, caller, head } = this.#exchange
    const api = this.#api
    return {
      id,
      at: received,
      entrance,
      tenant: this.#subject.tenant === 'default' ? (api?.tenant ?? 'default') : this.#subject.tenant,
      environment: api?.environment ?? 'default',
      api: api?.name ?? '',
      operation: this.#operation?.key ?? '',
      governed: api?.governed ?? false,
      mode: this.mode,
      method: head.method.slice(0, 32),
      template: this.#operation === null ? '' : `${api?.basePath ?? ''}${this.#operation.template}`,
      subject: this.#subject,
      bundle: this.bundle,
      decisions: [...this.#decisions],
      request: this.#request,
      personal: {
        address: caller.text,
        path: recordedPath(
          (this.#head?.path ?? head.target.split('?', 1)[0] ?? '').slice(0, MAX_PERSONAL),
          api?.basePath ?? '',
          this.#operation,
        ),
        userAgent: hidesField(this.#operation, 'user-agent')
          ? HIDDEN
          : (fieldValue(head.fields, 'user-agent') ?? '').slice(0, 512),
        host: (this.#head?.host ?? '').slice(0, 256),
      },
      attributes: this.#recorded(),
    }
  }

  /** The last decision's attributes, where they are not the intent's: sealing them twice would say nothing new. */
  #newlyRecorded(): RecordedInput | null {
    const [before, now, reads] = [this.#intentInput, this.#input, this.#reads]
    if (this.#items !== undefined) return this.#recorded()
    return before && now && reads && isSameCall(before, now, reads) ? null : this.#recorded()
  }

  #recorded(): RecordedInput | null {
    if (this.#input === null || this.#reads === null) return null
    const recorded = recordInput(
      this.#input,
      this.#reads,
      recordable(this.#snapshot?.head.auditAttributes ?? NO_ATTRIBUTES, this.#operation),
    )
    if (this.#items === undefined) return recorded
    const { inputs, param, byId } = this.#items
    const unnamed = byId ? {} : { itemIds: false }
    return {
      ...recorded,
      items: inputs,
      ...(param === undefined ? {} : { itemParam: param, ...unnamed }),
    }
  }
}

export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase().slice(0, 128)
}

function us(ms: number): number {
  return Math.max(0, Math.round(ms * 1000))
}

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`
}
