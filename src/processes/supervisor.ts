import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import type { GateSettings } from '../model/channel.ts'
import type { Revocation } from '../model/directive.ts'
import { SallyportError } from '../model/errors.ts'
import type { BundleRef, ControlMessage, CounterDeltas, GateMessage, State } from './messages.ts'

/** How long all threads may take to instantiate a bundle, in ms, before the swap is given up. */
const PREPARE_TIMEOUT_MS = 120_000
const APPLY_TIMEOUT_MS = 5_000
const MAX_PAUSE_MS = 10_000

export interface SupervisorPorts {
  readonly entry: string
  /** An issuer's unknown `kid` that a call waits for. */
  keyWanted(issuer: string, kid: string): void
  counters(thread: number, counters: CounterDeltas): void
  threadDied(): void
  say(text: string): void
}

export interface SwapTimes {
  readonly longestStepMs: number
  readonly totalMs: number
}

/**
 * Control's hold on the gate process: forks it, keeps it alive, and turns its messages into answers. What control
 * knows (bundle, states, revocations) is told again to a gate process that had to be started anew.
 */
export class Supervisor {
  readonly #settings: GateSettings
  readonly #ports: SupervisorPorts
  readonly #states = new Map<string, State>()
  readonly #expecting = new Map<
    string,
    { resolve: (message: GateMessage) => void; reject: (error: Error) => void }
  >()
  #revocations: Revocation[] = []
  #gate: ChildProcess | null = null
  #bundle: BundleRef | null = null
  #epoch = 0
  #sequence = 0
  #stopping = false
  #deaths = 0
  #port = 0
  #unstarted: Error | null = null

  constructor(settings: GateSettings, ports: SupervisorPorts) {
    this.#settings = settings
    this.#ports = ports
  }

  /** Port the gate listens on; 0 until it does. */
  get port(): number {
    return this.#port
  }

  get bundle(): BundleRef | null {
    return this.#bundle
  }

  get gatePid(): number | undefined {
    return this.#gate?.pid
  }

  /**
   * Starts the gate process; its threads load while the first bundle is still being compiled. `revocations` are in
   * force on every thread before it takes its first call.
   */
  launch(revocations: readonly Revocation[] = []): void {
    if (this.#gate !== null) return
    this.#revocations = [...revocations]
    this.#fork()
  }

  /** Gives the gate its first bundle; resolves once every thread listens. */
  async start(bundle: BundleRef): Promise<SwapTimes> {
    this.launch()
    const listening = this.#expect('listening', PREPARE_TIMEOUT_MS)
    // Both fail together when the gate process ends; only one of the two is awaited first.
    listening.catch(() => undefined)
    const times = await this.swap(bundle)
    await listening
    return times
  }

  /** Two phases: every thread has instantiated, then all commit. Rejects and leaves the last good bundle otherwise. */
  async swap(bundle: BundleRef): Promise<SwapTimes> {
    const epoch = ++this.#epoch
    const prepared = this.#expect(`prepared:${epoch}`, PREPARE_TIMEOUT_MS)
    this.#send({ type: 'prepare', epoch, bundle })
    const message = await prepared.catch((error: unknown) => {
      this.#send({ type: 'abandon', epoch })
      throw error
    })
    const committed = this.#expect(`committed:${epoch}`, APPLY_TIMEOUT_MS)
    this.#send({ type: 'commit', epoch })
    await committed
    this.#bundle = bundle
    return message.type === 'prepared' ? message : { longestStepMs: 0, totalMs: 0 }
  }

  broadcast(state: State): void {
    this.#states.set(state.type === 'keys' ? `keys:${state.notice.issuer}` : state.type, state)
    this.#send({ type: 'state', state })
  }

  /** Resolves once every thread refuses what was revoked. */
  async revoke(revocations: readonly Revocation[], now: number): Promise<void> {
    this.#revocations = [...this.#revocations.filter(({ until }) => until > now), ...revocations]
    const sequence = ++this.#sequence
    const applied = this.#expect(`applied:${sequence}`, APPLY_TIMEOUT_MS)
    this.#send({ type: 'revoke', sequence, revocations })
    await applied
  }

  /** Lets calls under way end, at most for `withinMs`, then ends the process. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true
    const gate = this.#gate
    if (!gate || gate.exitCode !== null) return
    const exited = new Promise<void>((resolve) => gate.once('exit', () => resolve()))
    const drained = this.#expect('drained', withinMs + 1_000).catch(() => undefined)
    this.#send({ type: 'drain', withinMs })
    await Promise.race([drained, exited])
    gate.kill('SIGKILL')
    await exited
  }

  #fork(): void {
    const gate = fork(this.#ports.entry, ['--role=gate'], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#gate = gate
    gate.on('message', (message) => this.#receive(message as GateMessage))
    gate.on('exit', (code, signal) => this.#exited(code, signal))
    this.#send({
      type: 'configure',
      settings: { ...this.#settings, port: this.#port || this.#settings.port },
    })
    for (const state of this.#states.values()) this.#send({ type: 'state', state })
    if (this.#revocations.length > 0)
      this.#send({ type: 'revoke', sequence: 0, revocations: this.#revocations })
  }

  #receive(message: GateMessage): void {
    switch (message.type) {
      case 'key-wanted':
        return this.#ports.keyWanted(message.issuer, message.kid)
      case 'counters':
        return this.#ports.counters(message.thread, message.counters)
      case 'thread-died':
        return this.#ports.say(
          `gate thread ${message.thread} ended (${message.why}); a new one takes its place`,
        )
      case 'listening':
        this.#port = message.port
        return this.#answer('listening', message)
      case 'prepare-failed':
        return this.#fail(`prepared:${message.epoch}`, new SallyportError('bundle-corrupt', message.message))
      case 'failed': {
        const error =
          message.code === 'EADDRINUSE'
            ? new SallyportError(
                'port-taken',
                `${this.#settings.host}:${this.#settings.port} is taken by another program`,
                { port: this.#settings.port },
              )
            : new SallyportError(
                'port-taken',
                `cannot listen on ${this.#settings.host}:${this.#settings.port}: ${message.message}`,
                { port: this.#settings.port },
              )
        this.#failAll(error)
        return
      }
      case 'prepared':
      case 'committed':
        return this.#answer(`${message.type}:${message.epoch}`, message)
      case 'applied':
        return this.#answer(`applied:${message.sequence}`, message)
      case 'drained':
        return this.#answer('drained', message)
    }
  }

  #exited(code: number | null, signal: string | null): void {
    if (this.#stopping) return
    const why = signal ?? `exit ${code}`
    this.#failAll(new SallyportError('control-unreachable', `the gate process ended (${why})`))
    const bundle = this.#bundle
    if (!bundle) return
    this.#deaths += 1
    this.#ports.say(`the gate process ended (${why}); starting it again`)
    setTimeout(() => this.#restart(bundle), Math.min(MAX_PAUSE_MS, 50 * 2 ** Math.min(this.#deaths, 8)))
  }

  #restart(bundle: BundleRef): void {
    if (this.#stopping) return
    this.#fork()
    this.swap(bundle).catch((error: unknown) => {
      this.#ports.say(
        `the gate process could not be started again: ${error instanceof Error ? error.message : 'unknown'}`,
      )
      this.#gate?.kill('SIGKILL')
    })
  }

  #send(message: ControlMessage): void {
    const gate = this.#gate
    // A gate that is gone is seen at its exit; its successor is told everything again.
    if (gate?.connected) gate.send(message, () => undefined)
  }

  #expect(key: string, withinMs: number): Promise<GateMessage> {
    if (this.#unstarted !== null) return Promise.reject(this.#unstarted)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          this.#fail(
            key,
            new SallyportError('control-unreachable', `the gate did not answer in ${withinMs} ms (${key})`),
          ),
        withinMs,
      )
      this.#expecting.set(key, {
        resolve: (message) => {
          clearTimeout(timer)
          resolve(message)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }

  /** A start that failed before anybody waited for it must not be waited for afterwards. */
  #failAll(error: Error): void {
    if (this.#bundle === null) this.#unstarted = error
    for (const key of [...this.#expecting.keys()]) this.#fail(key, error)
  }

  #answer(key: string, message: GateMessage): void {
    const expecting = this.#expecting.get(key)
    this.#expecting.delete(key)
    expecting?.resolve(message)
  }

  #fail(key: string, error: Error): void {
    const expecting = this.#expecting.get(key)
    this.#expecting.delete(key)
    expecting?.reject(error)
  }
}
