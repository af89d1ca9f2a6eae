const ROUNDS = 5

/** CPU µs of one call, all threads of the process included: the least of the rounds, after one that is not counted. */
export function leastCpu(ms: number, one: () => number, batch = 200): number {
  let best = Number.POSITIVE_INFINITY
  let kept = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const end = performance.now() + ms / ROUNDS
    const before = process.cpuUsage()
    let calls = 0
    do {
      for (let i = 0; i < batch; i++) kept += one()
      calls += batch
    } while (performance.now() < end)
    const { user, system } = process.cpuUsage(before)
    if (round > 0) best = Math.min(best, (user + system) / calls)
  }
  // What a call gives is used, so that it cannot be left out.
  if (Number.isNaN(kept)) throw new Error('nothing was counted')
  return best
}
