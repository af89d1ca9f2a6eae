import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  exchangeId,
  intentOf,
  NODE,
  outcomeOf,
  recordsIn,
  temporaryFolder,
  testClock,
  writerIn,
} from '../../test/audit-entries.ts'
import { recoverAudit } from './recovery.ts'
import { verifyAudit } from './verify.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const recover = (boot = 'b2', liveBoots: readonly string[] = []) =>
  recoverAudit({ directory: folder.path, node: NODE, boot, clock: testClock(), liveBoots })
const contents = () =>
  new Map(
    readdirSync(folder.path)
      .filter((name) => !name.includes('recovery'))
      .map((name) => [name, readFileSync(join(folder.path, name), 'latin1')]),
  )

describe('recovery', () => {
  it('closes open intents as unknown, without a byte changed in the crashed segments', async () => {
    const crashed = writerIn(folder.path, { maxSegmentBytes: 6_000 })
    crashed.intent(intentOf(0))
    for (let i = 1; i < 12; i++) crashed.refusal(intentOf(i), outcomeOf(i))
    crashed.intent(intentOf(99))
    const before = contents()
    expect(before.size).toBeGreaterThan(4)
    expect(recover()).toEqual({ chains: 1, closed: 2, faults: [] })
    expect(contents()).toEqual(before)
    const records = await recordsIn(folder.path)
    expect(records).toHaveLength(13)
    expect(records.filter(({ outcome }) => outcome === 'unknown').map(({ intent }) => intent.id)).toEqual([
      exchangeId(0),
      exchangeId(99),
    ])
    expect(records.some(({ outcome }) => outcome === null)).toBe(false)
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0, records: 13 })
  })

  it('does so once, and leaves alone what ended well or may still be written', async () => {
    const ended = writerIn(folder.path)
    ended.refusal(intentOf(1), outcomeOf(1))
    await ended.close()
    writerIn(folder.path, { boot: 'b-live', thread: 1 }).intent(intentOf(2))
    writerIn(folder.path, { boot: 'b-dead', thread: 1 }).intent(intentOf(3))
    expect(recover('b2', ['b-live'])).toMatchObject({ chains: 1, closed: 1 })
    expect(recover('b3', ['b-live'])).toMatchObject({ chains: 0, closed: 0 })
    expect(recover('b4')).toMatchObject({ chains: 1, closed: 1 })
  })

  it('reports a torn and a corrupt segment with its position and leaves it; a new one is written beside', async () => {
    writerIn(folder.path).intent(intentOf(1))
    const name = readdirSync(folder.path).find((one) => one.endsWith('.seg')) ?? ''
    const path = join(folder.path, name)
    const bytes = readFileSync(path)
    const third = bytes.indexOf(10, bytes.indexOf(10) + 1) + 1
    bytes[third + 200] = (bytes[third + 200] ?? 0) ^ 1
    writeFileSync(path, bytes)
    appendFileSync(path, '{"v":1,"n":')
    const { faults, chains } = recover()
    expect(chains).toBe(1)
    expect(faults).toMatchObject([
      { segment: name, line: 3, byte: third, kind: 'edited' },
      { segment: name, line: 4, byte: bytes.length, kind: 'torn' },
    ])
    expect(statSync(path).size).toBe(bytes.length + 11)
    const writer = writerIn(folder.path, { boot: 'b2' })
    writer.refusal(intentOf(5), outcomeOf(5))
    await writer.close()
    expect((await recordsIn(folder.path)).map(({ intent }) => intent.id)).toEqual([exchangeId(5)])
  })

  it('recovers a recovery that broke off, too', async () => {
    writerIn(folder.path).intent(intentOf(1))
    recover('b2')
    const name = readdirSync(folder.path).find((one) => one.includes('recovery')) ?? ''
    const lines = readFileSync(join(folder.path, name), 'latin1').split('\n')
    writeFileSync(join(folder.path, name), `${lines.slice(0, 2).join('\n')}\n`)
    expect((await verifyAudit(folder.path)).faults.map(({ kind }) => kind)).toEqual([
      'unfinished',
      'unfinished',
    ])
    expect(recover('b3')).toMatchObject({ chains: 2 })
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faults: [] })
    expect(await recordsIn(folder.path)).toMatchObject([{ outcome: 'unknown' }])
  })

  it('goes on beside a damaged chain of the same name', async () => {
    writerIn(folder.path).intent(intentOf(1))
    const name = readdirSync(folder.path).find((one) => one.endsWith('.seg')) ?? ''
    appendFileSync(join(folder.path, name), 'rubbish\n')
    const writer = writerIn(folder.path)
    writer.refusal(intentOf(2), outcomeOf(2))
    await writer.close()
    const { faults } = await verifyAudit(folder.path)
    expect(faults).toMatchObject([{ segment: name, line: 4, kind: 'edited' }])
  })
})
