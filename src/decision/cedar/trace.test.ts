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

const CONTEXT: DecisionInput['context'] = {
  scopes: [],
  scopesMet: true,
  issuer: '',
  audience: [],
  tokenAgeSeconds: 1,
  method: 'GET',
  path: '/orders/7',
  ip: '192.0.2.1',
}

function trace(
  text: string,
  more: Partial<DecisionInput> = {},
  set: { readonly failingForbid?: 'ignore' } = {},
) {
  const { plan } = compilePolicies({
    ...set,
    files: [{ file: 'shop.cedar', text }],
    apis: [{ api: 'shop', operations: [getOrder] }],
  })
  const input: DecisionInput = {
    checkpoint: 'response',
    principal: { type: 'User', id: 'corp/ana', groups: ['corp/staff'], client: 'web', tenant: 'default' },
    action: 'shop.getOrder',
    resource: { api: 'shop', objectType: 'order', params: { orderId: '7' }, owner: 'corp/bo', unknown: [] },
    context: CONTEXT,
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

  it('says what policies that are only observed would do, and does not count them', () => {
    const text = `${OWN}
@id("tried") @mode("observe") permit (principal, action, resource);
@id("ban") @mode("observe") forbid (principal in Group::"corp/staff", action, resource);`
    const traced = trace(text)
    expect(traced?.verdict).toBe('deny')
    const seen = traced?.policies.map(({ id, observed, state }) => [id, observed, state])
    expect(seen).toEqual([
      ['tried', true, 'applies'],
      ['ban', true, 'applies'],
      ['own', false, 'does-not-apply'],
    ])
    const turning = traced?.policies.filter(({ clauses }) => clauses.some(({ turns }) => turns))
    expect(turning?.map(({ id }) => id)).toEqual(['own'])
  })

  it('takes a condition and its opposite for one fact', () => {
    const text = `@id("scoped") permit (principal, action, resource) when { context.scopesMet };
@id("staff") permit (principal in Group::"corp/staff", action, resource) unless { context.scopesMet };`
    const traced = trace(text)
    expect(traced?.verdict).toBe('allow')
    expect(traced?.policies.flatMap(({ clauses }) => clauses.filter(({ turns }) => turns))).toEqual([])
  })

  it('does not take an owner nobody stated for one that is absent', () => {
    const resource = { api: 'shop', objectType: 'order', params: {}, unknown: ['owner'] as const }
    const [owned] =
      trace(`@id("owned") forbid (principal, action, resource) unless { resource has owner };`, { resource })
        ?.policies ?? []
    expect(owned?.state).toBe('waits')
  })

  it('lets a known condition settle what stands behind an unknown one', () => {
    const resource = { api: 'shop', objectType: 'order', params: {}, unknown: ['owner'] as const }
    const text = `@id("own") permit (principal, action, resource)
      when { resource has owner && resource.owner == principal && context.method == "PUT" };`
    expect(trace(text, { resource })?.policies[0]?.state).toBe('does-not-apply')
  })

  it('holds a forbid that fails against the call, but not in plain Cedar', () => {
    const text = `@id("all") permit (principal, action, resource);
@id("odd") forbid (principal, action, resource) when { context.tokenAgeSeconds * 9223372036854775807 > 5 && context.scopesMet };`
    const context = { tokenAgeSeconds: 2 }
    const more = { context: { ...CONTEXT, ...context } }
    expect(trace(text, more)?.policies.map(({ id, state }) => [id, state])).toContainEqual(['odd', 'error'])
    expect(trace(text, more)?.verdict).toBe('deny')
    expect(trace(text, more, { failingForbid: 'ignore' })?.verdict).toBe('allow')
  })

  it('weighs every policy of the operation and tells the nearest', () => {
    const others = Array.from(
      { length: 400 },
      (_, n) =>
        `@id("p${n}") permit (principal == User::"corp/u${n}", action, resource) when { context.method == "PUT" };`,
    )
    const traced = trace(
      `${others.join('\n')}\n@id("last") permit (principal in Group::"corp/staff", action, resource);`,
    )
    expect(traced?.verdict).toBe('allow')
    expect(traced?.policies[0]?.id).toBe('last')
    expect([traced?.policies.length, traced?.further]).toEqual([200, 201])
  })

  describe('of joined conditions', () => {
    const ALL = '@id("all") permit (principal, action, resource);'
    const held = (text: string, changed?: Parameters<typeof trace>[1]) => {
      const traced = trace(text, changed)
      const clause = traced?.policies.find(({ id }) => id === 'it')?.clauses.at(-1)
      const parts = clause?.parts?.map((part) => [part.text, part.held, part.turns])
      return { verdict: traced?.verdict, held: clause?.held, join: clause?.join, parts }
    }

    it('names the part of an unless whose truth would have lifted the forbid', () => {
      const owner = `@id("it") forbid (principal, action, resource)
        unless { principal is User && resource has owner && resource.owner == principal };`
      expect(held(`${ALL} ${owner}`)).toEqual({
        verdict: 'deny',
        held: 'holds',
        join: 'not-all',
        parts: [
          ['principal is User', 'holds', false],
          ['resource has owner', 'holds', false],
          ['resource.owner == principal', 'fails', true],
        ],
      })
    })

    it('names none where two parts fail', () => {
      const both =
        '@id("it") forbid (principal, action, resource) unless { context.method == "PUT" && false };'
      const { verdict, parts } = held(`${ALL} ${both}`)
      expect(verdict).toBe('deny')
      expect(parts?.map(([, , turns]) => turns)).toEqual([false, false])
    })

    it('names every part of an allowed call whose failing would have brought the forbid', () => {
      const both = `@id("it") forbid (principal, action, resource)
        unless { context.scopesMet && context.method == "GET" };`
      const { verdict, parts } = held(`${ALL} ${both}`)
      expect(verdict).toBe('allow')
      expect(parts?.map(([, held, turns]) => [held, turns])).toEqual([
        ['holds', true],
        ['holds', true],
      ])
    })

    it('names each alternative that alone would have done', () => {
      const either = `@id("it") permit (principal, action, resource)
        when { context.method == "PUT" || !context.scopesMet };`
      expect(held(either)).toEqual({
        verdict: 'deny',
        held: 'fails',
        join: 'any',
        parts: [
          ['context.method == "PUT"', 'fails', true],
          ['!context.scopesMet', 'fails', true],
        ],
      })
      const none = '@id("it") permit (principal, action, resource) when { !(context.scopesMet || false) };'
      expect(held(none)).toMatchObject({ verdict: 'deny', join: 'none' })
      expect(held(none).parts?.map(([, , turns]) => turns)).toEqual([true, false])
    })

    it('does not promise what would fail to evaluate behind the part', () => {
      const guarded = `@id("it") forbid (principal, action, resource)
        unless { context has reason && context.tokenAgeSeconds * 9223372036854775807 > 5 };`
      const context = { ...CONTEXT, tokenAgeSeconds: 2 }
      const { verdict, parts } = held(`${ALL} ${guarded}`, { context })
      expect(verdict).toBe('deny')
      expect(parts?.map(([, held, turns]) => [held, turns])).toEqual([
        ['fails', false],
        ['error', false],
      ])
    })

    it('waits as a whole for what nobody has stated', () => {
      const resource = { api: 'shop', objectType: 'order', params: {}, unknown: ['owner'] as const }
      const either = `@id("it") permit (principal, action, resource)
        when { context.method == "PUT" || (resource has owner && resource.owner == principal) };`
      const { held: whole, parts } = held(either, { resource })
      expect(whole).toBe('not-known')
      expect(parts?.map(([, held, turns]) => [held, turns])).toEqual([
        ['fails', false],
        ['not-known', false],
      ])
    })
  })

  it('leaves out policies of other operations, and is null for an operation it does not know', () => {
    expect(trace(OWN, { action: 'shop.other' })).toBeNull()
  })
})
