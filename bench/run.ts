import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureAll } from './all-rows.ts'
import { profile } from './profile.ts'
import { checkBudgets, type Report, table } from './report.ts'
import { endAll } from './rows.ts'
import { type Settings, say } from './settings.ts'
import { startWorld } from './world.ts'

const USAGE = `npm run bench -- [--json] [--check] [--quick] [--rounds N] [--seconds S] [--connections C]
                [--profile FILE [--without-evaluator]]

  --json         print one JSON object on stdout, progress on stderr
  --check        exit 1 where a figure is over its limit in bench/budgets.json
  --quick        about 20 seconds: proves that it runs, its figures mean nothing
  --rounds       interleaved rounds (5)
  --seconds      of one row in one round (3)
  --connections  kept-alive ones, each with one call under way (16)
  --profile      writes a .cpuprofile of the gate thread under full-v1 and lists its functions, nothing else;
                 with --without-evaluator, of the row of that name
`

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    profile: { type: 'string' },
    'without-evaluator': { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(USAGE)
} else if (values.quick && values.check) {
  process.stderr.write(`--quick measures nothing that could be checked\n\n${USAGE}`)
  process.exitCode = 2
} else {
  const { quick } = values
  process.exitCode = await run({
    json: values.json,
    check: values.check,
    rounds: number('rounds', values.rounds, quick ? 1 : 5, 1_000),
    seconds: number('seconds', values.seconds, quick ? 0.5 : 3, 600),
    connections: number('connections', values.connections, 16, 128),
    warmUpMs: quick ? { gate: 500, other: 300 } : { gate: 15_000, other: 4_000 },
    startUps: quick ? 1 : 5,
    reloads: quick ? 0 : 2,
    policyMs: quick ? 30 : 3_000,
    replayed: quick ? 2_000 : 100_000,
    profile: values.profile ?? null,
    withoutEvaluator: values['without-evaluator'],
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
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-measure-'))
  const closers: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
    await endAll()
    rmSync(folder, { recursive: true, force: true })
  }
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true
      void closeAll().then(() => process.exit(2))
    })
  }
  try {
    const world = await startWorld(settings.connections, closers)
    if (settings.profile !== null) {
      await profile(settings, folder, world, closers, settings.profile)
      return 0
    }
    const result = await measureAll(settings, folder, world, closers)
    process.stdout.write(settings.json ? `${JSON.stringify(result, null, 2)}\n` : table(result))
    return settings.check ? check(result) : 0
  } catch (error) {
    if (!interrupted) say(error instanceof Error ? error.message : String(error))
    return 2
  } finally {
    await closeAll()
  }
}

function check(result: Report): number {
  const { over, unmeasured } = checkBudgets(result)
  for (const line of over) say(`over budget: ${line}`)
  for (const line of unmeasured) say(`not checked: ${line}`)
  const required = process.env['SALLYPORT_REQUIRE_ALL'] !== undefined
  return over.length > 0 || (required && unmeasured.length > 0) ? 1 : 0
}
