import { describe, expect, it } from 'vitest'
import { sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import type { CandidateVerdict } from '../model/record.ts'
import { WouldChange } from './would-change.ts'

const BUNDLE = 'c'.repeat(64)
const { reasons: permits } = sampleDecision(['policy-permits'])
const { reasons: forbids } = sampleDecision(['policy-forbids'])

function said(more: Partial<CandidateVerdict>, wallMs = 1, id = `id-${wallMs}`) {
  const candidate = {
    bundle: BUNDLE,
    effect: 'allow',
    changed: false,
    reasons: permits,
    policies: [],
    ...more,
  } as const
  return sampleRecord({ id, wallMs, outcome: { candidate } })
}

describe('what a candidate would change', () => {
  it('is counted by caller, operation, change and reason, with the latest example of each', () => {
    const counted = new WouldChange(BUNDLE)
    counted.add(said({}))
    counted.add(said({ effect: 'deny', changed: true, reasons: forbids }, 2))
    counted.add(said({ effect: 'deny', changed: true, reasons: forbids }, 4))
    counted.add(said({ effect: 'deny', changed: true, reasons: forbids }, 3))
    counted.add(said({ effect: 'allow', changed: true }, 5))
    counted.add(said({ effect: 'allow', changed: true, undecided: true }, 6))
    expect(counted.report()).toEqual({
      bundle: BUNDLE,
      judged: 6,
      same: 1,
      changedAllow: 1,
      changedDeny: 3,
      undecided: 1,
      enforced: 0,
      uncounted: 0,
      rows: [
        {
          caller: 'corp/ana',
          operation: 'shop.getOrder',
          change: 'deny',
          reason: 'policy-forbids',
          count: 3,
          example: 'id-4',
        },
        {
          caller: 'corp/ana',
          operation: 'shop.getOrder',
          change: 'allow',
          reason: '',
          count: 1,
          example: 'id-5',
        },
        {
          caller: 'corp/ana',
          operation: 'shop.getOrder',
          change: 'undecided',
          reason: '',
          count: 1,
          example: 'id-6',
        },
      ],
    })
  })

  it('leaves out other candidates, and counts apart what the candidate itself judged', () => {
    const counted = new WouldChange(BUNDLE)
    counted.add(said({ bundle: 'd'.repeat(64), changed: true }))
    counted.add(sampleRecord())
    counted.add(sampleRecord({ intent: { bundle: BUNDLE } }))
    expect(counted.report()).toMatchObject({ judged: 0, enforced: 1, rows: [] })
  })
})
