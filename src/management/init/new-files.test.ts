import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { requireAbsent, writeNew } from './new-files.ts'

let folder = ''
const at = (path: string): string => join(folder, path)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-init-test-'))
})
afterEach(() => {
  chmodSync(folder, 0o755)
  rmSync(folder, { recursive: true })
})

test('makes folders and files, and leaves nothing else', () => {
  writeNew(at('new/deep'), [
    { path: at('new/deep/a.yaml'), text: 'a: ä\n' },
    { path: at('new/deep/policies/b.cedar'), text: '// b\n' },
  ])
  expect(readFileSync(at('new/deep/a.yaml'), 'utf8')).toBe('a: ä\n')
  expect(readdirSync(at('new/deep'), { recursive: true }).sort()).toEqual([
    'a.yaml',
    'policies',
    'policies/b.cedar',
  ])
})

test('names everything that stands in the way, broken links too', () => {
  writeFileSync(at('a'), '')
  symlinkSync(at('nowhere'), at('b'))
  expect(() => requireAbsent([at('a'), at('b'), at('c')])).toThrow(`${at('a')} and ${at('b')} exist already`)
  expect(() => requireAbsent([at('c')])).not.toThrow()
})

test('a file that appeared meanwhile is kept, and what was made before it is gone again', () => {
  mkdirSync(at('policies'))
  writeFileSync(at('policies/b.cedar'), 'mine')
  const files = [
    { path: at('a.yaml'), text: 'a' },
    { path: at('deep/c'), text: 'c' },
    { path: at('policies/b.cedar'), text: 'b' },
  ]
  expect(() => writeNew(folder, files)).toThrow(/nothing was written/)
  expect(readdirSync(folder)).toEqual(['policies'])
  expect(readFileSync(at('policies/b.cedar'), 'utf8')).toBe('mine')
})

test('a file where a folder is needed', () => {
  writeFileSync(at('policies'), 'a file')
  expect(() => writeNew(folder, [{ path: at('policies/b.cedar'), text: 'b' }])).toThrow(
    /in the way|folder is needed/,
  )
  expect(() => writeNew(at('policies/below'), [])).toThrow(/nothing was written/)
  expect(readdirSync(folder)).toEqual(['policies'])
})

test('a folder that may not be written', () => {
  // /proc takes no files from anyone, root included.
  const where = process.getuid?.() === 0 ? '/proc' : folder
  if (where === folder) chmodSync(folder, 0o555)
  expect(() => writeNew(where, [{ path: `${where}/a`, text: 'a' }])).toThrow(
    /nothing was written|may not write/,
  )
  expect(existsSync(`${where}/a`)).toBe(false)
})
