import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BundleHead, IssuerPlan } from '../model/bundle.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { IN_FORCE_FILE } from '../store/in-force-journal.ts'
import { Candidates } from './candidates.ts'
import type { BundleSummary } from './compile-in-thread.ts'
import { type BundlePorts, InForce } from './in-force.ts'

const KEY = generateKeyPairSync('ed25519')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-in-force-'))
  writeFileSync(join(folder, 'bundle.pub'), KEY.publicKey.export({ type: 'spki', format: 'pem' }))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const issuer = (iss: string) => ({ name: 'corp', iss }) as IssuerPlan

function summary(name: string, issuers: readonly IssuerPlan[] = [], sources?: string): BundleSummary {
  const { hash, file } = writeBundle(folder, [{ part: 'domain', domain: { name, detail: null } }])
  const none = { apis: [], operations: 0, policies: 0, tests: 0, warnings: [], watch: [], startOnly: {} }
  const written = sources === undefined ? {} : { sources: sources.repeat(64) }
  return { hash, file, config: 'c'.repeat(64), issuers, ...written, ...none }
}

/** Control's hand on bundles, over a gate that takes every one. */
function control(next: { summary: BundleSummary; swap?: () => Promise<never> }, journalLine = 0) {
  const records: Parameters<BundlePorts['record']>[] = []
  const shares: (number | null)[] = []
  const said: string[] = []
  const times = { longestStepMs: 0, totalMs: 0 }
  const ports: BundlePorts = {
    compile: () => Promise.resolve(next.summary),
    supervisor: {
      swap: () => next.swap?.() ?? Promise.resolve(times),
      stage: () => Promise.resolve(times),
      canary: (share) => Promise.resolve(void shares.push(share)),
    },
    addresses: { update: () => Promise.resolve() },
    keys: { update: () => undefined },
    record: (...entry) => void records.push(entry),
    journalLine,
    adopted: () => undefined,
    reloaded: () => undefined,
    say: (text) => void said.push(text),
    wallMs: () => 1,
  }
  const store = {
    path: folder,
    bundles: folder,
    audit: folder,
    keys: folder,
    node: '',
    release: () => undefined,
  }
  const inForce = new InForce(store, KEY, ports)
  inForce.first(next.summary)
  inForce.started()
  return { inForce, candidates: new Candidates(inForce, ports), shares, said, records }
}

describe('a bundle put in force', () => {
  it('says to whom promoted it that a restart will not know', async () => {
    const next = { summary: summary('one') }
    const { candidates } = control(next)
    next.summary = summary('two')
    await candidates.stage('x', 'ana')
    mkdirSync(join(folder, `${IN_FORCE_FILE}.new`))
    expect(await candidates.promote('ana')).toMatchObject({ version: 2, noted: false })
  })
})

/** `one` configured and `two` promoted over it; how many lines the management log knows of then. */
async function promoted(): Promise<number> {
  const next = { summary: stored('one', 'a') }
  const { candidates, inForce } = control(next)
  next.summary = stored('two', 'b')
  await candidates.stage('x', 'ana')
  await candidates.promote('ana')
  return inForce.journalLine
}

/** A bundle that can be read from the store again. */
function stored(name: string, sources: string, version = '1'): BundleSummary {
  const head = { ...HEAD, version, environment: name }
  const { hash, file } = writeBundle(folder, [
    { part: 'head', head },
    { part: 'policies', policies: { detail: null, reads: [] } },
  ])
  return { ...summary(name, [], sources), hash, file }
}

const HEAD: BundleHead = {
  format: 1,
  version: '1',
  issuers: [],
  limits: { tokenBytes: 1, fieldBytes: 1, fieldCount: 1 },
  environment: '',
  durability: 'os',
  auditAttributes: [],
}

describe('a promotion over a restart', () => {
  const file = () => join(folder, IN_FORCE_FILE)
  const lines = () => readFileSync(file(), 'utf8').trimEnd().split('\n')

  it('stays, also after an upgrade that compiles the configuration to another hash', async () => {
    const known = await promoted()
    const two = stored('two', 'b').hash
    const again = control({ summary: stored('one', 'a') }, known)
    expect(again.inForce.live.summary.hash).toBe(two)
    const upgraded = control({ summary: stored('one', 'a', '2') }, again.inForce.journalLine)
    expect(upgraded.inForce.live.summary.hash).toBe(two)
    expect(upgraded.said).toEqual([expect.stringContaining('stays in force until the configuration changes')])
    const edited = stored('three', 'd', '2')
    expect(control({ summary: edited }, known).inForce.live.summary.hash).toBe(edited.hash)
  })

  it('is not undone by cutting its line: the gate does not start', async () => {
    const known = await promoted()
    writeFileSync(file(), `${lines().slice(0, -1).join('\n')}\n`)
    expect(() => control({ summary: stored('one', 'a') }, known)).toThrow(
      /ends at line 1,.*knows of line 3; .*remove/,
    )
  })

  it('is undone by removing the journal, loudly, once', async () => {
    const known = await promoted()
    rmSync(file())
    const { said, records, inForce } = control({ summary: stored('one', 'a') }, known)
    expect(said).toEqual([expect.stringContaining('is gone')])
    expect(records).toEqual([['damage', 'sallyport', 'failed', { file: IN_FORCE_FILE, known }]])
    expect(inForce.journalLine).toBe(known + 1)
    expect(control({ summary: stored('one', 'a') }, known + 1).said).toEqual([])
  })

  it('that was not finished is told, and what was in force before stays', async () => {
    const one = stored('one', 'a')
    const { candidates } = control({ summary: one })
    const next = { summary: one, swap: () => Promise.reject(new Error('no')) }
    const killed = control(next, 1)
    let left = ''
    next.summary = stored('two', 'b')
    await killed.candidates.stage('x', 'ana')
    next.swap = () => {
      left = readFileSync(file(), 'utf8')
      return Promise.reject(new Error('no'))
    }
    await expect(killed.candidates.promote('ana')).rejects.toThrow('no')
    expect(candidates.status()['candidate']).toBeNull()
    // A swap that failed leaves nothing behind; control that ended in it does.
    expect(lines()).toHaveLength(1)
    writeFileSync(file(), left)
    expect(lines()).toHaveLength(2)
    const { inForce, said, records } = control({ summary: one }, 1)
    expect(inForce.live.summary.hash).toBe(one.hash)
    expect(said).toEqual([expect.stringContaining('promotion to version 2 by ana was not finished')])
    expect(records[0]).toMatchObject(['promote', 'ana', 'failed', { code: 'unfinished' }])
    expect(control({ summary: one }, 1).said).toEqual([])
  })
})

describe('a canary', () => {
  it('decides for nobody any more where a reload gives the name of its issuer to another', async () => {
    const next = { summary: summary('one', [issuer('https://a')]) }
    const { inForce, candidates, shares } = control(next)
    next.summary = summary('two', [issuer('https://a')])
    await candidates.stage('x', 'ana')
    await candidates.canary(10, 'ana')
    next.summary = summary('three', [issuer('https://b')])
    await inForce.reload('change')
    expect(shares.at(-1)).toBe(0)
    expect(candidates.status()).toMatchObject({ candidate: { share: 0 } })
  })
})
