import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isFault } from '../model/errors.ts'
import { openDataDirectory, readDataDirectory } from './data-directory.ts'
import { keyedDigest, openSigningKey, openStoreKey, readStoreKey, readVerifyingKey } from './store-keys.ts'

const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }
let root: string
let path: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
  path = join(root, 'data')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const mode = (file: string) => statSync(file).mode & 0o777
function fault(step: () => unknown): string {
  try {
    step()
  } catch (error) {
    return isFault(error) ? `${error.code}: ${error.message}` : String(error)
  }
  return 'none'
}

describe('the data directory', () => {
  it('is made at first start, private, with a node id that stays', () => {
    const first = openDataDirectory(path, random)
    first.release()
    for (const folder of [path, first.audit, first.bundles, first.keys]) expect(mode(folder)).toBe(0o700)
    expect(readFileSync(join(path, 'format'), 'utf8')).toBe('1\n')
    const second = openDataDirectory(path, random)
    expect(second.node).toBe(first.node)
    expect(second.node).toMatch(/^[0-9a-f]{16}$/)
    expect(readDataDirectory(path)).toMatchObject({ node: first.node, audit: first.audit })
    second.release()
  })

  it('of a newer format is refused and left alone', () => {
    openDataDirectory(path, random).release()
    writeFileSync(join(path, 'format'), '2\n')
    const said = fault(() => openDataDirectory(path, random))
    expect(said).toContain('store-format')
    expect(said).toContain('has format 2, and this version knows up to 1')
    expect(fault(() => readDataDirectory(path))).toContain('store-format')
  })

  it.each(['', 'x', '-1', '1.5', '99999999999'])('with a format file of %j is refused', (text) => {
    openDataDirectory(path, random).release()
    writeFileSync(join(path, 'format'), text)
    expect(fault(() => openDataDirectory(path, random))).toContain('store-format')
  })

  it('is not made of a folder that holds other things', () => {
    mkdirSync(path)
    writeFileSync(join(path, 'thesis.tex'), '')
    chmodSync(path, 0o755)
    expect(fault(() => openDataDirectory(path, random))).toContain('store-format')
    expect(mode(path)).toBe(0o755)
    expect(fault(() => readDataDirectory(path))).toContain('store-format')
  })

  it('that cannot be written is said', () => {
    writeFileSync(path, 'a file')
    expect(fault(() => openDataDirectory(path, random))).toContain('store-unwritable')
  })

  it('serves one control at a time, and says which process holds it', () => {
    const held = openDataDirectory(path, random)
    const said = fault(() => openDataDirectory(path, random))
    expect(said).toContain('store-in-use')
    expect(said).toContain(`process ${process.pid}`)
    held.release()
    openDataDirectory(path, random).release()
  })

  it('is free again once its process was killed', () => {
    const file = join(import.meta.dirname, 'data-directory.ts')
    const script = `
      import { randomBytes } from 'node:crypto'
      const { openDataDirectory } = await import(${JSON.stringify(file)})
      openDataDirectory(${JSON.stringify(path)}, { bytes: (n) => new Uint8Array(randomBytes(n)) })
      process.kill(process.pid, 'SIGKILL')`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script])
    expect(child.signal).toBe('SIGKILL')
    expect(readFileSync(join(path, 'lock.pid'), 'utf8')).toBe(`${child.pid}\n`)
    openDataDirectory(path, random).release()
  })

  it('is held by a file of the owner’s alone, also where an older one was open to others', () => {
    openDataDirectory(path, random).release()
    expect(mode(join(path, 'lock.db'))).toBe(0o600)
    chmodSync(join(path, 'lock.db'), 0o644)
    const held = openDataDirectory(path, random)
    expect(mode(join(path, 'lock.db'))).toBe(0o600)
    expect(() => openDataDirectory(path, random)).toThrow('Another running gate')
    held.release()
  })
})

describe('the store’s keys', () => {
  it('are made once, 0600, and read by others', () => {
    const directory = openDataDirectory(path, random)
    const key = openStoreKey(directory, random)
    expect(key).toHaveLength(32)
    expect(openStoreKey(directory, random)).toEqual(key)
    expect(readStoreKey(directory)).toEqual(key)
    expect(mode(join(directory.keys, 'store.key'))).toBe(0o600)
    const { publicKey } = openSigningKey(directory, 'checkpoint')
    expect(mode(join(directory.keys, 'checkpoint.key'))).toBe(0o600)
    expect(readVerifyingKey(directory, 'checkpoint')?.equals(publicKey)).toBe(true)
    expect(openSigningKey(directory, 'checkpoint').publicKey.equals(publicKey)).toBe(true)
    directory.release()
  })

  it('that are missing or damaged are said, and not replaced', () => {
    const directory = openDataDirectory(path, random)
    expect(fault(() => readStoreKey(directory))).toContain('store-format')
    writeFileSync(join(directory.keys, 'store.key'), 'short')
    expect(fault(() => openStoreKey(directory, random))).toContain('store-format')
    expect(readFileSync(join(directory.keys, 'store.key'), 'utf8')).toBe('short')
    directory.release()
  })

  it('give digests that differ by purpose and by store', () => {
    const key = new Uint8Array(32).fill(1)
    const digest = keyedDigest(key, 'body')
    expect(digest('a')).toMatch(/^[\w-]{22}$/)
    expect(digest('a')).toBe(keyedDigest(key, 'body')(Buffer.from('a')))
    expect(digest('a')).not.toBe(keyedDigest(key, 'other')('a'))
    expect(digest('a')).not.toBe(keyedDigest(new Uint8Array(32).fill(2), 'body')('a'))
  })
})
