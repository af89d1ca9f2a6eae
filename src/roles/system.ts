import { randomFillSync } from 'node:crypto'
import type { Schedule } from '../identity/key-source.ts'
import type { Clock, Random } from '../model/ports.ts'

/** The real clock: wall time for people and tokens, a monotonic one for durations. */
export const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now() }),
}

const POOL = 4_096

/** Random bytes drawn from the system in pools, because ids are needed at every call. */
export function systemRandom(): Random {
  let pool = new Uint8Array(0)
  let used = 0
  return {
    bytes: (length) => {
      if (length > POOL / 4) return randomFillSync(new Uint8Array(length))
      if (used + length > pool.byteLength) {
        pool = randomFillSync(new Uint8Array(POOL))
        used = 0
      }
      used += length
      return pool.subarray(used - length, used)
    },
  }
}

export const systemSchedule: Schedule = (ms, run) => {
  const timer = setTimeout(run, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/** The program's own log: one line on stderr, control characters folded, never a value of a call. */
export function say(text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${oneLine(text)}\n`)
}

/** Several problems of one message stay apart on one line. */
function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/[\x00-\x1f\x7f\u2028\u2029]+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('; ')
}

/** Nobody may read stderr any more (a closed terminal, a dead pipe): that must not end a process that serves. */
export function surviveDeafStderr(): void {
  process.stderr.on('error', () => undefined)
}
