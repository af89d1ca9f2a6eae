import type { IncomingMessage } from 'node:http'
import type { Mode } from '../../model/decision.ts'
import { SallyportError } from '../../model/errors.ts'
import type { Exchange, ExchangeId, Reply } from '../../model/exchange.ts'
import type { Finding } from '../../model/fact.ts'
import type { Random, Upstream, UpstreamAnswer } from '../../model/ports.ts'
import type { Subject } from '../../model/subject.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import { type Refusal, refuseUnstated } from '../admission.ts'
import type { AdmittedCall } from '../admitted-call.ts'
import type { Gate } from '../gate.ts'
import { checkHead } from '../hygiene.ts'
import { judge } from '../judge.ts'
import { play } from '../pipeline.ts'
import { refuseUnparsed } from '../unparsed.ts'
import { type Carry, upstreamFinding } from '../upstream-call.ts'
import { callerOf, hasBody, requestHead } from './listener.ts'
import { PutBackBody } from './middleware-body.ts'
import { type JudgedRequest, judgedRequest } from './middleware-request.ts'

/** What the application is told of a call it gets: `request.sallyport`, and the gate's `callOf(request)`. */
export interface GatedCall {
  /** `call`: somebody's, as judged. `lookup`: the gate itself asks whose an object is; its answer goes to nobody. */
  readonly kind: 'call' | 'lookup'
  /** Exchange id, as the record and `Sallyport-Exchange` have it. */
  readonly exchange: string
  readonly api: string
  /** `shop.getOrder`; empty where the API has no contract, or, observed, its contract no such operation. */
  readonly operation: string
  readonly mode: Mode
  readonly subject: GatedSubject
  /** By what was known before the answer. Observed, `effect` may be `deny`: the call goes on all the same. */
  readonly decision: {
    readonly effect: 'allow' | 'deny' | 'challenge'
    /** The answer still decides: it states whose object it is. */
    readonly pending: boolean
    readonly reasons: readonly string[]
    readonly policies: readonly string[]
  }
}

/** Who calls, as verified. */
export type GatedSubject = Pick<
  Subject,
  | 'kind'
  | 'issuer'
  | 'iss'
  | 'id'
  | 'client'
  | 'groups'
  | 'roles'
  | 'scopes'
  | 'tenant'
  | 'acr'
  | 'issuedAt'
  | 'expiresAt'
>

export interface MiddlewareParts {
  readonly gate: Omit<Gate, 'upstream'>
  readonly random: Random
  /** A path that begins like no API's: refused, or passed on unjudged and unrecorded. */
  readonly unmatched: 'deny' | 'next'
}

export interface MiddlewareStats {
  /** Calls that were judged. */
  readonly calls: number
  readonly underWay: number
  /** Passed on unjudged, because no API claims their path. */
  readonly unmatched: number
}

export interface AnswerTimes {
  readonly headMs: number
  /** Between two parts of the body. */
  readonly bodyMs: number
}

/** Has the application answer; rejects with `upstream-*`. */
export type AskApp = (
  judged: JudgedRequest,
  seen: GatedCall,
  times: AnswerTimes,
  call: AdmittedCall,
) => Promise<UpstreamAnswer>

/**
 * The gate inside the program it protects: the same acts, decisions and records; the upstream is the application that
 * the call was on its way to.
 */
export class Middleware {
  readonly #parts: MiddlewareParts
  readonly #seen = new WeakMap<object, GatedCall | null>()
  readonly #gates = new WeakMap<Upstream, Gate>()
  #calls = 0
  #underWay = 0
  #unmatched = 0

  constructor(parts: MiddlewareParts) {
    this.#parts = parts
  }

  get stats(): MiddlewareStats {
    return { calls: this.#calls, underWay: this.#underWay, unmatched: this.#unmatched }
  }

  /** What the gate made of this request; undefined where it did not come by here, null where no API claims it. */
  callOf(request: object): GatedCall | null | undefined {
    return this.#seen.get(request)
  }

  /** From here on the request passes as judged, in whatever turn it takes through the application. */
  mark(request: object, seen: GatedCall | null): void {
    this.#seen.set(request, seen)
    Object.defineProperty(request, 'sallyport', { value: seen, configurable: true, enumerable: false })
  }

  fault(exchange: string, error: unknown): void {
    this.#parts.gate.fault('middleware', exchange, error)
  }

  open(
    request: IncomingMessage,
    target: string,
  ): { readonly exchange: Exchange; readonly body: PutBackBody | null } {
    const { gate, random } = this.#parts
    const received = gate.clock.now()
    const body = hasBody(request) ? new PutBackBody(request) : null
    const exchange: Exchange = {
      id: uuid7(received.wallMs, random.bytes(10)) as ExchangeId,
      entrance: 'middleware',
      received,
      caller: callerOf(request.socket),
      head: { ...requestHead(request), target },
      body,
    }
    return { exchange, body }
  }

  /**
   * No API claims the path, whatever host it is asked by: an application may not look at Host, nor at the case of
   * letters, so neither opens a way past the gate.
   */
  isUnclaimed({ head }: Exchange): boolean {
    if (this.#parts.unmatched === 'deny') return false
    const pin = this.#parts.gate.snapshots.pin()
    if (pin === null) return false
    try {
      const checked = checkHead(head, pin.snapshot.head.limits)
      if (!checked.ok) return false
      const path = checked.head.path.toLowerCase()
      const claimed = pin.snapshot.apis.all.some(({ plan }) => {
        const base = plan.basePath.toLowerCase()
        return base === '' || path === base || path.startsWith(`${base}/`)
      })
      if (!claimed) this.#unmatched += 1
      return !claimed
    } finally {
      pin.unpin()
    }
  }

  /** Of a server that speaks HTTP/2 by itself: its messages are no HTTP/1.1 ones, and nothing is judged by guess. */
  refuseVersion(exchange: Exchange, reply: Reply): Promise<void> {
    return refuseUnparsed(exchange, 'HPE_INVALID_VERSION', reply, this.#gateWith(NO_LOOKUPS))
  }

  /** A call the framework cannot carry as it is judged: refused and recorded. */
  async refuse(exchange: Exchange, found: Finding): Promise<Refusal> {
    const advice = await refuseUnstated(exchange, found, this.#gateWith(NO_LOOKUPS))
    if (advice.kind !== 'refuse') throw new SallyportError('not-carried', 'a refusal was due')
    return advice.answer
  }

  /** Plays the acts; settles when the answer is out. `lookups`: where the gate asks whose objects are. */
  async play(exchange: Exchange, reply: Reply, ask: AskApp, lookups: Upstream): Promise<void> {
    const carry: Carry = async (call, _reply, journal, gate) => {
      const { timeouts, name, mode } = call.api.plan
      const { decision } = call.verdict
      const seen: GatedCall = Object.freeze({
        kind: 'call',
        exchange: exchange.id,
        api: name,
        operation: call.operation?.plan.key ?? '',
        mode,
        subject: call.subject,
        decision: {
          effect: decision.effect,
          pending: decision.pending,
          reasons: decision.reasons.map(({ code }) => code),
          policies: decision.policies,
        },
      })
      const started = gate.clock.now().monoMs
      // The bytes on the wire are the program's own server's to read: only what it made of them is seen here.
      journal.notPlayed('framing')
      try {
        const answer = await ask(judgedRequest(call), seen, timeouts, call)
        journal.answered(answer.status, gate.clock.now().monoMs - started)
        return { ok: true, answer }
      } catch (error) {
        journal.answered(0, gate.clock.now().monoMs - started)
        return { ok: false, verdict: judge(journal, 'response', [upstreamFinding(error, exchange.id, gate)]) }
      }
    }
    this.#calls += 1
    this.#underWay += 1
    try {
      await play(exchange, reply, this.#gateWith(lookups), carry)
    } finally {
      this.#underWay -= 1
    }
  }

  #gateWith(upstream: Upstream): Gate {
    let gate = this.#gates.get(upstream)
    if (gate === undefined) {
      gate = { ...this.#parts.gate, upstream }
      this.#gates.set(upstream, gate)
    }
    return gate
  }
}

/** Where the framework gives the gate no way to ask the application something of its own. */
export const NO_LOOKUPS: Upstream = {
  call: () =>
    Promise.reject(
      new SallyportError('not-carried', 'here the gate cannot ask the application whose an object is'),
    ),
  close: () => Promise.resolve(),
}
