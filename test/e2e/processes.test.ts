import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sallyportBin } from '../../demo/sample-gate.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { sendOrder } from '../../src/management/control-socket.ts'
import { Connections, call, underLoad } from './caller.ts'
import { answerOk } from './upstream-server.ts'
import { gateProcessOf, isAlive, pause, until, Workbench } from './workbench.ts'

const benches: Workbench[] = []
const strays: number[] = []
afterEach(async () => {
  for (const pid of strays.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  for (const bench of benches.splice(0)) await bench.stop()
})

async function workbench(start = true): Promise<Workbench> {
  const bench = start ? await Workbench.start() : await Workbench.prepare()
  benches.push(bench)
  return bench
}

const ready = async (bench: Workbench) => (await call(`${bench.running.management}/readyz`)).status === 200
const portOf = (bench: Workbench) => Number(new URL(bench.running.url).port)

/** An upstream whose answers wait until they are let go. */
function slowAnswers(bench: Workbench): { waiting(): number; release(): void } {
  const waiting: (() => void)[] = []
  bench.upstream.answer = (request, response) => void waiting.push(() => answerOk(request, response))
  return {
    waiting: () => waiting.length,
    release: () => {
      for (const answer of waiting.splice(0)) answer()
    },
  }
}

describe('a gate process that is killed', () => {
  it('is started again on the same port, with bundle, keys and revocations', async () => {
    const bench = await workbench()
    const revoked = bench.issuer.token({ jti: 'stolen' })
    const good = bench.issuer.token()
    await sendOrder(bench.store, { order: 'revoke-token', keys: ['jti:stolen'], by: 'test' })
    const before = gateProcessOf(bench.running)
    const { fetches } = bench.issuer
    process.kill(before, 'SIGKILL')
    await until('readiness says so', async () => !(await ready(bench)), 2_000)
    await until('the gate serves again', () => ready(bench))
    expect(gateProcessOf(bench.running)).not.toBe(before)
    const connections = new Connections(16)
    const [refused, allowed] = [
      await connections.all(bench.url('/items/1'), { token: revoked }),
      await connections.all(bench.url('/items/1'), { token: good }),
    ]
    connections.close()
    expect(refused.map(({ status }) => status)).toEqual(Array(16).fill(401))
    expect(allowed.map(({ status }) => status)).toEqual(Array(16).fill(200))
    expect(await bench.threadsOf(allowed.map(({ id }) => id))).toEqual(new Set([0, 1]))
    expect(bench.issuer.fetches).toBe(fetches)
    expect(bench.running.said()).toMatch(/the gate process ended \(SIGKILL\); starting it again/)
  })

  it('takes a reload that comes meanwhile when it is back', async () => {
    const bench = await workbench()
    process.kill(gateProcessOf(bench.running), 'SIGKILL')
    await until('the death is seen', () => bench.running.said().includes('starting it again'))
    bench.write('policies/all.cedar', '@id("none")\nforbid (principal, action, resource);\n')
    await sendOrder(bench.store, { order: 'reload', by: 'test' })
    expect((await call(bench.url('/open'))).status).toBe(403)
    // And once more after another death: the new bundle is the one to come back with.
    process.kill(gateProcessOf(bench.running), 'SIGKILL')
    await until('readiness says so', async () => !(await ready(bench)), 2_000)
    await until('the gate serves again', () => ready(bench))
    expect((await call(bench.url('/open'))).status).toBe(403)
  })
})

describe('a control that is killed', () => {
  it('leaves a gate that serves on and says so; its successor takes over without a lost call', async () => {
    const bench = await workbench()
    const token = bench.issuer.token()
    const revoked = bench.issuer.token({ sub: 'mallory' })
    await sendOrder(bench.store, {
      order: 'revoke-subject',
      iss: bench.issuer.iss,
      sub: 'mallory',
      by: 'test',
    })
    const first = bench.running
    const orphan = gateProcessOf(first)
    strays.push(orphan)
    const port = portOf(bench)
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    await until('the gate says so', () => first.said().includes('control is gone'))
    const connections = new Connections(16)
    const alone = await connections.all(bench.url('/items/1'), { token })
    expect(alone.map(({ status }) => status)).toEqual(Array(16).fill(200))
    expect(await bench.threadsOf(alone.map(({ id }) => id))).toEqual(new Set([0, 1]))
    expect((await call(bench.url('/items/1'), { token: revoked })).status).toBe(401)

    // A successor that cannot start leaves it alone.
    bench.write('policies/all.cedar', 'permit (principal')
    await expect(bench.startGate({ gate: port })).rejects.toThrow(/all\.cedar/)
    expect((await call(bench.url('/items/1'), { token })).status).toBe(200)
    bench.write('policies/all.cedar', '@id("all")\npermit (principal, action, resource);\n')

    const slow = slowAnswers(bench)
    const underWay = connections.all(bench.url('/open'))
    await until('calls are under way', () => slow.waiting() === 16)
    const starting = bench.startGate({ gate: port })
    await pause(1_500)
    slow.release()
    bench.upstream.answer = answerOk
    expect((await underWay).map(({ status }) => status)).toEqual(Array(16).fill(200))
    const second = await starting
    connections.close()
    expect(second.url).toBe(first.url)
    expect(second.said()).toMatch(/left alone by its control is told to drain/)
    await until('the orphan is gone', () => !isAlive(orphan))
    expect((await call(bench.url('/items/1'), { token })).status).toBe(200)
    expect((await call(bench.url('/items/1'), { token: revoked })).status).toBe(401)
  })
})

describe('a gate without its control', () => {
  it('drains when it is told to by SIGTERM', async () => {
    const bench = await workbench()
    const orphan = gateProcessOf(bench.running)
    strays.push(orphan)
    process.kill(bench.running.pid, 'SIGKILL')
    await until('the gate says so', () => bench.running.said().includes('control is gone'))
    const slow = slowAnswers(bench)
    const underWay = call(bench.url('/open'))
    await until('a call is under way', () => slow.waiting() === 1)
    process.kill(orphan, 'SIGTERM')
    await until('no new connection is taken', () => refusesConnections(portOf(bench)))
    slow.release()
    expect((await underWay).status).toBe(200)
    await until('it is gone', () => !isAlive(orphan))
    // Its last records are whole: a chain that ended, not one that broke off.
    expect(await verifyAudit(bench.audit)).toMatchObject({ ok: true, faults: [] })
  })
})

describe('a start that cannot be', () => {
  it('is refused with exit code 2 where the store is in use', async () => {
    const bench = await workbench()
    const { code, stderr } = await bench.running.command(['start', '--port', '0', '--management-port', '0'])
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`store-in-use.*process ${bench.running.pid}.*Stop it, or name another`))
    expect((await call(bench.url('/open'))).status).toBe(200)
  })

  it('is refused with exit code 2 where a port is taken, with the way out', async () => {
    const bench = await workbench(false)
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const ended = async (ports: readonly string[]) => {
      const child = spawn(process.execPath, [sallyportBin(), 'start', '--config', bench.config, ...ports], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
      return { code, said }
    }
    const [gate, management] = [
      await ended(['--port', String(port), '--management-port', '0']),
      await ended(['--port', '0', '--management-port', String(port)]),
    ]
    taken.close()
    expect(gate.code).toBe(2)
    expect(gate.said).toMatch(new RegExp(`127.0.0.1:${port} is taken by another program.*--port`))
    expect(gate.said).toMatch(/port-taken/)
    expect(management.code).toBe(2)
    expect(management.said).toMatch(new RegExp(`127.0.0.1:${port}: another program.*--management-port`))
  })
})

describe('a stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s lets calls under way end and exits with 0',
    async (signal) => {
      const bench = await workbench()
      const { gate } = bench
      const slow = slowAnswers(bench)
      const connections = new Connections(8)
      const calls = connections.all(bench.url('/open'))
      await until('calls are under way', () => slow.waiting() === 8)
      const gateProcess = gateProcessOf(bench.running)
      process.kill(bench.running.pid, signal)
      // As a terminal does it: everybody in the group is told.
      if (signal === 'SIGINT') process.kill(gateProcess, signal)
      await until('no new connection is taken', () => refusesConnections(portOf(bench)))
      expect(await ready(bench)).toBe(false)
      slow.release()
      const answers = await calls
      connections.close()
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
      expect(await gate?.exited).toBe(0)
      expect(isAlive(gateProcess)).toBe(false)
      const records = await bench.records()
      for (const { id } of answers) expect(records.get(id)?.outcome).toMatchObject({ status: 200 })
      expect(bench.management().map(({ action }) => action)).toEqual(['start', 'stop'])
    },
  )

  it('under load breaks off no call that was taken', async () => {
    const bench = await workbench()
    const load = underLoad(
      8,
      () => bench.url('/open'),
      () => ({}),
    )
    await pause(300)
    await bench.running.stop()
    await load.stop()
    expect(await bench.running.exited).toBe(0)
    // What the gate took it answered, in full. A kept-alive connection that it ends between two calls may be reset
    // under a call it never saw, which is the caller's to repeat (RFC 9112 §9.3.1).
    const whats = [...load.seen.keys()].filter(
      (what) => !/^(200|error (ECONNREFUSED|ECONNRESET))$/.test(what),
    )
    expect(whats).toEqual([])
    const records = await bench.records()
    expect(new Set(records.keys())).toEqual(new Set(load.answers.map(({ id }) => id)))
    for (const { intent, outcome } of records.values())
      expect(outcome, intent.id).toMatchObject({ status: 200 })
  })

  it('while the gate starts leaves nothing behind', async () => {
    const bench = await workbench(false)
    for (const afterMs of [150, 400, 700]) {
      const child = spawn(process.execPath, [sallyportBin(), 'start', '--config', bench.config], {
        stdio: ['ignore', 'ignore', 'ignore'],
        detached: true,
      })
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      await pause(afterMs)
      const { pid = 0 } = child
      process.kill(-pid, 'SIGINT')
      await Promise.race([ended, pause(10_000)])
      await until('the whole group is gone', () => groupIsGone(pid))
    }
  })
})

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', () => resolve(true))
  })
}

function groupIsGone(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return false
  } catch {
    return true
  }
}
