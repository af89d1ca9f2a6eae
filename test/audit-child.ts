import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { SyncerClient, SyncerHub, syncerEntry } from '../src/audit/syncer-client.ts'
import { SegmentWriter } from '../src/audit/writer.ts'
import { intentOf, NODE, outcomeOf, STORE_KEY, subjectOf } from './audit-entries.ts'

/** Writes records as fast as it can and says on stdout what was acknowledged, until it is killed. */
const [directory = '', durability] = process.argv.slice(2)
const hub = new SyncerHub()
const syncer = new Worker(syncerEntry(), { workerData: hub.data })
const writer = new SegmentWriter({
  directory,
  node: NODE,
  boot: 'child',
  thread: 0,
  storeKey: STORE_KEY,
  durability: durability === 'disk' ? 'disk' : 'os',
  clock: { now: () => ({ wallMs: Date.now(), monoMs: performance.now() }) },
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  syncer: new SyncerClient(hub.connect(syncer)),
  maxSegmentBytes: 300_000,
})

for (let i = 0; ; i++) {
  await writer.intent(intentOf(i, { subject: subjectOf(`person-${i % 50}`) }))
  writeSync(1, `intent ${i}\n`)
  if (i % 10 === 9) continue
  await writer.outcome(outcomeOf(i))
  writeSync(1, `outcome ${i}\n`)
}
