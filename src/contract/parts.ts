import { basename, dirname, join } from 'node:path'
import { faultAt, invalid } from './fault.ts'
import { isRecord, own } from './json-value.ts'
import type { Release } from './release.ts'
import { readTree } from './tree.ts'

/** What came of reading one of the files a contract refers to. */
export type ReadPart =
  | { readonly ok: true; readonly text: string }
  /** In words that follow the file's name. */
  | { readonly ok: false; readonly why: string }

/** By the file's path from the contract's folder, with `/`. */
export type ReadParts = ReadonlyMap<string, ReadPart>

/** The other files of one contract, read into values when something first refers to them. No file is opened here. */
export class DocumentParts {
  /** The contract's own name among them: parts may refer back to it. */
  readonly main: string
  readonly #folder: string
  readonly #release: Release
  readonly #read: ReadParts
  readonly #roots = new Map<string, unknown>()

  constructor(file: string, release: Release, read: ReadParts) {
    this.main = basename(file)
    this.#folder = dirname(file)
    this.#release = release
    this.#read = read
  }

  /** The file's name as a person knows it. */
  fileOf(part: string): string {
    return join(this.#folder, part)
  }

  textOf(part: string): string | null {
    const read = this.#read.get(part)
    return read?.ok === true ? read.text : null
  }

  /** Why the file cannot be used; null where it can. */
  whyNot(part: string): string | null {
    const read = this.#read.get(part)
    if (read === undefined)
      return 'was not read: write $ref and the file’s name as plain text, without escapes'
    return read.ok ? null : read.why
  }

  /** @throws {SallyportError} `contract-invalid` in the part's own file. */
  rootOf(part: string): unknown {
    if (this.#roots.has(part)) return this.#roots.get(part)
    const file = this.fileOf(part)
    const text = this.textOf(part)
    if (text === null) throw invalid(file, this.whyNot(part) ?? 'was not read')
    const root = readTree(text, file)
    this.#requireRelease(root, text, file)
    this.#roots.set(part, root)
    return root
  }

  /** A whole document of another release would be read by rules it was not written by. */
  #requireRelease(root: unknown, text: string, file: string): void {
    if (!isRecord(root)) return
    for (const key of ['openapi', 'swagger']) {
      const stated = own(root, key)
      if (typeof stated !== 'string' || stated === this.#release || stated.startsWith(`${this.#release}.`))
        continue
      const message = `is written in ${stated.slice(0, 20)} and the contract that refers to it in ${this.#release}: use one version`
      throw faultAt({ text, file }, `/${key}`, message)
    }
  }
}
