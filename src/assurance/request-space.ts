import type { Policy } from '../decision/cedar/est.ts'
import type { OperationPlan } from '../model/operation.ts'
import { type Dimension, dimensionsOf } from './dimension.ts'
import type { Draft } from './draft.ts'
import { Mentions } from './mentions.ts'

/**
 * The requests of one operation that its policies could tell apart.
 *
 * Why they are all of them. The answer to a request is a function of the truth of the policies' atoms (a comparison, a
 * membership, a presence test), of the operation, of the checkpoint, and of whether the caller has the scopes the
 * contract asks for. Where `exhaustive` holds, every atom is about
 *
 * - one attribute and constants: `==`, `in`, `contains…` tell apart the constants and all else, so each constant and one
 *   other value stand for every value; order tells apart the constants and what lies between two of them; a range of
 *   addresses, its inside and its outside; a set is its membership of each element named, each by itself;
 * - or the equality of two attributes: then the values are chosen so that every way of being equal or not to each other
 *   and to the constants occurs (see `dimensionsOf`).
 *
 * So for any request there is one here with the same truth of every atom: the product of the attributes' choices holds
 * every combination. It follows that two sets of policies that differ anywhere differ here. It may hold combinations
 * that no real caller has (a weekday that does not belong to the date), so what is found may never occur; nothing that
 * could occur is left out. An error is no third answer: validated policies fail only by arithmetic overflow, and
 * arithmetic makes an operation not exhaustive. Whatever else cannot be followed does so too, and is named in `why`.
 *
 * Requests over the bound are sampled by a seeded generator: the same policies always give the same sample.
 */
export interface RequestSpace {
  readonly dimensions: readonly Dimension[]
  /** Of the product: requests that are another under a second name count too. */
  readonly size: number
  readonly exhaustive: boolean
  /** Why it is not, for a person; empty where it is. */
  readonly why: readonly string[]
}

/** A request by the index of its choice in each dimension. */
export type Point = Uint16Array

export interface SpaceInput {
  readonly plans: readonly OperationPlan[]
  /** Of all sides compared: those that can apply to the operation. */
  readonly policies: readonly Policy[]
  /** Config name of an issuer, for callers in examples. */
  readonly issuer: string
  /** The most requests. */
  readonly bound: number
}

export function requestSpace({ plans, policies, issuer, bound }: SpaceInput): RequestSpace {
  const mentions = new Mentions()
  for (const policy of policies) mentions.add(policy)
  const { dimensions, hard } = dimensionsOf(mentions, plans, issuer)
  const size = dimensions.reduce((product, { values }) => product * values.length, 1)
  const why = size > bound ? [...hard, `${shortNumber(size)} requests would be needed, over ${bound}`] : hard
  return { dimensions, size, exhaustive: why.length === 0, why }
}

/** The request at a point, or null where it is another one under a second name. */
export function draftAt(dimensions: readonly Dimension[], point: Point): Draft | null {
  const draft: Draft = new Map()
  let anonymous = false
  for (let index = 0; index < dimensions.length; index++) {
    const dimension = dimensions[index]
    const choice = dimension?.values[point[index] ?? 0]
    if (dimension === undefined || choice === undefined) return null
    if (index === 0) anonymous = choice.words === 'Anonymous'
    else if (anonymous && point[index] !== 0 && OF_TOKEN.has(dimension.path)) return null
    if (!choice.put(draft)) return null
  }
  return draft
}

/** What only a token states: an anonymous caller has none of it. */
const OF_TOKEN: ReadonlySet<string> = new Set([
  'principal',
  'principal.groups',
  'principal.roles',
  'principal.client',
  'principal.tenant',
  'context.scopes',
  'context.audience',
  'context.issuer',
  'context.acr',
  'context.amr',
  'context.tokenAgeSeconds',
  'context.authAgeSeconds',
  'context.device',
  'context.device.compliant',
  'context.device.managed',
])

/**
 * Every point of an exhaustive space; else a sample of `bound` points: each choice of each attribute beside the usual
 * ones of the others, and then chance, half of it near the usual request.
 */
export function* points(space: RequestSpace, bound: number): Generator<Point> {
  const radix = space.dimensions.map(({ values }) => values.length)
  if (space.size <= bound) yield* product(radix)
  else yield* sample(radix, bound)
}

function* product(radix: readonly number[]): Generator<Point> {
  const point: Point = new Uint16Array(radix.length)
  for (;;) {
    yield point
    let at = radix.length - 1
    while (at >= 0 && (point[at] ?? 0) + 1 >= (radix[at] ?? 1)) point[at--] = 0
    if (at < 0) return
    point[at] = (point[at] ?? 0) + 1
  }
}

function* sample(radix: readonly number[], bound: number): Generator<Point> {
  const next = seeded(radix.length * 7919 + bound)
  const point: Point = new Uint16Array(radix.length)
  yield point
  let left = bound - 1
  for (let at = 0; at < radix.length; at++) {
    for (let choice = 1; choice < (radix[at] ?? 1) && left > 0; choice++, left--) {
      point.fill(0)
      point[at] = choice
      yield point
    }
  }
  for (; left > 0; left--) {
    const near = left % 2 === 0
    for (let at = 0; at < radix.length; at++) {
      const chosen = Math.floor(next() * (radix[at] ?? 1))
      point[at] = near && next() < 0.6 ? 0 : chosen
    }
    yield point
  }
}

/** mulberry32: small, even, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function shortNumber(value: number): string {
  return value < 1e6 ? String(value) : value.toExponential(1)
}
