import { describe, expect, it } from 'vitest'
import { ANA, type SampleRecord, sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import { type ReasonCode, reason } from '../model/reason.ts'
import type { ExchangeRecord, OutcomeEntry } from '../model/record.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { WouldDeny, type WouldDenyReport } from './would-deny.ts'

function reportOf(...samples: SampleRecord[]): WouldDenyReport {
  const counted = new WouldDeny()
  for (const sample of samples) counted.add(sampleRecord({ mode: 'observe', ...sample }))
  return counted.report()
}

describe('what enforcing would refuse', () => {
  it('is nothing where nothing was observed', () => {
    expect(reportOf({ mode: 'enforce', codes: ['token-missing'] })).toEqual({
      observed: 0,
      wouldRefuse: 0,
      refusedAlready: 0,
      enforced: 1,
      rows: [],
      uncounted: 0,
      dropped: [],
      replaced: [],
    })
  })

  it('is counted by API, operation and reason, with distinct callers and the latest example', () => {
    const ben = { ...ANA, id: 'ben' }
    const report = reportOf(
      {},
      { codes: ['insufficient-scope'], id: 'one', wallMs: 3 },
      { codes: ['insufficient-scope'], id: 'two', wallMs: 5, subject: ben },
      { codes: ['insufficient-scope'], id: 'three', wallMs: 4 },
      { codes: ['owner-differs'], id: 'four', operation: 'shop.getPayment' },
    )
    expect(report).toMatchObject({ observed: 5, wouldRefuse: 4 })
    expect(
      report.rows.map(({ operation, reason, count, callers, example }) => [
        operation,
        reason,
        count,
        callers,
        example,
      ]),
    ).toEqual([
      ['shop.getOrder', 'insufficient-scope', 3, 2, 'two'],
      ['shop.getPayment', 'owner-differs', 1, 1, 'four'],
    ])
    expect(report.rows[0]?.change).toContain('ben')
  })

  it('counts enforced calls of which a stage or policy was only observed, and what that said', () => {
    const record = sampleRecord({ mode: 'enforce', id: 'partly' })
    const observed = [reason('lateral-movement', 'zone', { from: 'edge', to: 'payments' })]
    const decisions = record.intent.decisions.map((decision) => ({ ...decision, observed }))
    const { outcome } = record
    const partly: ExchangeRecord = {
      ...record,
      intent: { ...record.intent, decisions },
      outcome: outcome === null || outcome === 'unknown' ? outcome : { ...outcome, wouldDeny: true },
    }
    const counted = new WouldDeny()
    counted.add(partly)
    counted.add(sampleRecord({ mode: 'enforce' }))
    const { rows, ...rest } = counted.report()
    expect(rest).toMatchObject({ observed: 1, wouldRefuse: 1, enforced: 1 })
    expect(rows).toMatchObject([{ reason: 'lateral-movement', count: 1, example: 'partly' }])
  })

  it('tells anonymous callers apart by address', () => {
    const anonymous = { codes: ['token-missing'], subject: ANONYMOUS } as const
    const report = reportOf(
      { ...anonymous, address: '192.0.2.1' },
      { ...anonymous, address: '192.0.2.2' },
      { ...anonymous, address: '192.0.2.2' },
    )
    expect(report.rows[0]).toMatchObject({ count: 3, callers: 2, callersAtLeast: false })
  })

  it('does not blame enforcing for what is refused in every mode', () => {
    const report = reportOf({
      codes: ['request-malformed'],
      outcome: { effect: 'deny', action: 'refused', status: 400, wouldDeny: true },
    })
    expect(report).toMatchObject({ observed: 1, wouldRefuse: 0, refusedAlready: 1, rows: [] })
  })

  it('names every place of one reason, since each is a change of its own', () => {
    const invalid = (pointer: string): Partial<OutcomeEntry> => ({
      wouldDeny: true,
      decisions: [
        {
          ...sampleDecision(['response-invalid'], { checkpoint: 'response' }),
          reasons: [reason('response-invalid', 'contract', { pointer }, `${pointer}: type`)],
        },
      ],
    })
    const report = reportOf(
      { id: 'one', outcome: invalid('/price') },
      { id: 'two', outcome: invalid('/name') },
      { id: 'three', outcome: invalid('/price') },
    )
    expect(report.rows).toMatchObject([
      { reason: 'response-invalid', count: 3, places: ['/name: type', '/price: type'], placesAtLeast: false },
    ])
  })

  it('counts what answers of an enforced API would lose where only they are observed', () => {
    const kept = sampleRecord({
      mode: 'enforce',
      id: 'kept',
      outcome: {
        decisions: [
          {
            ...sampleDecision(['response-field-dropped'], { checkpoint: 'response' }),
            reasons: [reason('response-field-dropped', 'contract', { fields: ['/secret'] })],
          },
        ],
        released: { bytes: 2, mediaType: '', digest: '', query: [], dropped: ['/secret'], kept: true },
      },
    })
    const counted = new WouldDeny()
    counted.add(kept)
    expect(counted.report()).toMatchObject({
      observed: 1,
      enforced: 0,
      wouldRefuse: 0,
      dropped: [{ fields: ['/secret'], example: 'kept' }],
    })
  })

  it('says of which errors callers would get the status alone', () => {
    const replaced = (status: number): Partial<OutcomeEntry> => ({
      status,
      decisions: [
        {
          ...sampleDecision(['response-error-replaced'], { checkpoint: 'response' }),
          reasons: [reason('response-error-replaced', 'contract', { status, rule: 'response-undeclared' })],
        },
      ],
    })
    const report = reportOf(
      { id: 'one', wallMs: 5, outcome: replaced(500) },
      { id: 'two', wallMs: 4, outcome: replaced(404) },
    )
    expect(report).toMatchObject({ wouldRefuse: 0 })
    expect(report.replaced).toEqual([
      { api: 'shop', operation: 'shop.getOrder', answers: 2, statuses: [404, 500], example: 'one' },
    ])
  })

  it('says which fields answers would lose, of calls that would go through', () => {
    const losing = (
      fields: readonly string[],
      denied: readonly ReasonCode[] = [],
    ): Partial<OutcomeEntry> => ({
      wouldDeny: denied.length > 0,
      decisions: [
        {
          ...sampleDecision(['response-field-dropped', ...denied], { checkpoint: 'response' }),
          reasons: [
            reason('response-field-dropped', 'contract', { fields }),
            ...denied.map((code) => reason(code, 'object')),
          ],
        },
      ],
    })
    const report = reportOf(
      { id: 'one', wallMs: 5, outcome: losing(['/fraudScore', '/customer/passwordHash']) },
      { id: 'two', wallMs: 4, outcome: losing(['/fraudScore', '/note']) },
      { id: 'three', wallMs: 6, outcome: losing(['/other'], ['owner-differs']) },
    )
    expect(report.wouldRefuse).toBe(1)
    expect(report.dropped).toEqual([
      {
        api: 'shop',
        operation: 'shop.getOrder',
        answers: 2,
        fields: ['/customer/passwordHash', '/fraudScore', '/note'],
        fieldsAtLeast: false,
        example: 'one',
      },
    ])
  })

  it('asks for an identity where the API has none, not for a token', () => {
    const counted = new WouldDeny({ issuers: [], withoutIdentity: new Set(['shop']) })
    counted.add(sampleRecord({ mode: 'observe', codes: ['token-missing'], subject: ANONYMOUS }))
    expect(counted.report().rows[0]?.change).toMatch(/^Add identity: to apis\.shop/)
  })

  it('counts no call that failed for its upstream as refused', () => {
    const outcome = { effect: 'deny', action: 'failed', status: 502, wouldDeny: false } as const
    const report = reportOf({ codes: ['upstream-unreachable'], outcome })
    expect(report).toMatchObject({ observed: 1, wouldRefuse: 0, refusedAlready: 0, rows: [] })
  })

  it('counts distinct callers up to a bound, and says so', () => {
    const counted = new WouldDeny()
    for (let caller = 0; caller <= 10_000; caller++)
      counted.add(
        sampleRecord({ mode: 'observe', codes: ['token-expired'], subject: { ...ANA, id: `c${caller}` } }),
      )
    expect(counted.report().rows[0]).toMatchObject({ count: 10_001, callers: 10_000, callersAtLeast: true })
  })
})
