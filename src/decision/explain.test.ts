import { expect, test } from 'vitest'
import type { DecisionInput, PolicyEngine, PolicyVerdict } from '../model/decision.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { recordInput } from './attributes.ts'
import type { JudgeInput } from './decide.ts'
import { decide } from './decide.ts'
import { reevaluate } from './explain.ts'

const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
}
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana' }
const INPUT: DecisionInput = {
  checkpoint: 'body',
  principal: { type: 'User', id: 'corp/ana', groups: [], client: '', tenant: 'default' },
  action: 'shop.getOrder',
  resource: { api: 'shop', objectType: '', params: {}, unknown: [] },
  context: {
    scopes: [],
    scopesMet: true,
    issuer: '',
    audience: [],
    tokenAgeSeconds: 0,
    method: 'GET',
    path: '/',
    ip: '127.0.0.1',
  },
}
const READS = new Set(['context.scopesMet'])
const VERDICTS: readonly PolicyVerdict[] = [
  { verdict: 'allow', policies: ['a'], errors: [] },
  { verdict: 'allow', policies: ['a', 'b'], errors: [] },
  { verdict: 'deny', policies: [], errors: [] },
  { verdict: 'deny', policies: ['no'], errors: [] },
  { verdict: 'deny', policies: ['no'], errors: [{ policy: 'no', message: 'x' }] },
  { verdict: 'deny', policies: [], errors: [], object: { attribute: 'owner', known: true, policies: ['a'] } },
  {
    verdict: 'pending',
    policies: ['a'],
    errors: [],
    object: { attribute: 'owner', known: false, policies: ['a'] },
  },
]

function engine(verdict: PolicyVerdict, reads: ReadonlySet<string> = READS): PolicyEngine {
  return { reads, evaluate: () => verdict }
}

function record(verdict: PolicyVerdict | null, changes: Partial<JudgeInput> = {}) {
  const decision = decide({
    checkpoint: 'body',
    mode: 'enforce',
    bundle: 'b',
    plan: PLAN,
    subject: ANA,
    findings: [],
    scopes: { met: true, missing: [], needed: [], unsupported: false, leftToApi: false },
    policy: verdict,
    last: true,
    ...changes,
  })
  return { decisions: [decision], attributes: verdict === null ? null : recordInput(INPUT, READS, []) }
}

test('the same verdict is the same, any other is changed, at the last checkpoint and before', () => {
  for (const last of [true, false]) {
    VERDICTS.forEach((then, index) => {
      VERDICTS.forEach((now, other) => {
        const expected = index === other ? 'same' : 'changed'
        expect([index, other, reevaluate(record(then, { last }), engine(now))]).toEqual([
          index,
          other,
          expected,
        ])
      })
    })
  }
})

test('a stage or a policy that was only observed is judged again with the rest', () => {
  const observed = { wouldForbid: ['soon'], wouldPermit: [] }
  const verdicts = [...VERDICTS, ...VERDICTS.map((verdict) => ({ ...verdict, observed }))]
  for (const observe of [[], ['policy']] as const) {
    verdicts.forEach((then, index) => {
      verdicts.forEach((now, other) => {
        const expected = index === other ? 'same' : 'changed'
        const found = reevaluate(record(then, { observe }), engine(now))
        expect([observe, index, other, found]).toEqual([observe, index, other, expected])
      })
    })
  }
})

test('what policies read and the record lacks makes it undecidable', () => {
  const [allow] = VERDICTS
  if (allow === undefined) throw new Error('no verdict')
  const asks = engine(allow, new Set(['context.scopesMet', 'resource.owner', 'context.ip']))
  expect(reevaluate(record(allow), asks)).toEqual({ undecidable: ['context.ip', 'resource.owner'] })
  expect(reevaluate({ ...record(allow), attributes: null }, engine(allow))).toEqual({
    undecidable: ['attributes'],
  })
  expect(reevaluate({ decisions: [], attributes: null }, engine(allow))).toEqual({
    undecidable: ['decision'],
  })
})

test('what facts settled no policy changes', () => {
  const [allow] = VERDICTS
  if (allow === undefined) throw new Error('no verdict')
  const findings = [finding(reason('token-expired', 'identity'))]
  expect(reevaluate(record(null, { findings }), engine(allow))).toBe('same')
  expect(reevaluate(record(null, { plan: null, mode: 'observe' }), engine(allow))).toBe('same')
})

test('the attributes belong to their own checkpoint', () => {
  const [allow] = VERDICTS
  if (allow === undefined) throw new Error('no verdict')
  const { decisions, attributes } = record(allow)
  const head = decisions.map((decision) => ({
    ...decision,
    checkpoint: 'head' as const,
    effect: 'deny' as const,
  }))
  expect(reevaluate({ decisions: [...head, ...decisions], attributes }, engine(allow))).toBe('same')
  expect(reevaluate({ decisions: head, attributes }, engine(allow))).toEqual({ undecidable: ['decision'] })
})
