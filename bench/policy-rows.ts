import { GATE_CORE, pin } from './cpu.ts'
import type { ShapeMeasured } from './policies.ts'
import { ended, forked, message, pidOf } from './rows.ts'
import { rounded } from './statistics.ts'

/** How long one decision takes, by shape of the policy set; CPU in µs. */
export interface PolicyRow {
  readonly policies: string
  /** Compiled policies over a request and entities that are ready. */
  readonly evaluator_us: number
  /** `PolicyEngine.evaluate` over a decoded input: the request and the entities are made of it. */
  readonly engine_us: number
  readonly engine_per_s: number
  /** cedar-wasm, policies parsed beforehand. */
  readonly wasm_us: number
}

export interface PolicyFigures {
  readonly policies_50_us: number | null
  /** Of the sets of 1,000, the slowest. */
  readonly policies_1000_us: number | null
  /** Of all sets, the slowest. */
  readonly policy_engine_us: number | null
  readonly policies_50_over_wasm: number | null
  readonly policies_1000_over_wasm: number | null
}

export interface Policies {
  readonly rows: readonly PolicyRow[]
  readonly figures: PolicyFigures
}

/** In a process of its own on the gate's core, `ms` for each figure. */
export async function measurePolicies(ms: number): Promise<Policies> {
  const child = forked('policies.ts', {})
  try {
    await message(child)
    pin([pidOf(child)], GATE_CORE)
    const answer = message(child)
    child.send(ms)
    return policies((await answer) as readonly ShapeMeasured[])
  } finally {
    await ended(child)
  }
}

function policies(measured: readonly ShapeMeasured[]): Policies {
  const most = (of: readonly ShapeMeasured[], pick: (each: ShapeMeasured) => number): number | null =>
    of.length === 0 ? null : rounded(Math.max(...of.map(pick)), 4)
  const applicable = measured.filter(({ allApply }) => allApply)
  const indexed = measured.filter(({ allApply }) => !allApply)
  return {
    rows: measured.map(({ shape, evaluatorUs, engineUs, wasmUs }) => ({
      policies: shape,
      evaluator_us: rounded(evaluatorUs, 2),
      engine_us: rounded(engineUs, 2),
      engine_per_s: Math.round(1_000_000 / engineUs),
      wasm_us: rounded(wasmUs, 0),
    })),
    figures: {
      policies_50_us: most(applicable, ({ evaluatorUs }) => evaluatorUs),
      policies_1000_us: most(indexed, ({ evaluatorUs }) => evaluatorUs),
      policy_engine_us: most(measured, ({ engineUs }) => engineUs),
      policies_50_over_wasm: most(applicable, ({ evaluatorUs, wasmUs }) => evaluatorUs / wasmUs),
      policies_1000_over_wasm: most(indexed, ({ evaluatorUs, wasmUs }) => evaluatorUs / wasmUs),
    },
  }
}

export function policyLines({ rows, figures }: Policies): readonly string[] {
  const head = ['policies', 'evaluator µs', 'engine µs', 'engine/s', 'cedar-wasm µs']
  const lines = rows.map((row) => [
    row.policies,
    row.evaluator_us.toFixed(2),
    row.engine_us.toFixed(2),
    String(row.engine_per_s),
    String(row.wasm_us),
  ])
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]?.length ?? 0)))
  const shown = [head, ...lines].map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  return [...shown, ...Object.entries(figures).map(([name, value]) => `${name}: ${value ?? 'not measured'}`)]
}
