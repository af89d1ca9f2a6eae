import { KeyRing } from '../identity/key-ring.ts'
import { KeySource, type Schedule } from '../identity/key-source.ts'
import { KeyWait } from '../identity/key-wait.ts'
import type { IssuerPlan } from '../model/bundle.ts'
import type { KeyNotice } from '../model/channel.ts'
import { httpGet } from './http-get.ts'
import { systemClock } from './system.ts'

/** Keeps the program alive meanwhile: a dry run ends with its verdict. */
const schedule: Schedule = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/**
 * Keys for one call: an issuer is asked when the call brings a token of it, and not before, as control asks: the key
 * set, and once more for a key it lacks.
 */
export class DryKeys {
  readonly ring = new KeyRing()
  readonly #plans: readonly IssuerPlan[]
  readonly #asked: IssuerPlan[] = []
  readonly #notices = new Map<string, KeyNotice>()
  readonly #waiting = new Map<string, () => void>()
  readonly #http = httpGet()
  readonly #source: KeySource
  readonly #wait: KeyWait

  constructor(plans: readonly IssuerPlan[]) {
    this.#plans = plans
    this.#source = new KeySource({
      get: this.#http.get,
      clock: systemClock,
      schedule,
      publish: (notice) => {
        this.#notices.set(notice.issuer, notice)
        this.ring.apply(notice, systemClock.now())
        this.#wait.noticed(notice.issuer)
        this.#waiting.get(notice.issuer)?.()
      },
    })
    this.#wait = new KeyWait({
      clock: systemClock,
      schedule,
      ring: this.ring,
      ask: (issuer) => this.#source.ask(issuer),
    })
  }

  /** As a gate's calls wait, except that the first key set is waited for until its fetch gives up. */
  readonly wait = async (issuer: string, kid: string, ms: number): Promise<void> => {
    const notice = await this.#first(issuer)
    if (notice?.ok === true && !this.ring.has(issuer, kid)) await this.#wait.wait(issuer, kid, ms)
  }

  /** Issuers that could not be asked, and why. */
  get faults(): readonly string[] {
    return [...this.#notices.values()].flatMap(({ issuer, ok, error }) =>
      ok ? [] : [`issuer ${issuer} could not be asked for its keys: ${error ?? 'unknown'}`],
    )
  }

  async close(): Promise<void> {
    this.#source.stop()
    await this.#http.close()
  }

  async #first(issuer: string): Promise<KeyNotice | null> {
    const known = this.#notices.get(issuer)
    const plan = this.#plans.find(({ name }) => name === issuer)
    if (known !== undefined || plan === undefined) return known ?? null
    const noticed = new Promise<void>((resolve) => this.#waiting.set(issuer, resolve))
    this.#asked.push(plan)
    this.#source.update(this.#asked)
    await noticed
    return this.#notices.get(issuer) ?? null
  }
}
