import { describe, expect, it } from 'vitest'
import type { DecisionInput, PolicyVerdict } from '../../model/decision.ts'
import { isFault } from '../../model/errors.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { compilePolicies } from './compile.ts'
import { CedarEngine } from './evaluate.ts'

const OBJECT = {
  type: 'order',
  owner: ['customerId'],
  issuer: 'corp',
  hideAbsent: false,
  ownerKnownAt: 'response',
} as const
const ORDER: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  operationId: 'getOrder',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
  object: OBJECT,
}
const INPUT: DecisionInput = {
  checkpoint: 'response',
  principal: { type: 'User', id: 'corp/ana', groups: [], client: '', tenant: 'default' },
  action: 'shop.getOrder',
  resource: { api: 'shop', objectType: 'order', params: {}, owner: 'corp/ana', unknown: [] },
  context: {
    scopes: [],
    scopesMet: true,
    issuer: '',
    audience: [],
    tokenAgeSeconds: 5,
    method: 'GET',
    path: '/',
    ip: '127.0.0.1',
  },
}

function plan(text: string) {
  return compilePolicies({ files: [{ file: 'a.cedar', text }], apis: [{ api: 'shop', operations: [ORDER] }] })
    .plan
}

function verdict(text: string, input: DecisionInput = INPUT): PolicyVerdict {
  return new CedarEngine(plan(text)).evaluate(input)
}

const PERMIT = '@id("yes") permit (principal, action, resource);'
const TRIED_FORBID = '@id("soon") @mode("observe") forbid (principal, action, resource);'
const TRIED_PERMIT = '@id("maybe") @mode("observe") permit (principal, action, resource);'

describe('policies under @mode("observe")', () => {
  it('a forbid forbids nothing, and is named', () => {
    expect(verdict(PERMIT + TRIED_FORBID)).toMatchObject({
      verdict: 'allow',
      policies: ['yes'],
      observed: { wouldForbid: ['soon'], wouldPermit: [] },
    })
    expect(verdict(PERMIT + TRIED_FORBID.replace('observe', 'enforce'))).toMatchObject({
      verdict: 'deny',
      policies: ['soon'],
    })
  })

  it('a permit permits nothing, and is named', () => {
    expect(verdict(TRIED_PERMIT)).toMatchObject({
      verdict: 'deny',
      policies: [],
      observed: { wouldForbid: [], wouldPermit: ['maybe'] },
    })
    expect(verdict(TRIED_PERMIT.replace('observe', 'enforce'))).toMatchObject({ verdict: 'allow' })
  })

  it('says nothing where none applies or there is none', () => {
    const never =
      '@mode("observe") forbid (principal, action, resource) when { context.tokenAgeSeconds > 60 };'
    expect(verdict(PERMIT + never).observed).toBeUndefined()
    expect(verdict(PERMIT).observed).toBeUndefined()
  })

  it('a forbid that fails would deny', () => {
    const failing =
      '@id("odd") @mode("observe") forbid (principal, action, resource) when { context.tokenAgeSeconds + 9223372036854775807 > 0 };'
    expect(verdict(PERMIT + failing)).toMatchObject({ verdict: 'allow', observed: { wouldForbid: ['odd'] } })
  })

  it('waits for the owner, and never makes a call wait', () => {
    const foreign =
      '@id("own") @mode("observe") forbid (principal, action, resource) unless { resource has owner && resource.owner == principal };'
    const unknown = {
      ...INPUT,
      resource: { api: 'shop', objectType: 'order', params: {}, unknown: ['owner'] as const },
    }
    const early = verdict(PERMIT + foreign, unknown)
    expect([early.verdict, early.observed]).toEqual(['allow', undefined])
    const others = { ...INPUT, resource: { ...INPUT.resource, owner: 'corp/ben' } }
    expect(verdict(PERMIT + foreign, others)).toMatchObject({
      verdict: 'allow',
      observed: { wouldForbid: ['own'] },
    })
    expect(verdict(PERMIT + foreign).observed).toBeUndefined()
  })

  it('are among what records keep', () => {
    const reading =
      '@mode("observe") forbid (principal, action, resource) when { context.tokenAgeSeconds > 60 };'
    expect([...new CedarEngine(plan(reading)).reads]).toContain('context.tokenAgeSeconds')
  })

  it.each([
    ['@mode("watch")', '@mode is "observe" or "enforce"'],
    ['@mode', '@mode is "observe" or "enforce"'],
    ['@Mode("observe")', 'there is no annotation @Mode'],
    ['@observe', 'there is no annotation @observe'],
    ['@moode("observe")', 'there is no annotation @moode'],
  ])('%s is refused with its place', (annotation, message) => {
    try {
      plan(`${annotation} permit (principal, action, resource);`)
    } catch (error) {
      expect(isFault(error, 'policy-invalid') && error.data['line']).toBe(1)
      expect(String(error)).toContain(message)
      return
    }
    throw new Error('it was taken')
  })
})
