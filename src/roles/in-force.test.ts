import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IssuerPlan } from '../model/bundle.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { IN_FORCE_FILE } from '../store/in-force-journal.ts'
import { Candidates } from './candidates.ts'
import type { BundleSummary } from './compile-in-thread.ts'
import { type BundlePorts, InForce } from './in-force.ts'

const KEY = generateKeyPairSync('ed25519')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-in-force-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const issuer = (iss: string) => ({ name: 'corp', iss }) as IssuerPlan

function summary(name: string, issuers: readonly IssuerPlan[] = []): BundleSummary {
  const { hash, file } = writeBundle(folder, [{ part: 'domain', domain: { name, detail: null } }])
  const none = { apis: [], operations: 0, policies: 0, tests: 0, warnings: [], watch: [], startOnly: {} }
  return { hash, file, config: 'c'.repeat(64), issuers, ...none }
}

/** Control's hand on bundles, over a gate that takes every one. */
function control(next: { summary: BundleSummary }) {
  const shares: (number | null)[] = []
  const said: string[] = []
  const times = { longestStepMs: 0, totalMs: 0 }
  const ports: BundlePorts = {
    compile: () => Promise.resolve(next.summary),
    supervisor: {
      swap: () => Promise.resolve(times),
      stage: () => Promise.resolve(times),
      canary: (share) => Promise.resolve(void shares.push(share)),
    },
    addresses: { update: () => Promise.resolve() },
    keys: { update: () => undefined },
    record: () => undefined,
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
  return { inForce, candidates: new Candidates(inForce, ports), shares, said }
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
