import { createServer } from 'node:net'
import type { MessagePort } from 'node:worker_threads'
import { Worker } from 'node:worker_threads'
import type { GateSettings } from '../model/channel.ts'
import type { Revocation } from '../model/directive.ts'
import type { Clock } from '../model/ports.ts'
import type {
  BundleRef,
  BundleUse,
  ControlMessage,
  GateMessage,
  State,
  ThreadCommand,
  ThreadReport,
} from './messages.ts'
import { Swap } from './swap.ts'

/** Heap of one gate thread in MiB: exhausting it ends that thread, not the process. */
const THREAD_HEAP_MB = 512

/** A thread that dies at once again and again is not a hot loop: pauses double up to this, in ms. */
const MAX_PAUSE_MS = 5_000
/** A commit is a pointer put: a thread that has not done it by then does nothing else either, in ms. */
const COMMIT_TIMEOUT_MS = 5_000
/** After this long without a death, in ms, earlier ones no longer count. */
const STEADY_MS = 60_000

export interface GateProcessPorts {
  /** The program a thread runs (the same main, another role). */
  readonly entry: string
  send(message: GateMessage): void
  /** A thread's link to the log's syncer; its port goes to the thread. */
  syncerLink(): { readonly port: MessagePort; readonly bell: SharedArrayBuffer }
  say(text: string): void
  readonly clock: Clock
}

interface Prepared {
  readonly epoch: number
  readonly bundle: BundleRef
  readonly use: BundleUse
}

interface Thread {
  readonly index: number
  readonly worker: Worker
  ready: boolean
}

/**
 * The gate process: starts the threads, relays between them and control, replaces a dead one, and goes on alone
 * with its last bundle, keys and revocations when control is gone.
 */
export class GateProcess {
  readonly #settings: GateSettings
  readonly #ports: GateProcessPorts
  readonly #threads = new Map<number, Thread>()
  readonly #states = new Map<string, State>()
  /** In force: what a replaced thread must know before its first call. */
  readonly #revocations: Revocation[] = []
  readonly #awaited = new Map<string, { waiting: Set<number>; done: () => void }>()
  #swap: Swap | null = null
  #pending: Prepared | null = null
  #current: Prepared | null = null
  #candidate: Prepared | null = null
  /** The candidate's, in percent. */
  #share = 0
  #port = 0
  #draining = false
  #deaths = 0
  #steady: NodeJS.Timeout | null = null

  constructor(settings: GateSettings, ports: GateProcessPorts) {
    this.#settings = settings
    this.#ports = ports
  }

  /** Finds out whether the address is free (SO_REUSEPORT would share it silently), then starts the threads. */
  async start(): Promise<void> {
    const { host, port, portWaitMs = 0 } = this.#settings
    await freeAddress(host, port, this.#ports.clock, portWaitMs)
    for (const at of this.#settings.decisionPoints ?? []) {
      try {
        await freeAddress(at.host, at.port, this.#ports.clock, portWaitMs)
      } catch (error) {
        return this.#ports.send({ type: 'failed', ...causeOf(error), at })
      }
    }
    if (this.#draining) return
    for (let index = 0; index < this.#settings.threads; index++) this.#spawn(index)
  }

  receive(message: ControlMessage): void {
    switch (message.type) {
      case 'state':
        this.#states.set(stateKey(message.state), message.state)
        return this.#tell(message)
      case 'revoke':
      case 'rotate':
        if (message.type === 'revoke') this.#revocations.push(...message.revocations)
        this.#await(`applied:${message.sequence}`, () =>
          this.#ports.send({ type: 'applied', sequence: message.sequence }),
        )
        return this.#tell(message)
      case 'prepare':
        return this.#prepare(message)
      case 'canary':
        if (message.share === null) this.#candidate = null
        this.#share = message.share ?? 0
        this.#await(`applied:${message.sequence}`, () =>
          this.#ports.send({ type: 'applied', sequence: message.sequence }),
        )
        return this.#tell(message)
      case 'commit':
        if (this.#pending?.epoch !== message.epoch) return
        this.#settle(this.#pending)
        this.#pending = null
        this.#await(`committed:${message.epoch}`, () => this.#committed(message.epoch))
        this.#tell(message)
        return this.#replaceStuck(`committed:${message.epoch}`)
      case 'abandon':
        this.#pending = null
        this.#swap = null
        return this.#tell(message)
      case 'drain':
        this.#draining = true
        this.#await('drained', () => this.#ports.send({ type: 'drained' }))
        return this.#tell(message)
      case 'configure':
        return
    }
  }

  /** A candidate that comes into force is none any more. */
  #settle(prepared: Prepared): void {
    if (prepared.use === 'candidate') this.#candidate = prepared
    else this.#current = prepared
    if (prepared.use === 'candidate') this.#share = 0
    else if (this.#candidate?.bundle.hash === prepared.bundle.hash) this.#candidate = null
  }

  #prepare({ epoch, bundle, use }: Prepared): void {
    this.#pending = { epoch, bundle, use }
    // Those not started yet or being replaced are members too: they are told to prepare as soon as they live.
    const members = Array.from({ length: this.#settings.threads }, (_, index) => index)
    this.#swap = new Swap(epoch, members, (result) => {
      this.#swap = null
      if (result.ok) {
        this.#ports.send({
          type: 'prepared',
          epoch,
          longestStepMs: result.longestStepMs,
          totalMs: result.totalMs,
        })
      } else {
        const { ok: _, ...why } = result
        this.#ports.send({ type: 'prepare-failed', epoch, ...why })
      }
    })
    this.#tell({ type: 'prepare', epoch, bundle, use })
  }

  /** Threads listen only once they have a bundle: before that there is nothing they could answer rightly. */
  #committed(epoch: number): void {
    this.#ports.send({ type: 'committed', epoch })
    if (this.#port === 0) this.#listen(0, this.#settings.port)
  }

  #listen(index: number, port: number): void {
    const shared = this.#settings.threads > 1
    this.#threads.get(index)?.worker.postMessage({
      type: 'listen',
      host: this.#settings.host,
      port,
      shared,
    } satisfies ThreadCommand)
  }

  #spawn(index: number): void {
    const syncer = this.#ports.syncerLink()
    const worker = new Worker(this.#ports.entry, {
      workerData: { role: 'thread', index, generation: this.#deaths, settings: this.#settings, syncer },
      transferList: [syncer.port],
      resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB },
      name: `gate-${index}`,
    })
    const thread: Thread = { index, worker, ready: false }
    this.#threads.set(index, thread)
    worker.on('message', (report: ThreadReport) => this.#report(thread, report))
    worker.on('error', (error) => this.#ports.say(`gate thread ${index}: ${error.message}`))
    worker.on('exit', (code) => this.#exited(thread, code))
    for (const state of this.#states.values())
      worker.postMessage({ type: 'state', state } satisfies ThreadCommand)
    worker.postMessage({
      type: 'revoke',
      sequence: 0,
      revocations: this.#revocations,
    } satisfies ThreadCommand)
    const current = this.#current
    if (current) {
      worker.postMessage({ type: 'prepare', ...current } satisfies ThreadCommand)
      worker.postMessage({ type: 'commit', epoch: current.epoch } satisfies ThreadCommand)
      // Only the first may choose a port; the others are told when it has.
      if (this.#port !== 0 || index === 0) this.#listen(index, this.#port || this.#settings.port)
    }
    const candidate = this.#candidate
    if (candidate) {
      worker.postMessage({ type: 'prepare', ...candidate } satisfies ThreadCommand)
      worker.postMessage({ type: 'commit', epoch: candidate.epoch } satisfies ThreadCommand)
      worker.postMessage({ type: 'canary', sequence: 0, share: this.#share } satisfies ThreadCommand)
    }
    const pending = this.#pending
    if (pending) worker.postMessage({ type: 'prepare', ...pending } satisfies ThreadCommand)
  }

  #report(thread: Thread, report: ThreadReport): void {
    switch (report.type) {
      case 'prepared':
        if (this.#swap?.epoch === report.epoch)
          this.#swap.prepared(thread.index, report.longestStepMs, report.totalMs)
        return
      case 'prepare-failed':
        if (this.#swap?.epoch === report.epoch) this.#swap.failed(report.message, report.code)
        else if (this.#current?.epoch === report.epoch)
          this.#giveUp(thread, `it cannot take the bundle in force: ${report.message}`)
        // What is only tried must not cost the service a thread.
        else if (this.#candidate?.epoch === report.epoch)
          this.#ports.say(`gate thread ${thread.index} goes on without the candidate: ${report.message}`)
        return
      case 'committed':
        return this.#arrived(`committed:${report.epoch}`, thread.index)
      case 'applied':
        return this.#arrived(`applied:${report.sequence}`, thread.index)
      case 'listening':
        thread.ready = true
        if (this.#port === 0) {
          this.#port = report.port
          for (const index of this.#threads.keys())
            if (index !== thread.index) this.#listen(index, report.port)
        }
        this.#allListen()
        return
      case 'listen-failed':
        if (this.#port === 0)
          return this.#ports.send({ type: 'failed', code: report.code, message: report.message })
        return this.#giveUp(thread, `it cannot listen: ${report.message}`)
      case 'key-wanted':
        return this.#ports.send(report)
      case 'counters':
        return this.#ports.send({ type: 'counters', thread: thread.index, counters: report.counters })
      case 'drained':
        return this.#arrived('drained', thread.index)
    }
  }

  #allListen(): void {
    const threads = [...this.#threads.values()]
    if (threads.length < this.#settings.threads || !threads.every(({ ready }) => ready)) return
    this.#ports.send({ type: 'listening', port: this.#port, threads: threads.length })
    this.#steady ??= setTimeout(() => {
      this.#deaths = 0
    }, STEADY_MS).unref()
  }

  /** A bundle that others judge by already is in force: who stays behind makes way for one that comes up with it. */
  #replaceStuck(key: string): void {
    const replace = (): void => {
      for (const index of this.#awaited.get(key)?.waiting ?? []) {
        const thread = this.#threads.get(index)
        if (thread !== undefined)
          this.#giveUp(thread, `it did not take the next bundle in ${COMMIT_TIMEOUT_MS} ms`)
      }
    }
    setTimeout(replace, COMMIT_TIMEOUT_MS).unref()
  }

  /** A thread that cannot do its work makes way for a new one, which tries again after a pause. */
  #giveUp(thread: Thread, why: string): void {
    this.#ports.say(`gate thread ${thread.index}: ${why}`)
    void thread.worker.terminate()
  }

  #exited(thread: Thread, code: number): void {
    if (this.#threads.get(thread.index) !== thread) return
    if (this.#steady !== null) clearTimeout(this.#steady)
    this.#steady = null
    this.#threads.delete(thread.index)
    this.#swap?.left(thread.index)
    for (const key of [...this.#awaited.keys()]) this.#arrived(key, thread.index)
    if (this.#draining) return
    this.#deaths += 1
    this.#ports.send({ type: 'thread-died', thread: thread.index, why: `exit ${code}` })
    const pause = Math.min(MAX_PAUSE_MS, 50 * 2 ** Math.min(this.#deaths, 7))
    setTimeout(() => {
      if (!this.#draining) this.#spawn(thread.index)
    }, pause)
  }

  #tell(command: ThreadCommand): void {
    for (const { worker } of this.#threads.values()) worker.postMessage(command)
  }

  #await(key: string, done: () => void): void {
    if (this.#threads.size === 0) return done()
    this.#awaited.set(key, { waiting: new Set(this.#threads.keys()), done })
  }

  #arrived(key: string, index: number): void {
    const awaited = this.#awaited.get(key)
    if (!awaited) return
    awaited.waiting.delete(index)
    if (awaited.waiting.size > 0) return
    this.#awaited.delete(key)
    awaited.done()
  }
}

function stateKey(state: State): string {
  return state.type === 'keys' ? `keys:${state.notice.issuer}` : state.type
}

function causeOf(error: unknown): { readonly code: string; readonly message: string } {
  const message = error instanceof Error ? error.message : 'unknown'
  return { code: error instanceof Error && 'code' in error ? String(error.code) : '', message }
}

/** Waits for an address that a predecessor gives up soon; rejects as `probe` does when that takes too long. */
async function freeAddress(host: string, port: number, clock: Clock, waitMs: number): Promise<void> {
  const deadline = clock.now().monoMs + waitMs
  for (;;) {
    try {
      return await probe(host, port)
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || clock.now().monoMs >= deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Rejects with node's EADDRINUSE or EACCES where the address cannot be had alone. */
function probe(host: string, port: number): Promise<void> {
  if (port === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
  })
}
