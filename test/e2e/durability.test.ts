import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { DIRECT_SYNC } from '../../src/audit/direct-sync.ts'
import { type OpenSegmentFile, segmentFiles } from '../../src/audit/segment.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { SallyportError } from '../../src/model/errors.ts'
import type { AuditWriter } from '../../src/model/ports.ts'
import { systemClock, systemRandom } from '../../src/roles/system.ts'
import { recordsIn, writerIn } from '../audit-entries.ts'
import { memoryGate, memoryUpstream } from '../memory-gate.ts'
import { type Answer, Connections, call, underLoad } from './caller.ts'
import { answerOk } from './upstream-server.ts'
import { gateProcessOf, isAlive, pause, until, Workbench } from './workbench.ts'

const cleaning: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean()
})

describe('kill -9 of the whole gate under load', () => {
  it('loses no record of a call that was answered, and a restart closes what was under way', async () => {
    const bench = await Workbench.start()
    cleaning.push(() => bench.stop())
    const token = bench.issuer.token()
    const hanging: (() => void)[] = []
    bench.upstream.answer = (request, response) => {
      if (request.url === '/v1/items/hang') hanging.push(() => answerOk(request, response))
      else answerOk(request, response)
    }
    let turn = 0
    const load = underLoad(
      16,
      () => bench.url(turn++ % 5 === 0 ? '/nowhere' : '/items/1'),
      () => ({ ...(turn % 4 === 0 ? {} : { token }) }),
      0,
    )
    const connections = new Connections(12)
    const lost = connections.all(bench.url('/items/hang'), { token }).catch(() => 'broken off')
    await until('calls hang at the upstream', () => hanging.length === 12)
    await until('the load runs', () => load.answers.length >= 200)
    const { pid } = bench.running
    const gateProcess = gateProcessOf(bench.running)
    process.kill(pid, 'SIGKILL')
    process.kill(gateProcess, 'SIGKILL')
    await until('both are gone', () => !isAlive(pid) && !isAlive(gateProcess))
    expect(await lost).toBe('broken off')
    await load.stop()
    connections.close()
    for (const answer of hanging) answer()

    const answered = load.answers
    expect(answered.length).toBeGreaterThanOrEqual(200)
    const before = await bench.records()
    expect(missing(answered, before)).toEqual([])
    const open = [...before.values()].filter(({ outcome }) => outcome === null)
    expect(open.length).toBeGreaterThanOrEqual(12)
    expect(
      (await verifyAudit(bench.audit)).faults.filter(({ kind }) => kind !== 'torn' && kind !== 'unfinished'),
    ).toEqual([])

    await bench.startGate()
    const after = await bench.records()
    expect(missing(answered, after)).toEqual([])
    for (const { intent } of open) expect(after.get(intent.id)?.outcome).toBe('unknown')
    expect([...after.values()].filter(({ outcome }) => outcome === null)).toEqual([])
    expect((await call(bench.url('/items/1'), { token })).status).toBe(200)
    await bench.running.stop()
    expect(await verifyAudit(bench.audit)).toMatchObject({ ok: true })
  })
})

type Records = Awaited<ReturnType<Workbench['records']>>

/** Answers without their outcome in the log. */
function missing(answers: readonly Answer[], records: Records): readonly Answer[] {
  return answers.filter(({ id, status }) => {
    const outcome = records.get(id)?.outcome
    return outcome === null || outcome === undefined || outcome === 'unknown' || outcome.status !== status
  })
}

describe('a log that cannot be written', () => {
  const FULL = new SallyportError('audit-write-failed', 'no space left')

  /** The pipeline with an upstream in memory; calls of two APIs that differ in `onAuditFailure`. */
  async function gateWith(audit: AuditWriter) {
    const bench = await Workbench.prepare()
    cleaning.push(() => bench.stop())
    const api = (base: string, onAuditFailure: string) => `  ${onAuditFailure}:
    contract: ./api.yaml
    upstream: ${bench.upstream.url}
    basePath: ${base}
    identity: { accept: [corp], audience: shop }
    mode: enforce
    onAuditFailure: ${onAuditFailure}`
    bench.configure({ apis: `${api('/deny', 'deny')}\n${api('/allow', 'allow')}` })
    const upstream = memoryUpstream(() => ({
      status: 200,
      fields: ['Content-Type', 'application/json'],
      body: '{"ok":true}',
    }))
    const keys = { corp: { iss: bench.issuer.iss, keys: bench.issuer.keys } }
    const made = memoryGate({ config: bench.config, upstream, keys, audit })
    cleaning.push(() => made.close())
    const random = systemRandom()
    const get = async (target: string) => {
      const answer = await callInMemory(made.gate, random, {
        method: 'GET',
        target,
        fields: ['Host', 'x', 'Authorization', `Bearer ${bench.issuer.token()}`],
      })
      return { ...answer, text: Buffer.from(answer.body).toString() }
    }
    return { upstream, get }
  }

  const refuses: AuditWriter = {
    intent: () => {
      throw FULL
    },
    outcome: () => {
      throw FULL
    },
    refusal: () => {
      throw FULL
    },
    cut: () => {
      throw FULL
    },
  }

  it('onAuditFailure: deny: 503 before anything reaches the upstream, refusals too', async () => {
    const { upstream, get } = await gateWith(refuses)
    const answer = await get('/deny/items/1')
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'urn:sallyport:reason:audit-unavailable' })
    expect(answer.fields).toContain('Retry-After')
    expect(answer.text).not.toMatch(/space|ENOSPC|audit-write/)
    expect((await get('/deny/nowhere')).status).toBe(503)
    expect(upstream.requests).toEqual([])
  })

  it('onAuditFailure: allow: the call goes on', async () => {
    const { upstream, get } = await gateWith(refuses)
    expect(await get('/allow/items/1')).toMatchObject({ status: 200, text: '{"ok":true}' })
    expect((await get('/allow/nowhere')).status).toBe(404)
    expect(upstream.requests).toHaveLength(1)
  })

  it('deny: an answer whose outcome cannot be written is kept back', async () => {
    const { upstream, get } = await gateWith({ ...refuses, intent: () => undefined })
    const answer = await get('/deny/items/1')
    expect(upstream.requests).toHaveLength(1)
    expect(answer.status).toBe(503)
    expect(answer.text).not.toContain('"ok"')
  })

  it('disk: a promise that is rejected counts as not written', async () => {
    const late = () => Promise.reject(FULL)
    const { upstream, get } = await gateWith({ intent: late, outcome: late, refusal: late, cut: () => {} })
    expect((await get('/deny/items/1')).status).toBe(503)
    expect(upstream.requests).toEqual([])
  })

  it('a disk that is full for a while: refused meanwhile, nothing lost before, and it goes on by itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-full-'))
    cleaning.push(() => rmSync(folder, { recursive: true, force: true }))
    let full = false
    const real = segmentFiles(DIRECT_SYNC)
    const openFile: OpenSegmentFile = (path) => {
      if (full) throw FULL
      const file = real(path)
      return {
        append: (bytes) => {
          if (!full) return file.append(bytes)
          // As a disk does it: a part still fits.
          file.append(bytes.subarray(0, 10))
          throw FULL
        },
        requestSync: () => file.requestSync(),
        synced: (size) => file.synced(size),
        get size() {
          return file.size
        },
        get failed() {
          return file.failed
        },
        close: () => file.close(),
        discard: () => file.discard(),
      }
    }
    const { upstream, get } = await gateWith(writerIn(folder, { openFile, clock: systemClock }))
    const good = [await get('/deny/items/1'), await get('/deny/items/2')]
    full = true
    const refused = [await get('/deny/items/3'), await get('/deny/items/4')]
    const passed = await get('/allow/items/5')
    full = false
    await pause(300)
    const again = await get('/deny/items/6')
    expect([...good, ...refused, passed, again].map(({ status }) => status)).toEqual([
      200, 200, 503, 503, 200, 200,
    ])
    expect(upstream.requests.map(({ path }) => path.at(-1))).toEqual(['1', '2', '5', '6'])
    const recorded = (await recordsIn(folder)).map(({ intent }) => String(intent.id))
    expect(recorded).toEqual([...good, again].map(({ id }) => String(id)))
    const { faults } = await verifyAudit(folder, { liveBoots: async () => ['b1'] })
    expect(faults.filter(({ kind }) => kind !== 'torn')).toEqual([])
  })
})
