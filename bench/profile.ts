import { join, resolve } from 'node:path'
import { warmUp } from './measure.ts'
import { FULL, startGate, WITHOUT_EVALUATOR } from './rows.ts'
import { type Settings, say } from './settings.ts'
import { functionShares } from './top-functions.ts'
import type { World } from './world.ts'

const PROFILE_MS = 8_000

/** Samples the gate thread once its code is compiled. */
export async function profile(
  settings: Settings,
  folder: string,
  { upstream, load }: World,
  closers: (() => Promise<void>)[],
  file: string,
): Promise<void> {
  const after = settings.warmUpMs.gate + 5_000
  const environment = {
    BENCH_PROFILE: resolve(file),
    BENCH_PROFILE_AFTER_MS: String(after),
    BENCH_PROFILE_FOR_MS: String(PROFILE_MS),
  }
  const name = settings.withoutEvaluator ? WITHOUT_EVALUATOR : FULL
  const imports = ['thread-profile.ts', ...(settings.withoutEvaluator ? ['replace-evaluator.ts'] : [])]
  const row = await startGate(name, join(folder, 'profiled'), upstream, { imports, environment })
  closers.push(() => row.stop())
  say(`profiling ${name} for ${(after + PROFILE_MS) / 1_000} s`)
  await warmUp(load, row, after + PROFILE_MS + 2_000, true)
  const shares = functionShares(file)
  const shown = shares
    .slice(0, 60)
    .map(({ name, self, whole }) => `${percent(self)} ${percent(whole)}  ${name}`)
  process.stdout.write(`  self   whole\n${shown.join('\n')}\n`)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)}%`
}
