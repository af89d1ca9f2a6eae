import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { decisionPointSettings } from '../config/decision-points.ts'
import { readConfig } from '../config/read.ts'
import { watchConfig } from '../config/watch.ts'
import { generateSigningKey, publicJwks } from '../identity/assertion.ts'
import { KeySource } from '../identity/key-source.ts'
import { ControlSocket, type Order, type OrderResult } from '../management/control-socket.ts'
import { Metrics } from '../management/metrics.ts'
import { type Readiness, ReadOnlyServer } from '../management/read-only.ts'
import { warningLines } from '../management/warning-groups.ts'
import type { GateSettings, SigningKeys } from '../model/channel.ts'
import { SallyportError } from '../model/errors.ts'
import { Supervisor } from '../processes/supervisor.ts'
import { type HeldDataDirectory, openDataDirectory } from '../store/data-directory.ts'
import { RevocationJournal } from '../store/revocation-journal.ts'
import { SigningKeyFile } from '../store/signing-key-file.ts'
import { keyedDigest, openSigningKey, openStoreKey } from '../store/store-keys.ts'
import { Addresses } from './addresses.ts'
import { Candidates } from './candidates.ts'
import { watchClock } from './clock-watch.ts'
import { type BundleSummary, compileInThread, settle } from './compile-in-thread.ts'
import { ControlAudit } from './control-audit.ts'
import { Credentials } from './credentials.ts'
import { ENTRY } from './entry.ts'
import { httpGet } from './http-get.ts'
import { type BundlePorts, InForce } from './in-force.ts'
import { interruptible } from './interruptible.ts'
import { IssuerNotices } from './issuer-notices.ts'
import { ORPHAN_DRAIN_MS, OrphanSocket } from './orphan-socket.ts'
import { Reloads } from './reloads.ts'
import { Revoker } from './revoker.ts'
import { bearerDigest } from './secrets.ts'
import { say, surviveDeafStderr, systemClock, systemRandom, systemSchedule } from './system.ts'
import { systemUrlNames } from './url-names.ts'

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
/** After a record that could not be written the gate is not ready for this long: most calls would be refused. */
const UNRECORDED_MS = 10_000

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
  readonly #boot: string
  readonly #notices = new IssuerNotices(say, () => systemClock.now().wallMs)
  readonly #revoker: Revoker
  #signing: SigningKeys = []
  #summary: BundleSummary | null = null
  readonly #inForce: InForce
  readonly #candidates: Candidates
  readonly #reloads = new Reloads((why) => this.#inForce.reload(why))
  /** What only a start can change, as this one found it. */
  #started: BundleSummary['startOnly'] = {}
  #stopping = false
  /** Monotonic time of the last record that could not be written. */
  #unrecordedAt = Number.NEGATIVE_INFINITY
  readonly #ending = new AbortController()

  constructor(
    options: StartOptions,
    config: ReturnType<typeof readConfig>['config'],
    directory: HeldDataDirectory,
  ) {
    this.#options = options
    this.#config = config
    this.#directory = directory
    const storeKey = openStoreKey(directory, systemRandom())
    const bundleKey = openSigningKey(directory, 'bundle')
    const boot = randomUUID().slice(0, 8)
    this.#boot = boot
    const settings: GateSettings = {
      host: config.listen.host,
      port: options.port ?? config.listen.port,
      threads: options.threads ?? config.listen.threads ?? availableParallelism(),
      store: directory.path,
      node: directory.node,
      boot,
      durability: config.durability,
      headBytes: config.limits.fieldBytes + REQUEST_LINE_BYTES,
      decisionPoints: decisionPointSettings(config.decisionPoints, (reference) =>
        bearerDigest(reference, options.config),
      ),
      gateId: 'sallyport',
      bundleKey: bundleKey.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    }
    this.#journal = new RevocationJournal(directory.path, Date.now())
    this.#keyFile = new SigningKeyFile(directory.keys, generateSigningKey)
    this.#supervisor = new Supervisor(settings, {
      entry: ENTRY,
      keyWanted: (issuer) => this.#keys.ask(issuer),
      counters: (_thread, counters) => {
        if (this.#metrics.add(counters)) this.#unrecordedAt = systemClock.now().monoMs
      },
      threadDied: () => this.#metrics.threadDied(),
      say,
    })
    this.#keys = new KeySource({
      get: this.#fetch.get,
      clock: systemClock,
      schedule: systemSchedule,
      publish: (notice) => {
        this.#notices.take(notice)
        this.#metrics.issuer(notice.issuer, notice.keys !== null)
        this.#supervisor.broadcast({ type: 'keys', notice })
      },
    })
    this.#addresses = new Addresses(
      (table) => this.#supervisor.broadcast({ type: 'addresses', table }),
      say,
      systemUrlNames((table) => this.#supervisor.broadcast({ type: 'url-names', table }), say),
    )
    this.#audit = new ControlAudit(directory, boot, say)
    this.#revoker = new Revoker({
      append: (revocations) => this.#journal.append(revocations),
      apply: (revocations) => this.#supervisor.revoke(revocations),
      record: (by, result, detail) => this.#audit.management('revoke', by, result, detail),
      digest: keyedDigest(storeKey, 'revocation'),
      wallMs: () => systemClock.now().wallMs,
    })
    const ports: BundlePorts = {
      compile: (from) => compileInThread(from ?? options.config, directory.path, this.#ending.signal),
      supervisor: this.#supervisor,
      addresses: this.#addresses,
      credentials: new Credentials(options.config, (table) =>
        this.#supervisor.broadcast({ type: 'credentials', table }),
      ),
      keys: this.#keys,
      record: (action, by, result, detail) => this.#audit.management(action, by, result, detail),
      adopted: (summary, own) => this.#adopt(summary, own),
      reloaded: (result, watch) => {
        this.#metrics.reloaded(result)
        this.#watch?.update({ files: watch, folders: [] })
      },
      say,
      journalLine: this.#audit.journalLine,
      wallMs: () => systemClock.now().wallMs,
    }
    this.#inForce = new InForce(directory, bundleKey, ports)
    this.#candidates = new Candidates(this.#inForce, ports)
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
      const compiled = await this.#compileFirst()
      this.#started = compiled.startOnly
      const { summary, version } = this.#inForce.first(compiled)
      await this.#inForce.accompany(null)
      if (orphan !== null) {
        say('a gate left alone by its control is told to drain')
        await orphan.relieve()
        this.#audit.recover(true)
        this.#supervisor.launch(this.#journal.inForce, ORPHAN_DRAIN_MS + 1_000)
      }
      await this.#supervisor.start({ hash: summary.hash, file: summary.file })
      this.#inForce.started()
      const { journalLine } = this.#inForce
      const begun = { bundle: summary.hash, version: version.version, journalLine }
      this.#audit.management('start', 'sallyport', 'ok', begun)
      const socket = new ControlSocket((order) => this.#obey(order))
      await socket.listen(this.#directory.path)
      void this.#audit.checkEnded()
      const rotation = setInterval(() => this.#rotateKeys(), ROTATE_EVERY_MS).unref()
      const checkpoints = this.#audit.checkpointsEvery()
      const endClockWatch = watchClock(systemClock, systemSchedule, (ms) => this.#clockJumped(ms))
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
        endClockWatch,
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

  /** `own`: it is what the configuration says, and only that has a say in what a start takes. */
  #adopt(summary: BundleSummary, own: boolean): void {
    const known = new Set(this.#summary?.warnings.map(({ place, message }) => `${place} ${message}`))
    this.#summary = summary
    this.#metrics.bundle(summary.hash)
    this.#metrics.issuers(summary.issuers.map(({ name }) => name))
    for (const [key, value] of own ? Object.entries(summary.startOnly) : []) {
      if (value !== this.#started[key]) say(`warning: ${key} has changed: it takes effect at the next start`)
    }
    const fresh = summary.warnings.filter(({ place, message }) => !known.has(`${place} ${message}`))
    for (const line of warningLines(fresh)) say(`warning: ${line}`)
  }

  async #obey(order: Order): Promise<OrderResult> {
    switch (order.order) {
      case 'status':
        return {
          boot: this.#boot,
          bundle: this.#summary?.hash ?? '',
          port: this.#supervisor.port,
          ...this.#readiness(),
        }
      case 'reload': {
        const { hash, operations, tests } = await this.#reloads.ask(order.by)
        const { version } = this.#inForce.live.version
        return { bundle: hash, version, own: this.#inForce.own, operations, tests }
      }
      case 'candidate-stage':
        return this.#candidates.stage(order.from, order.by)
      case 'candidate-status':
        return this.#candidates.status()
      case 'candidate-canary':
        return this.#candidates.canary(order.share, order.by)
      case 'candidate-promote':
        return this.#candidates.promote(order.by)
      case 'candidate-drop':
        return this.#candidates.drop(order.by)
      case 'rollback': {
        const { before, now, noted } = await this.#inForce.rollback(order.to, order.by)
        return {
          bundle: now.version.hash,
          version: now.version.version,
          before: before.version.hash,
          versionBefore: before.version.version,
          noted,
        }
      }
      case 'note-erasure':
        this.#audit.management('erase', order.by, 'ok', { keys: order.keys, segments: order.segments })
        return this.#beginNewSegments()
      case 'revoke-token':
        return this.#revoker.token(order)
      case 'revoke-subject':
        return this.#revoker.subject(order, this.#summary?.issuers ?? [])
    }
  }

  /** Times in the log and in tokens are wall times: who reads them must know where the clock was set. */
  #clockJumped(ms: number): void {
    say(`the wall clock was set ${ms < 0 ? 'back' : 'forward'} by ${(Math.abs(ms) / 1000).toFixed(1)} s`)
    this.#audit.management('clock-jump', 'sallyport', 'ok', { milliseconds: ms })
  }

  /** Threads hold the keys they seal under: only new segments have keys that were not destroyed. */
  async #beginNewSegments(): Promise<OrderResult> {
    try {
      await this.#supervisor.rotate()
    } catch (error) {
      const message =
        'the keys are destroyed, but not every gate thread began a new segment of the log: what its callers do until it does is erased too'
      throw new SallyportError('audit-write-failed', message, {}, error)
    }
    return { noted: true }
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
    if (systemClock.now().monoMs - this.#unrecordedAt < UNRECORDED_MS)
      missing.push(
        'records cannot be written (the gate’s stderr says why): calls are refused, or go on unrecorded where onAuditFailure is allow',
      )
    missing.push(...this.#notices.missing(this.#summary?.issuers ?? []))
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
    if (this.#summary !== null) say('stopped')
  }
}
