import { expect, it } from 'vitest'
import { plan, sideOf } from '../../test/policy-sides.ts'
import { recordInput } from '../decision/attributes.ts'
import type { Decision } from '../model/decision.ts'
import { type ReasonCode, reason } from '../model/reason.ts'
import { callOf, type Draft } from './draft.ts'
import { type RecordedCall, RecordsTally } from './records-diff.ts'

const OPERATION = plan({ key: 'shop.list' })
const before = sideOf('permit(principal is User, action, resource) when { context.tokenAgeSeconds < 60 };', [
  OPERATION,
])
const after = sideOf('permit(principal is User, action, resource) when { context.tokenAgeSeconds < 90 };', [
  OPERATION,
])

function call(id: string, age: number, code: ReasonCode, reads = before.engine.reads): RecordedCall {
  const draft: Draft = new Map<string, string | number>([
    ['principal', 'corp/ana'],
    ['context.tokenAgeSeconds', age],
  ])
  const { input } = callOf(draft, OPERATION, 'body', { credential: 'replace', basePath: '' })
  const decision: Decision = {
    checkpoint: 'body',
    effect: code === 'policy-permits' ? 'allow' : 'deny',
    pending: false,
    mode: 'enforce',
    reasons: [reason(code, 'policy')],
    obligations: [],
    policies: [],
    bundle: '',
  }
  return { id, decisions: [decision], attributes: recordInput(input, reads, []) }
}

it('counts what changed, what did not, and what nobody can say', () => {
  const tally = new RecordsTally(before, after)
  tally.add(call('one', 10, 'policy-permits'))
  tally.add(call('two', 70, 'policy-missing'))
  tally.add(call('three', 71, 'policy-missing'))
  tally.add(call('four', 70, 'token-expired'))
  tally.add(call('five', 70, 'policy-missing', new Set()))
  tally.add({ ...call('six', 70, 'policy-missing'), attributes: null })
  expect(tally.report(false)).toEqual({
    read: 6,
    settled: 2,
    same: 1,
    changes: [{ operation: 'shop.list', caller: 'User corp/ana', widened: true, count: 2, example: 'two' }],
    undecidable: { 'context.tokenAgeSeconds': 1 },
    cut: false,
  })
})
