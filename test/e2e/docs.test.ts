import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Services, startServices } from '../../demo/sample-gate.ts'
import { configJsonSchema } from '../../src/config/schema.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

/**
 * What the pages say is what the program does: their files are checked by `sallyport check`, their commands are run
 * against the demo's services with only the ports replaced, their links lead somewhere, and RATIONALE.md has the
 * numbers of the code. A fence with a file's name (```yaml sallyport.yaml) is that file; ```sh is run; a last word
 * `stays` marks a gate that the page starts beside the prompt.
 */
const ROOT = resolve(import.meta.dirname, '../..')
const BIN = join(ROOT, 'bin', 'sallyport.js')
const CONTRACT = join(ROOT, 'demo', 'shop.openapi.yaml')

interface Fence {
  readonly language: string
  /** What follows the language: a file's name, or `stays`. */
  readonly info: string
  readonly text: string
}

function fences(page: string): Fence[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```([a-z]*)(?: ([^\n]+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', info = '', body = '']) => ({ language, info: info.trim(), text: body }),
  )
}

/** Pages written by hand; the generated reference has a test of its own. */
function pages(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return path === join('docs', 'reference') ? [] : below(path)
      return entry.name.endsWith('.md') ? [path] : []
    })
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  return [...top, ...below('docs')].sort()
}

const folders: string[] = []
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sallyport-docs-'))
  folders.push(made)
  return made
}
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

describe('examples of files', () => {
  it.each(pages())('%s names every file it shows', (page) => {
    const unnamed = fences(page).filter(
      ({ language, info }) => (language === 'yaml' || language === 'cedar') && info === '',
    )
    expect(unnamed.map(({ text }) => text)).toEqual([])
  })

  const withConfig = pages().filter((page) => fences(page).some(({ info }) => info === 'sallyport.yaml'))

  it.each(withConfig)('%s shows files that sallyport check takes', (page) => {
    const at = folder()
    copyFileSync(CONTRACT, join(at, 'shop.openapi.yaml'))
    for (const { language, info, text } of fences(page)) {
      if (info === '' || !['yaml', 'cedar', 'json', 'graphql'].includes(language)) continue
      expect(existsSync(join(at, info)), `${info} is shown twice`).toBe(false)
      mkdirSync(dirname(join(at, info)), { recursive: true })
      writeFileSync(join(at, info), text)
    }
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'check'], {
      cwd: at,
      encoding: 'utf8',
    })
    expect(`${stdout}${stderr}`).not.toContain('failed:')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

/** What commands are run with: a `sallyport` on the path, and the addresses the pages name replaced by real ones. */
interface Stage {
  readonly cwd: string
  readonly home: string
  readonly ports: Readonly<Record<string, number>>
  /** What a reader has copied into the shell, such as tokens. */
  readonly variables: Readonly<Record<string, string>>
}

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Exit code 1 is a finding, which a page may well show; anything above is a command that does not work. What stays is
 * a process group of its own, so that all of it ends.
 */
const PREAMBLE = `set -muo pipefail
shopt -s expand_aliases
trap 'code=$?; if [ $code -gt 1 ]; then echo "exit code $code: $BASH_COMMAND" >&2; exit $code; fi' ERR
trap 'code=$?; trap - ERR; for job in $(jobs -p); do kill -- -$job; wait $job; done; exit $code' EXIT
`

function script(page: string, ports: Stage['ports']): string {
  const parts = fences(page)
    .filter(({ language }) => language === 'sh')
    .map(({ info, text }) => (info === 'stays' ? stays(text) : text))
  let whole = parts.join('\n')
  for (const [written, real] of Object.entries(ports))
    whole = whole.replaceAll(
      new RegExp(`(?<=127\\.0\\.0\\.1:|localhost:|port )${written}\\b`, 'g'),
      String(real),
    )
  return PREAMBLE + whole
}

/** A reader waits until the gate says that it listens; here, until it answers where the page has it listen. */
function stays(text: string): string {
  const [, management = ''] = /--management-port (\d+)/.exec(text) ?? []
  return `${text}
for _ in $(seq 300); do curl -sfo /dev/null http://127.0.0.1:${management}/readyz && break; sleep 0.1; done
`
}

function run(page: string, { cwd, home, ports, variables }: Stage): Promise<Ran> {
  const bin = join(home, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'sallyport'), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`)
  chmodSync(join(bin, 'sallyport'), 0o755)
  const child = spawn('bash', ['-c', script(page, ports)], {
    cwd,
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: home, LANG: 'C.UTF-8', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8')
  })
  return new Promise((done, failed) => {
    child.once('error', failed)
    child.once('close', (code) => done({ code, stdout, stderr }))
  })
}

/** Empty where every command worked; else what was said. */
function failures({ code, stdout, stderr }: Ran): string {
  return code === 0 || code === 1 ? '' : `ended with ${code}\n${stderr}\n${stdout}`
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })
}

const portOf = (url: string): number => Number(new URL(url).port)

describe('commands', () => {
  let demo: DemoGate
  beforeAll(async () => {
    demo = await startDemoGate()
  })
  afterAll(() => demo.stop())

  const shown = pages().filter(
    (page) => page !== 'README.md' && fences(page).some(({ language }) => language === 'sh'),
  )

  it.each(shown)('%s shows commands that work', async (page) => {
    const ran = await run(page, {
      cwd: demo.folder,
      home: folder(),
      ports: {
        3000: portOf(demo.services.shop),
        4000: portOf(demo.services.issuer),
        8080: portOf(demo.url),
        9090: portOf(demo.management),
      },
      variables: { TOKEN: await demo.token('ana') },
    })
    expect(failures(ran)).toBe('')
    expectShown(page, ran)
  })
})

describe('README.md', () => {
  it('shows the two commands, and they exist', () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    )
    expect(text).toContain('npm ci && npm start')
    expect(text).toContain('npm ci && npm test')
    expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) })
  })

  describe('Protect your own API in five minutes', () => {
    let services: Services
    beforeAll(async () => {
      services = await startServices({ shop: 0, provider: 0 })
    })
    afterAll(() => services.stop())

    it('goes from init to owners as written', async () => {
      const home = folder()
      const ports = {
        3000: portOf(services.shop),
        4000: portOf(services.issuer),
        8081: await freePort(),
        9091: await freePort(),
      }
      const variables = { ANA: await services.token('ana'), BEN: await services.token('ben') }
      const ran = await run('README.md', { cwd: ROOT, home, ports, variables })
      expect(failures(ran)).toBe('')
      const statuses = [...ran.stdout.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
      const observed = [200, 200]
      const enforced = [401, 200]
      const beforeOwners = [200]
      const withOwners = [200, 404, 200]
      expect(statuses).toEqual([...observed, ...enforced, ...beforeOwners, ...withOwners])
      expectShown('README.md', ran)
    })
  })
})

/** Every line that a page shows as output was printed. */
function expectShown(page: string, { stdout }: Ran): void {
  for (const { language, text } of fences(page)) {
    if (language === 'text') for (const line of text.split('\n')) expect(stdout).toMatch(shownLine(line))
  }
}

/** A line a page shows: `…` stands for what differs each time. An answer before it may have no newline. */
function shownLine(line: string): RegExp {
  const literal = line.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`${literal.join('.*')}\r?$`, 'm')
}

describe('what the pages point at', () => {
  it.each(pages())('%s has links that lead somewhere', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    const targets = [...text.matchAll(/(?:\]\(|(?:src|href)=")([^)"#\s]+)(?:#[^)"]*)?[)"]/g)].map(
      ([, to = '']) => to,
    )
    const broken = targets.filter(
      (to) => !/^[a-z]+:/.test(to) && !existsSync(resolve(ROOT, dirname(page), to)),
    )
    expect(broken).toEqual([])
  })

  it.each(pages())('%s names only commands there are', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8')
    const { stdout } = spawnSync(process.execPath, [BIN, '--help'], { encoding: 'utf8' })
    const known = new Set([...stdout.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name))
    const named = [...text.matchAll(/(?:`|^)sallyport ([a-z]+)/gm)].map(([, name = '']) => name)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  it('lists every decision', () => {
    const index = readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8')
    for (const file of readdirSync(join(ROOT, 'docs/decisions'))) {
      if (file !== 'README.md') expect(index).toContain(`](${file})`)
    }
  })
})

describe('RATIONALE.md', () => {
  const rows = readFileSync(join(ROOT, 'RATIONALE.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  const constants = rows.filter((cells) => cells[3]?.startsWith('src/'))
  const keys = rows.filter((cells) => !cells[3]?.startsWith('src/'))

  it('has the numbers of the code', () => {
    const differing = constants.flatMap(([, name = '', value = '', file = '']) => {
      const found = numberOf(readFileSync(join(ROOT, file), 'utf8'), name)
      return found === Number(value.replaceAll(',', ''))
        ? []
        : [`${name} in ${file} is ${found}, not ${value}`]
    })
    expect(differing.join('\n')).toBe('')
  })

  it('has a row for every bound', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      // What only shapes the command line's output bounds nothing an outsider sends.
      .filter((file) => !file.startsWith('management'))
      .map((file) => join('src', file))
    const lacking = files.flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/^(?:export )?const (MAX_\w+) =/gm)]
        .map(([, name = '']) => name)
        .filter((name) => !constants.some((cells) => cells[1] === name && cells[3] === file))
        .map((name) => `${name} in ${relative('.', file)}`),
    )
    expect(lacking.join('\n')).toBe('')
  })

  it('has the defaults and ranges of the configuration', () => {
    const schema = configJsonSchema()
    for (const [, key = '', value = '', range = ''] of keys) {
      const { default: found, minimum, maximum } = at(schema, key.split('.'))
      expect({ key, value, range }).toEqual({
        key,
        value: found === undefined ? '–' : String(found),
        range: `${minimum} to ${maximum}`,
      })
    }
  })
})

/** The number of a constant or of a member of a table of limits, one that names another included; else NaN. */
function numberOf(source: string, name: string): number {
  const [, text] =
    new RegExp(`\\b${name}(?:: [A-Za-z]\\w*)?(?: = |: )(\\d[\\d_]*(?: (?:\\*|<<) \\d[\\d_]*)*)`).exec(
      source,
    ) ?? []
  if (text !== undefined) return arithmetic(text)
  const [, other] = new RegExp(`\\b${name} = (?:\\w+\\.)?([A-Za-z]\\w*)$`, 'm').exec(source) ?? []
  return other === undefined ? Number.NaN : numberOf(source, other)
}

/** `64 * 1024 * 1024`, `1 << 20`, `65_536`. */
function arithmetic(text: string): number {
  return text
    .replaceAll('_', '')
    .split('*')
    .map((factor) => {
      const [base = '', shift = '0'] = factor.split('<<')
      return Number(base.trim()) * 2 ** Number(shift.trim())
    })
    .reduce((product, factor) => product * factor, 1)
}

interface SchemaNode {
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
}

function at(schema: unknown, path: readonly string[]): SchemaNode {
  let node = schema as Record<string, unknown>
  for (const name of path) {
    const alternatives = node['anyOf'] as Record<string, unknown>[] | undefined
    const object = alternatives?.find((each) => each['type'] === 'object') ?? node
    const properties = object['properties'] as Record<string, Record<string, unknown>> | undefined
    node = (name === '*' ? object['additionalProperties'] : properties?.[name]) as Record<string, unknown>
  }
  return node as SchemaNode
}
