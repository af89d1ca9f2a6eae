/** Sets of Unicode code points as sorted, disjoint, inclusive ranges. */
export type Range = readonly [from: number, to: number]
export type CharacterSet = readonly Range[]

export const LAST_CODE_POINT = 0x10ffff

export const EMPTY: CharacterSet = []
export const EVERYTHING: CharacterSet = [[0, LAST_CODE_POINT]]

export function union(...sets: readonly CharacterSet[]): CharacterSet {
  const all = sets.flat().sort((a, b) => a[0] - b[0])
  const out: [number, number][] = []
  for (const [from, to] of all) {
    const last = out[out.length - 1]
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}

export function complement(set: CharacterSet): CharacterSet {
  const out: Range[] = []
  let from = 0
  for (const [first, last] of union(set)) {
    if (first > from) out.push([from, first - 1])
    from = last + 1
  }
  if (from <= LAST_CODE_POINT) out.push([from, LAST_CODE_POINT])
  return out
}

export function overlap(a: CharacterSet, b: CharacterSet): boolean {
  let i = 0
  let k = 0
  for (;;) {
    const left = a[i]
    const right = b[k]
    if (left === undefined || right === undefined) return false
    if (left[0] <= right[1] && right[0] <= left[1]) return true
    if (left[1] < right[1]) i++
    else k++
  }
}

const single = (text: string): CharacterSet =>
  union([...text].map((character): Range => [character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0]))

/** ECMA-262 §22.2.2.9: what the escapes stand for with the u flag and without i. */
export const DIGIT: CharacterSet = [[0x30, 0x39]]
export const WORD: CharacterSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
export const SPACE: CharacterSet = union(
  single('\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'),
  [[0x2000, 0x200a]],
)
/** `.` without the s flag. */
export const DOT: CharacterSet = complement(single('\n\r\u2028\u2029'))
