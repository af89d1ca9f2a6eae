import type { ChildProcess } from 'node:child_process'
import { cpuByThreadUs, cpuUs, rssMb } from './cpu.ts'
import type { LoadOrder, RoundResult } from './load.ts'
import { message, type Row } from './rows.ts'

/** One row in one round. CPU in µs per call. */
export interface Sample {
  readonly cpuUs: number
  readonly controlUs: number
  readonly rps: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssMb: number
  readonly calls: number
  readonly signedLate: number
  /** µs per call by name of thread. */
  readonly threads: ReadonlyMap<string, number>
}

export interface Load {
  readonly child: ChildProcess
  readonly connections: number
}

function ask(load: Load, order: LoadOrder): Promise<unknown> {
  const answer = message(load.child)
  load.child.send(order)
  return answer
}

/** Runs calls that are not counted: caches fill, code is compiled, connections open. */
export async function warmUp(load: Load, row: Row, lasts: number, introduce: boolean): Promise<number> {
  const result = await round(load, row, lasts, introduce)
  return (result.calls / result.ms) * 1_000
}

/** One counted round. Tokens for it are signed before; `rate` is how many calls a second are expected. */
export async function measure(load: Load, row: Row, lasts: number, rate: number): Promise<Sample> {
  await ask(load, { order: 'prepare', calls: (rate * lasts * 1.2) / 1_000 })
  await round(load, row, Math.min(500, lasts / 4), false)
  await ask(load, { order: 'prepare', calls: (rate * lasts * 1.2) / 1_000 })
  const before = cpuUs(row.pids)
  const controlBefore = row.control === 0 ? 0 : cpuUs([row.control])
  const threadsBefore = threadsOf(row)
  const result = await round(load, row, lasts, false)
  const used = cpuUs(row.pids) - before
  const control = row.control === 0 ? 0 : cpuUs([row.control]) - controlBefore
  const threads = new Map<string, number>()
  for (const [name, us] of threadsOf(row)) {
    const each = (us - (threadsBefore.get(name) ?? 0)) / result.calls
    if (each >= 0.05) threads.set(name, each)
  }
  return {
    cpuUs: used / result.calls,
    controlUs: control / result.calls,
    rps: (result.calls / result.ms) * 1_000,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    rssMb: rssMb(row.pids),
    calls: result.calls,
    signedLate: result.signedLate,
    threads,
  }
}

async function round(load: Load, row: Row, lasts: number, introduce: boolean): Promise<RoundResult> {
  const { port, expects } = row
  const { connections } = load
  const result = (await ask(load, {
    order: 'round',
    port,
    connections,
    lasts,
    expects,
    introduce,
  })) as RoundResult
  // Figures of a program that answers wrongly would be worth nothing.
  const wrong = Object.entries(result.unexpected)
  if (wrong.length > 0)
    throw new Error(
      `${row.name} answered otherwise than it must: ${wrong.map(([what, times]) => `${what} ×${times}`).join(', ')}`,
    )
  return result
}

function threadsOf(row: Row): Map<string, number> {
  const [pid] = row.pids
  return pid === undefined ? new Map() : cpuByThreadUs(pid)
}
