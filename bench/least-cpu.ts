const ROUNDS = 5

/** CPU µs of one call, all threads of the process included: the least of the rounds, after one that is not counted. */
export function leastCpu(ms: number, one: () => number, batch = 200): number {
  return least([one], ROUNDS, ms, batch)[0] ?? Number.NaN
}

const TURNS = 40

/**
 * The same of several in turn, `ms` for each, in more and shorter rounds: they are compared by the same moments of a
 * machine that others use too.
 */
export function leastCpuOf(ms: number, ones: readonly (() => number)[]): readonly number[] {
  return least(ones, TURNS, ms, 100)
}

function least(
  ones: readonly (() => number)[],
  rounds: number,
  ms: number,
  batch: number,
): readonly number[] {
  const best = ones.map(() => Number.POSITIVE_INFINITY)
  let kept = 0
  for (let round = 0; round <= rounds; round++) {
    for (const [index, one] of ones.entries()) {
      const end = performance.now() + ms / rounds
      const before = process.cpuUsage()
      let calls = 0
      do {
        for (let i = 0; i < batch; i++) kept += one()
        calls += batch
      } while (performance.now() < end)
      const { user, system } = process.cpuUsage(before)
      if (round >= Math.max(1, rounds / 5)) best[index] = Math.min(best[index] ?? 0, (user + system) / calls)
    }
  }
  // What a call gives is used, so that it cannot be left out.
  if (Number.isNaN(kept)) throw new Error('nothing was counted')
  return best
}
