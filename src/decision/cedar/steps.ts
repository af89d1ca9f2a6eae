/**
 * Work that can be left off between two steps, so that a thread which answers calls does it between them. A step is
 * bounded by how many things it looks at, not by time; collecting garbage may still come in between.
 */
export type Steps<T> = Generator<void, T, undefined>

/** All of it at one go. */
export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** Things of which something is compiled in one step. */
export const COMPILED_A_STEP = 16
/** Things that are put in their place, or looked at, in one step. */
export const PLACED_A_STEP = 256
