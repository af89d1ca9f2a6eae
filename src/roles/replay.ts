import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { listSegments, RECOVERY_THREAD, segmentPath } from '../audit/segment.ts'
import { readConfig } from '../config/read.ts'
import { unknownName } from '../management/recorded-names.ts'
import type { ReplayActions, ReplayRequest } from '../management/replay-actions.ts'
import { type ReplayReport, ReplayTally } from '../management/replay-report.ts'
import { SallyportError } from '../model/errors.ts'
import { writeBundle } from '../store/bundle-files.ts'
import { bundleFile, findVersion, listVersions } from '../store/bundle-versions.ts'
import { type DataDirectory, readDataDirectory } from '../store/data-directory.ts'
import { bundleParts, compileBundle } from './compile-bundle.ts'
import { ENTRY } from './entry.ts'
import { keyOf, verifyStoredBundle } from './open-bundle.ts'
import type { ReplayMessage, ReplayThreadData } from './replay-thread.ts'

/** Fewer bytes than this are read by one thread: starting another would take longer. */
const SPLIT_BYTES = 4 * 1_048_576
const MAX_THREADS = 16
const STORED = /^(?:\d{1,7}|[0-9a-f]{8,64})$/

/** Runs the recorded traffic of a store against another bundle, beside a running gate; nothing is changed. */
export const replay: ReplayActions['replay'] = async (request, onProgress) => {
  const { store, apis } = readConfig(request.config)
  const directory = readDataDirectory(store)
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-replay-'))
  try {
    const bundle = bundleFor(request, directory, scratch)
    const began = performance.now()
    const report = await run(request, directory, bundle, onProgress)
    const names = apis.map(({ name }) => name)
    // A mistyped name would otherwise pass for "nothing changes".
    if (request.api !== undefined && report.records === 0 && !names.includes(request.api))
      throw new SallyportError('usage', unknownName('API', request.api, names))
    return { ...report, bundle: bundle.hash, seconds: (performance.now() - began) / 1000 }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** A configuration is compiled for this run only; a version, or a hash's beginning, names a bundle of the store. */
function bundleFor(
  { against }: ReplayRequest,
  store: DataDirectory,
  scratch: string,
): { readonly file: string; readonly hash: string } {
  if (STORED.test(against) && !existsSync(against)) {
    const { hash } = findVersion(listVersions(store.bundles, keyOf(store)), against)
    verifyStoredBundle(store, hash)
    return { file: bundleFile(store.bundles, hash), hash }
  }
  if (!existsSync(against) && !/[./\\]/.test(against))
    throw new SallyportError(
      'config-missing',
      `${against} is neither a configuration’s file nor the version or hash of a bundle: sallyport bundle list names them`,
    )
  return writeBundle(scratch, bundleParts(compileBundle(against)))
}

async function run(
  { from, to, api }: ReplayRequest,
  directory: DataDirectory,
  bundle: { readonly file: string; readonly hash: string },
  onProgress: (fraction: number) => void,
): Promise<ReplayReport> {
  const { shares, bytes: total } = shareOut(directory.audit)
  const tally = new ReplayTally()
  let read = 0
  await Promise.all(
    shares.map((chains) => {
      const data: ReplayThreadData = {
        role: 'replay',
        store: directory.path,
        bundle,
        chains,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(api === undefined ? {} : { api }),
      }
      return readInThread(data, (message) => {
        if (message.type === 'done') return tally.merge(message.tally)
        read += message.bytes
        onProgress(total === 0 ? 1 : read / total)
      })
    }),
  )
  return tally.report()
}

/** The log's chains, the largest first, each to whoever has least so far. */
function shareOut(audit: string): {
  readonly shares: readonly (readonly string[])[]
  readonly bytes: number
} {
  const chains = [...listSegments(audit)]
    .filter(([chain]) => !chain.endsWith(`-${RECOVERY_THREAD}`))
    .map(([chain, segments]) => {
      const bytes = segments.reduce((sum, segment) => sum + statSync(segmentPath(audit, segment)).size, 0)
      return { chain, bytes }
    })
    .sort((one, other) => other.bytes - one.bytes)
  const total = chains.reduce((sum, { bytes }) => sum + bytes, 0)
  const threads = total < SPLIT_BYTES ? 1 : Math.min(availableParallelism(), MAX_THREADS, chains.length)
  const shares = Array.from({ length: Math.max(1, threads) }, () => ({ chains: [] as string[], bytes: 0 }))
  for (const { chain, bytes } of chains) {
    const least = shares.reduce((one, other) => (other.bytes < one.bytes ? other : one))
    least.chains.push(chain)
    least.bytes += bytes
  }
  return { shares: shares.map((share) => share.chains), bytes: total }
}

function readInThread(data: ReplayThreadData, take: (message: ReplayMessage) => void): Promise<void> {
  const worker = new Worker(ENTRY, {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: 2_048 },
    name: 'replay',
  })
  let done = false
  return new Promise((resolve, reject) => {
    worker.on('message', (message: ReplayMessage) => {
      done ||= message.type === 'done'
      take(message)
    })
    worker.once('error', reject)
    worker.once('exit', () => {
      if (done) resolve()
      else reject(new Error('a reader of the log ended before its end'))
    })
  })
}
