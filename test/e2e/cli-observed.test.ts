import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UnknownFieldsReport } from '../../src/management/unknown-fields.ts'
import type { WouldDenyReport } from '../../src/management/would-deny.ts'
import { call, orderOf, shown } from './commands.ts'
import { type DemoGate, startDemoGate } from './harness.ts'

describe('an observing gate’s records', () => {
  let gate: DemoGate
  beforeAll(async () => {
    gate = await startDemoGate({ mode: 'observe', threads: 1 })
  })
  afterAll(() => gate.stop())

  it('say what enforcing would refuse, and how each would be allowed', async () => {
    const [ana, ben] = await Promise.all([gate.token('ana'), gate.token('ben')])
    const order = await orderOf(gate, 'ana')
    expect((await call(gate, 'GET', `/v1/orders/${order}`, ana)).status).toBe(200)
    const before = await gate.gate.command(['report', '--would-deny'])
    expect(before).toMatchObject({ code: 0, json: { ok: true, observed: 1, wouldRefuse: 0, rows: [] } })
    const [lost] = (before.json as WouldDenyReport).dropped
    expect(lost).toMatchObject({ api: 'shop', operation: 'shop.getOrder', answers: 1 })
    expect(lost?.fields).toContain('/internalMargin')

    await call(gate, 'GET', `/v1/orders/${order}`, ben)
    const latest = await call(gate, 'GET', `/v1/orders/${order}`)
    await call(gate, 'GET', `/v1/orders/${order}`)
    expect(latest.status).toBe(200)
    const { code, json } = await gate.gate.command(['report', '--would-deny', '--since', '1h'])
    const report = json as WouldDenyReport
    expect(code).toBe(1)
    expect(report).toMatchObject({ observed: 4, wouldRefuse: 3, refusedAlready: 0 })
    expect(
      report.rows.map(({ operation, reason, count, callers }) => [operation, reason, count, callers]),
    ).toEqual([
      ['shop.getOrder', 'token-missing', 2, 1],
      ['shop.getOrder', 'owner-differs', 1, 1],
    ])
    expect(report.rows[1]?.change).toContain('Call as the owner')

    const { out } = await shown(['report', '--would-deny', '--config', gate.config])
    expect(out).toMatch(/1 answer would lose fields: .*\/internalMargin/)
    expect(out).toContain('observed 4 calls, enforcing would refuse 3')
    expect(out).toContain(`sallyport explain ${report.rows[1]?.example}`)
    const { json: wouldDeny } = await gate.gate.command(['audit', 'query', '--would-deny'])
    expect(wouldDeny).toHaveLength(3)
  })

  it('say what callers send that the contract does not declare', async () => {
    const none = await gate.gate.command(['report', '--unknown-fields'])
    expect(none).toMatchObject({ code: 0, json: { ok: true, calls: 0, rows: [] } })
    const ana = await gate.token('ana')
    const order = await orderOf(gate, 'ana')
    await call(gate, 'GET', `/v1/orders/${order}?debug=1`, ana)
    const { code, json } = await gate.gate.command(['report', '--unknown-fields', '--since', '1h'])
    const { rows, calls } = json as UnknownFieldsReport
    expect([code, calls]).toEqual([1, 1])
    expect(rows).toMatchObject([
      { api: 'shop', operation: 'shop.getOrder', place: 'query debug', calls: 1, callers: 1 },
    ])
    const { out } = await shown(['report', '--unknown-fields', '--config', gate.config])
    expect(out).toContain('query debug: 1 call of 1 caller')
    expect(out).toContain(`sallyport explain ${rows[0]?.example}`)
  })

  it('are judged dry in the same mode', async () => {
    const { code, json } = await gate.gate.command(['try', 'GET', '/v1/orders/o-1'])
    expect(code).toBe(1)
    expect(json).toMatchObject({ verdict: 'deny', mode: 'observe', enforced: false, status: null })
  })
})
