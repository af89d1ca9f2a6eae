import type { Dimension } from './dimension.ts'
import type { Point } from './request-space.ts'
import { seeded } from './request-space.ts'

/** Some requests told together: of each attribute the choices they have, all of them where it does not matter. */
export interface Cube {
  /** By dimension: indexes of its choices, ascending. */
  readonly choices: readonly (readonly number[])[]
  /** How many of the requests seen it tells of. */
  readonly count: number
  /** One of them. */
  readonly example: Point
}

export type Standing = 'in' | 'out' | 'either'

export interface CoverInput {
  readonly dimensions: readonly Dimension[]
  /** The requests to tell of. */
  readonly seeds: readonly Point[]
  /** Whether a request belongs with them, or may be told either way because it cannot be or is denied anyhow. */
  standing(point: Point): Standing
  readonly most: number
}

/** More requests of one slice than this are sampled: what is told then holds for those looked at. */
const MAX_SLICE = 20_000
const SLICE_SAMPLE = 64
/** Looking closer for fewer words ends here. */
const MAX_LOOKS = 1_000_000

/**
 * Few cubes that hold all the seeds and nothing that is out: each starts at a request not yet told of and takes in
 * choice after choice as long as all it then holds belongs (as two-level minimisation does). Attributes that take in
 * every choice do not matter.
 */
export function cover({ dimensions, seeds, standing, most }: CoverInput): {
  readonly cubes: readonly Cube[]
  /** Seeds no cube tells of, because there would be more than `most`. */
  readonly left: number
} {
  const cubes: Cube[] = []
  let left = seeds
  let looks = 0
  // From the last: identities and memberships stand first and are what a reader wants kept.
  const order = dimensions.map((_, index) => index).reverse()
  while (left.length > 0 && cubes.length < most) {
    const [seed] = left
    if (seed === undefined) break
    const choices = [...seed].map((choice) => [choice])
    for (const at of order) {
      const count = dimensions[at]?.values.length ?? 0
      for (let choice = 0; choice < count && looks < MAX_LOOKS; choice++) {
        if (choices[at]?.includes(choice)) continue
        const slice = choices.map((each, index) => (index === at ? [choice] : each))
        const seen = allBelong(slice, standing)
        looks += seen.looks
        if (seen.all) choices[at]?.push(choice)
      }
    }
    const sorted = choices.map((each) => each.sort((a, b) => a - b))
    const outside = left.filter((point) => !holds(sorted, point))
    cubes.push({ choices: sorted, count: left.length - outside.length, example: seed })
    left = outside
  }
  return { cubes, left: left.length }
}

function holds(choices: readonly (readonly number[])[], point: Point): boolean {
  return choices.every((each, index) => each.includes(point[index] ?? 0))
}

function allBelong(
  slice: readonly (readonly number[])[],
  standing: (point: Point) => Standing,
): { readonly all: boolean; readonly looks: number } {
  const size = slice.reduce((product, each) => product * each.length, 1)
  const point: Point = new Uint16Array(slice.length)
  if (size > MAX_SLICE) {
    const next = seeded(slice.length + SLICE_SAMPLE)
    for (let look = 0; look < SLICE_SAMPLE; look++) {
      slice.forEach((each, index) => {
        point[index] = each[Math.floor(next() * each.length)] ?? 0
      })
      if (standing(point) === 'out') return { all: false, looks: look + 1 }
    }
    return { all: true, looks: SLICE_SAMPLE }
  }
  const digits = new Uint32Array(slice.length)
  slice.forEach((each, index) => {
    point[index] = each[0] ?? 0
  })
  for (let looks = 1; ; looks++) {
    if (standing(point) === 'out') return { all: false, looks }
    let at = slice.length - 1
    while (at >= 0 && (digits[at] ?? 0) + 1 >= (slice[at]?.length ?? 1)) {
      digits[at] = 0
      point[at] = slice[at]?.[0] ?? 0
      at--
    }
    if (at < 0) return { all: true, looks }
    digits[at] = (digits[at] ?? 0) + 1
    point[at] = slice[at]?.[digits[at] ?? 0] ?? 0
  }
}
