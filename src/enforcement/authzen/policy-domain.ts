import type { Answer, Domain, Found } from '../../decision/domain/domain.ts'
import type { ExchangeId, Instant } from '../../model/exchange.ts'
import type { Random } from '../../model/ports.ts'
import { reason } from '../../model/reason.ts'
import type { Question, Search } from '../../syntax/authzen.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import type { Gate } from '../gate.ts'
import { recordAnswer } from './answer-record.ts'
import { type Asking, type Judged, type Judging, type SearchResult, turn } from './answers.ts'

/** Candidates one answer tries at most, and between two looks at what else waits. */
const MAX_TRIED = 10_000
const AT_ONE_GO = 200

const ALL: ReadonlySet<Search['target']> = new Set(['subject', 'resource', 'action'])
const NOBODY = { type: '', id: '' }

/** Another application's policies, asked: judged over the bundle in force, each answer recorded before it is given. */
export class PolicyDomain implements Judging {
  readonly name: string
  readonly bundle: string
  readonly searches = ALL
  readonly #domain: Domain
  readonly #gate: Gate
  readonly #random: Random

  constructor(domain: Domain, bundle: string, gate: Gate, random: Random) {
    this.name = domain.name
    this.bundle = bundle
    this.#domain = domain
    this.#gate = gate
    this.#random = random
  }

  decide(question: Question, asking: Asking): Promise<Judged | null> {
    const opened = this.#open()
    const said = this.#judge(question, opened.id)
    return this.#recorded({ ...opened, ...question, ...said }, asking)
  }

  unreadable(fault: string, asking: Asking): Promise<Judged | null> {
    const why = reason('question-malformed', 'hygiene', {}, fault)
    const said = { decision: false, reasons: [why], policies: [] } as const
    return this.#recorded(
      { ...this.#open(), subject: NOBODY, action: { name: '' }, resource: NOBODY, ...said },
      asking,
    )
  }

  async search(search: Search, from: number, limit: number, asking: Asking): Promise<SearchResult | null> {
    const opened = this.#open()
    const results: SearchResult['results'][number][] = []
    let next: number | null = from
    let judged = 0
    while (next !== null && results.length < limit && judged < MAX_TRIED) {
      if (judged > 0) await turn()
      const found = this.#domain.search(search, next, limit - results.length, AT_ONE_GO)
      results.push(...found.found.map(resultOf))
      judged += found.judged
      next = found.next
    }
    const filtered = reason('list-filtered', 'policy', {
      searched: search.target,
      judged,
      released: results.length,
    })
    const recorded = await this.#recorded(
      {
        ...opened,
        subject: search.subject,
        action: search.action ?? { name: '' },
        resource: search.resource,
        decision: true,
        reasons: [filtered],
        policies: [],
      },
      asking,
    )
    return recorded === null ? null : { results, next }
  }

  #open(): Pick<Made, 'id' | 'received'> {
    const received = this.#gate.clock.now()
    return { id: uuid7(received.wallMs, this.#random.bytes(10)) as ExchangeId, received }
  }

  /** What fails in judging denies (standards 1.5). */
  #judge(question: Question, id: string): Answer {
    try {
      return this.#domain.decide(question)
    } catch (error) {
      this.#gate.fault('policy', id, error)
      const failed = reason('stage-failed', 'stage', { stage: 'policy' })
      return { decision: false, reasons: [failed], policies: [] }
    }
  }

  async #recorded(made: Made, asking: Asking): Promise<Judged | null> {
    const { action, ...rest } = made
    const answer = { ...rest, ...asking, action: action.name, domain: this.name, bundle: this.bundle }
    return (await recordAnswer(answer, this.#gate)) ? made : null
  }
}

interface Made extends Judged {
  readonly received: Instant
  readonly subject: { readonly type: string; readonly id: string }
  readonly action: { readonly name: string }
  readonly resource: { readonly type: string; readonly id: string }
  readonly policies: readonly string[]
}

function resultOf(found: Found): Readonly<Record<string, string>> {
  return found.kind === 'action' ? { name: found.name } : { type: found.type, id: found.id }
}
