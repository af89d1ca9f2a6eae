import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { expect, it } from 'vitest'
import { readRecords } from '../src/audit/read.ts'
import { verifyAudit } from '../src/audit/verify.ts'
import { readDataDirectory } from '../src/store/data-directory.ts'
import { readStoreKey, readVerifyingKey } from '../src/store/store-keys.ts'
import { startDemoGate } from '../test/e2e/harness.ts'
import { keepResult, SOAK_SECONDS } from './duration.ts'

/**
 * Steady mixed traffic with reloads and revocations meanwhile: no answer of the gate's own making above 499, every
 * answer with its record, a log that verifies, and memory that stops growing.
 */
it('serves steadily while it is reloaded', async () => {
  const demo = await startDemoGate()
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  try {
    const [ana, ben, olga] = await Promise.all([demo.token('ana'), demo.token('ben'), demo.token('olga')])
    const mix: readonly (readonly [string, string, string | null, string?])[] = [
      ['GET', '/v1/orders/o-1001', ana],
      ['GET', '/v1/orders/o-1001', ben],
      ['PATCH', '/v1/orders/o-1001', ana, '{"note":"soak"}'],
      ['GET', '/v1/admin/customers', olga],
      ['GET', '/v1/products', null],
      ['GET', '/v1/orders/o-1001', null],
      ['PATCH', '/v1/orders/o-1001', ana, '{"note":"soak","isAdmin":true}'],
      ['GET', '/v1/nowhere', ana],
    ]
    const statuses = new Map<number, number>()
    const ids = new Set<string>()
    const rss: number[] = []
    const end = performance.now() + SOAK_SECONDS * 1_000
    const client = async (offset: number): Promise<void> => {
      for (let i = offset; performance.now() < end; i++) {
        const [method, path, token, body] = mix[i % mix.length] ?? ['GET', '/v1/health', null]
        const answer = await call(agent, demo.url, method, path, token, body)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        // Bounded: the last hundred thousand are looked up afterwards.
        if (ids.size < 100_000) ids.add(answer.id)
      }
    }
    const operator = async (): Promise<void> => {
      while (performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, SOAK_SECONDS * 200)))
        await demo.gate.command(['reload'])
        await demo.gate.command(['revoke', 'token', `soak-${Math.round(performance.now())}`])
        rss.push(residentMb(demo.gate.pid))
      }
    }
    await Promise.all([...Array.from({ length: 16 }, (_, offset) => client(offset)), operator()])
    await demo.gate.stop()

    const directory = readDataDirectory(demo.store)
    const report = await verifyAudit(directory.audit, {
      publicKey: readVerifyingKey(directory, 'checkpoint'),
    })
    let found = 0
    for await (const record of readRecords(directory.audit, { storeKey: readStoreKey(directory) })) {
      if (ids.has(record.intent.id) && record.outcome !== null && record.outcome !== 'unknown') found++
    }
    const calls = [...statuses.values()].reduce((sum, count) => sum + count, 0)
    keepResult('steady', {
      calls,
      statuses: Object.fromEntries([...statuses].sort(([a], [b]) => a - b)),
      records: report.records,
      rssMb: rss.filter((_, i) => i % Math.ceil(rss.length / 20 || 1) === 0),
    })
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect(found).toBe(ids.size)
    expect(report.records).toBe(calls)
    expect(report.faults).toEqual([])
  } finally {
    agent.destroy()
    await demo.stop()
  }
})

function call(
  agent: Agent,
  url: string,
  method: string,
  path: string,
  token: string | null,
  body?: string,
): Promise<{ status: number; id: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url + path,
      {
        agent,
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        },
      },
      (response) => {
        response.resume()
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            id: String(response.headers['sallyport-exchange'] ?? ''),
          }),
        )
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Resident memory of the gate process, control's child, in MiB. */
function residentMb(controlPid: number): number {
  const children = readFileSync(`/proc/${controlPid}/task/${controlPid}/children`, 'utf8').trim().split(' ')
  const status = readFileSync(`/proc/${children[0]}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
}
