import { createHash, hash as hashOf } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { BundlePart } from '../model/bundle.ts'
import { SallyportError } from '../model/errors.ts'

/** Read and parsed between two pauses at most, in bytes: what a gate thread may be busy with at one go. */
const SLICE = 256 * 1024

/** One part is one line; a longer one is refused rather than held. */
const MAX_LINE = 64 * 1_048_576

/**
 * Writes the parts as NDJSON under the SHA-256 of their bytes. The same parts give the same file; a file that
 * stands is never changed. Throws `store-unwritable`, and leaves nothing behind then: a full disk gets no fuller.
 */
export function writeBundle(
  folder: string,
  parts: Iterable<BundlePart>,
): { readonly hash: string; readonly file: string } {
  const temporary = join(folder, `.${process.pid}-${process.hrtime.bigint()}.ndjson`)
  try {
    const hash = writeParts(temporary, parts)
    const file = join(folder, `${hash}.ndjson`)
    renameSync(temporary, file)
    return { hash, file }
  } catch (error) {
    rmSync(temporary, { force: true })
    const { code, syscall } = error as NodeJS.ErrnoException
    if (code === undefined || syscall === undefined) throw error
    throw new SallyportError(
      'store-unwritable',
      `the bundle cannot be written to ${folder}: ${code}; ${WAYS_OUT[code] ?? 'let the account that runs the gate write there'}`,
      { folder, code },
      error,
    )
  }
}

const FREE_SPACE = 'free space there, or move the store to a larger disk'
const WAYS_OUT: Readonly<Record<string, string>> = {
  ENOSPC: FREE_SPACE,
  EDQUOT: FREE_SPACE,
  EROFS: 'the disk is mounted read-only',
  EIO: 'the disk is failing',
}

/** The hash of what was written. */
function writeParts(file: string, parts: Iterable<BundlePart>): string {
  const descriptor = openSync(file, 'wx', 0o600)
  const digest = createHash('sha256')
  try {
    for (const part of parts) {
      const line = Buffer.from(`${JSON.stringify(part)}\n`)
      digest.update(line)
      for (let at = 0; at < line.byteLength; ) at += writeSync(descriptor, line, at)
    }
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return digest.digest('hex')
}

/**
 * Reads a bundle's bytes in slices against their hash before anything is made of them: its modules are code, and
 * instantiating runs it. Yields between slices; returns the digest of each, by which `readBundle` knows them again.
 * Throws `bundle-corrupt`.
 */
export function* verifyBundleBytes(
  file: string,
  hash: string,
): Generator<void, readonly string[], undefined> {
  const descriptor = openBundle(file, hash)
  const digest = createHash('sha256')
  const slices: string[] = []
  try {
    for (let bytes = readSlice(descriptor); bytes.byteLength > 0; bytes = readSlice(descriptor)) {
      digest.update(bytes)
      slices.push(digestOf(bytes))
      yield
    }
  } finally {
    closeSync(descriptor)
  }
  if (digest.digest('hex') !== hash) throw mismatch(file, hash)
  return slices
}

/** The next slice, whole but for the last: a read may give less than was asked for. */
function readSlice(descriptor: number): Buffer {
  const slice = Buffer.allocUnsafe(SLICE)
  let held = 0
  while (held < SLICE) {
    const count = readSync(descriptor, slice, held, SLICE - held, null)
    if (count === 0) break
    held += count
  }
  return slice.subarray(0, held)
}

function digestOf(bytes: Uint8Array): string {
  return hashOf('sha256', bytes, 'base64url')
}

/** Only a file has an end: a pipe would be waited for, a device read for ever. */
function openBundle(file: string, hash: string): number {
  const unreadable = (why: string, cause?: unknown): SallyportError =>
    new SallyportError('bundle-corrupt', `the bundle ${file} cannot be read: ${why}`, { hash }, cause)
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    throw unreadable(code, error)
  }
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw unreadable('it is no file')
}

function mismatch(file: string, hash: string): SallyportError {
  return new SallyportError('bundle-corrupt', 'the bundle’s bytes do not match its hash', { file, hash })
}

/**
 * The parts of a bundle in their order, read in slices so that the reader can pause between any two. The hash is
 * checked over the bytes as they are read: the caller must not use what it built before the generator ended. With
 * the slices that were `verified`, it may: none is parsed that is not the one verified. Throws `bundle-corrupt`.
 */
export function* readBundle(
  file: string,
  hash: string,
  verified?: readonly string[],
): Generator<BundlePart, void, undefined> {
  const descriptor = openBundle(file, hash)
  const digest = createHash('sha256')
  let rest: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  try {
    for (let index = 0; ; index++) {
      const bytes = readSlice(descriptor)
      if (bytes.byteLength === 0) break
      if (verified !== undefined && digestOf(bytes) !== verified[index]) throw mismatch(file, hash)
      digest.update(bytes)
      rest = rest.byteLength === 0 ? bytes : Buffer.concat([rest, bytes])
      if (rest.byteLength > MAX_LINE)
        throw new SallyportError('bundle-corrupt', 'a part of the bundle is too long', { file })
      let start = 0
      for (let end = rest.indexOf(10, start); end !== -1; end = rest.indexOf(10, start)) {
        yield parsePart(rest.subarray(start, end), file)
        start = end + 1
      }
      rest = rest.subarray(start)
    }
  } finally {
    closeSync(descriptor)
  }
  if (rest.byteLength > 0 || digest.digest('hex') !== hash) throw mismatch(file, hash)
}

function parsePart(line: Uint8Array, file: string): BundlePart {
  try {
    return JSON.parse(Buffer.from(line).toString('utf8')) as BundlePart
  } catch (error) {
    throw new SallyportError('bundle-corrupt', 'a part of the bundle is not JSON', { file }, error)
  }
}
