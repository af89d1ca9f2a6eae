import type { ChildProcess } from 'node:child_process'
import { execFile, fork, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { TokenOptions } from './provider.ts'
import type { TokenReply } from './services.ts'
import type { UpstreamCall } from './shop.ts'

// The demo's parts as processes of their own, as a user would run them: the services, and the gate in front.

const HERE = import.meta.dirname
const BIN = join(HERE, '..', 'bin', 'sallyport.js')

export interface Services {
  readonly shop: string
  readonly issuer: string
  readonly calls: readonly UpstreamCall[]
  token(person: string, options?: TokenOptions): Promise<string>
  stop(): Promise<void>
}

/** Starts shop and provider; ports 0 mean any free one. Rejects with what the child said on stderr. */
export async function startServices(ports: {
  readonly shop: number
  readonly provider: number
}): Promise<Services> {
  const args = ['--shop-port', String(ports.shop), '--provider-port', String(ports.provider)]
  const child = fork(join(HERE, 'services.ts'), args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const calls: UpstreamCall[] = []
  const waiting = new Map<number, { resolve: (token: string) => void; reject: (error: Error) => void }>()
  let last = 0
  child.on('message', (message: TokenReply | { type: 'call'; call: UpstreamCall }) => {
    if (message.type === 'call') {
      calls.push(message.call)
      if (calls.length > 1_000) calls.shift()
      return
    }
    const asked = waiting.get(Number(message.id))
    waiting.delete(Number(message.id))
    if ('token' in message) asked?.resolve(message.token)
    else asked?.reject(new Error(message.error))
  })
  const { shop, issuer } = await firstLine<{ shop: string; issuer: string }>(child)
  return {
    shop,
    issuer,
    calls,
    token: (person, options = {}) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        child.send({ type: 'token', id, person, ...options })
      }),
    stop: () => ended(child),
  }
}

export interface SampleGate {
  readonly url: string
  readonly management: string
  readonly store: string
  readonly config: string
  readonly pid: number
  /** Runs another command of the same program with this gate's configuration; gives what it printed as JSON. */
  command(
    args: readonly string[],
    input?: string,
  ): Promise<{ readonly code: number; readonly json: unknown; readonly stderr: string }>
  /** What the gate has said on stderr so far. */
  said(): string
  stop(signal?: NodeJS.Signals): Promise<void>
  readonly exited: Promise<number | null>
}

/** The program under test: this repository's, or an installed package's where `SALLYPORT_BIN` names it. */
export function sallyportBin(): string {
  return process.env['SALLYPORT_BIN'] ?? BIN
}

/** Starts the gate from a configuration file; ports 0 mean any free one. */
export async function startGate(
  config: string,
  ports: { readonly gate: number; readonly management: number },
): Promise<SampleGate> {
  const args = [sallyportBin(), 'start', '--config', config, '--json']
  args.push('--port', String(ports.gate), '--management-port', String(ports.management))
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-65_536)
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const started = await firstLine<{ url: string; management: string; store: string; pid: number }>(
    child,
    () => said,
  )
  return {
    url: started.url,
    management: started.management,
    store: started.store,
    config,
    pid: started.pid,
    command: (command, input) => runCommand(command, config, input),
    said: () => said,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      await exited
    },
    exited,
  }
}

const run = promisify(execFile)

export async function runCommand(
  command: readonly string[],
  config: string,
  input?: string,
): Promise<{ readonly code: number; readonly json: unknown; readonly stderr: string }> {
  const running = run(process.execPath, [sallyportBin(), ...command, '--config', config, '--json'], {
    maxBuffer: 64 * 1_048_576,
  })
  running.child.stdin?.end(input ?? '')
  try {
    const { stdout, stderr } = await running
    return { code: 0, json: parse(stdout), stderr }
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string }
    return { code: failed.code ?? 2, json: parse(failed.stdout ?? ''), stderr: failed.stderr ?? '' }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A configuration for the shop; `extra` lines are added below `apis.shop`. */
export function writeSampleConfig(
  folder: string,
  addresses: {
    readonly shop: string
    readonly issuer: string
    readonly port: number
    readonly managementPort: number
  },
  options: { readonly threads?: number; readonly mode?: 'enforce' | 'observe'; readonly top?: string } = {},
): string {
  mkdirSync(folder, { recursive: true })
  const from = (path: string): string => relative(folder, path)
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `# The demo's configuration: what \`sallyport init\` would give you, with ownership rules added.
listen: { host: 127.0.0.1, port: ${addresses.port}, threads: ${options.threads ?? 2} }
management: { host: 127.0.0.1, port: ${addresses.managementPort} }
identity:
  issuers:
    demo: { issuer: "${addresses.issuer}" }
apis:
  shop:
    contract: ${JSON.stringify(from(join(HERE, 'shop.openapi.yaml')))}
    upstream: ${new URL(addresses.shop).origin}
    owner: team-shop
    identity: { accept: [demo], audience: https://shop.example }
    mode: ${options.mode ?? 'enforce'}
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, lookup: getOrder, hideAbsent: true }
      payment: { path: "/payments/{paymentId}", owner: /customerId, hideAbsent: true }
      customer: { path: "/customers/{customerId}", owner: /id, lookup: getCustomer, hideAbsent: true }
policies: ${JSON.stringify(from(join(HERE, 'policies')))}
store: ./data
${options.top ?? ''}`,
  )
  return file
}

/** The first line of a child's stdout, as JSON; rejects with its stderr where it ends before. */
function firstLine<T>(child: ChildProcess, stderrSoFar?: () => string): Promise<T> {
  let out = ''
  let err = ''
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString('utf8')).slice(-8_192)
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString('utf8')
      const value = parse(out)
      if (typeof value !== 'object' || value === null) return
      if ('ok' in value && value.ok === false)
        reject(new Error('message' in value ? String(value.message) : 'it could not start'))
      else resolve(value as T)
    })
    child.once('error', reject)
    child.once('exit', () =>
      reject(new Error((stderrSoFar?.() ?? err).trim() || 'the process ended before it was ready')),
    )
  })
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
