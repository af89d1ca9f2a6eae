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
  why: z.enum(['start', 'reload', 'promote', 'rollback']),
  by: z.string(),
  /** Wall milliseconds. */
  at: z.number(),
})

/** A bundle that was put in force. */
export type PutInForce = Readonly<Omit<z.infer<typeof line>, 'kind' | 'number'>>

export interface NotedChange extends PutInForce {
  readonly number: number
  /** The line as it was signed. */
  readonly text: string
}

/** Kept: the rest is in the management log. */
const MAX_CHANGES = 200

export const IN_FORCE_FILE = 'in-force.ndjson'

/** What was put in force, the latest last: signed lines. Those that do not verify are passed over and counted. */
export function readInForce(
  folder: string,
  publicKey: SigningKey['publicKey'],
): { readonly changes: readonly NotedChange[]; readonly damaged: number } {
  const file = join(folder, IN_FORCE_FILE)
  if (!existsSync(file)) return { changes: [], damaged: 0 }
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-MAX_CHANGES)
  const changes: NotedChange[] = []
  let last = 0
  for (const text of lines) {
    const read = line.safeParse(readSignedLine(text, publicKey))
    // An old line set again at the end would undo what came after it.
    if (!read.success || read.data.number <= last) continue
    const { kind: _, ...change } = read.data
    last = change.number
    changes.push({ ...change, text })
  }
  return { changes, damaged: lines.length - changes.length }
}

/** Control's journal of what was put in force. */
export class InForceJournal {
  readonly #file: string
  readonly #key: SigningKey
  readonly damaged: number
  #changes: readonly NotedChange[]

  constructor(folder: string, key: SigningKey) {
    this.#file = join(folder, IN_FORCE_FILE)
    this.#key = key
    const { changes, damaged } = readInForce(folder, key.publicKey)
    this.#changes = changes
    this.damaged = damaged
  }

  get last(): PutInForce | null {
    return this.#changes.at(-1) ?? null
  }

  /** Hash of the bundle that was in force before the present one; null where none was. */
  get before(): string | null {
    const now = this.last?.hash
    return this.#changes.findLast(({ hash }) => hash !== now)?.hash ?? null
  }

  /** On the disk when it returns. Throws `store-unwritable`, and nothing has changed then. */
  put(change: PutInForce): void {
    const number = (this.#changes.at(-1)?.number ?? 0) + 1
    const text = signLine({ kind: 'sallyport/in-force/1', number, ...change }, this.#key.privateKey)
    const changes = [...this.#changes, { ...change, number, text }].slice(-MAX_CHANGES)
    writeWhole(this.#file, `${changes.map((each) => each.text).join('\n')}\n`)
    this.#changes = changes
  }
}
