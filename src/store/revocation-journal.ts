import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Revocation } from '../model/directive.ts'
import { SallyportError } from '../model/errors.ts'

const common = { until: z.number(), by: z.string(), at: z.number() }
const revocation = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('token'),
    key: z.templateLiteral([z.enum(['jti', 'digest']), ':', z.string()]),
    ...common,
  }),
  z.object({
    kind: z.literal('subject'),
    iss: z.string(),
    sub: z.string(),
    notBefore: z.number(),
    ...common,
  }),
])

/** What every gate thread can hold: beyond it a confirmed revocation would not be in force. */
export const MAX_REVOCATIONS = 100_000

/**
 * Revocations in force, kept across restarts: appended and synced before the gate is told, so that nothing that was
 * confirmed is forgotten. Rewritten without the expired ones at start.
 */
export class RevocationJournal {
  readonly #file: string
  readonly #descriptor: number

  constructor(store: string, now: number) {
    this.#file = join(store, 'revocations.ndjson')
    const inForce = this.#read().filter(({ until }) => until > now)
    const draft = `${this.#file}.new`
    writeFileSync(draft, inForce.map((each) => `${JSON.stringify(each)}\n`).join(''), {
      mode: 0o600,
      flush: true,
    })
    renameSync(draft, this.#file)
    this.#descriptor = openSync(this.#file, 'a', 0o600)
    this.inForce = inForce
    this.#held = inForce.length
  }

  /** As of the start. */
  readonly inForce: readonly Revocation[]

  #held: number

  /** Throws `store-unwritable`; the revocation then does not take effect. */
  append(revocations: readonly Revocation[]): void {
    if (this.#held + revocations.length > MAX_REVOCATIONS) {
      throw new SallyportError(
        'limit-reached',
        `no more than ${MAX_REVOCATIONS} revocations can be in force; restart the gate to drop the expired ones, or revoke the subject instead`,
        { limit: MAX_REVOCATIONS },
      )
    }
    const { size } = fstatSync(this.#descriptor)
    try {
      const lines = Buffer.from(revocations.map((each) => `${JSON.stringify(each)}\n`).join(''))
      for (let at = 0; at < lines.byteLength; ) at += writeSync(this.#descriptor, lines, at)
      fsyncSync(this.#descriptor)
      this.#held += revocations.length
    } catch (error) {
      // What a full disk still took must not spoil the next line: with that no start would go on.
      ftruncateSync(this.#descriptor, size)
      throw new SallyportError(
        'store-unwritable',
        `nothing was revoked: ${this.#file} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); free space there, or end the sessions at the issuer`,
        { file: this.#file },
        error,
      )
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** A last line cut off by a crash was never confirmed and is dropped; any other damage must not pass for "none". */
  #read(): Revocation[] {
    if (!existsSync(this.#file)) return []
    const lines = readFileSync(this.#file, 'utf8').split('\n')
    const tail = lines.pop()
    const found: Revocation[] = []
    for (const [index, line] of lines.entries()) {
      const parsed = revocation.safeParse(parse(line))
      if (!parsed.success) {
        throw new SallyportError(
          'store-format',
          `${this.#file}:${index + 1}: not a revocation; restore the file from a backup, or remove the line to forget it`,
          { file: this.#file, line: index + 1 },
        )
      }
      found.push(parsed.data as Revocation)
    }
    const last = revocation.safeParse(parse(tail ?? ''))
    if (last.success) found.push(last.data as Revocation)
    return found
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
