import { describe, expect, it } from 'vitest'
import { sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import {
  callerOf,
  changeFor,
  denialOf,
  endingOf,
  operationOf,
  reasonCodes,
  wouldRefuse,
} from './record-view.ts'

describe('how a record reads', () => {
  it.each([
    ['allow', sampleRecord()],
    ['deny', sampleRecord({ codes: ['insufficient-scope'] })],
    ['would-deny', sampleRecord({ codes: ['insufficient-scope'], mode: 'observe' })],
    ['failed', sampleRecord({ outcome: { action: 'failed', effect: 'deny', status: 502 } })],
    ['unknown', sampleRecord({ outcome: 'unknown' })],
    ['open', sampleRecord({ outcome: null })],
  ] as const)('%s', (ending, record) => {
    expect(endingOf(record)).toBe(ending)
  })

  it('takes the first checkpoint that denied as what ended the call', () => {
    const record = sampleRecord({
      intent: { decisions: [sampleDecision(['policy-pending'], { pending: true })] },
      outcome: {
        decisions: [sampleDecision(['owner-differs', 'identity-verified'], { checkpoint: 'response' })],
      },
    })
    expect(denialOf(record)).toMatchObject({
      decision: { checkpoint: 'response' },
      reason: { code: 'owner-differs' },
    })
    expect(reasonCodes(record)).toEqual(['owner-differs'])
    expect(changeFor(record)).toContain('principal == User::"corp/ana"')
  })

  it('would have been refused where an observed call was denied and its end is not known', () => {
    const observed = { mode: 'observe', outcome: 'unknown' } as const
    expect(wouldRefuse(sampleRecord({ ...observed, codes: ['token-missing'] }))).toBe(true)
    expect(wouldRefuse(sampleRecord(observed))).toBe(false)
    expect(wouldRefuse(sampleRecord({ codes: ['token-missing'] }))).toBe(false)
  })

  it('names an erased caller and a call without an operation', () => {
    expect(callerOf(sampleRecord({ subject: null }))).toBe('(erased)')
    expect(operationOf(sampleRecord({ operation: '' }))).toBe('GET shop, no operation')
    expect(operationOf(sampleRecord({ operation: '', api: '' }))).toBe('GET (no API)')
  })
})
