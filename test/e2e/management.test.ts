import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MANAGEMENT_FILE } from '../../src/audit/management-log.ts'
import { sendOrder } from '../../src/management/control-socket.ts'
import { Connections, call } from './caller.ts'
import { childrenOf, gateProcessOf, pause, until, Workbench } from './workbench.ts'

let bench: Workbench
beforeAll(async () => {
  bench = await Workbench.start()
})
afterAll(() => bench.stop())

const manage = (path: string, fields: readonly string[] = [], method = 'GET') =>
  call(`${bench.running.management}${path}`, { fields, method })

describe('the management port', () => {
  it('tells health and readiness', async () => {
    expect(await manage('/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
    const ready = await manage('/readyz')
    expect(ready.status).toBe(200)
    expect(JSON.parse(ready.body)).toEqual({ ready: true, missing: [] })
    expect((await manage('/')).status).toBe(404)
  })

  it('counts in the form Prometheus reads', async () => {
    const value = (text: string, line: RegExp) => Number(line.exec(text)?.[1] ?? 0)
    const allowed =
      /^sallyport_exchanges_total\{api="shop",effect="allow",action="forwarded",status="2xx"\} (\d+)$/m
    const refused = /^sallyport_reasons_total\{api="shop",reason="token-missing",outcome="stop"\} (\d+)$/m
    const before = (await manage('/metrics')).body
    for (let i = 0; i < 5; i++) await call(bench.url('/open'))
    for (let i = 0; i < 3; i++) await call(bench.url('/items/1'))
    const after = await until('the threads have reported', async () => {
      const { body } = await manage('/metrics')
      const added = (line: RegExp): number => value(body, line) - value(before, line)
      return added(allowed) >= 5 && added(refused) >= 3 && body
    })
    expect(value(after, allowed) - value(before, allowed)).toBe(5)
    expect(value(after, refused) - value(before, refused)).toBe(3)
    expect(after).toMatch(/^sallyport_bundle_info\{hash="[0-9a-f]{64}"\} 1$/m)
    expect(after).toMatch(/^sallyport_issuer_keys_usable\{issuer="corp"\} 1$/m)
    expect(after).toMatch(/^sallyport_thread_deaths_total 0$/m)
    expect((await manage('/metrics')).headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    for (const line of after.split('\n')) {
      expect(line).toMatch(/^$|^# (HELP|TYPE) sallyport_\w+ .+|^sallyport_\w+(\{.*\})? [0-9.e+]+$/)
    }
  })

  it('answers on no other name than its own: a rebound one ends here', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1']) {
      const { status, body } = await manage('/metrics', ['Host', host])
      expect(status, host).toBe(421)
      expect(body).not.toContain('sallyport_')
    }
    for (const host of ['localhost', '127.0.0.1:1', 'LOCALHOST.'])
      expect((await manage('/healthz', ['Host', host])).status, host).toBe(200)
  })

  it('changes nothing', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await manage('/metrics', [], method)
      expect(status, method).toBe(405)
      expect(headers['allow']).toBe('GET, HEAD')
    }
    expect((await manage('/healthz', [], 'HEAD')).body).toBe('')
  })
})

describe('the store', () => {
  it('is its owner’s alone, and so is the control socket', () => {
    const mode = (path: string) => statSync(join(bench.store, path)).mode & 0o777
    expect(mode('')).toBe(0o700)
    for (const folder of ['audit', 'bundles', 'keys']) expect(mode(folder), folder).toBe(0o700)
    expect(mode('control.sock')).toBe(0o600)
    expect(mode('revocations.ndjson')).toBe(0o600)
    for (const folder of ['keys', 'bundles', 'audit'])
      for (const file of readdirSync(join(bench.store, folder)))
        expect(mode(`${folder}/${file}`), file).toBe(0o600)
  })
})

describe('a log that cannot be written', () => {
  it('is told by /readyz while calls are refused for it, and the gate goes on by itself', async () => {
    const token = bench.issuer.token()
    const get = async () => (await call(bench.url('/items/1'), { token })).status
    const away = `${bench.audit}.away`
    renameSync(bench.audit, away)
    try {
      // New segments are begun where there is no folder any more; what the order itself comes to is not the point.
      const order = { order: 'note-erasure', keys: 0, segments: 0, by: 'test' } as const
      await sendOrder(bench.store, order).catch(() => undefined)
      await until('calls are refused', async () => (await get()) === 503)
      const missing = await until('readiness says why', async () => {
        await get()
        const { status, body } = await manage('/readyz')
        return status === 503 && (JSON.parse(body) as { missing: string[] }).missing
      })
      expect(missing).toEqual([expect.stringMatching(/^records cannot be written/)])
    } finally {
      renameSync(away, bench.audit)
    }
    // On each thread, a moment after its last try to write.
    const connections = new Connections(16)
    await until('calls are answered again', async () => {
      const answers = await connections.all(bench.url('/items/1'), { token })
      return answers.every(({ status }) => status === 200)
    })
    connections.close()
  })
})

describe('a revocation', () => {
  /** Kept-alive connections to both threads, proved by the records. */
  async function toBothThreads(token: string): Promise<Connections> {
    const connections = new Connections(16)
    const answers = await connections.all(bench.url('/items/1'), { token })
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(200))
    expect(await bench.threadsOf(answers.map(({ id }) => id))).toEqual(new Set([0, 1]))
    return connections
  }

  async function refusedEverywhere(connections: Connections, token: string, reason: string): Promise<void> {
    const answers = await connections.all(bench.url('/items/1'), { token })
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(401))
    expect(await bench.threadsOf(answers.map(({ id }) => id))).toEqual(new Set([0, 1]))
    for (const { id, headers } of answers) {
      expect(headers['www-authenticate']).toMatch(/error="invalid_token"/)
      expect(await bench.reasonsOf(id)).toContain(reason)
    }
  }

  const byJti = { jti: 'jti-of-a-stolen-token' }
  let first: string
  let second: string
  let third: string
  let other: string

  it('of a token by its jti holds from the next call on, on every thread and kept-alive connection', async () => {
    first = bench.issuer.token(byJti)
    other = bench.issuer.token()
    const connections = await toBothThreads(first)
    const { code, json } = await bench.running.command(['revoke', 'token', byJti.jti])
    expect(code).toBe(0)
    expect(json).toMatchObject({ ok: true, revoked: 1 })
    await refusedEverywhere(connections, first, 'token-revoked')
    connections.close()
    expect((await call(bench.url('/items/1'), { token: other })).status).toBe(200)
  })

  it('of a token that stands on standard input needs no jti', async () => {
    second = bench.issuer.token({ jti: 'another' })
    const connections = await toBothThreads(second)
    const { code } = await bench.running.command(['revoke', 'token', '-'], `${second}\n`)
    expect(code).toBe(0)
    await refusedEverywhere(connections, second, 'token-revoked')
    connections.close()
  })

  it('of a subject refuses all its tokens so far, and those of another issuer’s namesake not', async () => {
    third = bench.issuer.token({ sub: 'mallory' })
    const connections = await toBothThreads(third)
    // Issued before the revocation by an issuer whose clock is ahead, within its skew of 30 s.
    const ahead = bench.issuer.token({ sub: 'mallory', iat: Math.floor(Date.now() / 1000) + 20 })
    expect((await call(bench.url('/items/1'), { token: ahead })).status).toBe(200)
    const { code, json } = await bench.running.command(['revoke', 'subject', bench.issuer.iss, 'mallory'])
    expect(code).toBe(0)
    expect(json).toMatchObject({ revoked: 1, issuer: 'corp', iss: bench.issuer.iss, sub: 'mallory' })
    await refusedEverywhere(connections, third, 'subject-revoked')
    connections.close()
    expect((await call(bench.url('/items/1'), { token: ahead })).status).toBe(401)
    // What is issued later is accepted again: here as soon as the gate's clock lets through what is dated so.
    await pause(2_000)
    const renewed = bench.issuer.token({ sub: 'mallory', iat: Math.floor(Date.now() / 1000) + 30 })
    expect((await call(bench.url('/items/1'), { token: renewed })).status).toBe(200)
    expect((await call(bench.url('/items/1'), { token: other })).status).toBe(200)
  })

  it('of a subject takes the issuer’s configured name, and confirms nothing of an unknown one', async () => {
    const eve = bench.issuer.token({ sub: 'eve' })
    for (const issuer of ['https://elsewhere.example', `${bench.issuer.iss}/`, 'crop']) {
      const { code, json, stderr } = await bench.running.command(['revoke', 'subject', issuer, 'eve'])
      expect(code, issuer).toBe(2)
      expect(json).toMatchObject({ ok: false, code: 'usage' })
      expect(stderr).toContain(`configured: corp (${bench.issuer.iss})`)
      if (issuer === 'crop') expect(stderr).toContain('did you mean corp?')
    }
    expect((await call(bench.url('/items/1'), { token: eve })).status).toBe(200)
    expect((await bench.running.command(['revoke', 'subject', 'corp', 'eve'])).code).toBe(0)
    expect((await call(bench.url('/items/1'), { token: eve })).status).toBe(401)
  })

  it('refuses a whole token among the arguments, and what is no token at all', async () => {
    const argument = await bench.running.command(['revoke', 'token', other])
    expect(argument.code).toBe(2)
    expect(argument.stderr).toMatch(/standard input: sallyport revoke token -/)
    expect(argument.stderr).not.toContain(other)
    expect((await bench.running.command(['revoke', 'token', '-'], 'nonsense')).code).toBe(2)
    expect((await bench.running.command(['revoke', 'token', '-'], '')).code).toBe(2)
    expect((await call(bench.url('/items/1'), { token: other })).status).toBe(200)
  })

  it('is possible while the configuration is broken', async () => {
    bench.configure({ top: 'unknown: [1' })
    const { code, stderr } = await bench.running.command(['revoke', 'token', 'while-broken'])
    bench.configure()
    expect(code, stderr).toBe(0)
    const token = bench.issuer.token({ jti: 'while-broken' })
    expect((await call(bench.url('/items/1'), { token })).status).toBe(401)
  })

  it('is recorded with who gave it, and no token stands anywhere but in digests', async () => {
    const revoked = bench.management().filter(({ action }) => action === 'revoke')
    expect(revoked.map(({ result }) => result)).toEqual(Array(5).fill('ok'))
    expect(revoked.map(({ detail }) => detail['kind'])).toEqual([
      'token',
      'token',
      'subject',
      'subject',
      'token',
    ])
    expect(revoked.map(({ by }) => by)).toEqual(Array(5).fill(userInfo().username))
    // What was revoked is told apart, not told: digests under the store's key.
    const targets = revoked.map(({ detail }) => String(detail['target']))
    for (const target of targets) expect(target).toMatch(/^[\w-]{22}$/)
    expect(new Set(targets).size).toBe(5)
    expect(revoked.map(({ detail }) => detail['issuer'])).toEqual([
      undefined,
      undefined,
      'corp',
      'corp',
      undefined,
    ])
    const log = readFileSync(join(bench.audit, MANAGEMENT_FILE), 'utf8')
    for (const clear of ['mallory', 'eve', byJti.jti]) expect(log).not.toContain(clear)
    const kept = [
      readFileSync(join(bench.audit, MANAGEMENT_FILE), 'utf8'),
      readFileSync(join(bench.store, 'revocations.ndjson'), 'utf8'),
      bench.running.said(),
    ].join('\n')
    for (const token of [first, second, third, other]) expect(kept).not.toContain(token.split('.')[2])
    // Neither control nor gate were ever given one as an argument or in the environment.
    for (const pid of [bench.running.pid, ...childrenOf(bench.running.pid)]) {
      const seen = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8')
      expect(seen).not.toContain('eyJ')
    }
  })

  it('outlives the gate process and a restart, before the first call of either', async () => {
    const gateProcess = gateProcessOf(bench.running)
    process.kill(gateProcess, 'SIGKILL')
    // As soon as anybody answers, the revoked are refused.
    const refused = async (token: string): Promise<number> =>
      until('the gate answers', () =>
        call(bench.url('/items/1'), { token }).then(
          ({ status }) => (status === 503 ? undefined : status),
          () => undefined,
        ),
      )
    await until('it is gone', () => bench.running.said().includes('starting it again'))
    for (const token of [first, second, third]) expect(await refused(token)).toBe(401)
    expect(await refused(other)).toBe(200)

    await bench.running.stop()
    await bench.startGate()
    for (const token of [first, second, third]) expect(await refused(token)).toBe(401)
    expect(await refused(other)).toBe(200)
  })

  it('is not confirmed where no gate runs', async () => {
    const { running } = bench
    await running.stop()
    const { code, stderr } = await running.command(['revoke', 'token', 'nobody-hears'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/control-unreachable: no running gate answers/)
  })
})
