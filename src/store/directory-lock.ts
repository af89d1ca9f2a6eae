import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SallyportError } from '../model/errors.ts'

const LOCK = 'lock.db'
const HOLDER = 'lock.pid'

/** Files the lock leaves in a data directory. */
export const DIRECTORY_LOCK_FILES: ReadonlySet<string> = new Set([LOCK, `${LOCK}-journal`, HOLDER])

export interface DirectoryLock {
  release(): void
}

/**
 * Holds a directory for one process. SQLite's exclusive transaction is an operating-system file lock, which
 * Node offers nowhere else: the kernel drops it with its process, so there is no stale lock to judge, no process
 * id that was given out anew, and two containers on one volume see each other.
 *
 * @throws SallyportError `store-in-use`
 */
export function lockDirectory(directory: string): DirectoryLock {
  const file = join(directory, LOCK)
  // SQLite would make it for everyone to read. One that is there is not opened: closing it would drop a lock held.
  if (!existsSync(file)) writeFileSync(file, '', { mode: 0o600 })
  chmodSync(file, 0o600)
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode !== 5) throw error
    const holder = readHolder(directory)
    throw new SallyportError(
      'store-in-use',
      `Another running gate${holder === null ? '' : ` (process ${holder})`} uses the data directory ${directory}. Stop it, or name another folder.`,
      { directory },
      error,
    )
  }
  writeFileSync(join(directory, HOLDER), `${process.pid}\n`, { mode: 0o600 })
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      rmSync(join(directory, HOLDER), { force: true })
      database.close()
    },
  }
}

function readHolder(directory: string): string | null {
  try {
    const text = readFileSync(join(directory, HOLDER), 'utf8').trim()
    return /^\d{1,10}$/.test(text) ? text : null
  } catch {
    return null
  }
}
