import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { GateSettings } from '../../src/model/channel.ts'
import { GateProcess } from '../../src/processes/gate-process.ts'
import type { CounterDeltas, GateMessage } from '../../src/processes/messages.ts'
import { Supervisor } from '../../src/processes/supervisor.ts'
import { systemClock } from '../../src/roles/system.ts'
import { until } from './workbench.ts'

const SETTINGS: GateSettings = {
  host: '127.0.0.1',
  port: 0,
  threads: 2,
  store: '',
  node: 'n',
  boot: 'b',
  durability: 'os',
  headBytes: 32_768,
  gateId: 'test',
  bundleKey: '',
}

/** The gate process with threads that only speak the channel: what it does when one of them dies. */
async function gateProcess() {
  const messages: GateMessage[] = []
  const said: string[] = []
  const gate = new GateProcess(SETTINGS, {
    entry: join(import.meta.dirname, 'fake-thread.ts'),
    send: (message) => void messages.push(message),
    syncerLink: () => ({ port: new MessageChannel().port1, bell: new SharedArrayBuffer(4) }),
    say: (text) => void said.push(text),
    clock: systemClock,
  })
  const seen = (type: GateMessage['type'], from = 0) =>
    messages.slice(from).find((each) => each.type === type)
  const bundle = (file: string) => ({ hash: file, file })
  await gate.start()
  gate.receive({ type: 'prepare', epoch: 1, bundle: bundle('first'), use: 'live' })
  await until('both prepared', () => seen('prepared'))
  gate.receive({ type: 'commit', epoch: 1 })
  await until('both listen', () => seen('listening'))
  const stop = async () => {
    gate.receive({ type: 'drain', withinMs: 1_000 })
    await until('both drained', () => seen('drained'))
  }
  return { gate, messages, said, seen, bundle, stop }
}

describe('a gate thread that dies', () => {
  it('is replaced by one that knows what the others know, and the others go on meanwhile', async () => {
    const { gate, messages, seen, bundle, stop } = await gateProcess()
    const at = Date.now()
    // Run out by the wall clock, which may have been set forward: a running gate forgets nothing.
    const common = { until: at - 1, by: 'test', at }
    gate.receive({ type: 'revoke', sequence: 1, revocations: [{ kind: 'token', key: 'jti:x', ...common }] })
    gate.receive({ type: 'prepare', epoch: 2, bundle: bundle('second'), use: 'live' })
    await until('both prepared', () => messages.find((each) => each.type === 'prepared' && each.epoch === 2))
    gate.receive({ type: 'commit', epoch: 2 })
    await until('both committed', () =>
      messages.find((each) => each.type === 'committed' && each.epoch === 2),
    )
    const from = messages.length
    // Its heap runs full: the limits of its own keep that from ending the process.
    gate.receive({ type: 'state', state: { type: 'addresses', table: { 'exhaust-0': [] } } })
    await until('its death is told', () => seen('thread-died', from), 30_000)
    expect(seen('thread-died', from)).toMatchObject({ thread: 0, why: 'exit 1' })
    gate.receive({ type: 'state', state: { type: 'addresses', table: {} } })
    // Confirmed by the one that lives; the other is told before it listens.
    gate.receive({ type: 'revoke', sequence: 2, revocations: [{ kind: 'token', key: 'jti:y', ...common }] })
    await until('the revocation is in force', () => seen('applied', from))
    await until('all listen again', () => seen('listening', from))
    const told = messages.slice(from).flatMap((each) => (each.type === 'counters' ? [each] : []))
    expect(told).toEqual([
      {
        type: 'counters',
        thread: 0,
        counters: { 'state addresses revoke jti:x jti:y prepare commit listen': 1 },
      },
    ])
    expect(seen('listening', from)).toEqual({ ...seen('listening'), threads: 2 })
    await stop()
  })

  it('while it instantiates a bundle fails the swap: the bundle may be what it died of', async () => {
    const { gate, messages, seen, bundle, stop } = await gateProcess()
    const from = messages.length
    gate.receive({ type: 'prepare', epoch: 2, bundle: bundle('dies-1'), use: 'live' })
    const failed = await until('the swap fails', () => seen('prepare-failed', from))
    expect(failed).toMatchObject({
      epoch: 2,
      message: 'gate thread 1 ended while it instantiated the bundle',
    })
    gate.receive({ type: 'abandon', epoch: 2 })
    await until('all listen again', () => seen('listening', from))
    expect(seen('prepared', from)).toBeUndefined()
    gate.receive({ type: 'prepare', epoch: 3, bundle: bundle('third'), use: 'live' })
    await until('the next one is prepared', () => seen('prepared', from))
    await stop()
  })
})

describe('a candidate', () => {
  it('is told to a thread that takes a dead one’s place, with its share; one that came into force is none', async () => {
    const { gate, messages, seen, bundle, stop } = await gateProcess()
    const put = async (epoch: number, file: string, use: 'live' | 'candidate') => {
      gate.receive({ type: 'prepare', epoch, bundle: bundle(file), use })
      await until('prepared', () => messages.find((each) => each.type === 'prepared' && each.epoch === epoch))
      gate.receive({ type: 'commit', epoch })
      await until('committed', () =>
        messages.find((each) => each.type === 'committed' && each.epoch === epoch),
      )
    }
    const toldAfterDeath = async (index: number) => {
      const from = messages.length
      gate.receive({ type: 'state', state: { type: 'addresses', table: { [`exhaust-${index}`]: [] } } })
      await until('its death is told', () => seen('thread-died', from), 30_000)
      gate.receive({ type: 'state', state: { type: 'addresses', table: {} } })
      await until('all listen again', () => seen('listening', from))
      return messages
        .slice(from)
        .flatMap((each) => (each.type === 'counters' ? Object.keys(each.counters) : []))
    }
    await put(2, 'next', 'candidate')
    gate.receive({ type: 'canary', sequence: 1, share: 25 })
    await until('the share is known', () => seen('applied'))
    // Before it listens it is told of the bundle in force; what it is told after that, the counters do not hold.
    expect(await toldAfterDeath(0)).toEqual(['state addresses revoke prepare commit listen'])
    await put(3, 'next', 'live')
    const from = messages.length
    gate.receive({ type: 'canary', sequence: 2, share: null })
    await until('it is dropped', () => seen('applied', from))
    await stop()
  }, 60_000)
})

describe('a swap', () => {
  it('is prepared when the slowest thread is, and fails with the first that fails', async () => {
    const { gate, messages, seen, bundle, stop } = await gateProcess()
    const from = messages.length
    const began = performance.now()
    gate.receive({ type: 'prepare', epoch: 2, bundle: bundle('slow-0'), use: 'live' })
    await until('both prepared', () => seen('prepared', from))
    expect(performance.now() - began).toBeGreaterThan(250)
    gate.receive({ type: 'abandon', epoch: 2 })
    gate.receive({ type: 'prepare', epoch: 3, bundle: bundle('fails-1'), use: 'live' })
    expect(await until('it fails', () => seen('prepare-failed', from))).toMatchObject({
      epoch: 3,
      message: 'spoilt',
    })
    await stop()
  })
})

/** Control's side of it: a real gate process with those threads. */
async function supervised() {
  const told: { thread: number; counters: CounterDeltas }[] = []
  const said: string[] = []
  let deaths = 0
  const supervisor = new Supervisor(SETTINGS, {
    entry: join(import.meta.dirname, 'fake-gate.ts'),
    keyWanted: () => undefined,
    counters: (thread, counters) => void told.push({ thread, counters }),
    threadDied: () => {
      deaths++
    },
    say: (text) => void said.push(text),
  })
  const bundle = (file: string) => ({ hash: file, file })
  await supervisor.start(bundle('first'))
  return { supervisor, told, said, bundle, deaths: () => deaths }
}

describe('control’s hold on the gate process', () => {
  it('is told of a thread’s death', async () => {
    const { supervisor, bundle, deaths } = await supervised()
    await expect(supervisor.swap(bundle('dies-0'))).rejects.toThrow(
      /gate thread 0 ended while it instantiated/,
    )
    await until('the death is counted', () => deaths() === 1)
    await supervisor.stop(1_000)
  })

  it('one that dies in the middle of a swap fails it, comes back with the last good bundle, and takes the next', async () => {
    const { supervisor, told, said, bundle } = await supervised()
    const first = supervisor.gatePid ?? 0
    const broken = supervisor.swap(bundle('slow-0'))
    const next = supervisor.swap(bundle('third'))
    setTimeout(() => process.kill(first, 'SIGKILL'), 100)
    await expect(broken).rejects.toThrow(/the gate process ended \(SIGKILL\)/)
    expect(supervisor.listening).toBe(false)
    const at = Date.now()
    // While none lives nobody accepts what is revoked now; the next one is told before it listens.
    const revocation = { kind: 'token', key: 'jti:late', until: at - 1, by: 'test', at } as const
    await supervisor.revoke([revocation])
    // What waited for its turn meets the gap, or the new process; either way it is answered soon.
    await next.catch((error: Error) => expect(error.message).toMatch(/being started again/))
    await until('it listens again', () => supervisor.listening)
    expect(supervisor.gatePid).not.toBe(first)
    expect(said).toContain('the gate process ended (SIGKILL); starting it again')
    await until('it was told', () =>
      told.some(({ counters }) => /jti:late.*listen/.test(Object.keys(counters)[0] ?? '')),
    )
    await supervisor.swap(bundle('fourth'))
    await supervisor.stop(1_000)
  })

  it('holds to a swap that was committed: a thread that does not take it is replaced', async () => {
    const { supervisor, said, bundle, deaths } = await supervised()
    await supervisor.swap(bundle('stuck-0'))
    await until('the death is counted', () => deaths() === 1)
    expect(said).toEqual([expect.stringContaining('gate thread 0 ended')])
    await supervisor.swap(bundle('third'))
    await supervisor.stop(1_000)
  }, 30_000)

  it('starts a gate process that dies of its commit with the bundle that was committed', async () => {
    const { supervisor, told, bundle } = await supervised()
    const first = supervisor.gatePid
    const from = told.length
    await supervisor.swap(bundle('ends-once'))
    await until('another one listens', () => supervisor.listening && supervisor.gatePid !== first)
    await until('it was told', () => told.length > from)
    expect(Object.keys(told.at(-1)?.counters ?? {})[0]).toMatch(/prepare commit listen ends-once$/)
    await supervisor.stop(1_000)
  }, 30_000)

  it('ends at once where there is no gate process to drain', async () => {
    const { supervisor } = await supervised()
    process.kill(supervisor.gatePid ?? 0, 'SIGKILL')
    await until('it is gone', () => !supervisor.listening)
    const began = performance.now()
    await supervisor.stop(10_000)
    expect(performance.now() - began).toBeLessThan(1_000)
    await expect(supervisor.swap({ hash: 'x', file: 'x' })).rejects.toThrow(/is being stopped/)
  })
})
