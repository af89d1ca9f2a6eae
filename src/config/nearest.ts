/** Which known word a mistyped one was meant to be: Damerau–Levenshtein distance (optimal string alignment). */

/** Beyond this a word is no longer a typing error of another, and comparing costs the product of the lengths. */
const LONGEST = 64

/** The nearest known word, or null where none is within about a third of its length. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST) return null
  const wanted = word.toLowerCase().replace(/[-_ ]/g, '')
  let best: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const away = distance(wanted, candidate.toLowerCase())
    if (away < least) {
      best = candidate
      least = away
    }
  }
  return best !== null && least <= Math.max(1, Math.floor(Math.max(word.length, best.length) / 3))
    ? best
    : null
}

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other. */
export function distance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const line = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1)
      }
      line.push(cost)
    }
    before = last
    last = line
  }
  return last[to.length] ?? 0
}
