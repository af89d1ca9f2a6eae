import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isFault } from '../model/errors.ts'
import { BundleVersions, bundleFile, findVersion, listVersions, readStatement } from './bundle-versions.ts'
import { readSignedLine, signLine } from './signed-line.ts'

const KEY = generateKeyPairSync('ed25519')
const OTHER = generateKeyPairSync('ed25519')
const hash = (digit: string) => digit.repeat(64)
const made = (digit: string) => ({
  hash: hash(digit),
  at: 1_790_000_000_000,
  by: 'ana',
  why: 'stage' as const,
  config: hash('c'),
  policies: 1,
  tests: 2,
  startOnly: { listen: '{"port":1}' },
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-versions-'))
  for (const digit of ['a', 'b', 'd']) writeFileSync(bundleFile(folder, hash(digit)), digit)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function codeOf(work: () => unknown): string {
  try {
    work()
    return ''
  } catch (error) {
    return isFault(error) ? error.code : String(error)
  }
}

describe('versions of bundles', () => {
  it('go up by one for each bundle, also for the next control; what is compiled again stays what it was', () => {
    const versions = new BundleVersions(folder, KEY)
    expect(versions.admit(made('a')).version).toBe(1)
    expect(versions.admit(made('b')).version).toBe(2)
    expect(versions.admit({ ...made('a'), by: 'ben', at: 0 })).toMatchObject({ version: 1, by: 'ana' })
    expect(new BundleVersions(folder, KEY).admit(made('d')).version).toBe(3)
    expect(listVersions(folder, KEY.publicKey).map(({ stated }) => stated?.version)).toEqual([1, 2, 3])
    expect(statSync(join(folder, `${hash('a')}.json`)).mode & 0o777).toBe(0o600)
  })

  it('are refused where anything of the statement differs, it is another’s, about another bundle, or not there', () => {
    new BundleVersions(folder, KEY).admit(made('a'))
    const file = bundleFile(folder, hash('a'))
    const statement = join(folder, `${hash('a')}.json`)
    const good = readFileSync(statement, 'utf8')
    const read = () => readStatement(file, hash('a'), KEY.publicKey)
    expect(read()).toEqual({ version: 1, ...made('a') })
    for (let at = 0; at < good.length - 1; at += 7) {
      const changed = `${good.slice(0, at)}${good[at] === 'x' ? 'y' : 'x'}${good.slice(at + 1)}`
      writeFileSync(statement, changed)
      expect(codeOf(read)).toBe('bundle-signature')
    }
    writeFileSync(
      statement,
      `${signLine({ kind: 'sallyport/bundle/1', version: 1, ...made('a') }, OTHER.privateKey)}\n`,
    )
    expect(codeOf(read)).toBe('bundle-signature')
    writeFileSync(
      statement,
      `${signLine({ kind: 'sallyport/bundle/1', version: 1, ...made('b') }, KEY.privateKey)}\n`,
    )
    expect(codeOf(read)).toBe('bundle-signature')
    // Signed by the key, for something else.
    writeFileSync(statement, `${signLine({ kind: 'sallyport/in-force/1', ...made('a') }, KEY.privateKey)}\n`)
    expect(codeOf(read)).toBe('bundle-signature')
    writeFileSync(statement, 'x'.repeat(100_000))
    expect(codeOf(read)).toBe('bundle-signature')
    rmSync(statement)
    expect(codeOf(read)).toBe('bundle-signature')
    writeFileSync(statement, good)
    expect(read().version).toBe(1)
  })

  it('are found by number, hash and the hash’s beginning, and by nothing shorter', () => {
    const versions = new BundleVersions(folder, KEY)
    versions.admit(made('a'))
    versions.admit(made('b'))
    const found = listVersions(folder, KEY.publicKey)
    expect(findVersion(found, '2').hash).toBe(hash('b'))
    expect(findVersion(found, hash('a')).version).toBe(1)
    expect(findVersion(found, 'aaaaaaaa').version).toBe(1)
    for (const asked of ['', '3', 'aaaa', '../../etc', 'cccccccc'])
      expect(codeOf(() => findVersion(found, asked))).toBe('bundle-unknown')
    expect(codeOf(() => findVersion(found, hash('d')))).toBe('bundle-signature')
  })
})

describe('a signed line', () => {
  it('gives back what was signed, and nothing else', () => {
    const line = signLine({ kind: 'x/1', text: 'ü",\\"sig":"' }, KEY.privateKey)
    expect(readSignedLine(line, KEY.publicKey)).toEqual({ kind: 'x/1', text: 'ü",\\"sig":"' })
    expect(readSignedLine(line, OTHER.publicKey)).toBeNull()
    for (const other of ['', '{}', '[]', `${line} `, line.slice(1), line.replace('x/1', 'x/2')])
      expect(readSignedLine(other, KEY.publicKey)).toBeNull()
  })
})
