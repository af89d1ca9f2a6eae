import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from './bundle-versions.ts'
import { readSignedLine, signLine } from './signed-line.ts'
import type { SigningKey } from './store-keys.ts'

const line = z.strictObject({
  kind: z.literal('sallyport/in-force/1'),
  number: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  version: z.int().min(1),
  /** What the configuration compiled to at the time: as long as it still does, a promoted or older bundle stays. */
  configured: z.string().regex(/^[0-9a-f]{64}$/),
  /** Digest of what the configuration was written as then: a new version of the program compiles it to another hash. */
  sources: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Was about to be put in force; the line that says it was takes this one's place. */
  intended: z.literal(true).optional(),
  why: z.enum(['start', 'reload', 'promote', 'rollback']),
  by: z.string(),
  /** Wall milliseconds. */
  at: z.number(),
})

/** A bundle that was put in force. */
export type PutInForce = Readonly<Omit<z.infer<typeof line>, 'kind' | 'number' | 'intended'>>

export interface NotedChange extends PutInForce {
  readonly number: number
  /** The line as it was signed. */
  readonly text: string
}

/** Kept: the rest is in the management log. */
const MAX_CHANGES = 200

export const IN_FORCE_FILE = 'in-force.ndjson'

/**
 * What was put in force, the latest last, and what was intended after it and never said to be done: signed lines.
 * Those that do not verify are passed over and counted.
 */
export function readInForce(
  folder: string,
  publicKey: SigningKey['publicKey'],
): {
  readonly changes: readonly NotedChange[]
  readonly intended: NotedChange | null
  readonly damaged: number
} {
  const file = join(folder, IN_FORCE_FILE)
  if (!existsSync(file)) return { changes: [], intended: null, damaged: 0 }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-MAX_CHANGES)
  const changes: NotedChange[] = []
  let intended: NotedChange | null = null
  let damaged = 0
  let last = 0
  for (const text of lines) {
    const read = line.safeParse(readSignedLine(text, publicKey))
    // An old line set again at the end would undo what came after it.
    if (!read.success || read.data.number <= last) {
      damaged += 1
      continue
    }
    const { kind: _, intended: only, ...change } = read.data
    last = change.number
    if (only === true) intended = { ...change, text }
    else {
      intended = null
      changes.push({ ...change, text })
    }
  }
  return { changes, intended, damaged }
}

/** Control's journal of what was put in force. */
export class InForceJournal {
  readonly #file: string
  readonly #key: SigningKey
  readonly damaged: number
  #changes: readonly NotedChange[]
  #intended: NotedChange | null
  /** No line to come has this number or a lower one. */
  #floor = 0

  constructor(folder: string, key: SigningKey) {
    this.#file = join(folder, IN_FORCE_FILE)
    this.#key = key
    const { changes, intended, damaged } = readInForce(folder, key.publicKey)
    this.#changes = changes
    this.#intended = intended
    this.damaged = damaged
  }

  get last(): PutInForce | null {
    return this.#changes.at(-1) ?? null
  }

  /** What control was about to put in force when it ended; null where it came to its end. */
  get intended(): PutInForce | null {
    return this.#intended
  }

  /** Number of the last line that says what was put in force: it only goes up. 0 where there is none. */
  get number(): number {
    return this.#changes.at(-1)?.number ?? 0
  }

  /** Goes on after `number`, where lines up to it are gone. */
  continueAfter(number: number): void {
    this.#floor = number
  }

  /** Hash of the bundle that was in force before the present one; null where none was. */
  get before(): string | null {
    const now = this.last?.hash
    return this.#changes.findLast(({ hash }) => hash !== now)?.hash ?? null
  }

  /** On the disk when it returns. Throws `store-unwritable`, and nothing has changed then. */
  put(change: PutInForce): void {
    const line = this.#line(change)
    const changes = [...this.#changes, line].slice(-MAX_CHANGES)
    this.#write(changes)
    this.#changes = changes
    this.#intended = null
  }

  /** What is about to be put in force, on the disk before it is. Throws as `put`. */
  intend(change: PutInForce): void {
    const line = this.#line(change, true)
    this.#write([...this.#changes, line])
    this.#intended = line
  }

  /** What was intended did not come into force. Throws as `put`. */
  withdraw(): void {
    if (this.#intended === null) return
    this.#write(this.#changes)
    this.#intended = null
  }

  #line(change: PutInForce, intended = false): NotedChange {
    const number = Math.max(this.#floor, this.number, this.#intended?.number ?? 0) + 1
    const stated = { kind: 'sallyport/in-force/1', number, ...change, ...(intended ? { intended } : {}) }
    return { ...change, number, text: signLine(stated, this.#key.privateKey) }
  }

  #write(lines: readonly NotedChange[]): void {
    writeWhole(this.#file, lines.map(({ text }) => `${text}\n`).join(''))
  }
}
