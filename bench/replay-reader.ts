import { MessageChannel } from 'node:worker_threads'
import { listSegments } from '../src/audit/segment.ts'
import { keyOf } from '../src/roles/open-bundle.ts'
import { type ReplayMessage, runReplayThread } from '../src/roles/replay-thread.ts'
import { bundleFile, listVersions } from '../src/store/bundle-versions.ts'
import { readDataDirectory } from '../src/store/data-directory.ts'

/** Runs in a process of its own: what one reader of `sallyport replay` does, over and over the same log. */

const ROUNDS = 6

const store = process.env['BENCH_STORE'] ?? ''
const directory = readDataDirectory(store)
const [version] = listVersions(directory.bundles, keyOf(directory))
if (version === undefined) throw new Error('the store has no bundle')
const { hash } = version
const bundle = { file: bundleFile(directory.bundles, hash), hash }
const chains = [...listSegments(directory.audit).keys()]

/** CPU µs for one record, garbage collection included. */
async function round(): Promise<number> {
  const { port1, port2 } = new MessageChannel()
  const records = new Promise<number>((resolve) => {
    port2.on('message', (message: ReplayMessage) => {
      if (message.type === 'done') resolve(message.tally.counts[0])
    })
  })
  const before = process.cpuUsage()
  await runReplayThread({ role: 'replay', store, bundle, chains }, port1)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (await records)
}

let least = Number.POSITIVE_INFINITY
for (let i = 0; i < ROUNDS; i++) least = Math.min(least, await round())
process.send?.(least)
