import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { SigningKeys } from '../model/channel.ts'
import { SallyportError } from '../model/errors.ts'

const keys = z
  .array(z.object({ kid: z.string(), privateJwk: z.record(z.string(), z.string()), createdAt: z.number() }))
  .min(2)
  .max(8)

/** A key signs for this long, in ms: a day. */
const SIGNS_MS = 86_400_000

/**
 * The gate's own signing keys in `keys/assertion.json` (0600). The first signs; the last was made a period before it
 * will, so that upstreams which cache the key set know it by then; those between have signed and may still be met.
 */
export class SigningKeyFile {
  readonly #file: string
  readonly #generate: (createdAt: number) => SigningKeys[number]

  constructor(keysFolder: string, generate: (createdAt: number) => SigningKeys[number]) {
    this.#file = join(keysFolder, 'assertion.json')
    this.#generate = generate
  }

  /** The keys to use from `now` on; rotated where the first has signed long enough. */
  current(now: number): SigningKeys {
    const known = this.#read()
    if (known === null) return this.#write([this.#generate(now), this.#generate(now)])
    const [signing, ...others] = known
    const next = others.at(-1)
    if (signing === undefined || next === undefined || now - signing.createdAt < SIGNS_MS) return known
    // The next key's time starts when it begins to sign; the one before the last can no longer be met.
    return this.#write([{ ...next, createdAt: now }, signing, this.#generate(now)])
  }

  #read(): SigningKeys | null {
    if (!existsSync(this.#file)) return null
    try {
      return keys.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
    } catch {
      throw new SallyportError(
        'store-format',
        `${this.#file} is not a list of signing keys; restore it, or remove it to have new ones made`,
        { file: this.#file },
      )
    }
  }

  #write(made: SigningKeys): SigningKeys {
    const draft = `${this.#file}.new`
    writeFileSync(draft, JSON.stringify(made), { mode: 0o600, flush: true })
    renameSync(draft, this.#file)
    return made
  }
}
