import type { OperationPlan } from '../../model/operation.ts'
import { type JsonLimits, scanJson } from '../../syntax/json.ts'
import { isUtf8, parseMediaType } from '../../syntax/media-type.ts'
import { type AnswerCheck, type AnswerSet, NOTHING_STATED, undeclaredFields } from '../answer.ts'
import { parseExact, stringifyExact } from '../exact-json.ts'
import { contractFinding } from '../findings.ts'
import type { Operation } from '../instantiate.ts'
import { isRecord } from '../json-value.ts'
import { SelectedAnswer } from './answer.ts'
import { keptMembers, safeErrors } from './answer-errors.ts'
import type { GraphqlCall, GraphqlEndpoint } from './endpoint.ts'
import { PlainOperation, unread } from './plain-operation.ts'
import { bodyOf, type GraphqlReading, queryOf } from './reading.ts'

const MAX_DROPPED = 100

/** What a GraphQL call came to. */
export interface AskedCall {
  readonly reading: GraphqlReading
  /** Holds the answer against what this call selected. */
  readonly operation: Operation
  /** What goes upstream in place of what came; null where that goes on as it is. */
  readonly body: Uint8Array | null
  readonly rawQuery: string | null
}

/**
 * An endpoint's HTTP operation. Its requests are read by `ask`, in one go; its answers are held by the operation that
 * `ask` gives, because what may be in them is what was selected.
 */
export class EndpointOperation extends PlainOperation {
  readonly #endpoint: GraphqlEndpoint
  readonly #limits: JsonLimits
  /** Data that was not asked for is taken out, or speaks against the answer. */
  readonly undeclared: AnswerSet['undeclared']

  constructor(
    plan: OperationPlan,
    endpoint: GraphqlEndpoint,
    limits: JsonLimits,
    undeclared: AnswerSet['undeclared'] = 'strip',
  ) {
    super(plan, plan.method === 'GET' ? 'none' : 'required')
    this.#endpoint = endpoint
    this.#limits = limits
    this.undeclared = undeclared
  }

  ask(call: GraphqlCall): AskedCall {
    const reading = this.#endpoint.read(call)
    const asGet = call.method === 'GET'
    return {
      reading,
      operation: new AnsweredOperation(this, reading, this.#endpoint, this.#limits),
      body: reading.rewritten && !asGet ? bodyOf(reading) : null,
      rawQuery: reading.rewritten && asGet ? queryOf(reading) : null,
    }
  }

  override declares(status: number): boolean {
    return status === 200 || (status >= 400 && status < 600)
  }
}

/** The same for one call that was read. */
class AnsweredOperation extends EndpointOperation {
  readonly #reading: GraphqlReading
  readonly #rules: GraphqlEndpoint['answerRules']
  readonly #limits: JsonLimits

  constructor(
    own: EndpointOperation,
    reading: GraphqlReading,
    endpoint: GraphqlEndpoint,
    limits: JsonLimits,
  ) {
    super(own.plan, endpoint, limits, own.undeclared)
    this.#reading = reading
    this.#rules = endpoint.answerRules
    this.#limits = limits
  }

  override checkAnswer(status: number, contentType: string | undefined, bytes: Uint8Array): AnswerCheck {
    if (!this.declares(status)) return unread(bytes, [contractFinding('response-undeclared', { status })])
    if (bytes.length === 0) return unread(bytes)
    const media = contentType === undefined ? null : parseMediaType(contentType)
    const json =
      media !== null &&
      (media.essence === 'application/json' || media.essence === 'application/graphql-response+json') &&
      isUtf8(media)
    if (!json) return unread(bytes, [contractFinding('response-undeclared', { status, rule: 'media type' })])
    const scan = scanJson(bytes, this.#limits)
    if (!scan.ok) {
      const { rule, pointer, offset } = scan.fault
      return unread(bytes, [contractFinding('response-malformed', { status, rule, pointer, offset })])
    }
    // Of a call that was not read (observing lets it go on) nothing is known of what it selected.
    if (this.#reading.requests.length === 0) return unread(bytes)
    // Numbers that a double does not hold go out by their digits.
    const held = this.#hold(scan.exact ? scan.value : parseExact(bytes))
    const changed = held.dropped.size > 0
    const refused = this.undeclared === 'block' && held.data.size > 0
    return {
      findings: refused ? [undeclaredFields([...held.data]), ...held.findings] : held.findings,
      body: changed ? Buffer.from(stringifyExact(held.value)) : bytes,
      stated: NOTHING_STATED,
      items: null,
      dropped: [...held.dropped],
      checked: true,
      ...(held.leak === null ? {} : { leak: held.leak, told: Buffer.from(stringifyExact(held.told)) }),
    }
  }

  #hold(value: unknown): HeldAnswer {
    const dropped = new Set<string>()
    /** Of what was dropped, data: errors and extensions are made safe whatever becomes of that. */
    const data = new Set<string>()
    const told: unknown[] = []
    let leak: string | null = null
    const findings: AnswerCheck['findings'][number][] = []
    const note = (place: string): void => {
      if (dropped.size < MAX_DROPPED) dropped.add(place)
    }
    const { requests, batched } = this.#reading
    const one = (answer: unknown, index: number): unknown => {
      const request = requests[index]
      if (!isRecord(answer) || request === undefined) {
        note('/')
        return {}
      }
      const out: Record<string, unknown> = {}
      for (const [name, member] of Object.entries(answer)) {
        if (name === 'data') {
          const { schema, operation, fragments } = request
          const held = new SelectedAnswer(schema, operation, fragments).hold(member)
          for (const place of held.dropped) {
            note(place)
            data.add(place)
          }
          findings.push(...held.findings)
          out['data'] = held.value
        } else if (name === 'errors') {
          let leaked = false
          out['errors'] = safeErrors(member, new Set(this.#rules.errorExtensions), note, (rule) => {
            leak ??= rule
            leaked = true
          })
          if (leaked) told.push(member)
        } else if (name === 'extensions') {
          const released = new Set(this.#rules.extensions)
          const kept = keptMembers(member, released, (each) => note(`/extensions/${each.slice(0, 64)}`))
          if (kept !== null) out['extensions'] = kept
        } else note(`/${name.slice(0, 64)}`)
      }
      return out
    }
    // Servers that could not read a batch answer it by one error.
    if (!batched || !Array.isArray(value))
      return { value: one(value, 0), dropped, data, findings, leak, told }
    if (value.length > requests.length) note('/*')
    return { value: value.slice(0, requests.length).map(one), dropped, data, findings, leak, told }
  }
}

interface HeldAnswer {
  readonly value: unknown
  readonly dropped: ReadonlySet<string>
  readonly data: ReadonlySet<string>
  readonly findings: AnswerCheck['findings']
  /** What a message or a released extension told of the upstream's inside (error-leak.ts). */
  readonly leak: string | null
  /** Errors as they came, one list for each request that had such. */
  readonly told: readonly unknown[]
}
