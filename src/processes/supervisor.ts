import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import type { GateSettings } from '../model/channel.ts'
import type { Revocation } from '../model/directive.ts'
import { SallyportError } from '../model/errors.ts'
import { Answers } from './answers.ts'
import type { BundleRef, BundleUse, ControlMessage, CounterDeltas, GateMessage, State } from './messages.ts'

/** How long all threads may take to instantiate a bundle, in ms, before the swap is given up. */
const PREPARE_TIMEOUT_MS = 120_000
const APPLY_TIMEOUT_MS = 5_000
/** By then the gate process has replaced threads that did not commit, in ms: one that says nothing is stuck itself. */
const COMMIT_TIMEOUT_MS = 15_000
/** A gate process that dies at once again and again is not a hot loop: pauses double up to this, in ms. */
const MAX_PAUSE_MS = 10_000
/** After this long without a death, in ms, earlier ones no longer count. */
const STEADY_MS = 60_000

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
  readonly #answers = new Answers<GateMessage>()
  #revocations: readonly Revocation[] = []
  #gate: ChildProcess | null = null
  #bundle: BundleRef | null = null
  #candidate: { readonly bundle: BundleRef; readonly share: number } | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #epoch = 0
  #sequence = 0
  #stopping = false
  #deaths = 0
  #port = 0
  #listening = false
  #steady: NodeJS.Timeout | null = null
  #unstarted: Error | null = null

  constructor(settings: GateSettings, ports: SupervisorPorts) {
    this.#settings = settings
    this.#ports = ports
  }

  /** Port the gate listens on; 0 until it does for the first time. */
  get port(): number {
    return this.#port
  }

  get gatePid(): number | undefined {
    return this.#gate?.pid
  }

  /** Every thread of a gate process that lives listens. */
  get listening(): boolean {
    return this.#listening
  }

  /**
   * Starts the gate process; its threads load while the first bundle is still being compiled. `revocations` are in
   * force on every thread before it takes its first call. The address may be held by a predecessor that drains for
   * another `portWaitMs`.
   */
  launch(revocations: readonly Revocation[] = [], portWaitMs = 0): void {
    if (this.#gate !== null) return
    this.#revocations = revocations
    this.#fork(portWaitMs)
  }

  /** Gives the gate its first bundle; resolves once every thread listens. */
  start(bundle: BundleRef): Promise<SwapTimes> {
    this.launch()
    return this.#inTurn(() => this.#serve(bundle))
  }

  /** Two phases: every thread has instantiated, then all commit. Rejects and leaves the last good bundle otherwise. */
  swap(bundle: BundleRef): Promise<SwapTimes> {
    return this.#inTurn(() => this.#swap(bundle))
  }

  /** Every thread has instantiated the candidate and judges beside the bundle in force; none does otherwise. */
  stage(bundle: BundleRef): Promise<SwapTimes> {
    return this.#inTurn(() => this.#swap(bundle, 'candidate'))
  }

  /** Resolves once every thread knows the candidate's share of callers, in percent; null drops the candidate. */
  canary(share: number | null): Promise<void> {
    return this.#inTurn(async () => {
      const candidate = this.#candidate
      if (candidate === null) return
      this.#candidate = share === null ? null : { ...candidate, share }
      // Where no gate process lives, the next one is told.
      if (this.#gate?.connected === true)
        await this.#applied({ type: 'canary', sequence: ++this.#sequence, share })
    })
  }

  broadcast(state: State): void {
    this.#states.set(state.type === 'keys' ? `keys:${state.notice.issuer}` : state.type, state)
    this.#send({ type: 'state', state })
  }

  /** Resolves once no thread accepts what was revoked. */
  async revoke(revocations: readonly Revocation[]): Promise<void> {
    this.#revocations = [...this.#revocations, ...revocations]
    // Where no gate process lives none accepts it, and the next one is told before its first call.
    if (this.#gate?.connected !== true) return
    const sequence = ++this.#sequence
    await this.#applied({ type: 'revoke', sequence, revocations })
  }

  /** Resolves once every thread has ended its segment of the log: what it writes next goes to a new one. */
  async rotate(): Promise<void> {
    // A gate process that is started begins new segments anyway.
    if (this.#gate?.connected === true) await this.#applied({ type: 'rotate', sequence: ++this.#sequence })
  }

  /** Ends the gate process at once, calls under way with it. */
  kill(): void {
    this.#stopping = true
    this.#gate?.kill('SIGKILL')
  }

  /** Lets calls under way end, at most for `withinMs`, then ends the process. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true
    this.#listening = false
    this.#failAll(new SallyportError('control-unreachable', 'the gate is being stopped'))
    const gate = this.#gate
    if (!gate || gate.exitCode !== null || gate.signalCode !== null) return
    const exited = new Promise<void>((resolve) => gate.once('exit', () => resolve()))
    const drained = this.#expect('drained', withinMs + 1_000).catch(() => undefined)
    this.#send({ type: 'drain', withinMs })
    await Promise.race([drained, exited])
    gate.kill('SIGKILL')
    await exited
  }

  /** Swaps and restarts one after the other: two at once would take each other's place in the gate process. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #serve(bundle: BundleRef): Promise<SwapTimes> {
    this.#requireGate()
    const listening = this.#expect('listening', PREPARE_TIMEOUT_MS)
    // Both fail together when the gate process ends; only one of the two is awaited first.
    listening.catch(() => undefined)
    const times = await this.#swap(bundle)
    await listening
    return times
  }

  async #swap(bundle: BundleRef, use: BundleUse = 'live'): Promise<SwapTimes> {
    this.#requireGate()
    const epoch = ++this.#epoch
    const prepared = this.#expect(`prepared:${epoch}`, PREPARE_TIMEOUT_MS)
    this.#send({ type: 'prepare', epoch, bundle, use })
    const message = await prepared.catch((error: unknown) => {
      this.#send({ type: 'abandon', epoch })
      throw error
    })
    const committed = this.#expect(`committed:${epoch}`, COMMIT_TIMEOUT_MS)
    // Without a bundle there is none to start a gate process with again: then the first one has to be taken.
    const first = this.#bundle === null
    if (!first) this.#decided(bundle, use)
    this.#send({ type: 'commit', epoch })
    if (first) {
      await committed
      this.#decided(bundle, use)
    } else await committed.catch((error: unknown) => this.#lateCommit(error))
    return message.type === 'prepared' ? message : { longestStepMs: 0, totalMs: 0 }
  }

  /** Once a commit was sent threads may judge by the bundle: from then on a new gate process comes up with it. */
  #decided(bundle: BundleRef, use: BundleUse): void {
    if (use === 'candidate') this.#candidate = { bundle, share: 0 }
    else this.#bundle = bundle
    // A candidate that comes into force is none any more.
    if (use === 'live' && this.#candidate?.bundle.hash === bundle.hash) this.#candidate = null
  }

  /** A gate process that ended is started with the bundle that was decided on; one that is stuck is ended for it. */
  #lateCommit(error: unknown): void {
    const gate = this.#gate
    if (this.#stopping || gate === null || gate.exitCode !== null || gate.signalCode !== null) return
    const why = error instanceof Error ? error.message : 'unknown'
    this.#ports.say(`the gate process is ended, it did not take the next bundle: ${why}`)
    gate.kill('SIGKILL')
  }

  #requireGate(): void {
    if (this.#unstarted !== null) throw this.#unstarted
    if (this.#stopping) throw new SallyportError('control-unreachable', 'the gate is being stopped')
    if (this.#gate?.connected === true) return
    const message = 'no gate process runs at the moment; it is being started again'
    throw new SallyportError('control-unreachable', message)
  }

  #fork(portWaitMs: number): void {
    const gate = fork(this.#ports.entry, ['--role=gate'], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#gate = gate
    gate.on('message', (message) => this.#receive(message as GateMessage))
    gate.on('exit', (code, signal) => this.#exited(code, signal))
    this.#send({
      type: 'configure',
      settings: { ...this.#settings, port: this.#port || this.#settings.port, portWaitMs },
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
        this.#ports.threadDied()
        return this.#ports.say(
          `gate thread ${message.thread} ended (${message.why}); a new one takes its place`,
        )
      case 'listening':
        this.#port = message.port
        this.#listening = !this.#stopping
        this.#steady ??= setTimeout(() => {
          this.#deaths = 0
        }, STEADY_MS).unref()
        return this.#answers.arrived('listening', message)
      case 'prepare-failed':
        return this.#answers.fail(
          `prepared:${message.epoch}`,
          new SallyportError(
            message.code === 'bundle-signature' ? message.code : 'bundle-corrupt',
            message.message,
          ),
        )
      case 'failed':
        return this.#failAll(this.#deaf(message))
      case 'prepared':
      case 'committed':
        return this.#answers.arrived(`${message.type}:${message.epoch}`, message)
      case 'applied':
        return this.#answers.arrived(`applied:${message.sequence}`, message)
      case 'drained':
        return this.#answers.arrived('drained', message)
    }
  }

  #deaf({ code, message, at }: Extract<GateMessage, { type: 'failed' }>): SallyportError {
    const { host, port } = at ?? this.#settings
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const why =
      code === 'EADDRINUSE'
        ? `${address} is taken by another program; set ${at === undefined ? 'listen.port or --port' : `${at.key}.port`}`
        : `cannot listen on ${address}: ${message}`
    return new SallyportError('port-taken', why, { port })
  }

  #exited(code: number | null, signal: string | null): void {
    const why = signal ?? `exit ${code}`
    this.#listening = false
    if (this.#steady !== null) clearTimeout(this.#steady)
    this.#steady = null
    // A gate that is gone accepts nothing any more, and the next one is told what is revoked before its first call.
    for (const name of this.#answers.names) {
      if (name.startsWith('applied:')) this.#answers.arrived(name, { type: 'applied', sequence: 0 })
    }
    this.#failAll(new SallyportError('control-unreachable', `the gate process ended (${why})`))
    if (this.#stopping || this.#bundle === null) return
    this.#deaths += 1
    this.#ports.say(`the gate process ended (${why}); starting it again`)
    const pause = Math.min(MAX_PAUSE_MS, 50 * 2 ** Math.min(this.#deaths, 8))
    void this.#inTurn(() => this.#restart(pause))
  }

  async #restart(pauseMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, pauseMs).unref())
    const bundle = this.#bundle
    if (this.#stopping || bundle === null) return
    this.#fork(0)
    try {
      await this.#serve(bundle)
      await this.#restage()
    } catch (error) {
      this.#ports.say(
        `the gate process could not be started again: ${error instanceof Error ? error.message : 'unknown'}`,
      )
      this.#gate?.kill('SIGKILL')
    }
  }

  /** A candidate that a new gate process cannot take costs no service. */
  async #restage(): Promise<void> {
    const candidate = this.#candidate
    if (candidate === null) return
    try {
      await this.#swap(candidate.bundle, 'candidate')
      this.#candidate = candidate
      // One that ended meanwhile is started again, and told then.
      if (this.#gate?.connected !== true) return
      await this.#applied({ type: 'canary', sequence: ++this.#sequence, share: candidate.share })
    } catch (error) {
      this.#ports.say(
        `the gate goes on without the candidate: ${error instanceof Error ? error.message : 'unknown'}`,
      )
    }
  }

  async #applied(message: Extract<ControlMessage, { sequence: number }>): Promise<void> {
    const applied = this.#expect(`applied:${message.sequence}`, APPLY_TIMEOUT_MS)
    this.#send(message)
    await applied
  }

  #send(message: ControlMessage): void {
    const gate = this.#gate
    // A gate that is gone is seen at its exit; its successor is told everything again.
    if (gate?.connected) gate.send(message, () => undefined)
  }

  #expect(name: string, withinMs: number): Promise<GateMessage> {
    return this.#answers.expect(
      name,
      withinMs,
      () => new SallyportError('control-unreachable', `the gate did not answer in ${withinMs} ms (${name})`),
    )
  }

  /** A start that failed before anybody waited for it must not be waited for afterwards. */
  #failAll(error: Error): void {
    if (this.#bundle === null) this.#unstarted ??= error
    for (const name of this.#answers.names) this.#answers.fail(name, error)
  }
}
