import type { PolicyEngine } from '../model/decision.ts'
import type { Dimension } from './dimension.ts'
import { callOf, lastCheckpoint } from './draft.ts'
import { draftAt, type Point, points, requestSpace } from './request-space.ts'
import type { Side, SideOperation } from './side.ts'

/** Which policies apply to the requests of one operation. */
export interface Application {
  /** Each set of policies that applied together, once, by their index, ascending. */
  readonly sets: readonly (readonly number[])[]
  /** Policies for which some circumstances suffice: whoever calls under them, the policy applies. */
  readonly everyone: ReadonlySet<number>
  readonly exhaustive: boolean
  readonly requests: number
}

export interface ApplicationInput {
  /** Of the same policies, all of them permits. */
  readonly engine: PolicyEngine
  readonly index: ReadonlyMap<string, number>
  readonly bound: number
}

/**
 * Sets leave out requests that scopes refuse: no policy changes them. Whether a policy tells callers apart is asked of
 * those too: one that asks for the scopes does.
 */
export function applyingAt(
  { engine: own }: Side,
  { plan, policies, api }: SideOperation,
  { engine, index, bound }: ApplicationInput,
): Application {
  const space = requestSpace({
    plans: [plan],
    policies: policies.map(({ policy }) => policy),
    issuer: api.plan.accept[0] ?? 'issuer',
    bound,
  })
  const sets = new Map<string, readonly number[]>()
  const circumstances = new Circumstances(space.dimensions)
  let requests = 0
  const checkpoints = own.reads.has('context.checkpoint')
    ? (['head', 'body', 'response'] as const)
    : [lastCheckpoint(plan)]
  for (const point of points(space, bound)) {
    const draft = draftAt(space.dimensions, point)
    if (draft === null) continue
    for (const checkpoint of checkpoints) {
      const { input, subject, scopes } = callOf(draft, plan, checkpoint, api.plan)
      if (plan.security.need === 'required' && subject.kind === 'anonymous' && !scopes.leftToApi) continue
      requests++
      const { verdict, policies: named, errors } = engine.evaluate(input)
      // An error of a forbid denies as if it applied; of a permit it is as if it did not.
      const applied = verdict === 'allow' ? named : []
      const failed = errors.map(({ policy }) => policy)
      const all = [...new Set([...applied, ...failed])].flatMap((id) => index.get(id) ?? [])
      const sorted = all.sort((a, b) => a - b)
      if (plan.security.need !== 'required' || scopes.met || scopes.leftToApi) sets.set(sorted.join(), sorted)
      circumstances.note(point, `${checkpoint}`, sorted)
    }
  }
  // Whom the contract itself lets in without a token, everyone is meant.
  const everyone = plan.security.need === 'required' ? circumstances.everyone() : new Set<number>()
  return { sets: [...sets.values()], everyone, exhaustive: space.exhaustive, requests }
}

/** What tells callers apart, as against when, where from and about what they call. */
const WHO =
  /^(?:principal|resource\.owner|resource\.tenant|context\.(?:scopes|issuer|audience|acr|amr|device))/

/** For each combination of everything but the caller: the policies that applied for all callers seen. */
class Circumstances {
  readonly #others: readonly number[]
  readonly #always = new Map<string, Set<number>>()

  constructor(dimensions: readonly Dimension[]) {
    this.#others = dimensions.flatMap(({ path }, at) => (WHO.test(path) ? [] : [at]))
  }

  note(point: Point, checkpoint: string, applied: readonly number[]): void {
    const key = `${checkpoint} ${this.#others.map((at) => point[at] ?? 0).join()}`
    const always = this.#always.get(key)
    if (always === undefined) this.#always.set(key, new Set(applied))
    else for (const each of always) if (!applied.includes(each)) always.delete(each)
  }

  everyone(): ReadonlySet<number> {
    return new Set([...this.#always.values()].flatMap((always) => [...always]))
  }
}
