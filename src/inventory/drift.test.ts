import { describe, expect, it } from 'vitest'
import { sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import { type Reason, reason } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { DriftCount } from './drift.ts'

let minted = 0
function seen(reasons: readonly [Reason, ...Reason[]], at = 1_000, status = 200): ExchangeRecord {
  const id = `019381b0-5f0e-7c3a-9d62-${String(minted++).padStart(12, '0')}`
  const decision = { ...sampleDecision(['policy-permits']), reasons }
  return sampleRecord({
    id,
    wallMs: at,
    intent: { decisions: [decision] },
    outcome: { upstreamStatus: status },
  })
}

function rowsOf(...records: readonly ExchangeRecord[]) {
  const count = new DriftCount()
  for (const record of records) count.add(record)
  return count.report()
}

const dropped = (fields: readonly string[], types?: readonly string[]): Reason =>
  reason('response-field-dropped', 'contract', { fields, ...(types === undefined ? {} : { types }) })

describe('drift', () => {
  it('is counted by place, with types joined and an example of no value', () => {
    const { calls, rows } = rowsOf(
      seen([dropped(['/items/*/mail'], ['string:email~16!pii.email'])], 2_000),
      seen([dropped(['/items/*/mail'], ['null'])], 1_000),
    )
    expect(calls).toBe(2)
    expect(rows).toMatchObject([
      {
        kind: 'answer-field',
        place: '/items/*/mail',
        status: 200,
        type: 'null|string:email',
        calls: 2,
        firstSeen: '1970-01-01T00:00:01.000Z',
        lastSeen: '1970-01-01T00:00:02.000Z',
        example: { items: [{ mail: '‹null or string›' }] },
      },
    ])
  })

  it('tells what was seen in refused calls alone', () => {
    const undeclared = reason('field-undeclared', 'contract', { pointer: '/probe', type: 'string' })
    const refused = sampleRecord({
      id: '019381b0-5f0e-7c3a-9d62-00000000ffff',
      wallMs: 1_000,
      intent: { decisions: [{ ...sampleDecision(['policy-permits']), reasons: [undeclared] }] },
      outcome: { action: 'refused' },
    })
    expect(rowsOf(refused).rows).toMatchObject([{ place: '/probe', calls: 1, refused: 1 }])
    expect(rowsOf(refused, seen([undeclared])).rows).toMatchObject([{ calls: 2, refused: 1 }])
  })

  it('takes the items of a list, and names that are data, as one place', () => {
    const { rows } = rowsOf(
      seen([
        reason('field-undeclared', 'contract', { pointer: '/a/0/b', type: 'integer' }),
        reason('field-undeclared', 'contract', { pointer: '/a/1/b', type: 'null' }),
        reason('field-undeclared', 'contract', { pointer: '/by/ana@example.org', type: 'null' }),
      ]),
    )
    expect(rows.map(({ place, type, calls }) => [place, type, calls])).toEqual([
      ['/a/*/b', 'null|integer', 1],
      ['/by/*', 'null', 1],
    ])
  })

  it('reads records from before types were told', () => {
    const { rows } = rowsOf(seen([dropped(['/a'])]))
    expect(rows).toMatchObject([{ place: '/a', type: '', example: { a: '‹value›' } }])
  })

  it.each<[string, Reason, string, string]>([
    [
      'a parameter',
      reason('parameter-undeclared', 'contract', { in: 'query', name: 'q', type: 'integer' }),
      'parameter',
      'query q',
    ],
    [
      'a taken-out parameter',
      reason('request-field-dropped', 'contract', { in: 'query', fields: ['q'], types: ['integer'] }),
      'parameter',
      'query q',
    ],
    [
      'a parameter’s type',
      reason('parameter-invalid', 'contract', { in: 'query', name: 'q', rule: 'type', type: 'string~4' }),
      'parameter-type',
      'query q',
    ],
    [
      'a field’s type',
      reason('body-invalid', 'contract', { pointer: '/a', rule: 'type', type: 'null' }),
      'request-type',
      '/a',
    ],
    [
      'a body where there is none',
      reason('body-unexpected', 'contract', { bytes: 2, mediaType: 'text/plain' }),
      'request-media-type',
      'text/plain',
    ],
    [
      'a media type',
      reason('response-undeclared', 'contract', { status: 200, rule: 'media type', mediaType: 'text/html' }),
      'answer-media-type',
      'text/html',
    ],
    [
      'content of an empty status',
      reason('response-field-dropped', 'contract', {
        fields: ['/'],
        types: ['object'],
        mediaType: 'application/json',
      }),
      'answer-media-type',
      'application/json',
    ],
    ['a status', reason('response-undeclared', 'contract', { status: 200 }), 'answer-status', '200'],
    [
      'a replaced error',
      reason('response-error-replaced', 'contract', {
        rule: 'stack-trace',
        code: 'response-undeclared',
        status: 200,
      }),
      'answer-status',
      '200',
    ],
    [
      'a header',
      reason('response-invalid', 'contract', { header: 'X-Count', rule: 'type', type: 'string~4' }),
      'answer-header',
      'X-Count',
    ],
  ])('has %s', (_, found, kind, place) => {
    expect(rowsOf(seen([found])).rows.map((row) => [row.kind, row.place])).toEqual([[kind, place]])
  })

  it('has nothing of rules other than types, and of calls without an operation', () => {
    const fault = reason('body-invalid', 'contract', { pointer: '/a', rule: 'maxLength' })
    expect(
      rowsOf(seen([fault]), {
        ...seen([dropped(['/a'])]),
        intent: { ...seen([dropped(['/a'])]).intent, operation: '' },
      }),
    ).toMatchObject({ calls: 0, rows: [] })
  })

  it('stays bounded when every call has another field', () => {
    const count = new DriftCount()
    for (let i = 0; i < 250; i++)
      count.add(seen([dropped(Array.from({ length: 100 }, (_, j) => `/f${i}x${j}`))]))
    const { rows, uncounted } = count.report()
    expect([rows.length, uncounted]).toEqual([20_000, 5_000])
  })
})
