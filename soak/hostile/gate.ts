import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gateProcessOf, Workbench } from '../../test/e2e/workbench.ts'
import { GRAPH, hostileContract } from './contract.ts'
import { answerBadly } from './upstream.ts'

export interface Latencies {
  readonly calls: number
  readonly failed: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** How late an event loop was, and how long its thread ran meanwhile: the larger, the longer one call held it. */
export interface Delay {
  readonly lateMs: number
  readonly ranMs: number
}

/** A gate on two threads whose loops are watched, a healthy API, a hostile one, and one of GraphQL. */
export class WatchedGate {
  readonly bench: Workbench
  readonly #healthy: ChildProcess
  readonly #delays: string

  private constructor(bench: Workbench, healthy: ChildProcess, delays: string) {
    this.bench = bench
    this.#healthy = healthy
    this.#delays = delays
  }

  static async start(): Promise<WatchedGate> {
    const healthy = fork(join(import.meta.dirname, 'healthy.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const [{ upstream }] = (await once(healthy, 'message')) as [{ upstream: string }]
    const bench = await Workbench.prepare()
    bench.upstream.answer = answerBadly
    bench.write('hostile.json', hostileContract())
    bench.write('graph.graphql', GRAPH)
    const api = (name: string, lines: string): string =>
      `  ${name}:\n    identity: { accept: [corp], audience: shop }\n    mode: enforce\n    timeouts: { requestMs: 2000 }\n${lines}`
    bench.configure({
      apis: [
        api('healthy', `    contract: ./api.yaml\n    upstream: ${upstream}`),
        api('hostile', `    contract: ./hostile.json\n    upstream: ${bench.upstream.url}`),
        api(
          'graph',
          `    basePath: /graph\n    upstream: ${bench.upstream.url}\n    graphql: { schema: ./graph.graphql, security: { need: anonymous } }`,
        ),
      ].join('\n'),
    })
    const delays = join(bench.folder, 'delays')
    mkdirSync(delays)
    const { NODE_OPTIONS } = process.env
    process.env['SALLYPORT_SOAK_DELAYS'] = delays
    process.env['NODE_OPTIONS'] = `--import=${join(import.meta.dirname, 'delay-probe.js')}`
    try {
      await bench.startGate()
    } catch (error) {
      healthy.disconnect()
      await bench.stop()
      throw error
    } finally {
      delete process.env['SALLYPORT_SOAK_DELAYS']
      if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = NODE_OPTIONS
    }
    healthy.send({ start: bench.url('/open') })
    return new WatchedGate(bench, healthy, delays)
  }

  get url(): string {
    return this.bench.running.url
  }

  /** Of the healthy calls since the last time. */
  async latencies(): Promise<Latencies> {
    const answer = once(this.#healthy, 'message')
    this.#healthy.send({ take: true })
    const [taken] = (await answer) as [Latencies]
    return taken
  }

  /** The longest of the gate's threads since then (milliseconds since the epoch). */
  longestDelay(since: number): Delay {
    const own = `${gateProcessOf(this.bench.running)}-`
    let longest: Delay = { lateMs: 0, ranMs: 0 }
    for (const file of readdirSync(this.#delays)) {
      if (!file.startsWith(own)) continue
      for (const line of readFileSync(join(this.#delays, file), 'utf8').split('\n')) {
        const [at = 0, lateMs = 0, ranMs = 0] = line.split(' ').map(Number)
        if (at >= since && ranMs > longest.ranMs) longest = { lateMs, ranMs }
      }
    }
    return longest
  }

  /** Resident memory of the gate process in MiB: now, and the most since `forgetPeak`. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${gateProcessOf(this.bench.running)}/status`, 'utf8')
    const of = (name: string): number =>
      Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1_024)
    return { now: of('VmRSS'), peak: of('VmHWM') }
  }

  /** proc(5): 5 written to `clear_refs` sets the high-water mark back to what is resident now. */
  forgetPeak(): void {
    writeFileSync(`/proc/${gateProcessOf(this.bench.running)}/clear_refs`, '5')
  }

  async stop(): Promise<void> {
    this.#healthy.disconnect()
    await this.bench.stop()
  }
}
