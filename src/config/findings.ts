import { resolve } from 'node:path'
import { ConfigError, type Locate, locator, type Problem, pointerOf, type Segments } from './place.ts'

/** A file and the part of it that is spoken of. */
export interface Source {
  /** As printed: relative where the configuration was named relatively. */
  readonly file: string
  readonly text: string
  /** Where in the file the part begins: `['apis', 'shop']`, or empty for a file of its own. */
  readonly base: Segments
}

/** More than a person corrects in one go; the next reading shows the rest. */
const MAX_PROBLEMS = 100

/** Collects what one reading found and touched; places are worked out only once there is something to place. */
export class Findings {
  readonly problems: Problem[] = []
  readonly warnings: Problem[] = []
  readonly #files = new Set<string>()
  readonly #folders = new Set<string>()
  readonly #locators = new Map<string, Locate>()

  touchedFile(path: string): void {
    this.#files.add(resolve(path))
  }

  touchedFolder(path: string): void {
    this.#folders.add(resolve(path))
  }

  get files(): readonly string[] {
    return [...this.#files]
  }

  get folders(): readonly string[] {
    return [...this.#folders]
  }

  /** Problems that already have their place. */
  add(problems: readonly Problem[]): void {
    for (const problem of problems) this.#keep(problem)
  }

  problem(
    source: Source,
    segments: Segments,
    message: string,
    hint: string,
    at: 'key' | 'value' = 'value',
  ): void {
    if (this.problems.length < MAX_PROBLEMS) this.#keep(this.#place(source, segments, message, hint, at))
  }

  warning(
    source: Source,
    segments: Segments,
    message: string,
    hint: string,
    at: 'key' | 'value' = 'value',
  ): void {
    if (this.warnings.length < MAX_PROBLEMS)
      this.warnings.push(this.#place(source, segments, message, hint, at))
  }

  /** Ends the reading where there are problems. */
  settle(): void {
    if (this.problems.length > 0) this.fail()
  }

  fail(): never {
    throw new ConfigError('config-invalid', this.problems, this.files, this.folders)
  }

  #keep(problem: Problem): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem)
  }

  #place(source: Source, segments: Segments, message: string, hint: string, at: 'key' | 'value'): Problem {
    let locate = this.#locators.get(source.file)
    if (locate === undefined) {
      locate = locator(source.text)
      this.#locators.set(source.file, locate)
    }
    const full = [...source.base, ...segments]
    return { file: source.file, ...locate(full, at), pointer: pointerOf(full), message, hint }
  }
}
