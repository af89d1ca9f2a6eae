import { describe, expect, it } from 'vitest'
import { sampleRecord } from '../../test/exchange-records.ts'
import { type Reason, reason } from '../model/reason.ts'
import type { ExchangeRecord } from '../model/record.ts'
import { UnknownFieldsCount } from './unknown-fields.ts'

/** A call whose decision has these reasons, or of which these were only observed. */
function call(
  sample: Parameters<typeof sampleRecord>[0],
  reasons: readonly [Reason, ...Reason[]],
  observed: readonly Reason[] = [],
): ExchangeRecord {
  const record = sampleRecord(sample)
  const decisions = record.intent.decisions.map((decision) => ({
    ...decision,
    reasons,
    ...(observed.length === 0 ? {} : { observed }),
  }))
  return { ...record, intent: { ...record.intent, decisions } }
}

const field = (pointer: string): Reason => reason('field-undeclared', 'contract', { pointer })
const YES = reason('policy-permits', 'policy')

describe('undeclared fields of recorded calls', () => {
  it('are counted by operation and place, with what became of them', () => {
    const counted = new UnknownFieldsCount()
    counted.add(call({ mode: 'enforce', id: 'one', wallMs: 2_000 }, [field('/items/3/x')]))
    counted.add(
      call({ mode: 'enforce', id: 'two', wallMs: 1_000 }, [YES], [field('/items/0/x'), field('/items/7/x')]),
    )
    const dropped = reason('request-field-dropped', 'contract', { fields: ['/items/*/x'] })
    counted.add(call({ mode: 'enforce', id: 'three', wallMs: 3_000 }, [YES, dropped]))
    counted.add(call({ mode: 'observe', id: 'four', wallMs: 1_500 }, [field('/items/1/x')]))
    counted.add(call({ mode: 'enforce', id: 'five' }, [YES]))
    const { calls, rows, uncounted } = counted.report()
    expect([calls, uncounted]).toEqual([4, 0])
    expect(rows).toEqual([
      {
        api: 'shop',
        operation: 'shop.getOrder',
        place: '/items/*/x',
        readOnly: false,
        calls: 4,
        fates: { rejected: 1, stripped: 1, observed: 2 },
        callers: 1,
        callersAtLeast: false,
        firstSeen: new Date(1_000).toISOString(),
        lastSeen: new Date(3_000).toISOString(),
        example: 'three',
      },
    ])
  })

  it('tell query parameters, read-only fields and anonymous callers apart', () => {
    const counted = new UnknownFieldsCount()
    const query = reason('parameter-undeclared', 'contract', { in: 'query', name: 'x' })
    counted.add(
      call({ mode: 'enforce', address: '192.0.2.1' }, [
        query,
        reason('field-read-only', 'contract', { pointer: '/id' }),
      ]),
    )
    counted.add(
      call({ mode: 'enforce' }, [
        reason('request-field-dropped', 'contract', { in: 'query', fields: ['x'] }),
      ]),
    )
    expect(counted.report().rows.map(({ place, readOnly, fates }) => [place, readOnly, fates])).toEqual([
      ['query x', false, { rejected: 1, stripped: 1, observed: 0 }],
      ['/id', true, { rejected: 1, stripped: 0, observed: 0 }],
    ])
  })
})
