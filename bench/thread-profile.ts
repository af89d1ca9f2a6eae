import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { isMainThread, workerData } from 'node:worker_threads'

/**
 * Loaded ahead of the program (`--import`) for `--profile`: the gate thread samples itself from some seconds after
 * its start on, for some seconds, and writes a .cpuprofile. Nothing in the product knows of it.
 */
const { role }: { readonly role?: string } = isMainThread ? {} : (workerData ?? {})
const file = process.env['BENCH_PROFILE']

if (role === 'thread' && file !== undefined) {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 200 })
  setTimeout(() => session.post('Profiler.start'), Number(process.env['BENCH_PROFILE_AFTER_MS'])).unref()
  const end = Number(process.env['BENCH_PROFILE_AFTER_MS']) + Number(process.env['BENCH_PROFILE_FOR_MS'])
  setTimeout(() => {
    session.post('Profiler.stop', (error, result) => {
      if (error === null) writeFileSync(file, JSON.stringify(result.profile))
    })
  }, end).unref()
}
