import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * The house's walls (ARCHITECTURE.md, "Rooms"): which room may import which, and what only some may touch. Reads the
 * imports as text, so a breach fails here before it becomes a habit.
 */
const SRC = resolve(import.meta.dirname, '../src')

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  syntax: [],
  processes: ['model'],
  config: ['model', 'syntax'],
  identity: ['model', 'syntax'],
  contract: ['model', 'syntax'],
  information: ['model', 'syntax'],
  inspection: ['model', 'syntax'],
  decision: ['model', 'syntax'],
  behaviour: ['model', 'syntax'],
  inventory: ['model', 'syntax'],
  remediation: ['model'],
  audit: ['model', 'syntax'],
  store: ['model'],
  enforcement: ['model', 'syntax', 'identity', 'contract', 'information', 'inspection', 'decision'],
  management: ['model', 'syntax', 'config', 'decision', 'contract'],
  assurance: ['model', 'syntax', 'config', 'decision', 'contract'],
  governance: ['model', 'syntax', 'config', 'decision', 'contract'],
}

/** The composition, with the entries of the program and of the library: only they import all, and nobody imports them. */
const COMPOSES = new Set(['roles', 'main.ts', 'middleware.ts', 'builtins.ts'])

/** Node modules that are a sole right of rooms: sockets, processes and files are not everybody's. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  'node:child_process': ['processes'],
  'node:worker_threads': ['processes', 'audit'],
  'node:net': ['enforcement', 'processes', 'management', 'syntax'],
  'node:http': ['enforcement', 'management'],
  'node:fs': ['config', 'audit', 'store', 'management'],
  'node:dns': [],
  'node:dns/promises': [],
  undici: ['enforcement'],
}

/** These may name the others' ports: types only, their parts are passed to them. */
const SEES_PORTS = new Set(['management', 'assurance', 'governance'])

interface Import {
  readonly file: string
  readonly typeOnly: boolean
  readonly specifier: string
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.test.ts') ? [path] : []
  })
}

const files = sources(SRC)
const IMPORT =
  /(?:^|\n)(import|export)( type)?\b[^';]*?\bfrom '([^']+)'|\bimport\(\s*'([^']+)'|(?:^|\n)import '([^']+)'/g

const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => ({
    file,
    typeOnly: match[2] !== undefined,
    specifier: match[3] ?? match[4] ?? match[5] ?? '',
  })),
)

const roomOf = (file: string): string => relative(SRC, file).split('/', 1)[0] ?? ''

describe('rooms', () => {
  it('import only what the plan allows', () => {
    const breaches = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ file, specifier, typeOnly }) => ({
        file,
        typeOnly,
        from: roomOf(file),
        to: roomOf(resolve(dirname(file), specifier)),
      }))
      .filter(({ from, to }) => from !== to && !COMPOSES.has(from))
      .filter(({ from, typeOnly }) => !(typeOnly && SEES_PORTS.has(from)))
      .filter(({ from, to }) => !(MAY_IMPORT[from] ?? []).includes(to))
    expect(breaches.map(({ file, to }) => `${relative(SRC, file)} imports ${to}`)).toEqual([])
  })

  it('touch sockets, processes and files only by right', () => {
    const breaches = imports
      .filter(({ file, specifier }) => specifier in RIGHTS && !COMPOSES.has(roomOf(file)))
      .filter(({ file, specifier }) => !(RIGHTS[specifier] ?? []).includes(roomOf(file)))
    expect(breaches.map(({ file, specifier }) => `${relative(SRC, file)} imports ${specifier}`)).toEqual([])
  })

  it('have a name in the plan', () => {
    const unknown = files.map(roomOf).filter((room) => !(room in MAY_IMPORT) && !COMPOSES.has(room))
    expect([...new Set(unknown)]).toEqual([])
  })

  it('keep files short enough to read', () => {
    const long = files
      .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 400)
    expect(long.map(({ file, lines }) => `${relative(SRC, file)}: ${lines}`)).toEqual([])
  })

  it('take time and chance from their ports', () => {
    const breaches = files
      .filter((file) => !COMPOSES.has(roomOf(file)))
      .filter((file) =>
        /\bDate\.now\(|\bMath\.random\(|new Date\(\)/.test(
          readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
        ),
      )
    expect(breaches.map((file) => relative(SRC, file))).toEqual([])
  })
})

it('sees the imports it judges', () => {
  // Guards the pattern above: were it to match nothing, every wall would seem to hold.
  expect(imports.length).toBeGreaterThan(300)
  expect(imports.some(({ typeOnly }) => typeOnly)).toBe(true)
  expect(imports.some(({ specifier }) => specifier === 'node:fs')).toBe(true)
})
