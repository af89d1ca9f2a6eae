import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { applyOverlay } from '../overlay.ts'
import { call, orderOf, shown } from './commands.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

describe('sallyport drift', () => {
  let gate: DemoGate
  beforeAll(async () => {
    gate = await startDemoGate({ mode: 'observe', threads: 1 })
  })
  afterAll(() => gate.stop())

  it('tells what live traffic has, and a patch that makes it none', async () => {
    const none = await gate.gate.command(['drift'])
    expect(none).toMatchObject({ code: 0, json: { ok: true, rows: [] } })

    const ana = await gate.token('ana')
    const order = await orderOf(gate, 'ana')
    expect((await call(gate, 'GET', `/v1/orders/${order}`, ana)).status).toBe(200)
    expect((await call(gate, 'GET', `/v1/orders/${order}?expand=items`, ana)).status).toBe(200)
    const overlay = join(gate.folder, 'drift.overlay.yaml')
    const found = await shown(['drift', '--config', gate.config, '--api', 'shop', '--patch', overlay])
    expect(found.err).toBe('')
    expect(found.code).toBe(1)
    expect(found.out).toMatch(/answer-field 200 +\/internalMargin +(?:integer|number) +2 calls/)
    expect(found.out).toMatch(/parameter +query expand +string +1 call .*‹string of up to 8›/)
    expect(found.out).toContain('sallyport explain ')

    const again = await shown(['drift', '--config', gate.config, '--patch', overlay])
    expect(again.code).toBe(2)
    expect(again.err).toContain('is there already')
    const text = readFileSync(overlay, 'utf8')
    expect(parse(text)).toMatchObject({
      overlay: '1.0.0',
      extends: expect.stringContaining('shop.openapi.yaml'),
    })
    const contract = join(gate.folder, parse(text).extends)
    expect(existsSync(contract)).toBe(true)
    const before = readFileSync(contract, 'utf8')
    try {
      writeFileSync(contract, stringify(applyOverlay(parse(before), parse(text))))
      const { code } = await shown(['check', '--config', gate.config])
      expect(code).toBe(0)
    } finally {
      writeFileSync(contract, before)
      rmSync(overlay)
    }
    const { json } = await gate.gate.command(['drift', '--since', '1h'])
    expect(json).toMatchObject({ ok: false, calls: 2, patches: [{ api: 'shop', left: [] }] })
    const printed = await shown(['drift', '--config', gate.config, '--patch', '-'])
    expect(parse(printed.out)).toMatchObject({ overlay: '1.0.0' })
  })
})
