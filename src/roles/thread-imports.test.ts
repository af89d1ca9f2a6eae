import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { expect, test } from 'vitest'

/** Every file and package that a role loads before its first call. */
function loadedBy(entry: string): ReadonlySet<string> {
  const seen = new Set<string>()
  const open = [entry]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    if (!file.startsWith('/')) continue
    const text = readFileSync(file, 'utf8')
    for (const [, words = '', specifier = ''] of text.matchAll(
      /(?:^|\n)(?:import|export)\b([^';]*?)\bfrom '([^']+)'/g,
    )) {
      if (words.trimStart().startsWith('type ')) continue
      open.push(specifier.startsWith('.') ? resolve(dirname(file), specifier) : specifier)
    }
  }
  return seen
}

test('a gate thread loads neither Cedar’s WebAssembly nor what commands and configuration need', () => {
  const loaded = loadedBy(resolve(import.meta.dirname, 'thread.ts'))
  expect(loaded.has(resolve(import.meta.dirname, '../decision/cedar/evaluate.ts'))).toBe(true)
  const packages = [...loaded].filter((each) => !each.startsWith('/') && !each.startsWith('node:'))
  const heavies = [
    '@cedar-policy/cedar-wasm/nodejs',
    'yaml',
    'commander',
    'chokidar',
    'zod',
    'graphql',
    'ajv/dist/core.js',
  ]
  for (const heavy of heavies) expect(packages).not.toContain(heavy)
})
