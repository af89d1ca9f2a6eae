import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PinnedSnapshots } from '../enforcement/pinned.ts'
import type { BundlePart } from '../model/bundle.ts'
import { isFault } from '../model/errors.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { BundleVersions, statementFile } from '../store/bundle-versions.ts'
import { instantiate } from './instantiate.ts'

const KEY = generateKeyPairSync('ed25519')
const OTHER = generateKeyPairSync('ed25519')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-instantiate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Code of a bundle's module that tells that it ran. */
const TELLS = 'globalThis.sallyportModuleRan = true'
const ran = () => Reflect.get(globalThis, 'sallyportModuleRan') === true
const PARTS: BundlePart[] = [
  { part: 'api', api: { name: 'shop', maxRequestBytes: 1, maxAnswerBytes: 1 } as never, contracted: true },
  { part: 'module', api: 'shop', name: 'one', source: TELLS },
]

function bundle() {
  const written = writeBundle(folder, PARTS)
  const hash = 'c'.repeat(64)
  const made = { at: 1, by: 'ana', why: 'start', config: hash, policies: 0, tests: 0, startOnly: {} } as const
  new BundleVersions(folder, KEY).admit({ hash: written.hash, ...made })
  return written
}

async function codeOf(file: { readonly hash: string; readonly file: string }, key = KEY.publicKey) {
  const snapshots = new PinnedSnapshots()
  try {
    await instantiate(file, snapshots, 1, 'live', key, () => 'public')
    return ''
  } catch (error) {
    expect([snapshots.commit(1), snapshots.pin()]).toEqual([false, null])
    return isFault(error) ? error.code : String(error)
  }
}

describe('a gate thread', () => {
  it('runs nothing of a bundle whose signature or bytes do not verify', async () => {
    const written = bundle()
    expect(await codeOf(written, OTHER.publicKey)).toBe('bundle-signature')
    const statement = readFileSync(statementFile(written.file), 'utf8')
    writeFileSync(statementFile(written.file), statement.replace('ana', 'eve'))
    expect(await codeOf(written)).toBe('bundle-signature')
    rmSync(statementFile(written.file))
    expect(await codeOf(written)).toBe('bundle-signature')
    writeFileSync(statementFile(written.file), statement)

    const bytes = readFileSync(written.file)
    appendFileSync(written.file, `${JSON.stringify(PARTS[1])}\n`)
    expect(await codeOf(written)).toBe('bundle-corrupt')
    writeFileSync(written.file, bytes.subarray(0, -1))
    expect(await codeOf(written)).toBe('bundle-corrupt')
    rmSync(written.file)
    expect(await codeOf(written)).toBe('bundle-corrupt')
    expect(ran()).toBe(false)

    // Whole again it is taken up, as far as it goes: it lacks its head.
    writeFileSync(written.file, bytes)
    expect(await codeOf(written)).toBe('bundle-corrupt')
    expect(ran()).toBe(true)
    Reflect.deleteProperty(globalThis, 'sallyportModuleRan')
  })
})
