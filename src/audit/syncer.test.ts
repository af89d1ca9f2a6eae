import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { intentOf, outcomeOf, recordsIn, temporaryFolder, writerIn } from '../../test/audit-entries.ts'
import { SyncerClient, SyncerHub, syncerEntry } from './syncer-client.ts'
import { verifyAudit } from './verify.ts'

let folder: ReturnType<typeof temporaryFolder>
let worker: Worker
let hub: SyncerHub
beforeEach(() => {
  folder = temporaryFolder()
  hub = new SyncerHub()
  worker = new Worker(syncerEntry(), { workerData: hub.data })
})
afterEach(async () => {
  await worker.terminate()
  folder.remove()
})

describe('the syncer', () => {
  it('settles `disk` records of several threads once they are on the disk', async () => {
    const writers = [0, 1, 2].map((thread) =>
      writerIn(folder.path, {
        thread,
        durability: 'disk',
        syncer: new SyncerClient(hub.connect(worker)),
        maxSegmentBytes: 20_000,
      }),
    )
    let settled = 0
    const all: Promise<unknown>[] = []
    for (let i = 0; i < 40; i++) {
      for (const writer of writers) {
        const kept = writer.refusal(intentOf(i), outcomeOf(i))
        expect(kept).toBeInstanceOf(Promise)
        all.push(Promise.resolve(kept).then(() => settled++))
      }
    }
    await Promise.all(all)
    expect(settled).toBe(120)
    await Promise.all(writers.map((writer) => writer.close()))
    expect(await recordsIn(folder.path)).toHaveLength(120)
    expect(await verifyAudit(folder.path)).toMatchObject({ ok: true, faultCount: 0 })
  })

  it('syncs `os` records by itself, soon, and ends when told', async () => {
    const client = new SyncerClient(hub.connect(worker))
    const path = join(folder.path, 'file')
    writeFileSync(path, '')
    const handle = client.watch(path)
    appendFileSync(path, 'abc')
    handle.wrote(3)
    await handle.synced(3)
    appendFileSync(path, 'def')
    handle.wrote(6)
    await sleep(200)
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    hub.stop(worker)
    expect(await exited).toBe(0)
    await expect(handle.synced(6)).resolves.toBeUndefined()
    await expect(handle.synced(7)).rejects.toMatchObject({ code: 'audit-write-failed' })
  })

  it('says what it cannot sync', async () => {
    const client = new SyncerClient(hub.connect(worker))
    const handle = client.watch(join(folder.path, 'absent', 'file'))
    await expect(handle.synced(1)).rejects.toMatchObject({ code: 'audit-write-failed' })
    expect(handle.failed).toBe(true)
  })

  it('promises nothing once it is gone: `disk` records reject', async () => {
    const writer = writerIn(folder.path, {
      durability: 'disk',
      syncer: new SyncerClient(hub.connect(worker)),
    })
    await writer.refusal(intentOf(1), outcomeOf(1))
    await worker.terminate()
    await sleep(20)
    let refused = 0
    try {
      await writer.refusal(intentOf(2), outcomeOf(2))
    } catch {
      refused++
    }
    expect(refused).toBe(1)
    for (const name of readdirSync(folder.path)) rmSync(join(folder.path, name))
  })
})
