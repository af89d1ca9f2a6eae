import type { Schedule } from '../identity/key-source.ts'
import type { Clock } from '../model/ports.ts'

const EVERY_MS = 1_000
/** Corrections a running time service makes are slower than this, in ms between two looks. */
const JUMP_MS = 2_000

/**
 * Tells when the wall clock was set: it and the monotonic clock should move alike from one look to the next. `jumped`
 * gets the difference in ms, negative where the clock was set back. The function it gives back ends the watch.
 */
export function watchClock(clock: Clock, schedule: Schedule, jumped: (ms: number) => void): () => void {
  let last = clock.now()
  let cancel = schedule(EVERY_MS, look)
  function look(): void {
    const now = clock.now()
    const ms = Math.round(now.wallMs - last.wallMs - (now.monoMs - last.monoMs))
    last = now
    cancel = schedule(EVERY_MS, look)
    if (Math.abs(ms) > JUMP_MS) jumped(ms)
  }
  return () => cancel()
}
