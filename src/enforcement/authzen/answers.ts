import type { FieldObligation } from '../../model/decision.ts'
import type { ExchangeId } from '../../model/exchange.ts'
import type { Reason } from '../../model/reason.ts'
import { opposes } from '../../model/reason.ts'
import type { Page, Question, Questions, Search } from '../../syntax/authzen.ts'
import type { Asker } from './answer-record.ts'

/**
 * What a domain of questions can do: judge one, or search. Every answer is recorded before it is given; null where
 * that failed, and then nobody is told anything but that.
 */
export interface Judging {
  readonly name: string
  readonly bundle: string
  decide(question: Question, asking: Asking): Promise<Judged | null>
  /** A question that could not be read, as an answer of its own among others. */
  unreadable(fault: string, asking: Asking): Promise<Judged | null>
  readonly searches: ReadonlySet<Search['target']>
  search(search: Search, from: number, limit: number, asking: Asking): Promise<SearchResult | null>
}

export interface Asking {
  readonly asker: Asker
  /** Of the whole request: several questions share it. */
  readonly digest: string
  readonly bytes: number
}

export interface Judged {
  readonly id: ExchangeId
  readonly decision: boolean
  readonly reasons: readonly [Reason, ...Reason[]]
  /** What the answer has to go out with: whoever asked sees to it. Left out where nothing is. */
  readonly obligations?: readonly FieldObligation[]
}

export interface SearchResult {
  readonly results: readonly Readonly<Record<string, string>>[]
  /** Where to go on; null where nothing is left. */
  readonly next: number | null
}

/** The standard's decision object (§5.5). A denial names a code of the closed list, and what it is safe to say of it. */
export interface DecisionAnswer {
  readonly decision: boolean
  readonly context?: Readonly<Record<string, unknown>>
}

/** Of an allow, `context.obligations` says which fields of the answer are to be hidden (§5.5.1 leaves its members open). */
export function decisionAnswer({ id, decision, reasons, obligations }: Judged): DecisionAnswer {
  if (decision) return obligations === undefined ? { decision } : { decision, context: { obligations } }
  const why = reasons.find(({ code }) => opposes(code)) ?? reasons[0]
  const detail = why.forCaller === undefined ? {} : { detail: why.forCaller }
  return { decision, context: { reason: why.code, ...detail, exchange: id } }
}

/** Questions judged between two looks at what else waits. */
const AT_ONE_GO = 20

/** In order; after the first deny or permit no more are judged, where the request says so (§7.1.2). */
export async function answerAll(
  { semantic, questions }: Questions,
  domain: Judging,
  asking: Asking,
): Promise<readonly DecisionAnswer[] | null> {
  const answers: DecisionAnswer[] = []
  for (const [index, read] of questions.entries()) {
    if (index > 0 && index % AT_ONE_GO === 0) await turn()
    const judged = read.ok
      ? await domain.decide(read.value, asking)
      : await domain.unreadable(read.fault, asking)
    if (judged === null) return null
    answers.push(decisionAnswer(judged))
    if (semantic === 'deny_on_first_deny' && !judged.decision) break
    if (semantic === 'permit_on_first_permit' && judged.decision) break
  }
  return answers
}

export interface SearchAnswer {
  readonly results: SearchResult['results']
  readonly page?: { readonly next_token: string }
}

/** Results of one answer, whatever `page.limit` asks for. */
const MAX_RESULTS = 1_000

/**
 * One page of a search. A token is the place to go on at, under a key: of another search, another bundle or another
 * gate it is none. `false`: the token is not of this search.
 */
export async function answerSearch(
  search: Search,
  domain: Judging,
  asking: Asking,
  digest: (bytes: Uint8Array) => string,
): Promise<SearchAnswer | null | false> {
  const about = aboutOf(search, domain)
  const sign = (place: number): string => `${place}.${digest(Buffer.from(`${about}\n${place}`))}`
  const from = placeOf(search.page, sign)
  if (from === null) return false
  const limit = Math.min(search.page?.limit ?? MAX_RESULTS, MAX_RESULTS)
  const found = await domain.search(search, from, limit, asking)
  if (found === null) return null
  const { results, next } = found
  if (next === null && search.page === null) return { results }
  return { results, page: { next_token: next === null ? '' : sign(next) } }
}

function placeOf(page: Page | null, sign: (place: number) => string): number | null {
  if (page === null || page.token === null) return 0
  const place = /^(\d{1,9})\./.exec(page.token)?.[1]
  return place !== undefined && sign(Number(place)) === page.token ? Number(place) : null
}

/** Everything a page stands for but the page itself. */
function aboutOf({ page: _, ...search }: Search, { name, bundle }: Judging): string {
  return JSON.stringify(['authzen-page', name, bundle, sorted(search)])
}

/** The same members in another order are the same question. Depth is bounded by the JSON reader. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return members.map(([name, each]) => [name, sorted(each)])
}

/** Lets calls that wait have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
