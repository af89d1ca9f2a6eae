import type { OrderResult } from '../management/control-socket.ts'
import type { IssuerPlan } from '../model/bundle.ts'
import { isFault, SallyportError } from '../model/errors.ts'
import type { BundlePorts, InForce, Ruling } from './in-force.ts'

interface Staged extends Ruling {
  /** The configuration it was compiled from. */
  readonly from: string
  readonly by: string
  /** Wall milliseconds. */
  readonly at: number
  /** Percent of callers it judges. */
  share: number
  /** Settings it states otherwise, which only the gate's own configuration can change. */
  readonly ignored: readonly string[]
}

/**
 * The candidate: a bundle that judges beside the one in force, first without effect, then a share of callers, until
 * it is promoted or dropped. One at a time; it is not kept over a restart of control.
 */
export class Candidates {
  readonly #inForce: InForce
  readonly #ports: BundlePorts
  #staged: Staged | null = null
  #staging = false

  constructor(inForce: InForce, ports: BundlePorts) {
    this.#inForce = inForce
    this.#ports = ports
    inForce.onChange(() => this.#endRivalry())
  }

  async stage(from: string, by: string): Promise<OrderResult> {
    if (this.#staging || this.#current() !== null) {
      const what = this.#staging ? 'a candidate is being staged' : 'a candidate is staged already'
      throw new SallyportError('candidate-refused', `${what}: promote or drop it first`)
    }
    this.#staging = true
    try {
      return await this.#inForce.inTurn(() =>
        this.#audited('stage', by, { from }, () => this.#stage(from, by)),
      )
    } finally {
      this.#staging = false
    }
  }

  async #stage(from: string, by: string): Promise<OrderResult> {
    const ruling = this.#inForce.admit(await this.#ports.compile(from), by, 'stage')
    const { summary } = ruling
    const live = this.#inForce.live.summary
    if (summary.hash === live.hash)
      throw new SallyportError(
        'candidate-refused',
        'the candidate is what is in force: there is nothing to try',
      )
    const ignored = Object.keys(summary.startOnly).filter(
      (key) => key !== 'store' && summary.startOnly[key] !== live.startOnly[key],
    )
    await this.#inForce.accompany(summary)
    try {
      await this.#ports.supervisor.stage({ hash: summary.hash, file: summary.file })
    } catch (error) {
      await this.#inForce.accompany(null)
      throw error
    }
    this.#staged = { ...ruling, from, by, at: this.#ports.wallMs(), share: 0, ignored }
    return { ...this.status(), warnings: summary.warnings }
  }

  canary(share: number, by: string): Promise<OrderResult> {
    return this.#inForce.inTurn(() =>
      this.#audited('canary', by, { share }, async () => {
        const staged = this.#required()
        const rival = share === 0 ? undefined : this.#rival(staged)
        if (rival !== undefined)
          throw new SallyportError(
            'candidate-refused',
            `the issuer ${rival} is another one in the candidate, and keys of both cannot be held under one name: give it a name of its own, or promote without a canary`,
          )
        await this.#ports.supervisor.canary(share)
        const { share: before } = staged
        staged.share = share
        return { ...this.status(), shareBefore: before }
      }),
    )
  }

  promote(by: string): Promise<OrderResult> {
    return this.#inForce.inTurn(() =>
      this.#audited('promote', by, {}, async () => {
        const staged = this.#required()
        const before = this.#inForce.live
        const { noted } = await this.#inForce.put(staged, 'promote', by)
        this.#staged = null
        const { hash, version } = staged.version
        const { summary, version: versionBefore } = before
        return { bundle: hash, version, before: summary.hash, versionBefore: versionBefore.version, noted }
      }),
    )
  }

  drop(by: string): Promise<OrderResult> {
    return this.#inForce.inTurn(() =>
      this.#audited('drop', by, {}, async () => {
        const { version } = this.#required()
        await this.#ports.supervisor.canary(null)
        this.#staged = null
        await this.#inForce.accompany(null)
        return { bundle: version.hash, version: version.version, before: this.#inForce.live.summary.hash }
      }),
    )
  }

  status(): OrderResult {
    const { live } = this.#inForce
    const staged = this.#current()
    return {
      live: { bundle: live.summary.hash, version: live.version.version },
      candidate:
        staged === null
          ? null
          : {
              bundle: staged.summary.hash,
              version: staged.version.version,
              share: staged.share,
              from: staged.from,
              by: staged.by,
              at: staged.at,
              ignored: staged.ignored,
            },
    }
  }

  /** A candidate that a reload put in force is none any more. */
  #current(): Staged | null {
    if (this.#staged !== null && this.#inForce.beside?.hash !== this.#staged.summary.hash) this.#staged = null
    return this.#staged
  }

  #required(): Staged {
    const staged = this.#current()
    if (staged !== null) return staged
    throw new SallyportError(
      'candidate-refused',
      'no candidate is staged: sallyport candidate stage --from FILE stages one',
    )
  }

  /** Keys of two issuers cannot be held under one name: those in the share would be refused. */
  async #endRivalry(): Promise<void> {
    const staged = this.#current()
    const rival = staged === null || staged.share === 0 ? undefined : this.#rival(staged)
    if (staged === null || rival === undefined) return
    await this.#ports.supervisor.canary(0)
    staged.share = 0
    this.#ports.say(
      `the candidate decides for nobody any more: the issuer ${rival} is another one in what is in force now`,
    )
  }

  #rival({ summary }: Staged): string | undefined {
    const known = new Map(this.#inForce.live.summary.issuers.map((issuer) => [issuer.name, issuer]))
    const differs = (a: IssuerPlan, b: IssuerPlan): boolean => a.iss !== b.iss || a.jwks !== b.jwks
    return summary.issuers.find((issuer) => {
      const own = known.get(issuer.name)
      return own !== undefined && differs(own, issuer)
    })?.name
  }

  /** What was ordered is recorded with what it came to: who, what was in force, and what is. */
  async #audited(
    action: 'stage' | 'canary' | 'promote' | 'drop',
    by: string,
    asked: Readonly<Record<string, string | number>>,
    work: () => Promise<OrderResult>,
  ): Promise<OrderResult> {
    const before = this.#inForce.live.summary.hash
    const candidate = this.#current()?.summary.hash
    try {
      const result = await work()
      const bundle = this.#current()?.summary.hash ?? candidate ?? ''
      const { journalLine } = this.#inForce
      this.#ports.record(action, by, 'ok', { ...asked, bundle, before, journalLine })
      this.#ports.say(`candidate ${bundle.slice(0, 12)}: ${action} by ${by}`)
      return result
    } catch (error) {
      const code = isFault(error) ? error.code : 'unknown'
      this.#ports.record(action, by, 'failed', { ...asked, code, bundle: candidate ?? '', before })
      throw error
    }
  }
}
