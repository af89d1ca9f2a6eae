import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { readConfig } from '../config/read.ts'
import { watchConfig } from '../config/watch.ts'
import { generateSigningKey, publicJwks } from '../identity/assertion.ts'
import { KeySource } from '../identity/key-source.ts'
import { ControlSocket, isTokenKey, type Order, type OrderResult } from '../management/control-socket.ts'
import { Metrics } from '../management/metrics.ts'
import { type Readiness, ReadOnlyServer } from '../management/read-only.ts'
import type { GateSettings, KeyNotice, SigningKeys } from '../model/channel.ts'
import type { Revocation } from '../model/directive.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import { Supervisor } from '../processes/supervisor.ts'
import { type HeldDataDirectory, openDataDirectory } from '../store/data-directory.ts'
import { RevocationJournal } from '../store/revocation-journal.ts'
import { SigningKeyFile } from '../store/signing-key-file.ts'
import { openStoreKey } from '../store/store-keys.ts'
import { Addresses } from './addresses.ts'
import { type BundleSummary, compileInThread, settle } from './compile-in-thread.ts'
import { ControlAudit } from './control-audit.ts'
import { ENTRY } from './entry.ts'
import { httpGet } from './http-get.ts'
import { interruptible } from './interruptible.ts'
import { ORPHAN_DRAIN_MS, OrphanSocket } from './orphan-socket.ts'
import { Reloads } from './reloads.ts'
import { say, surviveDeafStderr, systemClock, systemRandom, systemSchedule } from './system.ts'

export interface StartOptions {
  readonly config: string
  /** Replace the configuration's, where given. */
  readonly port?: number
  readonly managementPort?: number
  readonly threads?: number
}

export interface Started {
  readonly url: string
  readonly management: string
  readonly store: string
  readonly summary: BundleSummary
  /** Milliseconds from the call to the first listening thread. */
  readonly startedInMs: number
  readiness(): Readiness
  reload(): Promise<BundleSummary>
  stop(): Promise<void>
  /** Ends the gate process without letting calls end. */
  kill(): void
}

/** The longest request target (syntax/uri.ts) twice over: what is too long is refused by us, with its record. */
const REQUEST_LINE_BYTES = 16_384
const DRAIN_MS = 10_000
const ROTATE_EVERY_MS = 3_600_000
/** Revocations of tokens whose expiry is not known are kept this long: longer than any sane token lives. */
const REVOCATION_MS = 30 * 86_400_000

/** Control: composes the management plane around one gate process. Throws what keeps the gate from starting. */
export async function startControl(options: StartOptions): Promise<Started> {
  const began = performance.now()
  surviveDeafStderr()
  const { config, store: storePath } = readConfig(options.config)
  const random = systemRandom()
  const directory: HeldDataDirectory = openDataDirectory(storePath, random)
  try {
    const control = new Control(options, config, directory)
    return await interruptible(control.start(began), () => control.interrupt())
  } catch (error) {
    directory.release()
    throw error
  }
}

class Control {
  readonly #options: StartOptions
  readonly #config: ReturnType<typeof readConfig>['config']
  readonly #directory: HeldDataDirectory
  readonly #metrics = new Metrics()
  readonly #journal: RevocationJournal
  readonly #keyFile: SigningKeyFile
  readonly #supervisor: Supervisor
  readonly #fetch = httpGet()
  readonly #keys: KeySource
  readonly #addresses: Addresses
  readonly #audit: ControlAudit
  readonly #notices = new Map<string, KeyNotice>()
  #signing: SigningKeys = []
  #summary: BundleSummary | null = null
  readonly #reloads = new Reloads((why) => this.#reload(why))
  /** What only a start can change, as this one found it. */
  #started: BundleSummary['startOnly'] | null = null
  #stopping = false
  readonly #ending = new AbortController()

  constructor(
    options: StartOptions,
    config: ReturnType<typeof readConfig>['config'],
    directory: HeldDataDirectory,
  ) {
    this.#options = options
    this.#config = config
    this.#directory = directory
    openStoreKey(directory, systemRandom())
    const boot = randomUUID().slice(0, 8)
    const settings: GateSettings = {
      host: config.listen.host,
      port: options.port ?? config.listen.port,
      threads: options.threads ?? config.listen.threads ?? availableParallelism(),
      store: directory.path,
      node: directory.node,
      boot,
      durability: config.durability,
      headBytes: config.limits.fieldBytes + REQUEST_LINE_BYTES,
      gateId: 'sallyport',
    }
    this.#journal = new RevocationJournal(directory.path, Date.now())
    this.#keyFile = new SigningKeyFile(directory.keys, generateSigningKey)
    this.#supervisor = new Supervisor(settings, {
      entry: ENTRY,
      keyWanted: (issuer) => this.#keys.ask(issuer),
      counters: (_thread, counters) => this.#metrics.add(counters),
      threadDied: () => this.#metrics.threadDied(),
      say,
    })
    this.#keys = new KeySource({
      get: this.#fetch.get,
      clock: systemClock,
      schedule: systemSchedule,
      publish: (notice) => {
        this.#notices.set(notice.issuer, notice)
        this.#metrics.issuer(notice.issuer, notice.keys !== null)
        if (!notice.ok) say(`issuer ${notice.issuer}: ${notice.error ?? 'its keys cannot be fetched'}`)
        this.#supervisor.broadcast({ type: 'keys', notice })
      },
    })
    this.#addresses = new Addresses((table) => this.#supervisor.broadcast({ type: 'addresses', table }), say)
    this.#audit = new ControlAudit(directory, boot, say)
  }

  async start(began: number): Promise<Started> {
    const { host } = this.#config.listen
    const readOnly = new ReadOnlyServer({
      readiness: () => this.#readiness(),
      metrics: () => this.#metrics.text(),
      jwks: () => publicJwks(this.#signing),
    })
    const managementPort = await readOnly
      .listen(this.#config.management.host, this.#options.managementPort ?? this.#config.management.port)
      .catch((error: NodeJS.ErrnoException) => {
        const port = this.#options.managementPort ?? this.#config.management.port
        throw new SallyportError(
          'port-taken',
          `management ${this.#config.management.host}:${port}: ${error.code === 'EADDRINUSE' ? 'another program listens there; set management.port or --management-port' : error.message}`,
          { port },
          error,
        )
      })
    const closers: (() => Promise<void> | void)[] = [() => readOnly.close()]
    try {
      const orphan = await OrphanSocket.find(this.#directory.path)
      if (orphan === null) {
        this.#audit.recover(false)
        this.#supervisor.launch(this.#journal.inForce)
      }
      this.#rotateKeys()
      const summary = await this.#compileFirst()
      await this.#addresses.update(summary.apis)
      this.#keys.update(summary.issuers)
      if (orphan !== null) {
        say('a gate left alone by its control is told to drain')
        await orphan.relieve()
        this.#audit.recover(true)
        this.#supervisor.launch(this.#journal.inForce, ORPHAN_DRAIN_MS + 1_000)
      }
      await this.#supervisor.start({ hash: summary.hash, file: summary.file })
      this.#adopt(summary)
      this.#audit.management('start', 'sallyport', 'ok', { bundle: summary.hash })
      const socket = new ControlSocket((order) => this.#obey(order))
      await socket.listen(this.#directory.path)
      const rotation = setInterval(() => this.#rotateKeys(), ROTATE_EVERY_MS).unref()
      const checkpoints = this.#audit.checkpointsEvery()
      const watch = watchConfig(
        { files: summary.watch, folders: [] },
        () => void this.#reloads.ask('change').catch(() => undefined),
        (error) =>
          say(`watching the configuration failed: ${error instanceof Error ? error.message : 'unknown'}`),
      )
      const hangup = (): void => void this.#reloads.ask('SIGHUP').catch(() => undefined)
      process.on('SIGHUP', hangup)
      closers.push(
        () => watch.close(),
        () => socket.close(),
        () => {
          process.off('SIGHUP', hangup)
          clearInterval(rotation)
        },
        () => checkpoints.close(),
      )
      this.#watch = watch
      const shownHost = host.includes(':') ? `[${host}]` : host
      return {
        url: `http://${shownHost}:${this.#supervisor.port}`,
        management: `http://${this.#config.management.host}:${managementPort}`,
        store: this.#directory.path,
        summary,
        startedInMs: performance.now() - began,
        readiness: () => this.#readiness(),
        reload: () => this.#reloads.ask('program'),
        stop: () => this.#stop(closers),
        kill: () => this.#supervisor.kill(),
      }
    } catch (error) {
      await this.#stop(closers)
      throw error
    }
  }

  #watch: ReturnType<typeof watchConfig> | null = null

  /** Gives up compiling: what was to come of it is not wanted any more. */
  interrupt(): void {
    this.#ending.abort()
  }

  /** At start control has nothing else to do, and a thread of its own would load all that control has loaded. */
  async #compileFirst(): Promise<BundleSummary> {
    const { compile } = await import('./compiler.ts')
    return settle(compile(this.#options.config, this.#directory.path))
  }

  #compile(): Promise<BundleSummary> {
    return compileInThread(this.#options.config, this.#directory.path, this.#ending.signal)
  }

  #adopt(summary: BundleSummary): void {
    const known = this.#summary?.warnings.map(({ place, message }) => `${place} ${message}`) ?? []
    this.#summary = summary
    this.#metrics.bundle(summary.hash)
    this.#metrics.issuers(summary.issuers.map(({ name }) => name))
    this.#started ??= summary.startOnly
    for (const [key, value] of Object.entries(summary.startOnly)) {
      if (value !== this.#started[key]) say(`warning: ${key} has changed: it takes effect at the next start`)
    }
    for (const { place, message } of summary.warnings)
      if (!known.includes(`${place} ${message}`))
        say(`warning: ${place === '' ? '' : `${place}: `}${message}`)
  }

  async #reload(why: string): Promise<BundleSummary> {
    try {
      const summary = await this.#compile()
      if (summary.hash !== this.#summary?.hash) {
        // Until the swap has succeeded, the old bundle's upstreams must stay known.
        await this.#addresses.update([...(this.#summary?.apis ?? []), ...summary.apis])
        const times = await this.#supervisor.swap({ hash: summary.hash, file: summary.file })
        say(
          `reloaded (${why}): bundle ${summary.hash.slice(0, 12)}; longest stretch on a gate thread ${times.longestStepMs.toFixed(1)} ms`,
        )
        this.#keys.update(summary.issuers)
        void this.#addresses.update(summary.apis)
      }
      this.#adopt(summary)
      this.#watch?.update({ files: summary.watch, folders: [] })
      this.#metrics.reloaded('ok')
      this.#audit.management('reload', why, 'ok', { bundle: summary.hash })
      return summary
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      // What could not be read may be put right where it was looked for.
      const looked = isFault(error) && Array.isArray(error.data['watch']) ? error.data['watch'] : []
      this.#watch?.update({ files: [...(this.#summary?.watch ?? []), ...looked], folders: [] })
      this.#metrics.reloaded('failed')
      this.#audit.management('reload', why, 'failed', { code: isFault(error) ? error.code : 'unknown' })
      say(`reload (${why}) failed, the last good bundle stays: ${message}`)
      throw error
    }
  }

  async #obey(order: Order): Promise<OrderResult> {
    switch (order.order) {
      case 'status':
        return { bundle: this.#summary?.hash ?? '', port: this.#supervisor.port, ...this.#readiness() }
      case 'reload': {
        const { hash, operations, tests } = await this.#reloads.ask('order')
        return { bundle: hash, operations, tests }
      }
      case 'note-erasure':
        this.#audit.management('erase', order.by, 'ok', { keys: order.keys, segments: order.segments })
        return { noted: true }
      case 'revoke-token': {
        const keys = order.keys.filter(isTokenKey)
        if (keys.length < order.keys.length)
          throw new SallyportError(
            'usage',
            'a token is revoked by its jti; a whole token goes to standard input: sallyport revoke token -',
          )
        const at = Date.now()
        return this.#revoke(
          keys.map((key) => ({ kind: 'token', key, until: at + REVOCATION_MS, by: order.by, at })),
        )
      }
      case 'revoke-subject': {
        const at = Date.now()
        const { iss, sub, by } = order
        return this.#revoke([
          { kind: 'subject', iss, sub, notBefore: Math.floor(at / 1000), until: at + REVOCATION_MS, by, at },
        ])
      }
    }
  }

  /** On disk first, then on every thread: what was confirmed holds from the next call on and after a restart. */
  async #revoke(revocations: readonly Revocation[]): Promise<OrderResult> {
    const record = (result: 'ok' | 'failed', detail: Readonly<Record<string, string>> = {}): void => {
      for (const { kind, by } of revocations)
        this.#audit.management('revoke', by, result, { kind, ...detail })
    }
    try {
      this.#journal.append(revocations)
      await this.#supervisor.revoke(revocations, Date.now())
    } catch (error) {
      record('failed', { code: isFault(error) ? error.code : 'unknown' })
      throw error
    }
    record('ok')
    return { revoked: revocations.length, threads: 'all' }
  }

  #rotateKeys(): void {
    const keys = this.#keyFile.current(Date.now())
    if (keys === this.#signing) return
    this.#signing = keys
    this.#supervisor.broadcast({ type: 'signing-keys', keys })
  }

  #readiness(): Readiness {
    const missing: string[] = []
    if (this.#stopping) missing.push('the gate drains: calls under way end, then it stops')
    else if (this.#summary === null) missing.push('the gate does not listen yet')
    else if (!this.#supervisor.listening) missing.push('the gate process ended; it is being started again')
    for (const { name } of this.#summary?.issuers ?? []) {
      const notice = this.#notices.get(name)
      if (notice === undefined || notice.keys === null)
        missing.push(`issuer ${name}: ${notice?.error ?? 'its keys have not been fetched yet'}`)
    }
    return { ready: missing.length === 0, missing }
  }

  async #stop(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
    this.#stopping = true
    this.interrupt()
    await this.#supervisor.stop(DRAIN_MS)
    // Both fail now, if they run, and say so in the record before it is closed.
    await this.#reloads.idle()
    for (const close of closers) await close()
    this.#keys.stop()
    this.#addresses.stop()
    this.#fetch.close()
    this.#audit.management('stop', 'sallyport', 'ok', {})
    this.#journal.close()
    this.#directory.release()
  }
}
