import { describe, expect, it } from 'vitest'
import type { DecisionInput } from '../../model/decision.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { compilePolicies } from './compile.ts'
import { tracePolicies } from './trace.ts'

const getOrder: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['office'],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
  object: { type: 'order', owner: ['customerId'], hideAbsent: false, ownerKnownAt: 'response' },
}

function trace(text: string, more: Partial<DecisionInput> = {}) {
  const { plan } = compilePolicies({
    files: [{ file: 'shop.cedar', text }],
    apis: [{ api: 'shop', operations: [getOrder] }],
  })
  const input: DecisionInput = {
    checkpoint: 'response',
    principal: { type: 'User', id: 'corp/ana', groups: ['corp/staff'], client: 'web', tenant: 'default' },
    action: 'shop.getOrder',
    resource: { api: 'shop', objectType: 'order', params: { orderId: '7' }, owner: 'corp/bo', unknown: [] },
    context: {
      scopes: [],
      scopesMet: true,
      issuer: '',
      audience: [],
      tokenAgeSeconds: 1,
      method: 'GET',
      path: '/orders/7',
      ip: '192.0.2.1',
    },
    ...more,
  }
  return tracePolicies(plan, input)
}

const OWN = `@id("own") permit (principal is User, action == Action::"shop.getOrder", resource)
  when { resource has owner && resource.owner == principal };`

describe('a trace of the policies', () => {
  it('names the single fact that kept a permit from applying, with its value', () => {
    const traced = trace(OWN)
    expect(traced?.verdict).toBe('deny')
    const [own] = traced?.policies ?? []
    expect(own).toMatchObject({ id: 'own', state: 'does-not-apply', near: true })
    expect(own?.clauses.map(({ text, held, turns }) => [text, held, turns])).toEqual([
      ['principal is User', 'holds', false],
      ['resource has owner', 'holds', false],
      ['resource.owner == principal', 'fails', true],
    ])
    expect(own?.clauses[2]?.facts).toEqual({ principal: 'User corp/ana', 'resource.owner': 'corp/bo' })
  })

  it('says of an allowed call what it hung on, and which forbid came near', () => {
    const text = `@id("staff") permit (principal in Group::"corp/staff", action, resource);
@id("outside") forbid (principal, action, resource) unless { context.ip.isInRange(ip("192.0.2.0/24")) };`
    const traced = trace(text)
    expect(traced?.verdict).toBe('allow')
    expect(traced?.policies.map(({ id, state }) => [id, state])).toEqual([
      ['staff', 'applies'],
      ['outside', 'does-not-apply'],
    ])
    expect(traced?.policies.flatMap(({ clauses }) => clauses.map(({ turns }) => turns))).toEqual([true, true])
  })

  it('turns on no single fact where two policies permit for different ones', () => {
    const text = `@id("staff") permit (principal in Group::"corp/staff", action, resource);
@id("scoped") permit (principal, action, resource) when { context.scopesMet };`
    expect(trace(text)?.policies.flatMap(({ clauses }) => clauses.filter(({ turns }) => turns))).toEqual([])
  })

  it('turns on a fact that two policies share', () => {
    const text = `@id("one") permit (principal is User, action, resource) when { context.scopesMet };
@id("two") permit (principal in Group::"corp/staff", action, resource) when { context.scopesMet };`
    const turning = trace(text)?.policies.flatMap(({ clauses }) => clauses.filter(({ turns }) => turns))
    expect(turning?.map(({ text }) => text)).toEqual(['context.scopesMet', 'context.scopesMet'])
  })

  it('tells what is not known yet from what fails', () => {
    const resource = { api: 'shop', objectType: 'order', params: {}, unknown: ['owner'] as const }
    const [own] = trace(OWN, { resource })?.policies ?? []
    expect(own?.state).toBe('waits')
    expect(own?.clauses.map(({ held }) => held)).toEqual(['holds', 'not-known', 'not-known'])
  })

  it('leaves out policies of other operations, and is null for an operation it does not know', () => {
    expect(trace(OWN, { action: 'shop.other' })).toBeNull()
  })
})
