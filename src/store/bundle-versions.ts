import type { KeyObject } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { SallyportError } from '../model/errors.ts'
import { readSignedLine, signLine } from './signed-line.ts'
import type { SigningKey } from './store-keys.ts'

/** What control states, signed, of a bundle it compiled: nothing else is instantiated. */
export interface BundleVersion {
  readonly version: number
  /** SHA-256 (hex) of the bundle file's bytes, and its name. */
  readonly hash: string
  /** Wall milliseconds. */
  readonly at: number
  readonly by: string
  readonly why: 'start' | 'reload' | 'stage'
  /** SHA-256 (hex) of the configuration file it was compiled from. */
  readonly config: string
  readonly policies: number
  readonly tests: number
  /** Settings that only a start takes, as that configuration has them: JSON by key. */
  readonly startOnly: Readonly<Record<string, string>>
}

const KIND = 'sallyport/bundle/1'
const HEX = /^[0-9a-f]{64}$/
const WHYS: readonly unknown[] = ['start', 'reload', 'stage']

/**
 * What a signed line states of a bundle; null where it states something else. Read by hand: every gate thread does
 * this, and would load the schema library for nothing else.
 */
function versionIn(stated: unknown): BundleVersion | null {
  if (typeof stated !== 'object' || stated === null || !('kind' in stated) || stated.kind !== KIND)
    return null
  const { kind: _, ...rest } = stated as { readonly kind: string } & BundleVersion
  const { version, hash, at, by, why, config, policies, tests, startOnly } = rest
  const numbers = [version, policies, tests].every((each) => Number.isSafeInteger(each) && each >= 0)
  const texts = [hash, config].every((each) => typeof each === 'string' && HEX.test(each))
  const open = typeof startOnly === 'object' && startOnly !== null ? Object.values(startOnly) : [null]
  return numbers &&
    version > 0 &&
    texts &&
    typeof at === 'number' &&
    typeof by === 'string' &&
    WHYS.includes(why) &&
    open.every((each) => typeof each === 'string')
    ? rest
    : null
}

/** A statement of hundreds of bytes. */
const MAX_STATEMENT_BYTES = 65_536

/** Beside the bundle's file: `<hash>.json`. */
export function statementFile(bundleFile: string): string {
  return bundleFile.replace(/\.ndjson$/, '.json')
}

export function bundleFile(folder: string, hash: string): string {
  return join(folder, `${hash}.ndjson`)
}

/**
 * The statement that stands beside a bundle's file. Throws `bundle-signature` where there is none, it is not signed
 * by the key, or it is about another bundle.
 */
export function readStatement(file: string, hash: string, publicKey: KeyObject): BundleVersion {
  const text = readText(statementFile(file))
  if (text === null)
    throw refused(hash, 'it has no signed statement beside it; compile it again (reload or start)')
  const stated = versionIn(readSignedLine(text.trimEnd(), publicKey))
  if (stated === null) throw refused(hash, 'the signature beside it does not verify by this store’s key')
  if (stated.hash !== hash) throw refused(hash, 'the signature beside it is about another bundle')
  return stated
}

function refused(hash: string, why: string): SallyportError {
  return new SallyportError('bundle-signature', `the bundle ${hash.slice(0, 12)} is not used: ${why}`, {
    hash,
  })
}

function readText(file: string): string | null {
  let descriptor: number
  try {
    // A pipe would be waited for.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return null
  }
  try {
    const bytes = Buffer.alloc(MAX_STATEMENT_BYTES)
    const count = readSync(descriptor, bytes, 0, MAX_STATEMENT_BYTES, 0)
    return count === MAX_STATEMENT_BYTES ? null : bytes.toString('utf8', 0, count)
  } catch {
    return null
  } finally {
    closeSync(descriptor)
  }
}

/** One of the store's bundles as a reader finds it: a statement that verifies, or why it does not. */
export type FoundVersion =
  | { readonly hash: string; readonly stated: BundleVersion }
  | { readonly hash: string; readonly stated: null; readonly problem: string }

/** All bundles of the folder: by version, those without a good statement last. */
export function listVersions(folder: string, publicKey: KeyObject): readonly FoundVersion[] {
  const hashes = readdirSync(folder).flatMap((name) => /^([0-9a-f]{64})\.ndjson$/.exec(name)?.[1] ?? [])
  const found = hashes.map((hash): FoundVersion => {
    try {
      return { hash, stated: readStatement(bundleFile(folder, hash), hash, publicKey) }
    } catch (error) {
      return { hash, stated: null, problem: error instanceof Error ? error.message : 'unknown' }
    }
  })
  const place = ({ stated }: FoundVersion): number => stated?.version ?? Number.MAX_SAFE_INTEGER
  return found.sort((a, b) => place(a) - place(b) || (a.hash < b.hash ? -1 : 1))
}

/** Control's hand on the versions: it alone signs, and numbers only go up. */
export class BundleVersions {
  readonly #folder: string
  readonly #key: SigningKey
  #next: number

  constructor(folder: string, key: SigningKey) {
    this.#folder = folder
    this.#key = key
    this.#next =
      Math.max(0, ...listVersions(folder, key.publicKey).map(({ stated }) => stated?.version ?? 0)) + 1
  }

  /**
   * States a bundle that was just compiled. What is compiled again is the version it was before. Throws
   * `store-unwritable`.
   */
  admit(made: Omit<BundleVersion, 'version'>): BundleVersion {
    const file = bundleFile(this.#folder, made.hash)
    try {
      return readStatement(file, made.hash, this.#key.publicKey)
    } catch {
      const stated = { kind: KIND, version: this.#next, ...made } as const
      writeWhole(statementFile(file), `${signLine(stated, this.#key.privateKey)}\n`)
      this.#next += 1
      const { kind: _, ...rest } = stated
      return rest
    }
  }

  /** By number, by hash or by the hash's beginning (8 digits or more). Throws `bundle-unknown`. */
  find(asked: string): BundleVersion {
    return findVersion(listVersions(this.#folder, this.#key.publicKey), asked)
  }
}

export function findVersion(found: readonly FoundVersion[], asked: string): BundleVersion {
  const matching = found.filter(({ hash, stated }) =>
    /^\d{1,7}$/.test(asked) ? stated?.version === Number(asked) : asked.length >= 8 && hash.startsWith(asked),
  )
  const [one] = matching
  if (one === undefined || matching.length > 1) {
    const why = one === undefined ? 'the store holds no bundle' : 'more than one bundle begins with'
    throw new SallyportError(
      'bundle-unknown',
      `${why} ${asked.slice(0, 64)}: sallyport bundle list names them`,
    )
  }
  if (one.stated === null) throw new SallyportError('bundle-signature', one.problem, { hash: one.hash })
  return one.stated
}

/** Whole or not at all, and on the disk. Throws `store-unwritable`. */
export function writeWhole(file: string, text: string): void {
  const draft = `${file}.new`
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true })
    renameSync(draft, file)
    const folder = openSync(join(file, '..'), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    // A full disk gets no fuller. A folder in its place is not ours to take away.
    if (code !== 'EISDIR') rmSync(draft, { force: true })
    throw new SallyportError('store-unwritable', `${file} cannot be written: ${code}`, { file, code }, error)
  }
}
