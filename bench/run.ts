import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { OTHER_CORE, pin, UNPINNED } from './cpu.ts'
import { LIVE_TOKENS } from './full-v1.ts'
import { type Load, measure, type Sample, warmUp } from './measure.ts'
import { measureReload, type Reload, WITHOUT_CONTRACT } from './reload.ts'
import { broken, type Report, report, rowReport, table } from './report.ts'
import {
  ended,
  FULL,
  forked,
  message,
  NGINX,
  pidOf,
  type Row,
  startBare,
  startGate,
  startNginx,
  WITHOUT_EVALUATOR,
  WITHOUT_NGINX,
} from './rows.ts'
import { measureStartUp, type StartUp } from './start-up.ts'

const USAGE = `npm run bench -- [--json] [--check] [--quick] [--rounds N] [--seconds S] [--connections C]

  --json         print one JSON object on stdout, progress on stderr
  --check        exit 1 where a figure is over its limit in bench/budgets.json
  --quick        about 20 seconds: proves that it runs, its figures mean nothing
  --rounds       interleaved rounds (5)
  --seconds      of one row in one round (3)
  --connections  kept-alive ones, each with one call under way (16)
`

interface Settings {
  readonly json: boolean
  readonly check: boolean
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly warmUpMs: number
  readonly startUps: number
  readonly reloads: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
  },
})

if (values.help) {
  process.stdout.write(USAGE)
} else {
  const { quick } = values
  process.exitCode = await run({
    json: values.json,
    check: values.check,
    rounds: number('rounds', values.rounds, quick ? 1 : 5, 1_000),
    seconds: number('seconds', values.seconds, quick ? 0.5 : 3, 600),
    connections: number('connections', values.connections, 16, 128),
    warmUpMs: quick ? 300 : 3_000,
    startUps: quick ? 1 : 5,
    reloads: quick ? 0 : 2,
  })
}

function number(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (value > 0 && value <= most) return value
  process.stderr.write(`--${name} takes a number up to ${most}\n\n${USAGE}`)
  process.exit(2)
}

async function run(settings: Settings): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const closers: (() => Promise<void>)[] = []
  try {
    const result = await measureAll(settings, folder, closers)
    process.stdout.write(settings.json ? `${JSON.stringify(result, null, 2)}\n` : table(result))
    const over = settings.check ? broken(result) : []
    for (const line of over) say(`over budget: ${line}`)
    return over.length > 0 ? 1 : 0
  } finally {
    for (const close of closers.reverse()) await close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureAll(
  settings: Settings,
  folder: string,
  closers: (() => Promise<void>)[],
): Promise<Report> {
  const { rounds, seconds, connections } = settings
  const skipped: { name: string; why: string }[] = []
  if (UNPINNED !== null) skipped.push({ name: 'pinning', why: UNPINNED })

  const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = 'bench-1'
  const jwk = { ...issuer.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }
  const service = forked('upstream.ts', { BENCH_JWKS: JSON.stringify({ keys: [jwk] }) })
  closers.push(() => ended(service))
  const { port } = (await message(service)) as { readonly port: number }
  const upstream = `http://127.0.0.1:${port}`
  pin([pidOf(service)], OTHER_CORE)

  const privateJwk = JSON.stringify(issuer.privateKey.export({ format: 'jwk' }))
  const child = forked('load.ts', { BENCH_TOKENS: JSON.stringify({ issuer: upstream, privateJwk, kid }) })
  closers.push(() => ended(child))
  pin([pidOf(child)], OTHER_CORE)
  const load: Load = { child, connections }

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

  const rows = await startRows(folder, upstream, closers, skipped)
  const rates = new Map<Row, number>()
  for (const row of rows) {
    say(`warming up: ${row.name}`)
    rates.set(row, await warmUp(load, row, settings.warmUpMs, row.expects === 'exact'))
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
  return report({ rows: measured, startUp, reload, skipped, rounds, seconds, connections })
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

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
