import { nearest } from '../config/nearest.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { callerOf } from './record-view.ts'

/** Distinct names of each kind that are kept; a store with more is answered without a suggestion. */
const MAX_NAMES = 10_000

/** The APIs, operations and callers that records hold, to tell a mistyped name from one that never called. */
export class RecordedNames {
  readonly apis = new Set<string>()
  readonly operations = new Set<string>()
  readonly #callers = new Set<string>()
  readonly #subs = new Set<string>()
  #full = false

  add(record: ExchangeRecord): void {
    const { api, operation, subject } = record.intent
    this.#keep(this.apis, api)
    this.#keep(this.operations, operation)
    if (subject === null) return
    this.#keep(this.#callers, callerOf(record))
    this.#keep(this.#callers, `${subject.iss}/${subject.id}`)
    this.#keep(this.#subs, subject.id)
  }

  /** Also true where there were more callers than are kept. */
  hasCaller(name: string): boolean {
    return this.#full || this.#subs.has(name) || this.#callers.has(name)
  }

  /** A "did you mean", or nothing. */
  nearCaller(name: string): string {
    const near = nearest(name, [...this.#subs, ...this.#callers])
    return near === null ? '' : `; did you mean ${JSON.stringify(near)}?`
  }

  #keep(names: Set<string>, name: string): void {
    if (name === '' || names.has(name)) return
    if (names.size < MAX_NAMES) names.add(name)
    else if (names === this.#callers || names === this.#subs) this.#full = true
  }
}

/** Says that there is no such API or operation, and which one may be meant. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  // An operation without its API is the commonest slip.
  const near = known.find((each) => each.endsWith(`.${name}`)) ?? nearest(name, known)
  const hint = near === null ? '' : `; did you mean ${near}?`
  return `neither the configuration nor any record has the ${what} ${JSON.stringify(name.slice(0, 128))}${hint}`
}
