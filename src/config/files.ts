import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'

/** Bounded reading of files and folders a person names; what goes wrong is told in words for a problem's message. */

export type FileResult =
  | { readonly ok: true; readonly text: string; readonly realpath: string }
  | { readonly ok: false; readonly why: string; readonly missing: boolean }

/** A regular file of at most `limit` bytes as strict UTF-8; a device or pipe is not waited for. */
export function readTextFile(path: string, limit: number): FileResult {
  let descriptor: number | null = null
  try {
    const realpath = realpathSync(path)
    descriptor = openSync(realpath, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(descriptor)
    if (!status.isFile())
      return refused(status.isDirectory() ? 'is a folder, not a file' : 'is not a regular file')
    if (status.size > limit) return refused(`is larger than ${size(limit)}`)
    // Read by what comes, not by the size stated: the file may grow meanwhile.
    const bytes = Buffer.alloc(Math.min(status.size, limit) + 1)
    let length = 0
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null)
      if (count === 0) break
      length += count
      if (length === bytes.length) return refused('changed while it was read')
    }
    return {
      ok: true,
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length)),
      realpath,
    }
  } catch (error) {
    return failed(error)
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

export interface FolderEntry {
  readonly name: string
  /** Followed through symbolic links; `other` cannot be read: a link to nothing or to itself, a device, a pipe. */
  readonly kind: 'file' | 'folder' | 'other'
  readonly path: string
}

export type FolderResult =
  | { readonly ok: true; readonly entries: readonly FolderEntry[]; readonly realpath: string }
  | { readonly ok: false; readonly why: string; readonly missing: boolean }

/** Entries by name, hidden ones left out. */
export function readFolder(path: string, limit: number): FolderResult {
  try {
    const realpath = realpathSync(path)
    const names = readdirSync(realpath)
    if (names.length > limit) return refused(`has more than ${limit} entries`)
    const entries: FolderEntry[] = []
    for (const name of names.sort()) {
      if (name.startsWith('.')) continue
      const full = join(path, name)
      entries.push({ name, kind: kindOf(full), path: full })
    }
    return { ok: true, entries, realpath }
  } catch (error) {
    return failed(error)
  }
}

/** True of a real path that stands somewhere below the folder, wherever links to the folder lead. */
export function liesBelow(realpath: string, folder: string): boolean {
  const way = relative(realpathSync(folder), realpath)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function kindOf(path: string): FolderEntry['kind'] {
  try {
    const status = statSync(path)
    return status.isFile() ? 'file' : status.isDirectory() ? 'folder' : 'other'
  } catch {
    return 'other'
  }
}

function refused(why: string): { ok: false; why: string; missing: boolean } {
  return { ok: false, why, missing: false }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder, or lies below what is none',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads to itself',
  ENAMETOOLONG: 'has a name that is too long',
  ENXIO: 'is not a regular file',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
}

function failed(error: unknown): { ok: false; why: string; missing: boolean } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '') throw error
  return { ok: false, why: WORDS[code] ?? `cannot be read (${code})`, missing: code === 'ENOENT' }
}

function size(bytes: number): string {
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes} bytes`
}
