import { describe, expect, it } from 'vitest'
import type { ObservableStage } from '../model/bundle.ts'
import type { PolicyVerdict } from '../model/decision.ts'
import { finding } from '../model/fact.ts'
import type { OperationPlan } from '../model/operation.ts'
import { opposes, REASONS, type Reason, type ReasonCode, reason } from '../model/reason.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { decide, type JudgeInput } from './decide.ts'
import { checkScopes } from './floor.ts'
import { stageOf } from './observed.ts'

const STAGES: readonly ObservableStage[] = ['identity', 'contract', 'policy', 'zone', 'response']
const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: {
    need: 'required',
    alternatives: [{ schemes: [{ name: 'oauth', kind: 'bearer', scopes: ['orders:read'] }] }],
  },
}
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana', scopes: ['orders:read'] }
const ALLOW: PolicyVerdict = { verdict: 'allow', policies: ['own'], errors: [] }
const DENY: PolicyVerdict = { verdict: 'deny', policies: ['no'], errors: [] }

function judge(observe: readonly ObservableStage[], changes: Partial<JudgeInput> = {}) {
  const subject = changes.subject ?? ANA
  const base = {
    checkpoint: 'body',
    mode: 'enforce',
    bundle: 'b',
    plan: PLAN,
    policy: ALLOW,
    last: true,
  } as const
  const scopes = checkScopes(PLAN.security, subject)
  const decision = decide({ ...base, subject, scopes, findings: [], observe, ...changes })
  return {
    effect: decision.effect,
    codes: decision.reasons.map(({ code }) => code),
    observed: (decision.observed ?? []).map(({ code }) => code),
    policies: decision.policies,
  }
}

/** One finding for each stage, as that stage states it. */
const FOUND: Readonly<Record<ObservableStage, Reason>> = {
  identity: reason('token-expired', 'identity'),
  contract: reason('body-invalid', 'contract'),
  policy: reason('object-lookup-failed', 'object'),
  zone: reason('lateral-movement', 'zone'),
  response: reason('response-undeclared', 'contract'),
}

describe('a stage that is only observed', () => {
  it.each(STAGES)('%s: its own findings have no effect, those of every other have', (stage) => {
    for (const other of STAGES) {
      const found = judge([stage], { findings: [finding(FOUND[other])] })
      const { code } = FOUND[other]
      if (other === stage) expect(found).toMatchObject({ effect: 'allow', observed: [code] })
      else expect(found).toMatchObject({ effect: 'deny', codes: [code], observed: [] })
    }
  })

  it('says why a call goes on', () => {
    expect(judge(['contract'], { findings: [finding(FOUND.contract)] }).codes).toEqual([
      'identity-verified',
      'scopes-met',
      'policy-permits',
      'only-observed',
    ])
  })

  it('suspends nothing that holds in every mode', () => {
    expect(judge(STAGES, { findings: [finding(FOUND.contract, true)] }).effect).toBe('deny')
    for (const code of [
      'route-unknown',
      'method-not-allowed',
      'audit-unavailable',
      'request-malformed',
    ] as const) {
      const source =
        code === 'audit-unavailable' ? 'audit' : code === 'request-malformed' ? 'hygiene' : 'route'
      expect(judge(STAGES, { findings: [finding(reason(code, source))] }).effect).toBe('deny')
    }
  })

  it('suspends no failure of the gate itself', () => {
    for (const stage of ['decide', 'operation', 'pipeline', 'upstream', 'scopes', ''])
      expect(stageOf(reason('stage-failed', 'stage', { stage }))).toBeNull()
    expect(judge(STAGES, { plan: null })).toMatchObject({ effect: 'deny', codes: ['stage-failed'] })
  })

  it('identity: the floor too, and nobody is called allowed for it', () => {
    const found = judge(['identity'], { subject: ANONYMOUS, findings: [finding(FOUND.identity)] })
    expect(found).toEqual({
      effect: 'allow',
      codes: ['policy-permits', 'only-observed'],
      observed: ['token-expired'],
      policies: ['own'],
    })
    expect(judge(['identity'], { subject: ANONYMOUS }).observed).toEqual(['token-missing'])
    expect(judge(['identity'], { subject: { ...ANA, scopes: [] } }).observed).toEqual(['insufficient-scope'])
  })

  it('identity: a policy’s deny still denies', () => {
    const found = judge(['identity'], {
      subject: ANONYMOUS,
      findings: [finding(FOUND.identity)],
      policy: DENY,
    })
    expect(found).toMatchObject({ effect: 'deny', codes: ['policy-forbids'], observed: ['token-expired'] })
  })

  it('contract: what is observed there does not silence the floor', () => {
    const found = judge(['contract'], { subject: ANONYMOUS, findings: [finding(FOUND.contract)] })
    expect(found).toMatchObject({ effect: 'deny', codes: ['token-missing'] })
  })

  it('policy: a verdict that is missing, failed, or a deny', () => {
    expect(judge(['policy'], { policy: DENY })).toMatchObject({
      effect: 'allow',
      observed: ['policy-forbids'],
      policies: ['no'],
    })
    expect(judge(['policy'], { policy: null })).toMatchObject({ effect: 'allow', observed: ['stage-failed'] })
    expect(judge(['identity'], { policy: null })).toMatchObject({ effect: 'deny', codes: ['stage-failed'] })
  })

  it('judges alike in observe mode, which suspends everything itself', () => {
    const found = judge(['contract'], { mode: 'observe', findings: [finding(FOUND.contract)] })
    expect(found).toMatchObject({ effect: 'deny', codes: ['body-invalid'], observed: [] })
  })
})

describe('a policy that is only observed', () => {
  const would = (
    over: Partial<PolicyVerdict>,
    wouldForbid: string[],
    wouldPermit: string[] = [],
  ): PolicyVerdict => ({
    ...ALLOW,
    ...over,
    observed: { wouldForbid, wouldPermit },
  })

  it('forbids nothing yet, and is recorded', () => {
    expect(judge([], { policy: would({}, ['soon']) })).toMatchObject({
      effect: 'allow',
      observed: ['policy-forbids'],
      policies: ['own'],
    })
  })

  it('permits nothing yet, and the denial names it', () => {
    const none = { verdict: 'deny', policies: [] } as const
    const decision = decide({
      checkpoint: 'head',
      mode: 'enforce',
      bundle: 'b',
      plan: PLAN,
      subject: ANA,
      scopes: checkScopes(PLAN.security, ANA),
      findings: [],
      policy: would(none, [], ['soon']),
      last: true,
    })
    expect(decision.effect).toBe('deny')
    expect(decision.reasons[0]).toMatchObject({ code: 'policy-missing', evidence: { wouldPermit: ['soon'] } })
    expect(decision.observed).toBeUndefined()
  })
})

it('answers for a reason by its source: one of the stages, or none', () => {
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    if (!opposes(code)) continue
    for (const source of ['hygiene', 'route', 'audit', 'upstream'] as const)
      if (code !== 'upstream-failed' && code !== 'insufficient-scope')
        expect(stageOf(reason(code, source))).toBeNull()
  }
})
