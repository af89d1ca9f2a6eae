import { replayInput } from '../decision/attributes.ts'
import { POLICY_CODES, policyReasons } from '../decision/decide.ts'
import type { Decision, DecisionInput } from '../model/decision.ts'
import { opposes } from '../model/reason.ts'
import type { RecordedInput } from '../model/record.ts'
import type { Side } from './side.ts'

/** Recorded calls judged by the policies of both sides; the facts about them (identity, contract) stand as recorded. */
export interface RecordsDiff {
  readonly read: number
  /** Ended by a fact that no policy changes, or judged without policies. */
  readonly settled: number
  readonly same: number
  readonly changes: readonly RecordsChange[]
  /** Not recorded, so that nothing can be said: by attribute, how many. */
  readonly undecidable: Readonly<Record<string, number>>
  /** There were more records than are read. */
  readonly cut: boolean
}

export interface RecordsChange {
  readonly operation: string
  readonly caller: string
  readonly widened: boolean
  readonly count: number
  /** Exchange id of one. */
  readonly example: string
}

export interface RecordedCall {
  readonly id: string
  readonly decisions: readonly Decision[]
  readonly attributes: RecordedInput | null
}

/** Counts call after call; each is held no longer than it takes to judge it. */
export class RecordsTally {
  readonly #sides: readonly [Side, Side]
  readonly #changes = new Map<string, { -readonly [K in keyof RecordsChange]: RecordsChange[K] }>()
  readonly #undecidable = new Map<string, number>()
  #read = 0
  #settled = 0
  #same = 0

  constructor(before: Side, after: Side) {
    this.#sides = [before, after]
  }

  add({ id, decisions, attributes }: RecordedCall): void {
    this.#read++
    const decision = decisions.findLast(({ checkpoint }) => checkpoint === attributes?.checkpoint)
    if (attributes === null || decision === undefined || settledByFacts(decision)) {
      this.#settled++
      return
    }
    const [before, after] = this.#sides.map((side) => allowedBy(side, attributes))
    if (typeof before !== 'boolean' || typeof after !== 'boolean') {
      for (const name of new Set([...missingOf(before), ...missingOf(after)])) {
        this.#undecidable.set(name, (this.#undecidable.get(name) ?? 0) + 1)
      }
      return
    }
    if (before === after) this.#same++
    else this.#change(attributes, after, id)
  }

  #change({ action, principal }: RecordedInput, widened: boolean, example: string): void {
    const caller = `${principal.type} ${principal.id}`
    const key = JSON.stringify([action, caller, widened])
    const found = this.#changes.get(key)
    if (found !== undefined) found.count++
    else this.#changes.set(key, { operation: action, caller, widened, count: 1, example })
  }

  report(cut: boolean): RecordsDiff {
    return {
      read: this.#read,
      settled: this.#settled,
      same: this.#same,
      changes: [...this.#changes.values()].sort((one, other) => other.count - one.count),
      undecidable: Object.fromEntries([...this.#undecidable].sort()),
      cut,
    }
  }
}

function missingOf(found: boolean | readonly string[] | undefined): readonly string[] {
  return Array.isArray(found) ? (found as readonly string[]) : []
}

/** Whether the policies let the call go on where it was last judged; else the attributes it would take. */
function allowedBy({ engine }: Side, attributes: RecordedInput): boolean | readonly string[] {
  const replayed = replayInput(attributes, engine.reads)
  if (!replayed.ok) return replayed.missing
  const input: DecisionInput = replayed.input
  return policyReasons(engine.evaluate(input), input.resource.unknown.length === 0).length === 0
}

function settledByFacts({ reasons }: Decision): boolean {
  return reasons.some(({ code }) => code === 'ungoverned' || (opposes(code) && !POLICY_CODES.has(code)))
}
