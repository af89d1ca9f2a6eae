/** Names longer than this are compared by their beginning. */
const MAX_COMPARED = 128

/** The candidate closest to a misspelt name by edit distance, or null where none is close. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(Math.min(name.length, MAX_COMPARED) / 2))
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > bestDistance) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance || (distance === bestDistance && best === null)) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance. */
function editDistance(left: string, right: string): number {
  const a = left.slice(0, MAX_COMPARED)
  const b = right.slice(0, MAX_COMPARED)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + cost))
    }
    row = next
  }
  return row[b.length] ?? 0
}
