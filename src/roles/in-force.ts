import type { ManagementEntry } from '../audit/management-log.ts'
import type { KeySource } from '../identity/key-source.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import type { Supervisor, SwapTimes } from '../processes/supervisor.ts'
import { type BundleVersion, BundleVersions } from '../store/bundle-versions.ts'
import type { DataDirectory } from '../store/data-directory.ts'
import { IN_FORCE_FILE, InForceJournal, type PutInForce } from '../store/in-force-journal.ts'
import type { SigningKey } from '../store/store-keys.ts'
import type { Addresses } from './addresses.ts'
import type { BundleSummary } from './compile-in-thread.ts'
import type { Credentials } from './credentials.ts'
import { summaryOf } from './open-bundle.ts'
import { changesText } from './reload-text.ts'

export interface BundlePorts {
  /** Compiles a configuration, the gate's own where none is named. */
  compile(config?: string): Promise<BundleSummary>
  readonly supervisor: Pick<Supervisor, 'swap' | 'stage' | 'canary'>
  readonly addresses: Pick<Addresses, 'update'>
  /** Left out: none are sent from here. */
  readonly credentials?: Pick<Credentials, 'update'>
  readonly keys: Pick<KeySource, 'update'>
  record(
    action: ManagementEntry['action'],
    by: string,
    result: ManagementEntry['result'],
    detail: ManagementEntry['detail'],
  ): void
  /** A bundle came into force; `own`: it is what the configuration says. */
  adopted(summary: BundleSummary, own: boolean): void
  /** A reload ended: what is to be watched from now on. */
  reloaded(result: 'ok' | 'failed', watch: readonly string[]): void
  say(text: string): void
  /** The highest line of the journal that the management log knows of; left out: it knows of none. */
  readonly journalLine?: number
  wallMs(): number
}

/** A bundle with what control signed of it. */
export interface Ruling {
  readonly summary: BundleSummary
  readonly version: BundleVersion
}

/**
 * Which bundle is in force, and why. The configuration's own is, until one is promoted or rolled back to: that one
 * stays, over restarts too, until the configuration compiles to something else than it did then.
 */
export class InForce {
  readonly #store: DataDirectory
  readonly #ports: BundlePorts
  readonly #versions: BundleVersions
  readonly #journal: InForceJournal
  #live: Ruling | null = null
  /** What the configuration compiled to when it was last read. */
  #configured = ''
  /** What it was written as then. */
  #sources: string | undefined
  /** A candidate: its upstreams and issuers are followed beside those of the bundle in force. */
  #beside: BundleSummary | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #changed: () => Promise<void> = () => Promise.resolve()
  #failedAt: string | null = null

  constructor(store: DataDirectory, key: SigningKey, ports: BundlePorts) {
    this.#store = store
    this.#ports = ports
    this.#versions = new BundleVersions(store.bundles, key)
    this.#journal = new InForceJournal(store.bundles, key)
  }

  get live(): Ruling {
    if (this.#live === null) throw new SallyportError('control-unreachable', 'the gate does not listen yet')
    return this.#live
  }

  /** Number of the journal's last line. What stands beside it in the management log must stand in the journal too. */
  get journalLine(): number {
    return this.#journal.number
  }

  /** What is in force is what the configuration says. */
  get own(): boolean {
    return this.live.summary.hash === this.#configured
  }

  get beside(): BundleSummary | null {
    return this.#beside
  }

  /** `changed` runs once another bundle is in force, before its issuers take the place of the last one's. */
  onChange(changed: () => Promise<void>): void {
    this.#changed = changed
  }

  /** One change at a time: what one finds is what it leaves to the next. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  admit(summary: BundleSummary, by: string, why: BundleVersion['why']): Ruling {
    const { hash, config, policies, tests, startOnly } = summary
    const at = this.#ports.wallMs()
    return {
      summary,
      version: this.#versions.admit({ hash, at, by, why, config, policies, tests, startOnly }),
    }
  }

  /**
   * The bundle to start with, when the configuration compiled to `compiled`. Throws `bundle-signature`,
   * `bundle-corrupt` or `bundle-unknown` where another one is in force and cannot be used: starting with the
   * configuration's instead would undo a promotion or a rollback in silence.
   */
  first(compiled: BundleSummary): Ruling {
    const own = this.admit(compiled, 'sallyport', 'start')
    this.#configured = compiled.hash
    this.#sources = compiled.sources
    const { last, damaged, intended } = this.#journal
    const wayOut = `to start with what the configuration says, remove ${IN_FORCE_FILE} in ${this.#store.bundles}`
    if (damaged > 0)
      throw new SallyportError(
        'bundle-signature',
        `what was in force cannot be trusted: ${damaged} lines of ${IN_FORCE_FILE} do not verify; ${wayOut}`,
      )
    this.#live = own
    this.#requireAll(wayOut)
    if (intended !== null) this.#tellUnfinished(intended)
    // The configuration's own bundle of that time: what it compiles to now is in force.
    if (last === null || last.hash === compiled.hash || last.hash === last.configured) return own
    const done = `version ${last.version} was ${last.why === 'promote' ? 'promoted' : 'rolled back to'} by ${last.by}`
    if (last.why !== 'promote' && last.why !== 'rollback') return own
    const asWritten = last.sources !== undefined && last.sources === compiled.sources
    if (last.configured !== compiled.hash && !asWritten) {
      this.#ports.say(`${done}; the configuration has changed since, so it is in force again`)
      return own
    }
    try {
      const summary = summaryOf(this.#store, last.hash, compiled.watch)
      this.#live = { summary, version: this.#versions.find(last.hash) }
    } catch (error) {
      if (!isFault(error)) throw error
      throw new SallyportError(
        error.code,
        `${done}, and cannot be used: ${error.message}; ${wayOut}`,
        error.data,
      )
    }
    this.#ports.say(
      `${done}: it stays in force until the configuration changes (bundle ${last.hash.slice(0, 12)})`,
    )
    return this.#live
  }

  /**
   * A journal that was cut would undo a promotion or a rollback. One that was removed is how its damage is got over,
   * and starts anew: said and recorded, since that undoes them too.
   */
  #requireAll(wayOut: string): void {
    const { journalLine: known = 0, say, record } = this.#ports
    const { number } = this.#journal
    if (number >= known) return
    if (number > 0)
      throw new SallyportError(
        'bundle-signature',
        `what was in force cannot be trusted: ${IN_FORCE_FILE} ends at line ${number}, and the management log knows of line ${known}; ${wayOut}`,
      )
    this.#journal.continueAfter(known)
    say(`${IN_FORCE_FILE} is gone: what was promoted or rolled back to is not in force any more`)
    record('damage', 'sallyport', 'failed', { file: IN_FORCE_FILE, known })
  }

  /** Control ended between saying what comes into force and saying that it had. */
  #tellUnfinished({ why, by, version, hash }: PutInForce): void {
    const [what, again] =
      why === 'promote'
        ? (['promotion', 'stage and promote it again'] as const)
        : (['rollback', 'roll back again'] as const)
    this.#ports.say(
      `the ${what} to version ${version} by ${by} was not finished when control ended: what was in force before stays; ${again} if it is still wanted`,
    )
    const action = why === 'promote' ? 'promote' : 'rollback'
    this.#ports.record(action, by, 'failed', { code: 'unfinished', bundle: hash, version })
  }

  /** The first bundle is in force on every thread. */
  started(): void {
    const { last } = this.#journal
    const { hash } = this.live.summary
    if (this.#journal.intended !== null) this.#withdraw()
    if (last?.hash !== hash || (last.configured !== this.#configured && hash === this.#configured))
      this.#note('start', 'sallyport', this.live.version)
    this.#ports.adopted(this.live.summary, hash === this.#configured)
  }

  /** Upstreams resolved and issuers asked for all that may judge a call now. */
  async follow(...coming: readonly BundleSummary[]): Promise<void> {
    const all = [this.live.summary, ...coming, ...(this.#beside === null ? [] : [this.#beside])]
    const apis = all.flatMap((summary) => summary.apis)
    this.#ports.credentials?.update(apis)
    await this.#ports.addresses.update(apis)
  }

  #ask(): void {
    const issuers = [...this.live.summary.issuers]
    for (const issuer of this.#beside?.issuers ?? [])
      if (!issuers.some(({ name }) => name === issuer.name)) issuers.push(issuer)
    this.#ports.keys.update(issuers)
  }

  /** Takes a candidate's upstreams and issuers in, or lets them go. */
  async accompany(candidate: BundleSummary | null): Promise<void> {
    this.#beside = candidate
    await this.follow()
    this.#ask()
  }

  /** Puts a bundle in force on every thread, or on none. `noted`: a restart will know. */
  async put(
    next: Ruling,
    why: PutInForce['why'],
    by: string,
  ): Promise<SwapTimes & { readonly noted: boolean }> {
    // Until the swap has succeeded, the old bundle's upstreams must stay known.
    await this.follow(next.summary)
    const { hash, file } = next.summary
    const chosen = why === 'promote' || why === 'rollback'
    if (chosen) this.#intend(why, by, next.version)
    const times = await this.#ports.supervisor.swap({ hash, file }).catch((error: unknown) => {
      if (chosen) this.#withdraw()
      void this.follow()
      throw error
    })
    this.#live = next
    if (this.#beside?.hash === hash) this.#beside = null
    const noted = this.#note(why, by, next.version)
    await this.#changed()
    this.#ask()
    void this.follow()
    this.#ports.adopted(next.summary, hash === this.#configured)
    return { ...times, noted }
  }

  /** What is in force but not noted is undone by a restart: that must be known. */
  #note(why: PutInForce['why'], by: string, { hash, version }: BundleVersion): boolean {
    try {
      this.#journal.put(this.#change(why, by, { hash, version }))
      return true
    } catch (error) {
      const cause = error instanceof Error ? error.message : 'unknown'
      this.#ports.say(`version ${version} is in force, which a restart will not know: ${cause}`)
      return false
    }
  }

  #change(
    why: PutInForce['why'],
    by: string,
    { hash, version }: Pick<BundleVersion, 'hash' | 'version'>,
  ): PutInForce {
    const sources = this.#sources === undefined ? {} : { sources: this.#sources }
    return { hash, version, configured: this.#configured, ...sources, why, by, at: this.#ports.wallMs() }
  }

  /** On a full disk a way back is worth more than its line: that it could not be noted is told when it is done. */
  #intend(why: PutInForce['why'], by: string, version: BundleVersion): void {
    try {
      this.#journal.intend(this.#change(why, by, version))
    } catch {}
  }

  #withdraw(): void {
    try {
      this.#journal.withdraw()
    } catch (error) {
      const cause = error instanceof Error ? error.message : 'unknown'
      this.#ports.say(`what was not put in force still stands in ${IN_FORCE_FILE} as intended: ${cause}`)
    }
  }

  /** What the configuration says now comes into force, where it changed. */
  reload(why: string): Promise<BundleSummary> {
    return this.inTurn(() => this.#reload(why))
  }

  async #reload(why: string): Promise<BundleSummary> {
    const before = this.live
    try {
      const next = this.admit(await this.#ports.compile(), why, 'reload')
      const { summary } = next
      this.#sources = summary.sources
      const said = [`reloaded (${why}): ${changesText(before.summary, summary)}`]
      const stays = summary.hash === this.#configured && summary.hash !== before.summary.hash
      if (stays) {
        said.splice(0, 1, `reloaded (${why}): the configuration is as it was`)
        said.push(`version ${before.version.version}, promoted or rolled back to since, stays in force`)
      } else {
        if (before.summary.hash !== this.#configured && summary.hash !== before.summary.hash)
          said.push(
            `it takes the place of version ${before.version.version}, which was promoted or rolled back to`,
          )
        const changed = this.#configured !== summary.hash
        this.#configured = summary.hash
        if (summary.hash !== before.summary.hash) {
          const { longestStepMs } = await this.put(next, 'reload', why)
          said.push(`gate threads were busy with it for at most ${longestStepMs.toFixed(1)} ms at a time`)
        } else {
          if (changed) this.#note('reload', why, next.version)
          this.#live = next
          this.#ports.adopted(summary, true)
        }
      }
      if (this.#failedAt !== null) said.push(`the failure of ${this.#failedAt} is over`)
      this.#failedAt = null
      this.#ports.say(said.join('; '))
      this.#ports.reloaded('ok', summary.watch)
      const { hash } = this.live.summary
      const { journalLine } = this
      this.#ports.record('reload', why, 'ok', { bundle: hash, before: before.summary.hash, journalLine })
      return this.live.summary
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown'
      // What could not be read may be put right where it was looked for.
      const looked = isFault(error) && Array.isArray(error.data['watch']) ? error.data['watch'] : []
      this.#ports.reloaded('failed', [...before.summary.watch, ...looked])
      this.#failedAt = new Date(this.#ports.wallMs()).toISOString().slice(11, 19)
      this.#ports.record('reload', why, 'failed', { code: isFault(error) ? error.code : 'unknown' })
      this.#ports.say(`reload (${why}) failed, the last good bundle stays: ${message}`)
      throw error
    }
  }

  /** Puts an older version in force: the one before, or the one asked for. */
  rollback(
    asked: string,
    by: string,
  ): Promise<{ readonly before: Ruling; readonly now: Ruling; readonly noted: boolean }> {
    return this.inTurn(async () => {
      const before = this.live
      try {
        const to = asked === '' ? this.#journal.before : asked
        if (to === null)
          throw new SallyportError('bundle-unknown', 'no other bundle was in force before the present one')
        const version = this.#versions.find(to)
        if (version.hash === before.summary.hash)
          throw new SallyportError('bundle-in-force', `version ${version.version} is in force already`)
        const summary = summaryOf(this.#store, version.hash, before.summary.watch)
        const now = { summary, version }
        const { noted } = await this.put(now, 'rollback', by)
        this.#ports.say(
          `rolled back by ${by} from version ${before.version.version} to ${version.version}: ${changesText(before.summary, summary)}`,
        )
        this.#ports.record('rollback', by, 'ok', {
          bundle: version.hash,
          before: before.summary.hash,
          version: version.version,
          journalLine: this.journalLine,
        })
        return { before, now, noted }
      } catch (error) {
        const code = isFault(error) ? error.code : 'unknown'
        this.#ports.record('rollback', by, 'failed', { code, before: before.summary.hash })
        throw error
      }
    })
  }
}
