import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recoverAudit } from '../../src/audit/recovery.ts'
import type { OpenSegmentFile } from '../../src/audit/segment.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { SallyportError } from '../../src/model/errors.ts'
import {
  intentOf,
  NODE,
  outcomeOf,
  recordsIn,
  subjectOf,
  temporaryFolder,
  testClock,
  writerIn,
} from '../audit-entries.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const numberOf = (id: string) => Number(id.slice(-12))

describe('kill -9 under load', () => {
  it.each(['os', 'disk'])('loses nothing that was acknowledged (%s)', async (durability) => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../audit-child.ts'), folder.path, durability],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.length > 40_000) child.kill('SIGKILL')
    })
    setTimeout(() => child.kill('SIGKILL'), 20_000).unref()
    await once(child, 'close')
    expect(child.signalCode).toBe('SIGKILL')
    const lines = said.split('\n').slice(0, -1)
    expect(lines.length).toBeGreaterThan(500)

    const { closed, faults } = recoverAudit({
      directory: folder.path,
      node: NODE,
      boot: 'next',
      clock: testClock(),
    })
    expect(faults.filter(({ kind }) => kind !== 'torn')).toEqual([])
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true })
    const records = new Map(
      (await recordsIn(folder.path)).map((record) => [numberOf(record.intent.id), record]),
    )
    let unknown = 0
    for (const record of records.values()) {
      expect(record.intent.sealed).toBe('open')
      expect(record.outcome).not.toBe(null)
      if (record.outcome === 'unknown') unknown++
    }
    expect(unknown).toBe(closed)
    for (const line of lines) {
      const [what, number] = line.split(' ')
      const record = records.get(Number(number))
      expect(record, line).toBeDefined()
      if (what === 'outcome') expect(record?.outcome, line).toMatchObject({ status: 200 })
    }
  })
})

interface ForgetfulFile {
  readonly bytes: Buffer[]
  size: number
  synced: number
  born: boolean
  readonly waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[]
}

/**
 * A disk that loses power: what was written and not synced is gone, but for as much of it as the disk happened to
 * have taken. It is synced as the syncer does it: round after round, file by file, new files' names last.
 */
function forgetfulDisk(directory: string) {
  const files = new Map<string, ForgetfulFile>()
  const noPower = new SallyportError('audit-write-failed', 'no power')
  let off = false
  const openFile: OpenSegmentFile = (path) => {
    const file: ForgetfulFile = { bytes: [], size: 0, synced: 0, born: false, waiting: [] }
    files.set(basename(path), file)
    return {
      append(bytes) {
        if (off) throw noPower
        file.bytes.push(Buffer.from(bytes))
        file.size += bytes.length
      },
      requestSync() {},
      synced: () =>
        off
          ? Promise.reject(noPower)
          : new Promise((resolve, reject) => file.waiting.push({ resolve, reject })),
      get size() {
        return file.size
      },
      failed: false,
      close() {},
      discard() {
        files.delete(basename(path))
      },
    }
  }
  const syncRounds = async () => {
    while (!off) {
      await sleep(Math.random() * 3)
      const fresh = [...files.values()].filter(({ born }) => !born)
      const known = [...files.values()].filter(({ born }) => born)
      for (const file of [...known, ...fresh]) {
        const { size } = file
        const waiting = file.waiting.splice(0)
        if (Math.random() < 0.3) await sleep(1)
        if (off) {
          for (const { reject } of waiting) reject(noPower)
          return
        }
        file.born = true
        file.synced = size
        for (const { resolve } of waiting) resolve()
      }
    }
  }
  void syncRounds()
  return {
    openFile,
    losePower() {
      off = true
      for (const [name, file] of files) {
        for (const { reject } of file.waiting) reject(noPower)
        if (!file.born) continue
        const luck = Math.random() < 0.5 ? 0 : Math.floor(Math.random() * (file.size - file.synced))
        writeFileSync(join(directory, name), Buffer.concat(file.bytes).subarray(0, file.synced + luck))
      }
    },
  }
}

describe('a disk that forgets what was not synced', () => {
  it.each(Array.from({ length: 8 }, (_, round) => round))(
    'loses nothing acknowledged under `disk` (round %i)',
    async (round) => {
      const disk = forgetfulDisk(folder.path)
      const writer = writerIn(folder.path, {
        durability: 'disk',
        openFile: disk.openFile,
        maxSegmentBytes: 60_000,
      })
      const intents = new Set<number>()
      const outcomes = new Set<number>()
      let next = 0
      let off = false
      const caller = async () => {
        while (!off) {
          const number = next++
          try {
            await writer.intent(intentOf(number, { subject: subjectOf(`person-${number % 40}`) }))
            if (!off) intents.add(number)
            await writer.outcome(outcomeOf(number))
            if (!off) outcomes.add(number)
          } catch (error) {
            if (!off) throw error
          }
          await setImmediate()
        }
      }
      const callers = Array.from({ length: 20 }, caller)
      await sleep(60 + round * 15)
      off = true
      disk.losePower()
      await Promise.all(callers)
      expect(outcomes.size).toBeGreaterThan(20)

      const records = new Map(
        (await recordsIn(folder.path)).map((record) => [numberOf(record.intent.id), record]),
      )
      for (const number of intents) {
        expect(records.get(number)?.intent.sealed, `intent ${number}`).toBe('open')
      }
      for (const number of outcomes) {
        expect(records.get(number)?.outcome, `outcome ${number}`).toMatchObject({ status: 200 })
      }
      const { faults } = await verifyAudit(folder.path)
      expect(faults.filter(({ kind }) => kind !== 'torn' && kind !== 'unfinished')).toEqual([])
    },
  )
})
