import { appendFileSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { intentOf, outcomeOf, temporaryFolder, writerIn } from '../../test/audit-entries.ts'
import { checkEndedChains } from './ended-chains.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const path = (name: string) => join(folder.path, name)
const segmentsOf = (boot: string) =>
  readdirSync(folder.path).filter((name) => name.includes(`-${boot}-`) && name.endsWith('.seg'))
const check = (more: { maxBytes?: number; liveBoots?: string[]; signal?: AbortSignal } = {}) =>
  checkEndedChains({
    directory: folder.path,
    liveBoots: ['now'],
    signal: new AbortController().signal,
    ...more,
  })

async function ended(boot: string, count = 8, maxSegmentBytes?: number): Promise<string> {
  const size = maxSegmentBytes === undefined ? {} : { maxSegmentBytes }
  const writer = writerIn(folder.path, { boot, ...size })
  for (let i = 0; i < count; i++) writer.refusal(intentOf(i), outcomeOf(i))
  await writer.close()
  return segmentsOf(boot).at(-1) ?? ''
}

/** Changes a byte in the line, and gives where the line begins. */
function flip(name: string, line: number): number {
  const bytes = readFileSync(path(name))
  let begin = 0
  for (let i = 1; i < line; i++) begin = bytes.indexOf(10, begin) + 1
  bytes[begin + 150] = (bytes[begin + 150] ?? 0) ^ 1
  writeFileSync(path(name), bytes)
  return begin
}

describe('chains that ended well', () => {
  it('are told where a byte of their newest segment has changed since', async () => {
    const sound = await ended('b1', 30, 8_000)
    const damaged = await ended('b2', 30, 8_000)
    expect(segmentsOf('b1').length).toBeGreaterThan(2)
    expect(await check()).toEqual({ faults: [], unread: 0 })
    const byte = flip(damaged, 3)
    const { faults } = await check()
    expect(faults).toMatchObject([{ segment: damaged, line: 3, byte, kind: 'edited' }])
    expect(sound).not.toBe(damaged)
  })

  it('do not include what a running gate writes, nor a torn end', async () => {
    flip(await ended('now'), 3)
    appendFileSync(path(await ended('b1')), '{"v":1')
    expect(await check()).toEqual({ faults: [], unread: 0 })
  })

  it('are read newest first, up to a bound, and no further once told to end', async () => {
    const old = await ended('b1')
    const young = await ended('b2')
    flip(old, 2)
    flip(young, 2)
    utimesSync(path(old), 1_000, 1_000)
    const { faults, unread } = await check({ maxBytes: 1 })
    expect(faults.map(({ segment }) => segment)).toEqual([young])
    expect(unread).toBe(1)
    const over = new AbortController()
    over.abort()
    expect(await check({ signal: over.signal })).toEqual({ faults: [], unread: 2 })
  })
})
