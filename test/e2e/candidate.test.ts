import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Order, type OrderResult, sendOrder } from '../../src/management/control-socket.ts'
import { outcomeOf } from '../../src/management/record-view.ts'
import { isFault } from '../../src/model/errors.ts'
import { Connections, call } from './caller.ts'
import { gateProcessOf, PERMIT_ALL, until, Workbench } from './workbench.ts'

const FORBID_OPEN = `${PERMIT_ALL}@id("closed")\nforbid (principal, action == Action::"shop.getOpen", resource);\n`
const FORBID_ITEMS = `${PERMIT_ALL}@id("no-items")\nforbid (principal, action == Action::"shop.getItem", resource);\n`

const benches: Workbench[] = []
afterEach(async () => {
  for (const bench of benches.splice(0)) await bench.stop()
})

/** A gate, and beside its configuration another with these policies. */
async function workbench(policies: string): Promise<Workbench> {
  const bench = await Workbench.start()
  benches.push(bench)
  const own = readFileSync(bench.config, 'utf8')
  bench.write('next.yaml', own.replace('policies: ./policies', 'policies: ./next'))
  bench.write('next/all.cedar', policies)
  return bench
}

const order = (bench: Workbench, given: Order): Promise<OrderResult> => sendOrder(bench.store, given)
const stage = (bench: Workbench, file = 'next.yaml') =>
  order(bench, { order: 'candidate-stage', from: join(bench.folder, file), by: 'test' })
const canary = (bench: Workbench, share: number) =>
  order(bench, { order: 'candidate-canary', share, by: 'test' })
const promote = (bench: Workbench) => order(bench, { order: 'candidate-promote', by: 'test' })
const drop = (bench: Workbench) => order(bench, { order: 'candidate-drop', by: 'test' })
const rollback = (bench: Workbench, to = '') => order(bench, { order: 'rollback', to, by: 'test' })
const status = (bench: Workbench) => order(bench, { order: 'candidate-status' })
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => '',
    (error: unknown) => (isFault(error) ? error.code : String(error)),
  )
const inForce = async (bench: Workbench): Promise<string> =>
  String((await order(bench, { order: 'status' }))['bundle'])
const open = (bench: Workbench) => call(bench.url('/open'))
const bundleFile = (bench: Workbench, hash: unknown, end = 'ndjson') =>
  join(bench.store, 'bundles', `${String(hash)}.${end}`)

async function restarted(bench: Workbench): Promise<void> {
  await bench.running.stop()
  await bench.startGate()
}

/** Statuses by subject of calls over many connections, so that both threads answer. */
async function statuses(bench: Workbench, subjects: readonly string[]): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>()
  for (const sub of subjects) {
    const connections = new Connections(4)
    const answers = await connections.all(bench.url('/items/1'), { token: bench.issuer.token({ sub }) })
    connections.close()
    found.set(sub, new Set(answers.map(({ status }) => status)))
  }
  return found
}

describe('a candidate that is staged', () => {
  it('judges every call beside the one in force, without effect, and its changes are listed', async () => {
    const bench = await workbench(FORBID_OPEN)
    const live = await inForce(bench)
    const staged = (await stage(bench))['candidate'] as { bundle: string; version: number; share: number }
    expect(staged).toMatchObject({ version: 2, share: 0 })
    const token = bench.issuer.token()
    const [changed, same] = [await open(bench), await call(bench.url('/items/1'), { token })]
    const refused = await call(bench.url('/items/1'))
    expect([changed.status, same.status, refused.status]).toEqual([200, 200, 401])
    const records = await bench.records()
    const said = (id: string) => {
      const record = records.get(id)
      return record === undefined ? undefined : outcomeOf(record)?.candidate
    }
    expect(records.get(changed.id)?.intent.bundle).toBe(live)
    expect(said(changed.id)).toMatchObject({
      bundle: staged.bundle,
      effect: 'deny',
      changed: true,
      reasons: [{ code: 'policy-forbids' }],
      policies: ['closed'],
    })
    expect(said(same.id)).toMatchObject({ effect: 'allow', changed: false })
    expect(said(refused.id)).toMatchObject({ effect: 'deny', changed: false })

    const { code, json } = await bench.running.command(['candidate', 'status'])
    expect(code).toBe(1)
    expect(json).toMatchObject({
      candidate: { bundle: staged.bundle, share: 0 },
      report: {
        judged: 3,
        same: 2,
        changedDeny: 1,
        rows: [
          {
            caller: 'anonymous',
            operation: 'shop.getOpen',
            change: 'deny',
            reason: 'policy-forbids',
            count: 1,
            example: changed.id,
          },
        ],
      },
    })
    const report = await bench.running.command(['report', '--candidate', String(staged.version)])
    expect([report.code, (report.json as { changedDeny: number }).changedDeny]).toEqual([1, 1])
    await until('the counters say so', async () =>
      (await call(`${bench.running.management}/metrics`)).body.includes(
        'sallyport_candidate_total{result="changed-deny"} 1',
      ),
    )

    await drop(bench)
    const after = await open(bench)
    expect(outcomeOf((await bench.records()).get(after.id) as never)?.candidate).toBeUndefined()
    expect((await status(bench))['candidate']).toBeNull()
  })

  it('is one at a time, and none that fails its tests, is broken, or is what is in force already', async () => {
    const bench = await workbench(FORBID_OPEN)
    expect(await codeOf(stage(bench, 'sallyport.yaml'))).toBe('candidate-refused')
    bench.write(
      'next/all.test.yaml',
      'tests:\n  - name: open is open\n    given: { principal: { type: Anonymous } }\n    call: shop.getOpen\n    verdict: allow\n',
    )
    expect(await codeOf(stage(bench))).toBe('policy-test-failed')
    rmSync(join(bench.folder, 'next/all.test.yaml'))
    bench.write('next/all.cedar', 'permit (principal')
    expect(await codeOf(stage(bench))).toBe('policy-invalid')
    expect(await codeOf(promote(bench))).toBe('candidate-refused')
    bench.write('next/all.cedar', FORBID_OPEN)
    await stage(bench)
    expect(await codeOf(stage(bench))).toBe('candidate-refused')
    expect((await open(bench)).status).toBe(200)
  })
})

describe('a canary', () => {
  it('decides for its share of callers, the same ones on every thread, and the record says so', async () => {
    const bench = await workbench(FORBID_ITEMS)
    const { candidate } = (await stage(bench)) as { candidate: { bundle: string } }
    await canary(bench, 50)
    const subjects = Array.from({ length: 40 }, (_, index) => `caller-${index}`)
    const found = await statuses(bench, subjects)
    for (const each of found.values()) expect(each.size).toBe(1)
    const among = subjects.filter((sub) => found.get(sub)?.has(403))
    expect(among.length).toBeGreaterThan(8)
    expect(among.length).toBeLessThan(32)
    for (const record of (await bench.records()).values()) {
      const refused = outcomeOf(record)?.action === 'refused'
      expect(record.intent.bundle === candidate.bundle).toBe(refused)
      expect(outcomeOf(record)?.candidate === undefined).toBe(refused)
    }

    // A new gate process is told of it, and its callers stay the same.
    process.kill(gateProcessOf(bench.running), 'SIGKILL')
    await until('the candidate judges again', async () => {
      const token = bench.issuer.token({ sub: among[0] })
      const answer = await call(bench.url('/items/1'), { token }).catch(() => null)
      return answer?.status === 403
    })
    await until(
      'readiness says so',
      async () => (await call(`${bench.running.management}/readyz`)).status === 200,
    )
    expect(await statuses(bench, subjects.slice(0, 10))).toEqual(
      new Map([...found].filter(([sub]) => subjects.slice(0, 10).includes(sub))),
    )

    await canary(bench, 100)
    expect((await call(bench.url('/items/1'), { token: bench.issuer.token() })).status).toBe(403)
    await canary(bench, 0)
    expect((await call(bench.url('/items/1'), { token: bench.issuer.token() })).status).toBe(200)
  })

  it('is refused where both name one issuer in two ways', async () => {
    const bench = await workbench(FORBID_ITEMS)
    const text = readFileSync(join(bench.folder, 'next.yaml'), 'utf8')
    bench.write('next.yaml', text.replace('keys.json', 'other.json'))
    await stage(bench)
    expect(await codeOf(canary(bench, 1))).toBe('candidate-refused')
    expect((await call(bench.url('/items/1'), { token: bench.issuer.token() })).status).toBe(200)
  })
})

describe('promoting and rolling back', () => {
  it('is one order each, audited, stays over a restart, and ends with a change of the configuration', async () => {
    const bench = await workbench(FORBID_OPEN)
    const first = await inForce(bench)
    const { candidate } = (await stage(bench)) as { candidate: { bundle: string } }
    expect(await promote(bench)).toMatchObject({ bundle: candidate.bundle, version: 2, before: first })
    expect((await open(bench)).status).toBe(403)
    expect((await status(bench))['candidate']).toBeNull()

    await restarted(bench)
    expect((await open(bench)).status).toBe(403)
    expect(bench.running.said()).toMatch(/version 2 was promoted by test: it stays in force/)
    await order(bench, { order: 'reload', by: 'test' })
    expect((await open(bench)).status).toBe(403)

    expect(await rollback(bench)).toMatchObject({ bundle: first, version: 1, before: candidate.bundle })
    expect((await open(bench)).status).toBe(200)
    expect(await rollback(bench, '2')).toMatchObject({ version: 2, before: first })
    await restarted(bench)
    expect(bench.running.said()).toMatch(/version 2 was rolled back to by test: it stays in force/)
    expect((await open(bench)).status).toBe(403)

    bench.write('policies/all.cedar', `${PERMIT_ALL}@id("more")\npermit (principal, action, resource);\n`)
    await order(bench, { order: 'reload', by: 'test' })
    expect(bench.running.said()).toMatch(/it takes the place of version 2/)
    expect((await open(bench)).status).toBe(200)

    const lines = bench.management().filter(({ action }) => ['stage', 'promote', 'rollback'].includes(action))
    expect(lines.map(({ action, by, result }) => [action, by, result])).toEqual([
      ['stage', 'test', 'ok'],
      ['promote', 'test', 'ok'],
      ['rollback', 'test', 'ok'],
      ['rollback', 'test', 'ok'],
    ])
    expect(lines[1]?.detail).toMatchObject({ bundle: candidate.bundle, before: first })

    const { code, json } = await bench.running.command(['bundle', 'list', '--records'])
    const { bundles } = json as { bundles: { version: number; inForce: boolean; records: number }[] }
    expect([code, bundles.map(({ version, inForce }) => [version, inForce])]).toEqual([
      0,
      [
        [1, false],
        [2, false],
        [3, true],
      ],
    ])
    expect(bundles[1]?.records).toBeGreaterThan(0)
    expect((await bench.running.command(['bundle', 'verify'])).code).toBe(0)
    const compared = await bench.running.command(['policy', 'diff', '1', candidate.bundle.slice(0, 8)])
    expect([0, 1]).toContain(compared.code)
    expect(compared.json).toHaveProperty('operations')
    expect((await bench.running.command(['policy', 'diff', '1', '99'])).code).toBe(2)
  })

  it('a configuration changed while the gate is down is in force again', async () => {
    const bench = await workbench(FORBID_OPEN)
    await stage(bench)
    await promote(bench)
    await bench.running.stop()
    bench.write('policies/all.cedar', `${PERMIT_ALL}@id("more")\npermit (principal, action, resource);\n`)
    await bench.startGate()
    expect(bench.running.said()).toMatch(
      /version 2 was promoted by test; the configuration has changed since/,
    )
    expect((await open(bench)).status).toBe(200)
  })
})

describe('a bundle that was tampered with', () => {
  it('is refused, and the old one stays: bytes, signature, another’s signature, none', async () => {
    const bench = await workbench(FORBID_OPEN)
    const { candidate } = (await stage(bench)) as { candidate: { bundle: string } }
    await drop(bench)
    const live = await inForce(bench)
    const file = bundleFile(bench, candidate.bundle)
    const stated = bundleFile(bench, candidate.bundle, 'json')
    const [bytes, statement] = [readFileSync(file), readFileSync(stated, 'utf8')]

    appendFileSync(file, '{"part":"head"}\n')
    expect(await codeOf(rollback(bench, '2'))).toBe('bundle-corrupt')
    writeFileSync(file, bytes.subarray(0, bytes.byteLength - 100))
    expect(await codeOf(rollback(bench, '2'))).toBe('bundle-corrupt')
    writeFileSync(file, bytes)

    writeFileSync(stated, statement.replace('"version":2', '"version":9'))
    expect(await codeOf(rollback(bench, candidate.bundle))).toBe('bundle-signature')
    writeFileSync(stated, readFileSync(bundleFile(bench, live, 'json')))
    expect(await codeOf(rollback(bench, candidate.bundle))).toBe('bundle-signature')
    rmSync(stated)
    expect(await codeOf(rollback(bench, candidate.bundle))).toBe('bundle-signature')
    expect((await bench.running.command(['bundle', 'verify'])).code).toBe(1)

    expect(await inForce(bench)).toBe(live)
    expect((await open(bench)).status).toBe(200)
    expect(
      bench.management().filter(({ action, result }) => action === 'rollback' && result === 'failed'),
    ).toHaveLength(5)

    writeFileSync(stated, statement)
    await rollback(bench, '2')
    expect(await codeOf(rollback(bench, '2'))).toBe('bundle-in-force')
    expect((await open(bench)).status).toBe(403)
    // In force and spoilt: the gate goes on with what it has, and does not start with something else in silence.
    appendFileSync(file, '{"part":"head"}\n')
    expect((await open(bench)).status).toBe(403)
    await bench.running.stop()
    await expect(bench.startGate()).rejects.toThrow(
      /version 2 was rolled back to by test, and cannot be used/,
    )
    rmSync(join(bench.store, 'bundles', 'in-force.ndjson'))
    await bench.startGate()
    expect((await open(bench)).status).toBe(200)
  })

  it('is not exchanged by cutting the line that says it was promoted', async () => {
    const bench = await workbench(FORBID_OPEN)
    await stage(bench)
    await promote(bench)
    await bench.running.stop()
    const file = join(bench.store, 'bundles', 'in-force.ndjson')
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    writeFileSync(file, `${lines.slice(0, -1).join('\n')}\n`)
    await expect(bench.startGate()).rejects.toThrow(
      /in-force\.ndjson ends at line 1.*remove in-force\.ndjson/,
    )
    writeFileSync(file, `${lines.join('\n')}\n`)
    await bench.startGate()
    expect((await open(bench)).status).toBe(403)
  })

  it('is compiled again where the configuration still says it', async () => {
    const bench = await workbench(FORBID_OPEN)
    const hash = await inForce(bench)
    await bench.running.stop()
    appendFileSync(bundleFile(bench, hash), 'spoilt')
    rmSync(bundleFile(bench, hash, 'json'))
    await bench.startGate()
    expect(await inForce(bench)).toBe(hash)
    expect((await open(bench)).status).toBe(200)
    expect((await bench.running.command(['bundle', 'verify'])).code).toBe(0)
  })
})
