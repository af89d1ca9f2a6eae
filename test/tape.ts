import fc from 'fast-check'

/**
 * Choices read one after the other from a list of numbers; past its end, always the first choice. Whatever is built
 * by asking a tape shrinks as its numbers do, however deeply it nests, and building it always ends.
 */
export class Tape {
  readonly #numbers: readonly number[]
  #next = 0

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers
  }

  /** A whole number from 0, below `count`. */
  below(count: number): number {
    return (this.#numbers[this.#next++] ?? 0) % count
  }

  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    const choice = choices[this.below(choices.length)]
    if (choice === undefined) throw new Error('nothing to choose from')
    return choice
  }
}

export function tapes(length: number): fc.Arbitrary<Tape> {
  return fc
    .array(fc.nat(0xffff), { minLength: Math.floor(length / 2), maxLength: length, size: 'max' })
    .map((numbers) => new Tape(numbers))
}
