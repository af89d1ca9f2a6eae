import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What Linux's /proc tells of a process and those below it. */

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

/** `pid`, `ppid` and CPU of user and system in µs, all threads; null where it has ended. */
function stat(pid: number): { readonly parent: number; readonly cpuUs: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything, so counting begins after its end (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return { parent: Number(fields[1]), cpuUs: (ticks / TICKS_PER_SECOND) * 1_000_000 }
  } catch {
    return null
  }
}

export function isAlive(pid: number): boolean {
  return stat(pid) !== null
}

/** Processes started by this one, and by those. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const each = Number(name)
    if (!Number.isInteger(each)) continue
    const parent = stat(each)?.parent
    if (parent !== undefined) parents.set(each, parent)
  }
  const found: number[] = []
  for (let next: number[] = [pid]; next.length > 0; ) {
    next = [...parents].filter(([, parent]) => next.includes(parent)).map(([each]) => each)
    found.push(...next)
  }
  return found
}

export function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (stat(pid)?.cpuUs ?? 0), 0)
}

/** CPU in µs of each thread by its name, where the kernel keeps it (schedstat); for the breakdown only. */
export function cpuByThreadUs(pid: number): Map<string, number> {
  const found = new Map<string, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
      const [running = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
      found.set(name, (found.get(name) ?? 0) + Number(running) / 1_000)
    } catch {
      // The thread ended meanwhile.
    }
  }
  return found
}

/** Resident memory in MiB. */
export function rssMb(pids: readonly number[]): number {
  let kb = 0
  for (const pid of pids) {
    try {
      kb += Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // It has ended.
    }
  }
  return kb / 1024
}

/** The gate's core, and everyone else's. */
export const GATE_CORE = 0
export const OTHER_CORE = 1

/** Why nothing is pinned, or null where it is. */
export const UNPINNED: string | null =
  cpus().length < 2
    ? 'one core only'
    : spawnSync('taskset', ['--version']).status === 0
      ? null
      : 'taskset is missing (Debian: apt-get install util-linux)'

/** Moves all threads of the processes; those they start later inherit it. */
export function pin(pids: readonly number[], core: number): void {
  if (UNPINNED !== null) return
  for (const pid of pids) {
    const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`taskset: ${stderr.trim()}`)
  }
}
