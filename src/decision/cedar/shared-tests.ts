import { type Compiled, ofTest, type Test } from './compiled.ts'
import type { Expression } from './est.ts'

interface Condition {
  /** The last policy that was found to have it. */
  policy: string
  /** Its mark, where several policies have it; else -1. */
  place: number
  compiled: Compiled | null
}

/**
 * Conditions that several policies have in common (`context.scopesMet`) are compiled once, and tried once in each
 * evaluation. A result is marked with the number of the evaluation that it belongs to: to the next it is worth
 * nothing. A condition that fails leaves no mark, and fails again for the next policy.
 */
export class SharedTests {
  readonly #conditions = new Map<string, Condition>()
  /** The same by the expressions themselves: the bounds of a policy consist of the policy's own. */
  readonly #byExpression = new Map<Expression, Condition>()
  #places = 0
  /** For each shared condition twice the evaluation's number, and 1 for true. */
  #marks = new Uint32Array(0)
  #evaluation = 0

  /** Tells that a policy has this condition; of all there are before the first is compiled. */
  count(condition: Expression, policy: string): void {
    const known = this.#byExpression.get(condition)
    if (known !== undefined) return this.#found(known, policy)
    const key = JSON.stringify(condition)
    let same = this.#conditions.get(key)
    if (same === undefined) {
      same = { policy, place: -1, compiled: null }
      this.#conditions.set(key, same)
    } else this.#found(same, policy)
    this.#byExpression.set(condition, same)
  }

  #found(condition: Condition, policy: string): void {
    if (condition.policy === policy) return
    condition.policy = policy
    if (condition.place === -1) condition.place = this.#places++
  }

  /** Every condition was counted. */
  counted(): void {
    this.#marks = new Uint32Array(this.#places)
  }

  /** The condition compiled, by `compile` where no other policy has it yet. */
  compiled(condition: Expression, compile: () => Compiled): Compiled {
    const known = this.#byExpression.get(condition)
    if (known === undefined) return compile()
    known.compiled ??= this.#marked(compile(), known.place)
    return known.compiled
  }

  #marked(compiled: Compiled, place: number): Compiled {
    if (place === -1 || compiled.constant !== undefined) return compiled
    return ofTest(marked(compiled.test, place, this.#marks))
  }

  /** Every condition was compiled: what was needed for it is let go. */
  forget(): void {
    this.#conditions.clear()
    this.#byExpression.clear()
  }

  /** A number for the next evaluation that no mark has. */
  next(): number {
    if (this.#evaluation >= LAST) {
      this.#marks.fill(0)
      this.#evaluation = 0
    }
    this.#evaluation++
    return this.#evaluation
  }
}

/** One less than a mark can hold: that one stands for no evaluation (-1, in 32 bits). */
const LAST = 2 ** 31 - 2

function marked(test: Test, place: number, marks: Uint32Array): Test {
  return (environment) => {
    const { evaluation } = environment
    const mark = marks[place] ?? 0
    if (mark >>> 1 === evaluation) return (mark & 1) === 1
    const result = test(environment)
    marks[place] = evaluation * 2 + (result ? 1 : 0)
    return result
  }
}
