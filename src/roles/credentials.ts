import type { ApiPlan } from '../model/bundle.ts'
import { readSecret } from './secrets.ts'

/** Control's reader of the secrets that the gate itself sends; bundles hold references only. */
export class Credentials {
  readonly #config: string
  readonly #publish: (table: Readonly<Record<string, string>>) => void
  #table: Readonly<Record<string, string>> = {}

  /** `config`: the file that `file:` references are relative to. */
  constructor(config: string, publish: (table: Readonly<Record<string, string>>) => void) {
    this.#config = config
    this.#publish = publish
  }

  /**
   * Reads what the decision sources of these APIs are asked with, before a bundle is used. One that was known and
   * cannot be read any more stays as it was.
   *
   * @throws {SallyportError} `secret-missing`
   */
  update(apis: readonly Pick<ApiPlan, 'signals'>[]): void {
    const references = apis.flatMap(({ signals = [] }) =>
      signals.flatMap(({ credential }) => credential ?? []),
    )
    const table: Record<string, string> = {}
    for (const reference of new Set(references)) table[reference] = this.#read(reference)
    if (JSON.stringify(table) === JSON.stringify(this.#table)) return
    this.#table = table
    this.#publish(table)
  }

  #read(reference: string): string {
    try {
      return readSecret(reference, this.#config)
    } catch (error) {
      const known = this.#table[reference]
      if (known === undefined) throw error
      return known
    }
  }
}
