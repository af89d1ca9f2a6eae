import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { SallyportError } from '../model/errors.ts'
import type { Random } from '../model/ports.ts'
import { DIRECTORY_LOCK_FILES, lockDirectory } from './directory-lock.ts'

/** The number in the `format` file. A newer one is refused: an old gate must not write where it cannot read. */
export const STORE_FORMAT = 1

/** What a start broken off before the format file was written may have left. */
const OWN_FILES: ReadonlySet<string> = new Set(['audit', 'bundles', 'keys', 'format.new'])

/** Where everything a node keeps stands. All folders are 0700, all files in `keys` 0600. */
export interface DataDirectory {
  readonly path: string
  readonly audit: string
  readonly bundles: string
  readonly keys: string
  /** 16 hex digits, random at first start and the same ever after. */
  readonly node: string
}

export interface HeldDataDirectory extends DataDirectory {
  /** Lets another control take the directory. The lock also ends with the process, however that ends. */
  release(): void
}

/**
 * Opens or creates the data directory for control and holds it exclusively.
 *
 * @throws SallyportError `store-format`: written by a newer version, or a folder of other things;
 *   `store-in-use`: another control holds it; `store-unwritable`: the file system refuses.
 */
export function openDataDirectory(path: string, random: Random): HeldDataDirectory {
  const root = resolve(path)
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 })
    refuseForeign(root)
    chmodSync(root, 0o700)
    const lock = lockDirectory(root)
    try {
      refuseForeign(root)
      for (const folder of ['audit', 'bundles', 'keys']) {
        mkdirSync(join(root, folder), { recursive: true, mode: 0o700 })
        chmodSync(join(root, folder), 0o700)
      }
      writeOnce(join(root, 'format'), `${STORE_FORMAT}\n`)
      writeOnce(join(root, 'node'), `${Buffer.from(random.bytes(8)).toString('hex')}\n`)
      return { ...layout(root), release: lock.release }
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    if (error instanceof SallyportError) throw error
    throw new SallyportError(
      'store-unwritable',
      `The data directory ${root} cannot be written: ${(error as Error).message}`,
      { directory: root },
      error,
    )
  }
}

/**
 * The directory as another process (explain, audit verify) reads it beside a running gate: nothing is created,
 * locked or changed.
 *
 * @throws SallyportError `store-format`
 */
export function readDataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  if (!existsSync(root))
    throw new SallyportError(
      'store-format',
      `there is no store at ${root}: no gate has been started on it yet`,
      {
        directory: root,
      },
    )
  if (!existsSync(join(root, 'format'))) {
    throw new SallyportError('store-format', `${root} is not a data directory: it holds no format file.`, {
      directory: root,
    })
  }
  refuseForeign(root)
  return layout(root)
}

function layout(root: string): DataDirectory {
  const file = join(root, 'node')
  const node = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (!/^[0-9a-f]{16}$/.test(node)) {
    throw new SallyportError('store-format', `${file} does not hold a node id of 16 hex digits.`, {
      directory: root,
    })
  }
  return {
    path: root,
    audit: join(root, 'audit'),
    bundles: join(root, 'bundles'),
    keys: join(root, 'keys'),
    node,
  }
}

function refuseForeign(root: string): void {
  const file = join(root, 'format')
  if (!existsSync(file)) {
    const other = readdirSync(root).find((name) => !OWN_FILES.has(name) && !DIRECTORY_LOCK_FILES.has(name))
    if (other === undefined) return
    throw new SallyportError(
      'store-format',
      `${root} is not a data directory: it holds other files (${JSON.stringify(other)}) and no format file. Name an empty folder.`,
      { directory: root },
    )
  }
  const text = readFileSync(file, 'utf8').trim()
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new SallyportError('store-format', `${file} does not hold a format number.`, { directory: root })
  }
  if (Number(text) > STORE_FORMAT) {
    throw new SallyportError(
      'store-format',
      `The data directory ${root} has format ${text}, and this version knows up to ${STORE_FORMAT}. Run the version that wrote it, or name another folder.`,
      { directory: root, format: Number(text), known: STORE_FORMAT },
    )
  }
}

/** Whole or not at all, also after a crash: a half-written node id or key would be worse than none. */
export function writeOnce(file: string, content: string | Uint8Array): void {
  if (existsSync(file)) return
  const draft = `${file}.new`
  writeFileSync(draft, content, { mode: 0o600, flush: true })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
  const folder = openSync(resolve(file, '..'), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
