import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SampleGate, type Services, startGate, startServices } from '../../demo/sample-gate.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { fixturesDir } from '../fixtures.ts'
import { realPart } from '../parts.ts'

/**
 * The gate in front of servers this project did not write (Prism mocking the contracts of VAmPI and crAPI), driven by
 * a client it did not write (schemathesis): no 5xx of the gate's own making, and one record per call.
 */
const fixtures = fixturesDir()
const prism = realPart('prism', 'npm install --prefix .tmp/parts @stoplight/prism-cli@5.16.0')
const schemathesis = realPart(
  'schemathesis',
  'python3 -m venv .tmp/parts/py && .tmp/parts/py/bin/pip install schemathesis==4.32.5',
)

const CONTRACTS = [
  { name: 'vampi', file: 'vulnerable-api-specs/vampi/openapi3.yml' },
  { name: 'crapi', file: 'vulnerable-api-specs/crapi/crapi-openapi-spec.json' },
]

describe.skipIf(fixtures === null || prism === null || schemathesis === null)('servers of others', () => {
  let services: Services
  beforeAll(async () => {
    services = await startServices({ shop: 0, provider: 0 })
  })
  afterAll(() => services.stop())

  it.each(CONTRACTS)(
    '$name: no 5xx of its own, one record per call',
    async ({ name, file }) => {
      const contract = join(fixtures ?? '', file)
      const folder = mkdtempSync(join(tmpdir(), 'sallyport-foreign-'))
      const port = await freePort()
      const mock = await keepMock(contract, port)
      let gate: SampleGate | null = null
      try {
        gate = await startGate(writeConfig(folder, name, contract, port, services.issuer), {
          gate: 0,
          management: 0,
        })
        const token = await services.token('olga')
        const calls = await drive(contract, gate.url, token, join(folder, 'calls.har'))
        expect(calls.length).toBeGreaterThan(50)

        const { json } = await gate.command(['audit', 'query', '--limit', '10000'])
        const records = json as readonly ExchangeRecord[]
        const ids: readonly string[] = records.map(({ intent }) => intent.id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(new Set(calls.map(({ exchange }) => exchange)).size).toBe(calls.length)
        expect(calls.filter(({ exchange }) => !ids.includes(exchange))).toEqual([])
        // Before it begins, schemathesis sends a few probes that its report leaves out; they have their records too.
        expect(ids.length - calls.length).toBeLessThanOrEqual(3)
        const own = records.filter(
          ({ outcome }) =>
            outcome !== null &&
            outcome !== 'unknown' &&
            outcome.status >= 500 &&
            outcome.action === 'refused',
        )
        // The mock answers with examples of the contract; crAPI's do not fit the contract's own schemas.
        const unfit = (record: ExchangeRecord): boolean => describeRecord(record).endsWith('response-invalid')
        expect(own.filter((record) => !unfit(record)).map(describeRecord)).toEqual([])
        expect(calls.filter(({ status }) => status >= 500).length).toBe(
          records.filter(({ outcome }) => outcome !== null && outcome !== 'unknown' && outcome.status >= 500)
            .length,
        )
        // Prism itself dies of some calls and is started again; what it then fails to answer is not the gate's making.
        const failed = records.filter(({ outcome }) => outcome !== 'unknown' && outcome?.action === 'failed')
        expect(failed.length).toBeLessThan(records.length / 4)
        // Both sides were at work: some calls were forwarded, some refused.
        expect(records.some(({ outcome }) => outcome !== 'unknown' && outcome?.action === 'forwarded')).toBe(
          true,
        )
        expect(records.some(({ outcome }) => outcome !== 'unknown' && outcome?.action === 'refused')).toBe(
          true,
        )
      } finally {
        await gate?.stop()
        mock.stop()
        rmSync(folder, { recursive: true, force: true })
      }
    },
    180_000,
  )
})

function describeRecord({ intent, outcome }: ExchangeRecord): string {
  if (outcome === null || outcome === 'unknown') return intent.method
  const reasons = [...intent.decisions, ...outcome.decisions].flatMap((decision) =>
    decision.reasons.map(({ code }) => code),
  )
  return `${intent.method} ${intent.template} ${outcome.status} ${reasons.join(',')}`
}

function writeConfig(folder: string, name: string, contract: string, port: number, issuer: string): string {
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies', 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n')
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen: { host: 127.0.0.1, port: 0, threads: 2 }
management: { host: 127.0.0.1, port: 0 }
identity: { issuers: { demo: { issuer: "${issuer}" } } }
apis:
  ${name}:
    contract: ${JSON.stringify(contract)}
    upstream: http://127.0.0.1:${port}
    owner: others
    identity: { accept: [demo], audience: https://shop.example }
policies: ./policies
store: ./data
`,
  )
  return file
}

interface HarResponse {
  readonly status: number
  readonly headers: readonly { readonly name: string; readonly value: string }[]
}

interface Call {
  readonly status: number
  /** Exchange id, as the answer names it. */
  readonly exchange: string
}

/** All calls as schemathesis reports them, in order. */
async function drive(contract: string, url: string, token: string, har: string): Promise<readonly Call[]> {
  const args = [
    'run',
    contract,
    '--url',
    url,
    '--phases',
    'examples,coverage,fuzzing',
    '--checks',
    'not_a_server_error',
    '--max-examples',
    '10',
    '--seed',
    '7',
    '--workers',
    '2',
  ]
  args.push(
    '--continue-on-failure',
    '--suppress-health-check',
    'all',
    '--request-timeout',
    '20',
    '--report',
    'har',
    '--report-har-path',
    har,
    '--no-color',
  )
  // The header comes from a file of settings, not from the argument list.
  const settings = `${har}.toml`
  writeFileSync(settings, `[headers]\nAuthorization = "Bearer ${token}"\n`, { mode: 0o600 })
  const child = spawn(schemathesis ?? '', ['--config-file', settings, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: dirname(har),
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4_000)
    })
  }
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    const report: { log: { entries: { response: HarResponse }[] } } = JSON.parse(readFileSync(har, 'utf8'))
    return report.log.entries.map(({ response: { status, headers } }) => ({
      status,
      exchange: headers.find(({ name }) => name.toLowerCase() === 'sallyport-exchange')?.value ?? '',
    }))
  } catch (error) {
    throw new Error(`schemathesis ended with ${code} and left no report: ${said}`, { cause: error })
  }
}

/** Prism, started again whenever it ends. */
async function keepMock(contract: string, port: number): Promise<{ stop(): void }> {
  const args = [
    prism ?? '',
    'mock',
    contract,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--verboseLevel',
    'silent',
  ]
  let child: ChildProcess
  let stopped = false
  const start = (): void => {
    child = spawn(process.execPath, args, { stdio: 'ignore' })
    child.once('exit', () => {
      if (!stopped) start()
    })
  }
  start()
  const stop = (): void => {
    stopped = true
    child.kill('SIGTERM')
  }
  for (let attempt = 0; attempt < 200; attempt++) {
    const up = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (up) return { stop }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  stop()
  throw new Error('Prism did not start')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
