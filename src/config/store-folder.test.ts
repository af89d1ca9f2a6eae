import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError } from './place.ts'
import { readStoreFolder } from './store-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const storeOf = (text: string): string => {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, text)
  return readStoreFolder(file)
}

describe('the store a configuration states', () => {
  it('is found beside the file', () => {
    expect(storeOf('store: ./kept\napis: {}\n')).toBe(join(folder, 'kept'))
    expect(storeOf('store: /var/lib/sallyport\n')).toBe('/var/lib/sallyport')
  })

  it('is found in a file that is being edited', () => {
    expect(storeOf('store: ./kept\nunknown: 1\napis: nonsense\n')).toBe(join(folder, 'kept'))
    expect(storeOf('store: ./kept\nlisten: { port: [8080\n')).toBe(join(folder, 'kept'))
  })

  it('is not guessed where a broken file does not state it, or as what it cannot be', () => {
    for (const text of ['listen: [1\n', 'store: postgres://x\napis: {}\n', 'store: [1]\n', '[1, 2]\n', '']) {
      expect(() => storeOf(text), text).toThrow(ConfigError)
    }
  })
})
