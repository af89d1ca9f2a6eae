import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { SallyportError } from '../../model/errors.ts'

/** Files that init makes: all of them or none, each whole, and never in place of one that exists. */

export interface NewFile {
  readonly path: string
  readonly text: string
}

/** @throws {SallyportError} `not-written` naming every path that is taken, by whatever it be. */
export function requireAbsent(paths: readonly string[]): void {
  const taken = paths.filter(exists)
  if (taken.length === 0) return
  throw new SallyportError(
    'not-written',
    `${taken.join(' and ')} ${taken.length === 1 ? 'exists' : 'exist'} already, and init never overwrites: nothing was written (move ${taken.length === 1 ? 'it' : 'them'} away, or choose another folder with --out)`,
    { paths: taken },
  )
}

/**
 * Written whole in a folder beside, then linked into place: a link fails where something stands already, so a file
 * that appeared meanwhile is not lost.
 * @throws {SallyportError} `not-written`; what had been made is then gone again.
 */
export function writeNew(folder: string, files: readonly NewFile[]): void {
  const undo: (() => void)[] = []
  let staging: string | null = null
  try {
    for (const path of [folder, ...files.map((file) => dirname(file.path))]) {
      for (const made of makeFolders(path)) undo.push(() => rmdirSync(made))
    }
    staging = mkdtempSync(join(folder, '.sallyport-init-'))
    for (const [index, { path, text }] of files.entries()) {
      const draft = join(staging, String(index))
      const descriptor = openSync(draft, 'wx', 0o644)
      try {
        writeFileSync(descriptor, text)
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
      place(draft, path)
      undo.push(() => unlinkSync(path))
    }
  } catch (error) {
    if (staging !== null) rmSync(staging, { recursive: true, force: true })
    for (const step of undo.reverse()) attempt(step)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === '') throw error
    throw new SallyportError(
      'not-written',
      `nothing was written below ${folder}: ${WORDS[code] ?? code}`,
      { path: folder },
      error,
    )
  }
  rmSync(staging, { recursive: true, force: true })
}

function place(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    // File systems without hard links, and folders mounted from elsewhere.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EXDEV' && code !== 'ENOSYS') throw error
    copyFileSync(draft, path, constants.COPYFILE_EXCL)
  }
}

/** The folders that were made, from the top. */
function makeFolders(path: string): readonly string[] {
  const first = mkdirSync(path, { recursive: true })
  if (first === undefined) return []
  const made: string[] = []
  const top = resolve(first)
  for (let at = resolve(path); at !== dirname(top); at = dirname(at)) made.unshift(at)
  return made
}

function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // What cannot be taken back stays; the fault that led here is the one to tell.
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  EEXIST: 'something stands in the way of a file or folder',
  ENOTDIR: 'a file stands where a folder is needed',
  ENOSPC: 'the disk is full',
}
