import type { Environment } from './environment.ts'
import type { Judge, Judged, Tally } from './generated/judge.ts'
import { holds } from './scope.ts'

/** Told of the policies whose scope covers the request: each by itself, or of what generated code found. */
export interface Visitor<P> extends Tally<P> {
  take(policy: P): void
}

/** How policies that are found together become one function. */
export interface Generation<P> {
  readonly generate: (judged: readonly Judged<P>[]) => Judge<P>
  /** Evaluations by closures beforehand: what is judged a few times only is not worth it. */
  readonly after: number
  /** Fewer policies are left to closures. */
  readonly least: number
}

/** Policies of one generated function: generated in about a millisecond, and still optimised as a whole by V8. */
const BLOCK = 48
/**
 * Blocks of one list that become code: V8 compiles each at its first call and again when it is called often, within
 * calls. Closures judge the rest of a longer list.
 */
const MAX_GENERATED = 16

interface Block<P> {
  readonly judged: readonly Judged<P>[]
  judge: Judge<P> | null
}

/**
 * Policies that the index finds together. Those that are asked for often become one function, block by block: never
 * more than one block in an evaluation, so that none waits for all of them.
 */
export class PolicyList<P> {
  readonly judged: Judged<P>[] = []
  readonly #generation: Generation<P> | null
  #blocks: readonly Block<P>[] = []
  #visits = 0
  #next = 0

  /** @param generation Null to judge by closures alone. */
  constructor(generation: Generation<P> | null) {
    this.#generation = generation
  }

  visit(environment: Environment, visitor: Visitor<P>): void {
    if (this.#generation !== null) this.#count(this.#generation)
    const blocks = this.#blocks
    if (blocks.length === 0) return takeEach(this.judged, environment, visitor)
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]
      if (block === undefined) continue
      if (block.judge === null) takeEach(block.judged, environment, visitor)
      else block.judge(environment, visitor)
    }
  }

  #count({ generate, after, least }: Generation<P>): void {
    if (this.#next > 0 && this.#next >= Math.min(this.#blocks.length, MAX_GENERATED)) return
    if (this.judged.length < least || this.#visits++ < after) return
    if (this.#blocks.length === 0) this.#blocks = blocksOf(this.judged)
    const block = this.#blocks[this.#next++]
    if (block !== undefined) block.judge = attempt(generate, block.judged)
  }
}

/** Null where code may not be generated: closures judge as well. */
function attempt<P>(generate: Generation<P>['generate'], judged: readonly Judged<P>[]): Judge<P> | null {
  try {
    return generate(judged)
  } catch {
    return null
  }
}

function blocksOf<P>(judged: readonly Judged<P>[]): readonly Block<P>[] {
  const blocks: Block<P>[] = []
  for (let at = 0; at < judged.length; at += BLOCK)
    blocks.push({ judged: judged.slice(at, at + BLOCK), judge: null })
  return blocks
}

function takeEach<P>(judged: readonly Judged<P>[], environment: Environment, visitor: Visitor<P>): void {
  for (let i = 0; i < judged.length; i++) {
    const entry = judged[i]
    if (entry === undefined) continue
    if (entry.principal !== null && !holds(entry.principal, environment.principal, environment)) continue
    if (entry.resource !== null && !holds(entry.resource, environment.resource, environment)) continue
    visitor.take(entry.policy)
  }
}
