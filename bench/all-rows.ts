import { join } from 'node:path'
import { measureContracts } from './contract-rows.ts'
import { UNPINNED } from './cpu.ts'
import { LIVE_TOKENS } from './full-v1.ts'
import { measure, type Sample, warmUp } from './measure.ts'
import { measurePolicies } from './policy-rows.ts'
import { measureReload, type Reload, WITHOUT_CONTRACT } from './reload.ts'
import { measureReplay } from './replay.ts'
import { type Report, report, rowReport } from './report.ts'
import {
  FULL,
  NGINX,
  type Row,
  startBare,
  startGate,
  startNginx,
  WITHOUT_EVALUATOR,
  WITHOUT_NGINX,
} from './rows.ts'
import { type Settings, say } from './settings.ts'
import { measureStartUp, type StartUp } from './start-up.ts'
import type { World } from './world.ts'

/** Start-up and reload first, then all rows side by side, one at a time loaded, in rounds. */
export async function measureAll(
  settings: Settings,
  folder: string,
  { upstream, load }: World,
  closers: (() => Promise<void>)[],
): Promise<Report> {
  const { rounds, seconds, connections } = settings
  const skipped: { name: string; why: string }[] = []
  if (UNPINNED !== null) skipped.push({ name: 'pinning', why: UNPINNED })

  let startUp: StartUp | null = null
  if (settings.startUps > 0) {
    say(`start-up, ${settings.startUps} times`)
    startUp = await measureStartUp(join(folder, 'start'), upstream, settings.startUps)
  }
  let reload: Reload | null = null
  if (WITHOUT_CONTRACT !== null) skipped.push({ name: 'reload', why: WITHOUT_CONTRACT })
  else if (settings.reloads > 0) {
    say(`reload of a large contract, ${settings.reloads} times`)
    reload = await measureReload(join(folder, 'reload'), upstream, settings.reloads)
  }

  say('policies, beside cedar-wasm')
  const policies = await measurePolicies(settings.policyMs)

  say('contracts, beside Ajv and others')
  const contracts = await measureContracts(settings.policyMs, folder, skipped)

  say(`replay of ${settings.replayed} recorded calls`)
  const replay = await measureReplay(folder, settings.replayed)

  const rows = await startRows(folder, upstream, closers, skipped)
  const rates = new Map<Row, number>()
  for (const row of rows) {
    say(`warming up: ${row.name}`)
    const { gate, other } = settings.warmUpMs
    const isGate = row.expects === 'exact'
    rates.set(row, await warmUp(load, row, isGate ? gate : other, isGate))
  }
  const samples = new Map<Row, Sample[]>(rows.map((row) => [row, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      const sample = await measure(load, row, seconds * 1_000, rates.get(row) ?? LIVE_TOKENS)
      samples.get(row)?.push(sample)
      rates.set(row, Math.max(rates.get(row) ?? 0, sample.rps))
      const late = sample.signedLate === 0 ? '' : `, ${sample.signedLate} tokens signed late`
      say(
        `round ${round} of ${rounds}: ${row.name}: ${sample.cpuUs.toFixed(1)} µs a call, ${Math.round(sample.rps)}/s${late}`,
      )
    }
  }
  const measured = rows.map((row) => rowReport(row.name, samples.get(row) ?? []))
  return report({
    rows: measured,
    startUp,
    reload,
    policies,
    contracts,
    replay,
    skipped,
    rounds,
    seconds,
    connections,
  })
}

async function startRows(
  folder: string,
  upstream: string,
  closers: (() => Promise<void>)[],
  skipped: { name: string; why: string }[],
): Promise<readonly Row[]> {
  const rows: Row[] = []
  const add = (row: Row): void => {
    rows.push(row)
    closers.push(() => row.stop())
  }
  if (WITHOUT_NGINX === null) add(await startNginx(join(folder, 'nginx'), upstream))
  else skipped.push({ name: NGINX, why: WITHOUT_NGINX })
  add(await startBare(upstream))
  add(await startGate(FULL, join(folder, 'full'), upstream))
  const imports = ['replace-evaluator.ts']
  add(await startGate(WITHOUT_EVALUATOR, join(folder, 'without-evaluator'), upstream, { imports }))
  return rows
}
