import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { writeGate } from './full-v1.ts'
import { pause, startProgram, stopProgram } from './rows.ts'
import { median } from './statistics.ts'

export interface Reload {
  /** Longest the gate thread was busy with the new bundle at one go, in ms. */
  readonly longestStepMs: { readonly median: number; readonly max: number }
  /** From the changed file to the bundle in force, in ms: most of it is compiling, on a thread of control. */
  readonly wholeMs: number
  readonly operations: number
  readonly runs: number
}

const FIXTURES =
  process.env['SALLYPORT_FIXTURES'] ?? join(import.meta.dirname, '..', '..', 'shared', 'fixtures')
const CONTRACT = join(FIXTURES, 'openapi-specs', 'github.com__api.github.com.json.gz')
export const WITHOUT_CONTRACT = existsSync(CONTRACT)
  ? null
  : 'the fixture openapi-specs/github.com__api.github.com.json.gz is missing (SALLYPORT_FIXTURES)'

const REPORT = /gate threads were busy with it for at most ([\d.]+) ms/g
const TIMEOUT_MS = 90_000

/** A gate of the profile's small contract reloads to GitHub's contract and back, `runs` times. */
export async function measureReload(folder: string, upstream: string, runs: number): Promise<Reload> {
  const { config } = writeGate(folder, upstream)
  const small = readFileSync(config, 'utf8')
  const contract = gunzipSync(readFileSync(CONTRACT)).toString('utf8')
  writeFileSync(join(folder, 'github.json'), contract)
  const large = JSON.stringify(withContract(JSON.parse(small)))
  const program = await startProgram(config)
  const steps: number[] = []
  const wholes: number[] = []
  try {
    let seen = 0
    const reload = async (text: string): Promise<{ readonly step: number; readonly whole: number }> => {
      // Changes that come right after one another are taken for one.
      await pause(300)
      writeFileSync(config, text)
      const began = performance.now()
      while (performance.now() - began < TIMEOUT_MS) {
        const reports = [...program.said().matchAll(REPORT)]
        const last = reports.at(-1)
        if (reports.length > seen && last !== undefined) {
          seen = reports.length
          return { step: Number(last[1]), whole: performance.now() - began }
        }
        if (program.said().includes('failed, the last good bundle stays')) break
        await pause(20)
      }
      throw new Error(`the gate did not reload: ${program.said().slice(-2_000)}`)
    }
    for (let run = 0; run < runs; run++) {
      const { step, whole } = await reload(large)
      steps.push(step)
      wholes.push(whole)
      await reload(small)
    }
  } finally {
    await stopProgram(program)
  }
  const operations = Object.values(JSON.parse(contract).paths as Record<string, object>).reduce(
    (sum, path) => sum + Object.keys(path).filter((method) => METHODS.has(method)).length,
    0,
  )
  return {
    longestStepMs: { median: median(steps), max: Math.max(...steps) },
    wholeMs: median(wholes),
    operations,
    runs,
  }
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

interface Written {
  readonly apis: { readonly bench: Readonly<Record<string, unknown>> }
}

/** The same gate in front of GitHub's API: no object rules, and as little policy as a contract without one has. */
function withContract(config: Written): object {
  const { objects: _none, ...api } = config.apis.bench
  return { ...config, apis: { bench: { ...api, contract: './github.json', basePath: '/v1' } } }
}
