import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BundlePart } from '../model/bundle.ts'
import { isFault } from '../model/errors.ts'
import { readBundle, verifyBundleBytes, writeBundle } from './bundle-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-bundles-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const module = (name: string, source: string): BundlePart => ({ part: 'module', api: 'shop', name, source })
const PARTS = [module('a', 'x'.repeat(300_000)), module('b', 'ü\n"'), module('c', '')]

/** The fault of a reading, or null. */
function faultOf(file: string, hash: string): unknown {
  try {
    for (const part of readBundle(file, hash)) expect(part).toBeDefined()
    return null
  } catch (error) {
    return isFault(error) ? error.code : error
  }
}

describe('a bundle on disk', () => {
  it('that cannot be written is the store’s fault, and leaves nothing behind', () => {
    const missing = join(folder, 'missing')
    expect(() => writeBundle(missing, PARTS)).toThrow(
      expect.objectContaining({
        code: 'store-unwritable',
        message: expect.stringMatching(/cannot be written to .*missing: ENOENT; /),
      }),
    )
    const broken = function* (): Generator<BundlePart> {
      yield* PARTS
      throw new TypeError('not the disk')
    }
    expect(() => writeBundle(folder, broken())).toThrow(TypeError)
    expect(readdirSync(folder)).toEqual([])
  })

  it('gives back its parts, has the hash of its bytes for a name, and is its owner’s alone', () => {
    const { hash, file } = writeBundle(folder, PARTS)
    expect([...readBundle(file, hash)]).toEqual(PARTS)
    expect(file).toBe(join(folder, `${hash}.ndjson`))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(writeBundle(folder, PARTS)).toEqual({ hash, file })
  })

  it('is refused where a byte was changed, added or taken away', () => {
    const { hash, file } = writeBundle(folder, PARTS)
    const good = readFileSync(file)
    const spoil: readonly (() => void)[] = [
      () => writeFileSync(file, good.toString().replace('xx', 'xy')),
      () => appendFileSync(file, '{"part":"head"}\n'),
      () => writeFileSync(file, good.subarray(0, -1)),
      () => writeFileSync(file, good.subarray(0, good.indexOf(10) + 1)),
      () => writeFileSync(file, ''),
      () => writeFileSync(file, 'no json\n'),
    ]
    for (const [index, spoilt] of spoil.entries()) {
      spoilt()
      expect(faultOf(file, hash), String(index)).toBe('bundle-corrupt')
    }
    writeFileSync(file, good)
    expect(faultOf(file, hash)).toBe(null)
    expect(faultOf(file, '0'.repeat(64))).toBe('bundle-corrupt')
  })

  it('that is changed after it was verified gives no part of what it was not', () => {
    const { hash, file } = writeBundle(folder, PARTS)
    const verifying = verifyBundleBytes(file, hash)
    let step = verifying.next()
    while (!step.done) step = verifying.next()
    expect([...readBundle(file, hash, step.value)]).toEqual(PARTS)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"name":"b"', '"name":"z"'))
    const read: unknown[] = []
    expect(() => {
      for (const part of readBundle(file, hash, step.value ?? [])) read.push(part)
    }).toThrow(expect.objectContaining({ code: 'bundle-corrupt' }))
    expect(PARTS).toEqual(expect.arrayContaining(read))
  })

  it('that is no file is refused, not waited for', () => {
    const { hash, file } = writeBundle(folder, PARTS)
    for (const other of ['/dev/zero', folder]) {
      rmSync(file)
      symlinkSync(other, file)
      expect(faultOf(file, hash)).toBe('bundle-corrupt')
      expect(() => verifyBundleBytes(file, hash).next()).toThrow(
        expect.objectContaining({ code: 'bundle-corrupt' }),
      )
    }
  })
})
