import { expect, test } from 'vitest'
import { decisionLine } from '../../demo/live.ts'
import { sampleRecord } from '../exchange-records.ts'

test('the live view has one line a decision; a deny brings its id and ends with the smallest change', () => {
  const allowed = decisionLine(sampleRecord())
  expect(allowed).toMatch(/^ana {8}shop\.getOrder +allow +200 +400 µs {2}policy-permits$/)
  const denied = sampleRecord({
    codes: ['owner-differs'],
    intent: { template: '/v1/orders/{orderId}' },
  })
  expect(decisionLine(denied)).toMatch(
    /deny +403 .*owner-differs {2}019381b0-5f0e-7c3a-9d62-0b4c1f6f6a11 -> Call as the owner, or add permit\(.*== "1" \};$/,
  )
  expect(decisionLine(sampleRecord({ codes: ['token-expired'], mode: 'observe' }))).toMatch(
    /would-deny .*-> Get a new token/,
  )
  expect(decisionLine(sampleRecord({ operation: '', intent: { method: 'G\u001bT' } }))).not.toContain(
    '\u001b',
  )
  expect(decisionLine(sampleRecord({ outcome: 'unknown' }))).toBe('')
})
