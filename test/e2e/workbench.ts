import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SampleGate, startGate } from '../../demo/sample-gate.ts'
import { readRecords } from '../../src/audit/read.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { IssuerServer } from './issuer-server.ts'
import { UpstreamServer } from './upstream-server.ts'

/** A contract with one operation for each way a call may be asked for a token. */
export const CONTRACT = `openapi: 3.1.0
info: { title: workbench, version: 1.0.0 }
servers: [{ url: /v1 }]
paths:
  /items/{id}:
    get:
      operationId: getItem
      security: [{ oauth: ['items:read'] }]
      parameters: [{ name: id, in: path, required: true, schema: { type: string, maxLength: 20 } }]
      responses: { '200': { $ref: '#/components/responses/Ok' } }
  /open:
    get: { operationId: getOpen, security: [], responses: { '200': { $ref: '#/components/responses/Ok' } } }
  /maybe:
    get:
      operationId: getMaybe
      security: [{}, { oauth: [] }]
      responses: { '200': { $ref: '#/components/responses/Ok' } }
  /unsaid:
    get: { operationId: getUnsaid, responses: { '200': { $ref: '#/components/responses/Ok' } } }
  /legacy:
    get:
      operationId: getLegacy
      security: [{ key: [] }]
      responses: { '200': { $ref: '#/components/responses/Ok' } }
components:
  responses:
    Ok:
      description: Done.
      content:
        application/json: { schema: { type: object, properties: { ok: { type: boolean } } } }
  securitySchemes:
    oauth:
      type: oauth2
      flows:
        clientCredentials: { tokenUrl: 'https://idp.example/token', scopes: { 'items:read': Read items. } }
    key: { type: apiKey, in: header, name: X-Api-Key }
`

export const PERMIT_ALL = '@id("all")\npermit (principal, action, resource);\n'

export interface BenchConfig {
  /** Below `identity.issuers`, four spaces deep. */
  readonly issuers?: string
  /** Below `apis`, two spaces deep. */
  readonly apis?: string
  /** At the top. */
  readonly top?: string
  readonly threads?: number
  readonly port?: number
  readonly managementPort?: number
}

/** A gate on two threads with its issuer and upstream; files of a folder of its own, which tests may rewrite. */
export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  readonly issuer: IssuerServer
  readonly upstream: UpstreamServer
  gate: SampleGate | null = null
  readonly #gates: SampleGate[] = []

  private constructor(issuer: IssuerServer, upstream: UpstreamServer) {
    this.issuer = issuer
    this.upstream = upstream
  }

  /** Issuer and upstream, and the files for a gate that was not started. */
  static async prepare(config: BenchConfig = {}, issuer?: IssuerServer): Promise<Workbench> {
    const bench = new Workbench(
      issuer ?? (await IssuerServer.start(`key-${crypto.randomUUID()}`)),
      await UpstreamServer.start(),
    )
    bench.write('api.yaml', CONTRACT)
    bench.write('policies/all.cedar', PERMIT_ALL)
    bench.configure(config)
    return bench
  }

  static async start(config: BenchConfig = {}, issuer?: IssuerServer): Promise<Workbench> {
    const bench = await Workbench.prepare(config, issuer)
    try {
      await bench.startGate()
      return bench
    } catch (error) {
      await bench.stop()
      throw error
    }
  }

  async startGate(ports: { readonly gate?: number; readonly management?: number } = {}): Promise<SampleGate> {
    const gate = await startGate(this.config, { gate: ports.gate ?? 0, management: ports.management ?? 0 })
    this.gate = gate
    this.#gates.push(gate)
    return gate
  }

  get running(): SampleGate {
    if (this.gate === null) throw new Error('the gate was not started')
    return this.gate
  }

  get config(): string {
    return join(this.folder, 'sallyport.yaml')
  }

  get store(): string {
    return join(this.folder, 'data')
  }

  get audit(): string {
    return join(this.store, 'audit')
  }

  /** URL of the API `shop`. */
  url(path: string, base = '/v1'): string {
    return `${this.running.url}${base}${path}`
  }

  write(file: string, text: string): void {
    mkdirSync(join(this.folder, file, '..'), { recursive: true })
    writeFileSync(join(this.folder, file), text)
  }

  configure({ issuers, apis, top = '', threads = 2 }: BenchConfig = {}): void {
    const known = issuers ?? `    corp: { issuer: "${this.issuer.iss}", jwks: "${this.issuer.jwksUrl}" }`
    const shop =
      apis ??
      `  shop:
    contract: ./api.yaml
    upstream: ${this.upstream.url}
    identity: { accept: [corp], audience: shop }
    mode: enforce`
    this.write(
      'sallyport.yaml',
      `listen: { host: 127.0.0.1, port: 0, threads: ${threads} }
management: { host: 127.0.0.1, port: 0 }
identity:
  issuers:
${known}
apis:
${shop}
policies: ./policies
store: ./data
${top}
`,
    )
  }

  /** Records by exchange id, as they stand in the log now; sealed parts stay closed. */
  async records(): Promise<Map<string, ExchangeRecord>> {
    const found = new Map<string, ExchangeRecord>()
    for await (const record of readRecords(this.audit, { storeKey: null }))
      found.set(record.intent.id, record)
    return found
  }

  /** Threads that answered these exchanges. */
  async threadsOf(ids: readonly string[]): Promise<Set<number>> {
    const records = await this.records()
    return new Set(ids.flatMap((id) => records.get(id)?.place.thread ?? []))
  }

  /** Codes of the reasons an exchange's record gives. */
  async reasonsOf(id: string): Promise<readonly string[]> {
    const record = (await this.records()).get(id)
    const outcome = record?.outcome
    const decisions = [
      ...(record?.intent.decisions ?? []),
      ...(outcome === null || outcome === undefined || outcome === 'unknown' ? [] : outcome.decisions),
    ]
    return decisions.flatMap(({ reasons }) => reasons.map(({ code }) => code))
  }

  /** Lines of control's own record. */
  management(): readonly ManagementLine[] {
    return readFileSync(join(this.audit, 'management.ndjson'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ManagementLine)
  }

  async stop(): Promise<void> {
    for (const gate of this.#gates) {
      const ended = await Promise.race([gate.stop().then(() => true), pause(15_000)])
      if (ended !== true) process.kill(gate.pid, 'SIGKILL')
    }
    await this.issuer.down()
    await this.upstream.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface ManagementLine {
  readonly action: string
  readonly by: string
  readonly result: string
  readonly detail: Readonly<Record<string, string | number>>
}

/** Children of a process: the gate process is control's only one. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)
}

export function gateProcessOf(gate: SampleGate): number {
  const [pid] = childrenOf(gate.pid)
  if (pid === undefined) throw new Error('control has no gate process')
  return pid
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Resolves with the first value that is neither undefined nor false; rejects when none came in time. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`in ${withinMs} ms it did not come to: ${what}`)
    await pause(25)
  }
}
