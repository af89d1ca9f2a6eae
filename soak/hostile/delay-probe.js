// Loaded before the gate's own code in each of its threads (`--import`): notes when an event loop was late. Plain
// JavaScript, so that nothing has to be stripped in the process under test.
import { appendFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { threadId } from 'node:worker_threads'

const EVERY_MS = 5
const WORTH_NOTING_MS = 15
const folder = process.env.SALLYPORT_SOAK_DELAYS

if (folder !== undefined && threadId > 0) {
  let last = performance.now()
  let used = process.threadCpuUsage()
  setInterval(() => {
    const now = performance.now()
    const cpu = process.threadCpuUsage(used)
    const late = now - last - EVERY_MS
    if (late > WORTH_NOTING_MS) {
      // When it ended, how late the loop was, and how long this thread itself ran meanwhile.
      const line = [Date.now(), Math.round(late), Math.round((cpu.user + cpu.system) / 1_000)].join(' ')
      appendFileSync(`${folder}/${process.pid}-${threadId}`, `${line}\n`)
    }
    last = performance.now()
    used = process.threadCpuUsage()
  }, EVERY_MS).unref()
}
