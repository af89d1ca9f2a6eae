import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WouldDenyReport } from '../../src/management/would-deny.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { call } from './caller.ts'
import { shown } from './commands.ts'
import { Workbench } from './workbench.ts'

/** A gate of its own processes, called from this machine, and its records as the commands read them. */
describe('zones and observed stages through a running gate', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.prepare()
    const api = (name: string, more: string) => `  ${name}:
    contract: ./api.yaml
    upstream: ${bench.upstream.url}
    basePath: /${name}
    identity: { accept: [corp], audience: shop }
${more}`
    bench.configure({
      apis: [
        api('front', '    zone: front'),
        api('vault', '    zone: vault'),
        api('tried', '    zone: vault\n    observe: [zone]'),
      ].join('\n'),
      top: `zones:
  machine: { networks: [127.0.0.0/8, "::1"] }
  front: {}
  vault: {}
flows:
  - { from: machine, to: front, operations: [front/read] }`,
    })
    await bench.startGate()
  })
  afterAll(() => bench.stop())

  const get = (path: string) => call(bench.url(path, ''), { token: bench.issuer.token() })

  it('denies what no flow allows, and its records are found, explained and counted', async () => {
    expect((await get('/front/items/1')).status).toBe(200)
    expect((await get('/vault/items/1')).status).toBe(403)
    expect((await get('/tried/items/1')).status).toBe(200)

    const { json } = await bench.running.command(['audit', 'query', '--reason', 'lateral-movement'])
    const records = json as readonly ExchangeRecord[]
    expect(records.map(({ intent }) => intent.api)).toEqual(['vault', 'tried'])
    const [denied, tried] = records
    expect(denied?.intent.decisions[0]?.reasons[0]).toMatchObject({
      code: 'lateral-movement',
      evidence: { from: 'machine', to: 'vault', by: 'network' },
    })
    expect(tried?.intent.decisions[0]).toMatchObject({
      effect: 'allow',
      observed: [{ code: 'lateral-movement', source: 'zone' }],
    })

    const explained = await shown(['explain', tried?.intent.id ?? '', '--config', bench.config])
    expect(explained.out).toContain('enforcing would refuse it')
    expect(explained.out).toMatch(/only observed +lateral-movement/)
    expect(explained.out).toContain('same')

    const { code, json: report } = await bench.running.command(['report', '--would-deny'])
    expect(code).toBe(1)
    expect(report as WouldDenyReport).toMatchObject({
      observed: 1,
      wouldRefuse: 1,
      enforced: 2,
      rows: [{ api: 'tried', reason: 'lateral-movement', count: 1 }],
    })
    const verified = await bench.running.command(['audit', 'verify'])
    expect(verified.code).toBe(0)
  })

  it('counts them for /metrics', async () => {
    await expect
      .poll(async () => (await fetch(`${bench.running.management}/metrics`)).text(), { timeout: 5_000 })
      .toMatch(/sallyport_reasons_total\{api="vault",reason="lateral-movement",outcome="stop"\} 1/)
  })
})
