import type { IssuerPlan } from '../model/bundle.ts'
import type { KeyNotice } from '../model/channel.ts'

/** What control knows of the issuers' keys, in the words of the log and of /readyz. */
export class IssuerNotices {
  readonly #latest = new Map<string, KeyNotice>()
  readonly #say: (text: string) => void
  readonly #wallMs: () => number

  constructor(say: (text: string) => void, wallMs: () => number) {
    this.#say = say
    this.#wallMs = wallMs
  }

  take(notice: KeyNotice): void {
    const before = this.#latest.get(notice.issuer)
    this.#latest.set(notice.issuer, notice)
    // Whoever asks during a cool-down gets the same notice again: one failed fetch, one line.
    if (notice.error !== undefined && notice.retryAt !== before?.retryAt)
      this.#say(`issuer ${notice.issuer}: ${this.#fault(notice)}`)
    if (notice.ok && before?.error !== undefined)
      this.#say(`issuer ${notice.issuer}: its keys have been fetched`)
  }

  /** A line for each issuer without keys. */
  missing(issuers: readonly IssuerPlan[]): readonly string[] {
    return issuers.flatMap(({ name }) => {
      const notice = this.#latest.get(name)
      if (notice !== undefined && notice.keys !== null) return []
      return [
        `issuer ${name}: ${notice?.error === undefined ? 'its keys have not been fetched yet' : this.#fault(notice)}`,
      ]
    })
  }

  #fault({ error = '', retryAt = 0 }: KeyNotice): string {
    return `${error}; next try in ${Math.max(0, Math.ceil((retryAt - this.#wallMs()) / 1000))} s`
  }
}
