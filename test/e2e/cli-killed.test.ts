import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand, startGate, writeSampleConfig } from '../../demo/sample-gate.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { call, shown } from './commands.ts'

describe('a gate killed in the middle of a call', () => {
  it('has the call’s end as unknown after the next start, and a log that proves itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'))
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const shop = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`
    // The issuer is not there: the call that hangs is one that needs no token.
    // One thread: both calls are in its segment, whichever connection they came on.
    const addresses = { shop, issuer: 'http://127.0.0.1:9', port: 0, managementPort: 0 }
    const config = writeSampleConfig(folder, addresses, { threads: 1 })
    try {
      const first = await startGate(config, { gate: 0, management: 0 })
      const refused = await call(first, 'GET', '/v1/nothing')
      const reached = once(silent, 'request')
      const hanging = fetch(`${first.url}/v1/health`).catch(() => null)
      await reached
      const [child = ''] = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').split(' ')
      process.kill(first.pid, 'SIGKILL')
      process.kill(Number(child), 'SIGKILL')
      await Promise.all([first.exited, hanging])
      const audit = join(first.store, 'audit')
      const crashed = readdirSync(audit).find((name) => name.endsWith('-0-000001.seg')) ?? ''
      appendFileSync(join(audit, crashed), '{"v":1,"n":')

      const second = await startGate(config, { gate: 0, management: 0 })
      try {
        expect(second.said()).toContain('1 exchange closed with an unknown outcome')
        expect(second.said()).toMatch(/the log is unfinished at \S+\.seg, line \d+, byte \d+: torn/)
        const records = (await second.command(['audit', 'query'])).json as ExchangeRecord[]
        expect(records.map(({ intent, outcome }) => [intent.operation, outcome === 'unknown'])).toEqual([
          ['', false],
          ['shop.getHealth', true],
        ])
        expect(records[0]?.intent.id).toBe(refused.id)
        const { out } = await shown(['explain', records[1]?.intent.id ?? '', '--config', config])
        expect(out).toContain('how it ended is not known')
        expect(await second.command(['audit', 'verify'])).toMatchObject({
          code: 0,
          json: { ok: true, records: 2 },
        })
      } finally {
        await second.stop()
      }
      expect((await runCommand(['audit', 'verify'], config)).code).toBe(0)
    } finally {
      silent.closeAllConnections()
      silent.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
