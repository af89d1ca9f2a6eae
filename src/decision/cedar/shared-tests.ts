import type { Test } from './compiled.ts'
import type { Expression } from './est.ts'

/**
 * Conditions that several policies of a set have in common (`context.scopesMet`) are tried once in each evaluation. A
 * result is marked with the number of the evaluation that it belongs to: to the next it is worth nothing. A condition
 * that fails leaves no mark, and fails again for the next policy.
 */
export class SharedTests {
  readonly #places = new Map<string, number>()
  readonly #tests = new Map<number, Test>()
  /** For each shared condition twice the evaluation's number, and 1 for true. */
  readonly #marks: Uint32Array
  #evaluation = 0

  /** @param conditions All conditions of the set, as often as they occur. */
  constructor(conditions: Iterable<Expression>) {
    const seen = new Set<string>()
    for (const condition of conditions) {
      const key = JSON.stringify(condition)
      if (seen.has(key) && !this.#places.has(key)) this.#places.set(key, this.#places.size)
      seen.add(key)
    }
    this.#marks = new Uint32Array(this.#places.size)
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

  /** The condition's test; `compile` makes it where no other policy has it yet. */
  test(condition: Expression, compile: () => Test): Test {
    const place = this.#places.get(JSON.stringify(condition))
    if (place === undefined) return compile()
    const made = this.#tests.get(place)
    if (made !== undefined) return made
    const test = marked(compile(), place, this.#marks)
    this.#tests.set(place, test)
    return test
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
