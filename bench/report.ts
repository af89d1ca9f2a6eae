import { existsSync, readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { type Contracts, contractLines } from './contract-rows.ts'
import { UNPINNED } from './cpu.ts'
import { DESCRIPTION } from './full-v1.ts'
import type { Sample } from './measure.ts'
import { type Policies, policyLines } from './policy-rows.ts'
import type { Reload } from './reload.ts'
import type { ReplayFigures } from './replay.ts'
import { BARE, FULL, NGINX, WITHOUT_EVALUATOR } from './rows.ts'
import type { StartUp } from './start-up.ts'
import { median, rounded } from './statistics.ts'

export interface RowReport {
  readonly name: string
  readonly cpu_us: { readonly min: number; readonly median: number }
  readonly rps: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly rss_mb: number
  /** Control’s CPU, which is not in `cpu_us`; 0 for rows without a control. */
  readonly control_cpu_us: number
  /** µs per call by thread, of the cheapest round. */
  readonly threads_us: Readonly<Record<string, number>>
  readonly calls: number
}

export interface Report {
  readonly machine: string
  readonly node: string
  readonly profile: string
  readonly rows: readonly RowReport[]
  readonly figures: {
    /** full − bare, minima. */
    readonly added_us: number | null
    readonly full_over_nginx: number | null
    readonly full_over_bare: number | null
    /** What policy evaluation takes of full: full − full without evaluator, minima. */
    readonly evaluator_us: number | null
    readonly full_without_evaluator_us: number | null
    readonly without_evaluator_over_bare: number | null
    readonly without_evaluator_over_nginx: number | null
  }
  readonly startup_ms: {
    readonly min: number
    readonly median: number
    /** CPU of all processes until they listen, median. */
    readonly cpu: number
    readonly runs: number
  } | null
  readonly reload: {
    readonly contract: string
    readonly operations: number
    readonly longest_step_ms: { readonly median: number; readonly max: number }
    readonly whole_ms: number
    readonly runs: number
  } | null
  readonly policies: Policies
  readonly contracts: Contracts
  readonly replay: {
    readonly records: number
    readonly threads: number
    /** From the first segment opened to the last record judged. */
    readonly records_per_s: number
    /** CPU of one reader for one record. */
    readonly record_us: number
  }
  /** What could not be measured, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[]
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly pinned: boolean
}

export function rowReport(name: string, samples: readonly Sample[]): RowReport {
  const of = (pick: (sample: Sample) => number): number[] => samples.map(pick)
  const cheapest = samples.reduce((best, sample) => (sample.cpuUs < best.cpuUs ? sample : best))
  const threads = [...cheapest.threads]
    .sort((a, b) => b[1] - a[1])
    .map(([thread, us]) => [thread, rounded(us, 1)])
  return {
    name,
    cpu_us: {
      min: rounded(Math.min(...of(({ cpuUs }) => cpuUs)), 1),
      median: rounded(median(of(({ cpuUs }) => cpuUs)), 1),
    },
    rps: Math.round(Math.max(...of(({ rps }) => rps))),
    p50_ms: rounded(Math.min(...of(({ p50Ms }) => p50Ms)), 2),
    p99_ms: rounded(Math.min(...of(({ p99Ms }) => p99Ms)), 2),
    rss_mb: rounded(median(of(({ rssMb }) => rssMb)), 1),
    control_cpu_us: rounded(median(of(({ controlUs }) => controlUs)), 1),
    threads_us: Object.fromEntries(threads),
    calls: samples.reduce((sum, { calls }) => sum + calls, 0),
  }
}

export function figures(rows: readonly RowReport[]): Report['figures'] {
  const least = (name: string): number | null => rows.find((row) => row.name === name)?.cpu_us.min ?? null
  const full = least(FULL)
  const bare = least(BARE)
  const nginx = least(NGINX)
  const without = least(WITHOUT_EVALUATOR)
  const minus = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : rounded(a - b, 1)
  const over = (a: number | null, b: number | null): number | null =>
    a === null || b === null || b === 0 ? null : rounded(a / b, 2)
  return {
    added_us: minus(full, bare),
    full_over_nginx: over(full, nginx),
    full_over_bare: over(full, bare),
    evaluator_us: minus(full, without),
    full_without_evaluator_us: without,
    without_evaluator_over_bare: over(without, bare),
    without_evaluator_over_nginx: over(without, nginx),
  }
}

export function report(measured: {
  readonly rows: readonly RowReport[]
  readonly startUp: StartUp | null
  readonly reload: Reload | null
  readonly policies: Policies
  readonly contracts: Contracts
  readonly replay: ReplayFigures
  readonly skipped: Report['skipped']
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
}): Report {
  const { rows, startUp, reload, policies, contracts, replay, skipped, rounds, seconds, connections } =
    measured
  const [first] = cpus()
  return {
    machine: `${cpus().length} × ${first?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}`,
    node: process.version,
    profile: DESCRIPTION,
    rows,
    figures: figures(rows),
    startup_ms:
      startUp === null
        ? null
        : {
            min: Math.round(startUp.min),
            median: Math.round(startUp.median),
            cpu: Math.round(startUp.cpu),
            runs: startUp.runs,
          },
    reload:
      reload === null
        ? null
        : {
            contract: 'api.github.com',
            operations: reload.operations,
            longest_step_ms: reload.longestStepMs,
            whole_ms: Math.round(reload.wholeMs),
            runs: reload.runs,
          },
    policies,
    contracts,
    replay: {
      records: replay.records,
      threads: replay.threads,
      records_per_s: replay.recordsPerSecond,
      record_us: rounded(replay.recordUs, 1),
    },
    skipped,
    rounds,
    seconds,
    connections,
    pinned: UNPINNED === null,
  }
}

export function table(result: Report): string {
  const head = ['', 'CPU µs/call', '(median)', 'calls/s', 'p50 ms', 'p99 ms', 'RSS MiB', 'control µs']
  const lines = result.rows.map((row) => [
    row.name,
    row.cpu_us.min.toFixed(1),
    row.cpu_us.median.toFixed(1),
    String(row.rps),
    row.p50_ms.toFixed(2),
    row.p99_ms.toFixed(2),
    row.rss_mb.toFixed(0),
    row.control_cpu_us === 0 ? '' : row.control_cpu_us.toFixed(1),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)))
  const shown = [head, ...lines].map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  const out = [`${result.machine}, Node ${result.node}`, result.profile, '', ...shown, '']
  for (const [name, value] of Object.entries(result.figures)) out.push(`${name}: ${value ?? 'not measured'}`)
  const { startup_ms: startup, reload } = result
  if (startup !== null)
    out.push(
      `start-up with the demo’s contract: ${startup.median} ms (median of ${startup.runs}), ${startup.cpu} ms of CPU`,
    )
  if (reload !== null)
    out.push(
      `reload to ${reload.contract} (${reload.operations} operations): longest step on a gate thread ${reload.longest_step_ms.max} ms, in force after ${reload.whole_ms} ms`,
    )
  const { records, threads, records_per_s: rate, record_us: us } = result.replay
  out.push(
    '',
    ...policyLines(result.policies),
    '',
    ...contractLines(result.contracts),
    '',
    `replay of ${records} recorded calls: ${rate}/s over ${threads} threads; ${us} µs of CPU for one`,
    '',
  )
  for (const { name, why } of result.skipped) out.push(`skipped: ${name}: ${why}`)
  return `${out.join('\n')}\n`
}

export interface Budgets {
  readonly [figure: string]: number
}

export const BUDGETS = join(import.meta.dirname, 'budgets.json')

export interface Checked {
  /** What is over its limit. */
  readonly over: readonly string[]
  /** What has a limit and was not measured: a fault only where everything is required. */
  readonly unmeasured: readonly string[]
}

export function checkBudgets(result: Report, limits: Budgets = readBudgets()): Checked {
  const measured: Record<string, number | null> = {
    ...result.figures,
    ...result.policies.figures,
    ...result.contracts.figures,
    replay_record_us: result.replay.record_us,
    startup_cpu_ms: result.startup_ms?.cpu ?? null,
    reload_longest_step_ms: result.reload?.longest_step_ms.median ?? null,
  }
  const over: string[] = []
  const unmeasured: string[] = []
  for (const [name, limit] of Object.entries(limits)) {
    const value = measured[name] ?? null
    if (value === null) unmeasured.push(`${name} was not measured; its limit is ${limit}`)
    else if (value > limit) over.push(`${name} is ${value}, more than ${limit}`)
  }
  return { over, unmeasured }
}

function readBudgets(): Budgets {
  if (!existsSync(BUDGETS)) return {}
  return (JSON.parse(readFileSync(BUDGETS, 'utf8')) as { readonly limits: Budgets }).limits
}
