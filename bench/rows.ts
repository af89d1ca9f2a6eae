import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { descendants, GATE_CORE, isAlive, OTHER_CORE, pin } from './cpu.ts'
import { writeGate } from './full-v1.ts'

/** One program that is measured, started and pinned. */
export interface Row {
  readonly name: string
  readonly port: number
  /** Whose CPU and memory count. */
  readonly pids: readonly number[]
  /** Counted apart; 0 where there is none. */
  readonly control: number
  readonly expects: 'exact' | 'forwarded'
  stop(): Promise<void>
}

export const NGINX = 'nginx plain proxy'
export const BARE = 'bare pass-through'
export const FULL = 'full-v1'
export const WITHOUT_EVALUATOR = 'full-v1 without evaluator'

const ROOT = join(import.meta.dirname, '..')
export const PROGRAM = join(ROOT, 'bin', 'sallyport.js')

const NGINX_BINARY = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find(existsSync)
export const WITHOUT_NGINX =
  NGINX_BINARY === undefined ? 'nginx is missing (Debian: apt-get install nginx-light)' : null

/** One process that does all: what a worker does, without a master beside it. */
export async function startNginx(folder: string, upstream: string): Promise<Row> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join(' ')
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${join(folder, 'nginx.pid')}; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; ${temporary}
  keepalive_requests 1000000000;
  upstream service { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  )
  const child = tracked(
    spawn(NGINX_BINARY ?? 'nginx', ['-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  await listening(port)
  const pid = pidOf(child)
  pin([pid], GATE_CORE)
  return { name: NGINX, port, pids: [pid], control: 0, expects: 'forwarded', stop: () => ended(child) }
}

export async function startBare(upstream: string): Promise<Row> {
  const child = forked('bare.ts', { BENCH_UPSTREAM: upstream })
  const { port } = (await message(child)) as { readonly port: number }
  const pid = pidOf(child)
  pin([pid], GATE_CORE)
  return { name: BARE, port, pids: [pid], control: 0, expects: 'forwarded', stop: () => ended(child) }
}

/** The gate as users start it; what is loaded ahead of it and its environment are the caller's affair. */
export async function startGate(
  name: string,
  folder: string,
  upstream: string,
  ahead: { readonly imports?: readonly string[]; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<Row> {
  const { config } = writeGate(folder, upstream)
  const options = (ahead.imports ?? []).map((file) => `--import=${join(import.meta.dirname, file)}`)
  const started = await startProgram(config, { NODE_OPTIONS: options.join(' '), ...ahead.environment })
  pin([started.control], OTHER_CORE)
  pin([started.gate], GATE_CORE)
  await ready(started)
  return {
    name,
    port: Number(new URL(started.url).port),
    pids: [started.gate],
    control: started.control,
    expects: 'exact',
    stop: () => stopProgram(started),
  }
}

/** Everything started here that has not ended. */
const running = new Set<ChildProcess>()

function tracked<Child extends ChildProcess>(child: Child): Child {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Ends what was started and not stopped yet, whatever the bench was doing. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map(ended))
}

export interface Program {
  readonly child: ChildProcess
  readonly url: string
  readonly management: string
  readonly control: number
  readonly gate: number
  /** Milliseconds from the start of the process to its word that it listens. */
  readonly startedMs: number
  /** What it said so far on stderr. */
  said(): string
}

export async function startProgram(config: string, environment: NodeJS.ProcessEnv = {}): Promise<Program> {
  const began = performance.now()
  const child = tracked(
    spawn(process.execPath, [PROGRAM, 'start', '--config', config, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    }),
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-100_000)
  })
  const line = await new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
      if (out.endsWith('\n')) resolve(out)
    })
    child.once('exit', () => reject(new Error(`the gate did not start: ${said || out}`)))
  })
  const startedMs = performance.now() - began
  const { url, management } = JSON.parse(line) as { readonly url: string; readonly management: string }
  const control = pidOf(child)
  const gate = descendants(control)[0]
  if (gate === undefined) throw new Error('the gate process is not to be found')
  return { child, url, management, control, gate, startedMs, said: () => said }
}

/** Ends control, which lets the gate drain; a gate that control left behind is ended by its own id. */
export async function stopProgram({ child, gate }: Program): Promise<void> {
  await ended(child)
  for (let tries = 0; tries < 100 && isAlive(gate); tries++) {
    process.kill(gate, 'SIGTERM')
    await pause(100)
  }
}

/** The issuer's keys have come. */
async function ready({ management, said }: Program): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const response = await fetch(`${management}/readyz`).catch(() => null)
    await response?.arrayBuffer()
    if (response?.status === 200) return
    await pause(25)
  }
  throw new Error(`the gate is not ready: ${said()}`)
}

/** A script of this folder with a channel to it, on the core that the gate has not. */
export function forked(file: string, environment: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(join(import.meta.dirname, file), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return tracked(child)
}

/** The child's next message; rejects where it ends first. */
export function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const left = (): void => reject(new Error('a part of the bench ended early'))
    child.once('exit', left)
    child.once('message', (got) => {
      child.off('exit', left)
      resolve(got)
    })
  })
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('a part of the bench did not start')
  return child.pid
}

/** Ends the very process that was started here. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
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

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null)
    if (answer !== null) {
      await answer.arrayBuffer()
      return
    }
    await pause(20)
  }
  throw new Error('nginx does not listen')
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
