import { loadavg } from 'node:os'
import { expect, it } from 'vitest'
import { gateProcessOf, pause } from '../test/e2e/workbench.ts'
import { keepResult, SOAK_SECONDS } from './duration.ts'
import { CONTRACT_KINDS } from './hostile/contract-kinds.ts'
import { WatchedGate } from './hostile/gate.ts'
import { KINDS } from './hostile/kinds.ts'
import { send } from './hostile/send.ts'

/**
 * Bad input of every kind, in turn, while a healthy route is called steadily: each kind is refused with its reason or
 * served, the gate's process stays the same one, and its memory bounded. How much longer the healthy calls took, and
 * how long one call held a thread, is in the result; in short runs each kind is sent once.
 */
const LONG = SOAK_SECONDS >= 60
const SENDERS = 2
/** Two threads whose heaps may each grow by what a few bodies and answers weigh, and what a collection leaves behind. */
const MOST_MIB = 1_536
/** Of the last minute, before anything is started. */
const IDLE_LOAD = 1

it('serves the healthy while the hostile call', async () => {
  const gate = await WatchedGate.start()
  try {
    const load = loadavg()[0] ?? 0
    const only = process.env['SALLYPORT_SOAK_KIND'] ?? ''
    const kinds = KINDS.filter(({ name }) => name.includes(only))
    const contracts = CONTRACT_KINDS.filter(({ name }) => name.includes(only))
    const slot = (SOAK_SECONDS * 1_000) / (kinds.length + contracts.length)
    const pid = gateProcessOf(gate.bench.running)
    const rows: Record<string, unknown>[] = []
    const wrong: string[] = []
    await pause(LONG ? 3_000 : 300)
    await gate.latencies()
    await pause(LONG ? 5_000 : 300)
    const alone = await gate.latencies()

    const measured = async (name: string, act: () => Promise<ReadonlyMap<string, number>>): Promise<void> => {
      gate.forgetPeak()
      const before = gate.memory().now
      const since = Date.now()
      await gate.latencies()
      const said = await act()
      const healthy = await gate.latencies()
      const { peak } = gate.memory()
      rows.push({
        kind: name,
        said: Object.fromEntries(said),
        rssMb: peak,
        grownMb: peak - before,
        ...gate.longestDelay(since),
        healthyP99Ms: round(healthy.p99),
        healthyRatio: round(healthy.p99 / alone.p99),
        healthyCalls: healthy.calls,
      })
      if (healthy.failed > 0) wrong.push(`${name}: ${healthy.failed} healthy calls failed`)
      const ratio = healthy.p99 / alone.p99
      // On a machine that others use too, the ratio says nothing of the gate.
      if (LONG && load < IDLE_LOAD && ratio > 2)
        wrong.push(`${name}: healthy p99 ${round(ratio)} times as long`)
      if (peak > MOST_MIB) wrong.push(`${name}: ${peak} MiB`)
    }

    for (const { name, sending, said: may } of kinds) {
      const made = sending()
      await measured(name, async () => {
        const said = new Map<string, number>()
        const end = performance.now() + slot
        const sender = async (): Promise<void> => {
          do {
            const seen = await send(gate.url, made)
            said.set(seen.said, (said.get(seen.said) ?? 0) + 1)
            if (!may.includes(seen.said)) wrong.push(`${name}: ${seen.said}`)
          } while (LONG && performance.now() < end)
        }
        await Promise.all(Array.from({ length: LONG ? SENDERS : 1 }, sender))
        return said
      })
    }
    for (const { name, files, said: may } of contracts) {
      await measured(name, async () => {
        const good = files(gate.bench)
        const { code, json, stderr } = await gate.bench.running.command(['reload'])
        const text = `${code} ${typeof json === 'string' ? json : JSON.stringify(json)} ${stderr}`
        if (!may.test(text)) wrong.push(`${name}: ${text.slice(0, 600)}`)
        good()
        return new Map([[text.slice(0, 300), 1]])
      })
    }
    keepResult('hostile', {
      load,
      alone: { ...alone, p50: round(alone.p50), p99: round(alone.p99) },
      wrong: [...new Set(wrong)],
      kinds: rows,
    })
    expect([...new Set(wrong)]).toEqual([])
    // Not ended and started again meanwhile.
    expect(gateProcessOf(gate.bench.running)).toBe(pid)
  } finally {
    await gate.stop()
  }
})

const round = (ms: number): number => Math.round(ms * 100) / 100
