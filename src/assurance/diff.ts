import type { Decision, DecisionInput } from '../model/decision.ts'
import type { Draft } from './draft.ts'
import { callOf, lastCheckpoint } from './draft.ts'
import { cover, type Standing } from './facts.ts'
import { draftAt, type Point, points, type RequestSpace, requestSpace } from './request-space.ts'
import { diffSettings, type SettingChange } from './settings-diff.ts'
import { decisionFor, judge, operationsOf, type Side, type SideOperation } from './side.ts'
import { sentence, wordsOf } from './words.ts'

export interface PolicyDiff {
  /** Access widened somewhere: an operation, or a setting. */
  readonly widened: boolean
  /** Operations whose calls are judged differently, by name. */
  readonly operations: readonly OperationDiff[]
  readonly settings: readonly SettingChange[]
  readonly compared: {
    readonly operations: number
    /** Whose policies, floor and object rule are the same on both sides. */
    readonly same: number
    readonly decided: number
    readonly generated: number
    readonly requests: number
  }
  /** Operations that could not be decided, and found different or not over generated requests only. */
  readonly generated: readonly { readonly operation: string; readonly why: readonly string[] }[]
}

export interface OperationDiff {
  readonly operation: string
  readonly presence: 'both' | 'added' | 'removed'
  /** `decided`: over every request the policies can tell apart; `generated`: over a sample. */
  readonly how: 'decided' | 'generated'
  readonly why: readonly string[]
  /** Requests compared. */
  readonly requests: number
  readonly widened: Change
  readonly narrowed: Change
}

export interface Change {
  readonly requests: number
  readonly facts: readonly ChangeFact[]
  /** Requests that no fact tells of, because there would be too many. */
  readonly more: number
}

export interface ChangeFact {
  readonly words: string
  readonly who: string
  readonly conditions: readonly string[]
  readonly requests: number
  readonly example: DecisionInput
  readonly before: Verdict
  readonly after: Verdict
}

export interface Verdict {
  readonly effect: 'allow' | 'deny'
  readonly reasons: readonly string[]
  readonly policies: readonly string[]
}

export interface DiffOptions {
  /** The most requests of one operation. */
  readonly bound: number
  /** From 0 to 1. */
  readonly onProgress?: (done: number) => void
}

/** The most a reader takes in of one operation; what is left is counted. */
const MAX_FACTS = 8
/** Of differing requests, those that are told of: beyond, they repeat themselves. */
const MAX_SEEDS = 20_000
/** Facts told exactly; more of them are told again more broadly. */
const EXACT_FACTS = 3
/** Denied by both. */
const DENIED = 0
const WIDENED = 1
const NARROWED = 2
const EITHER = 3
/** Allowed by both. */
const ALLOWED = 4

/** What B allows that A denies, and the other way round. */
export function diffPolicies(before: Side, after: Side, options: DiffOptions): PolicyDiff {
  const [old, next] = [operationsOf(before), operationsOf(after)]
  const names = [...new Set([...old.keys(), ...next.keys()])].sort()
  const found: OperationDiff[] = []
  const generated: { operation: string; why: readonly string[] }[] = []
  const compared = { operations: names.length, same: 0, decided: 0, generated: 0, requests: 0 }
  names.forEach((name, index) => {
    options.onProgress?.(index / names.length)
    const pair: Pair = { before: old.get(name), after: next.get(name) }
    if (pair.before !== undefined && pair.after !== undefined && print(pair.before) === print(pair.after)) {
      compared.same++
      return
    }
    const diff = diffOperation(name, { sides: [before, after], pair }, options.bound)
    compared.requests += diff.requests
    compared[diff.how]++
    if (diff.how === 'generated') generated.push({ operation: name, why: diff.why })
    if (diff.widened.requests > 0 || diff.narrowed.requests > 0) found.push(diff)
  })
  options.onProgress?.(1)
  const settings = diffSettings(before, after)
  const widened =
    found.some(({ widened: { requests } }) => requests > 0) || settings.some((change) => change.widened)
  return { widened, operations: found, settings, compared, generated }
}

interface Pair {
  readonly before: SideOperation | undefined
  readonly after: SideOperation | undefined
}

interface Compared {
  readonly sides: readonly [Side, Side]
  readonly pair: Pair
}

/** All that judges an operation's calls; a policy's name judges nothing. */
function print({ plan, policies, api }: SideOperation): string {
  const bodies = policies
    .map(({ policy: { annotations, ...body } }) => JSON.stringify([body, { ...annotations, id: '' }]))
    .sort()
  return JSON.stringify([
    { ...plan, mode: '' },
    [api.plan.credential, api.plan.basePath],
    api.plan.zone ?? '',
    bodies,
  ])
}

function diffOperation(operation: string, compared: Compared, bound: number): OperationDiff {
  const { before, after } = compared.pair
  const present = [before, after].filter((side) => side !== undefined)
  const space = requestSpace({
    plans: present.map(({ plan }) => plan),
    policies: present.flatMap(({ policies }) => policies.map(({ policy }) => policy)),
    issuer: present[0]?.api.plan.accept[0] ?? 'issuer',
    bound,
  })
  const standings = new Standings(space, compared, bound)
  const widened: Point[] = []
  const narrowed: Point[] = []
  const count = { requests: 0, widened: 0, narrowed: 0 }
  for (const point of points(space, bound)) {
    const standing = standings.at(point)
    if (standing !== EITHER) count.requests++
    if (standing === WIDENED && count.widened++ < MAX_SEEDS) widened.push(point.slice())
    if (standing === NARROWED && count.narrowed++ < MAX_SEEDS) narrowed.push(point.slice())
  }
  const tell = (seeds: readonly Point[], total: number, wanted: number): Change =>
    change({ operation, space, compared, standings, seeds, total, wanted })
  return {
    operation,
    presence: before === undefined ? 'added' : after === undefined ? 'removed' : 'both',
    how: space.exhaustive ? 'decided' : 'generated',
    why: space.why,
    requests: count.requests,
    widened: tell(widened, count.widened, WIDENED),
    narrowed: tell(narrowed, count.narrowed, NARROWED),
  }
}

/** What becomes of each request on the two sides, worked out once. */
class Standings {
  readonly #space: RequestSpace
  readonly #compared: Compared
  readonly #strides: readonly number[]
  readonly #known: Uint8Array | null
  readonly #seen = new Map<string, number>()

  constructor(space: RequestSpace, compared: Compared, bound: number) {
    this.#space = space
    this.#compared = compared
    let stride = 1
    const strides: number[] = []
    for (const { values } of [...space.dimensions].reverse()) {
      strides.unshift(stride)
      stride *= values.length
    }
    this.#strides = strides
    // One more than the standing: 0 is not worked out yet.
    this.#known = space.size <= bound ? new Uint8Array(space.size) : null
  }

  at(point: Point): number {
    if (this.#known === null) {
      const key = point.join()
      const seen = this.#seen.get(key) ?? this.#compare(point)
      this.#seen.set(key, seen)
      return seen
    }
    let index = 0
    for (let at = 0; at < point.length; at++) index += (point[at] ?? 0) * (this.#strides[at] ?? 0)
    const known = this.#known[index] ?? 0
    if (known !== 0) return known - 1
    const standing = this.#compare(point)
    this.#known[index] = standing + 1
    return standing
  }

  #compare(point: Point): number {
    const draft = draftAt(this.#space.dimensions, point)
    if (draft === null) return EITHER
    const { sides, pair } = this.#compared
    const before = judge(sides[0], pair.before, draft)
    const after = judge(sides[1], pair.after, draft)
    if (before.allowed !== after.allowed) return after.allowed ? WIDENED : NARROWED
    if (before.allowed) return seen(before.hides, after.hides)
    return before.floor || after.floor ? DENIED : EITHER
  }
}

/** Allowed either way; whoever is shown a field that was hidden sees more, whatever else is hidden then. */
function seen(before: ReadonlySet<string> = NOTHING, after: ReadonlySet<string> = NOTHING): number {
  if ([...before].some((field) => !after.has(field))) return WIDENED
  return after.size > before.size ? NARROWED : ALLOWED
}

const NOTHING: ReadonlySet<string> = new Set()

function change(told: {
  readonly operation: string
  readonly space: RequestSpace
  readonly compared: Compared
  readonly standings: Standings
  readonly seeds: readonly Point[]
  readonly total: number
  readonly wanted: number
}): Change {
  const { operation, space, compared, standings, seeds, total, wanted } = told
  const coverBy = (unchanged: number | null): ReturnType<typeof cover> =>
    cover({
      dimensions: space.dimensions,
      seeds,
      standing: (point: Point): Standing => {
        const found = standings.at(point)
        if (found === wanted) return 'in'
        return found === EITHER || found === unchanged ? 'either' : 'out'
      },
      most: MAX_FACTS,
    })
  // What a new permit adds between those there are takes many words to tell exactly. Then it is told as it is written,
  // with what was so already.
  const exact = coverBy(null)
  const broad = exact.cubes.length > EXACT_FACTS ? coverBy(wanted === WIDENED ? ALLOWED : DENIED) : null
  const { cubes, left } = broad !== null && broad.cubes.length < exact.cubes.length ? broad : exact
  const already = cubes === exact.cubes ? '' : ', where it was not so already'
  const facts = cubes.flatMap((cube): readonly ChangeFact[] => {
    const draft = draftAt(space.dimensions, cube.example)
    if (draft === null) return []
    const words = wordsOf(space.dimensions, cube)
    return [
      {
        words: sentence(words, operation, wanted === WIDENED, alike(compared, draft)) + already,
        ...words,
        requests: cube.count,
        example: exampleOf(compared.pair, draft),
        before: verdictOf(compared.sides[0], compared.pair.before, draft),
        after: verdictOf(compared.sides[1], compared.pair.after, draft),
      },
    ]
  })
  return { requests: total, facts, more: left + Math.max(0, total - seeds.length) }
}

/** Allowed on both sides: what differs is what is hidden of the answer. */
function alike({ sides, pair }: Compared, draft: Draft): boolean {
  return judge(sides[0], pair.before, draft).allowed && judge(sides[1], pair.after, draft).allowed
}

function exampleOf({ before, after }: Pair, draft: Draft): DecisionInput {
  const side = after ?? before
  if (side === undefined) throw new Error('an operation of neither side')
  return callOf(draft, side.plan, lastCheckpoint(side.plan), side.api.plan).input
}

function verdictOf(side: Side, operation: SideOperation | undefined, draft: Draft): Verdict {
  const decision: Decision | null = decisionFor(side, operation, draft)
  if (decision === null) return { effect: 'deny', reasons: ['route-unknown'], policies: [] }
  const { effect, reasons, policies } = decision
  return { effect: effect === 'allow' ? 'allow' : 'deny', reasons: reasons.map(({ code }) => code), policies }
}
