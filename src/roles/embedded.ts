import { type KeyObject, randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { SyncerClient, SyncerHub, syncerEntry } from '../audit/syncer-client.ts'
import { SegmentWriter } from '../audit/writer.ts'
import { readConfig } from '../config/read.ts'
import { watchConfig } from '../config/watch.ts'
import { Connector } from '../enforcement/connector.ts'
import { Middleware, type MiddlewareStats } from '../enforcement/entrances/middleware.ts'
import { NO_ASSERTION } from '../enforcement/entrances/middleware-lookup.ts'
import type { Gate } from '../enforcement/gate.ts'
import { PinnedSnapshots } from '../enforcement/pinned.ts'
import { AccessTokens } from '../identity/access-token.ts'
import { KeyRing } from '../identity/key-ring.ts'
import { KeySource } from '../identity/key-source.ts'
import { KeyWait } from '../identity/key-wait.ts'
import { RevocationSet } from '../identity/revocations.ts'
import { ControlSocket, type Order, type OrderResult } from '../management/control-socket.ts'
import { warningLines } from '../management/warning-groups.ts'
import type { AddressTable, UrlNameTable } from '../model/channel.ts'
import { SallyportError } from '../model/errors.ts'
import type { AuditWriter } from '../model/ports.ts'
import type { BundleRef } from '../processes/messages.ts'
import type { SwapTimes } from '../processes/supervisor.ts'
import { type HeldDataDirectory, openDataDirectory } from '../store/data-directory.ts'
import { RevocationJournal } from '../store/revocation-journal.ts'
import { keyedDigest, openSigningKey, openStoreKey } from '../store/store-keys.ts'
import { Addresses } from './addresses.ts'
import { watchClock } from './clock-watch.ts'
import { type BundleSummary, compileInThread } from './compile-in-thread.ts'
import { ControlAudit } from './control-audit.ts'
import { Credentials } from './credentials.ts'
import { httpGet } from './http-get.ts'
import { InForce } from './in-force.ts'
import { instantiate } from './instantiate.ts'
import { IssuerNotices } from './issuer-notices.ts'
import { OrphanSocket } from './orphan-socket.ts'
import { Reloads } from './reloads.ts'
import { Revoker } from './revoker.ts'
import { systemClock, systemRandom, systemSchedule } from './system.ts'
import { systemUrlNames } from './url-names.ts'

export interface EmbeddedOptions {
  readonly config: string
  readonly unmatched: 'deny' | 'next'
  readonly watch: boolean
  readonly say: (text: string) => void
}

export interface EmbeddedStats extends MiddlewareStats {
  /** Hash of the bundle in force. */
  readonly bundle: string
  /** Calls whose record could not be written: refused, or let go on where `onAuditFailure` is `allow`. */
  readonly unrecorded: number
  /** What keeps the gate from judging well, such as an issuer without keys; empty where nothing does. */
  readonly missing: readonly string[]
}

/** How long calls under way may take to end at `close`, in ms. */
const DRAIN_MS = 10_000

/** Control and one gate thread in one: the gate inside the program it protects. It owns its store as control does. */
export class Embedded {
  readonly middleware: Middleware
  readonly #options: EmbeddedOptions
  readonly #directory: HeldDataDirectory
  readonly #bundleKey: KeyObject
  readonly #ending = new AbortController()
  readonly #fetch = httpGet()
  readonly #keys: KeySource
  readonly #notices: IssuerNotices
  readonly #revocations = new RevocationSet()
  readonly #journal: RevocationJournal
  readonly #revoker: Revoker
  readonly #records: SegmentWriter
  readonly #control: ControlAudit
  readonly #sources: Connector
  readonly #resolver: Addresses
  #urlNames: UrlNameTable = {}
  #credentials: Readonly<Record<string, string>> = {}
  readonly #snapshots = new PinnedSnapshots()
  readonly #inForce: InForce
  readonly #reloads = new Reloads((why) => this.#inForce.reload(why))
  readonly #hub = new SyncerHub()
  readonly #syncer: Worker
  readonly #closers: (() => Promise<void> | void)[] = []
  #watch: ReturnType<typeof watchConfig> | null = null
  #epoch = 0
  #unsynced = false
  #unrecorded = 0
  #closing: Promise<void> | null = null

  /** Throws what keeps the gate from starting: `config-*`, `store-*`, `contract-invalid`, `policy-*`, `bundle-*`. */
  static async open(options: EmbeddedOptions): Promise<Embedded> {
    const { config, store } = readConfig(options.config)
    const directory = openDataDirectory(store, systemRandom())
    try {
      if ((await OrphanSocket.find(directory.path)) !== null)
        throw new SallyportError('store-in-use', 'a gate that its control left alone still uses this store')
      const embedded = new Embedded(options, directory, config.durability)
      try {
        await embedded.#start()
        return embedded
      } catch (error) {
        await embedded.close()
        throw error
      }
    } catch (error) {
      directory.release()
      throw error
    }
  }

  private constructor(options: EmbeddedOptions, directory: HeldDataDirectory, durability: 'os' | 'disk') {
    this.#options = options
    this.#directory = directory
    const { say } = options
    const clock = systemClock
    const random = systemRandom()
    const storeKey = openStoreKey(directory, random)
    const bundleKey = openSigningKey(directory, 'bundle')
    this.#bundleKey = bundleKey.publicKey
    const boot = randomUUID().slice(0, 8)
    this.#journal = new RevocationJournal(directory.path, clock.now().wallMs)
    for (const revocation of this.#journal.inForce) this.#revocations.apply(revocation)
    this.#notices = new IssuerNotices(say, () => clock.now().wallMs)
    let addresses: AddressTable = {}
    const urlNames = systemUrlNames((table) => {
      this.#urlNames = table
    }, say)
    this.#sources = new Connector({ addresses: (host) => addresses[host] ?? null })
    this.#resolver = new Addresses(
      (table) => {
        addresses = table
      },
      say,
      urlNames,
    )
    const ring = new KeyRing()
    const keyWait = new KeyWait({
      clock,
      schedule: systemSchedule,
      ring,
      ask: (issuer) => this.#keys.ask(issuer),
    })
    this.#keys = new KeySource({
      get: this.#fetch.get,
      clock,
      schedule: systemSchedule,
      publish: (notice) => {
        this.#notices.take(notice)
        ring.apply(notice, clock.now())
        keyWait.noticed(notice.issuer)
      },
    })
    this.#control = new ControlAudit(directory, boot, say)
    this.#syncer = this.#startSyncer()
    this.#records = new SegmentWriter({
      directory: directory.audit,
      node: directory.node,
      boot,
      thread: 0,
      storeKey,
      durability,
      clock,
      random,
      syncer: new SyncerClient(this.#hub.connect(this.#syncer)),
    })
    const gate: Omit<Gate, 'upstream'> = {
      clock,
      snapshots: this.#snapshots,
      tokens: new AccessTokens({ clock, ring, revocations: this.#revocations }),
      keyWait,
      // In process there is nobody to show an assertion to.
      assertions: { authorization: () => NO_ASSERTION, gateAuthorization: () => NO_ASSERTION },
      sources: this.#sources,
      credential: (reference) => this.#credentials[reference] ?? null,
      audit: this.#synced(),
      digest: keyedDigest(storeKey, 'body'),
      count: (name, by) => {
        if (name === 'sallyport_unrecorded_total') this.#unrecorded += by
      },
      fault: (stage, exchange, error) =>
        say(
          `fault in ${stage} of ${exchange}: ${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'}`,
        ),
    }
    this.middleware = new Middleware({ gate, random, unmatched: options.unmatched })
    this.#revoker = new Revoker({
      append: (revocations) => this.#journal.append(revocations),
      apply: async (revocations) => {
        for (const revocation of revocations) this.#revocations.apply(revocation)
      },
      record: (by, result, detail) => this.#control.management('revoke', by, result, detail),
      digest: keyedDigest(storeKey, 'revocation'),
      wallMs: () => clock.now().wallMs,
    })
    this.#inForce = new InForce(directory, bundleKey, {
      compile: (from) => this.#compile(from),
      supervisor: {
        swap: (bundle) => this.#swap(bundle),
        stage: () => Promise.reject(unable('candidates are staged on a gate of its own')),
        canary: () => Promise.reject(unable('candidates are staged on a gate of its own')),
      },
      // The upstream is the program itself: only names of decision sources are to be resolved.
      addresses: {
        update: (apis) => this.#resolver.update(apis.filter(({ signals = [] }) => signals.length > 0)),
      },
      credentials: new Credentials(options.config, (table) => {
        this.#credentials = table
      }),
      keys: this.#keys,
      record: (action, by, result, detail) => this.#control.management(action, by, result, detail),
      adopted: (summary) => this.#adopt(summary),
      reloaded: (_result, watch) => this.#watch?.update({ files: watch, folders: [] }),
      say,
      journalLine: this.#control.journalLine,
      wallMs: () => clock.now().wallMs,
    })
  }

  get stats(): EmbeddedStats {
    const { summary } = this.#inForce.live
    return {
      ...this.middleware.stats,
      bundle: summary.hash,
      unrecorded: this.#unrecorded,
      missing: this.#notices.missing(summary.issuers),
    }
  }

  reload(why: string): Promise<BundleSummary> {
    return this.#reloads.ask(why)
  }

  /** Calls under way end, then the record and the store are closed. What comes later is refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #start(): Promise<void> {
    const { say } = this.#options
    this.#control.recover(false)
    const compiled = await this.#compile()
    const { summary, version } = this.#inForce.first(compiled)
    await this.#inForce.accompany(null)
    await this.#swap(summary)
    this.#inForce.started()
    this.#control.management('start', 'sallyport', 'ok', { bundle: summary.hash, version: version.version })
    const socket = new ControlSocket((order) => this.#obey(order))
    await socket.listen(this.#directory.path)
    this.#closers.push(() => socket.close())
    const checkpoints = this.#control.checkpointsEvery()
    const endClockWatch = watchClock(systemClock, systemSchedule, (ms) =>
      this.#control.management('clock-jump', 'sallyport', 'ok', { milliseconds: ms }),
    )
    this.#closers.push(endClockWatch, () => checkpoints.close())
    void this.#control.checkEnded()
    if (!this.#options.watch) return
    const watch = watchConfig(
      { files: summary.watch, folders: [] },
      () => void this.reload('change').catch(() => undefined),
      (error) =>
        say(`watching the configuration failed: ${error instanceof Error ? error.message : 'unknown'}`),
    )
    this.#watch = watch
    this.#closers.unshift(() => watch.close())
  }

  async #swap({ hash, file }: BundleRef): Promise<SwapTimes> {
    const epoch = ++this.#epoch
    const times = await instantiate(
      { hash, file },
      this.#snapshots,
      epoch,
      'live',
      this.#bundleKey,
      (name) => this.#urlNames[name] ?? 'unresolved',
    )
    this.#snapshots.commit(epoch)
    return times
  }

  #compile(from?: string): Promise<BundleSummary> {
    return compileInThread(from ?? this.#options.config, this.#directory.path, this.#ending.signal)
  }

  #adopt({ warnings }: BundleSummary): void {
    for (const line of warningLines(warnings)) this.#options.say(`warning: ${line}`)
  }

  #startSyncer(): Worker {
    const syncer = new Worker(syncerEntry(), { workerData: this.#hub.data, name: 'syncer' })
    syncer.unref()
    syncer.on('error', (error) => this.#options.say(`the log’s syncer failed: ${error.message}`))
    syncer.on('exit', () => {
      this.#unsynced = true
    })
    return syncer
  }

  /** Without the syncer no record gets to the disk in time, so none counts as written. */
  #synced(): AuditWriter {
    const records = (): SegmentWriter => {
      if (!this.#unsynced) return this.#records
      throw new SallyportError(
        'audit-write-failed',
        'the log’s syncer has ended: the program is to be started anew',
      )
    }
    return {
      intent: (entry) => records().intent(entry),
      outcome: (entry) => records().outcome(entry),
      refusal: (intent, outcome) => records().refusal(intent, outcome),
      cut: (entry) => records().cut(entry),
    }
  }

  async #obey(order: Order): Promise<OrderResult> {
    const { summary, version } = this.#inForce.live
    switch (order.order) {
      case 'status':
        return { bundle: summary.hash, ready: this.stats.missing.length === 0, missing: this.stats.missing }
      case 'reload': {
        const { hash, operations, tests } = await this.reload(order.by)
        return {
          bundle: hash,
          version: this.#inForce.live.version.version,
          own: this.#inForce.own,
          operations,
          tests,
        }
      }
      case 'rollback': {
        const { before, now } = await this.#inForce.rollback(order.to, order.by)
        return {
          bundle: now.version.hash,
          version: now.version.version,
          before: before.version.hash,
          versionBefore: before.version.version,
        }
      }
      case 'note-erasure':
        this.#control.management('erase', order.by, 'ok', { keys: order.keys, segments: order.segments })
        this.#records.rotate()
        return { noted: true }
      case 'revoke-token':
        return this.#revoker.token(order)
      case 'revoke-subject':
        return this.#revoker.subject(order, summary.issuers)
      default:
        throw unable(`an embedded gate does not do this (version ${version.version} is in force)`)
    }
  }

  async #close(): Promise<void> {
    const deadline = systemClock.now().monoMs + DRAIN_MS
    while (this.middleware.stats.underWay > 0 && systemClock.now().monoMs < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10))
    this.#ending.abort()
    await this.#reloads.idle()
    try {
      await this.#records.close()
    } finally {
      for (const close of this.#closers) await close()
      this.#keys.stop()
      this.#resolver.stop()
      await this.#sources.close()
      this.#fetch.close()
      this.#control.management('stop', 'sallyport', 'ok', {})
      this.#hub.stop(this.#syncer)
      this.#journal.close()
      this.#directory.release()
    }
  }
}

function unable(message: string): SallyportError {
  return new SallyportError('not-carried', message)
}
