import { expect, it } from 'vitest'
import type { DecisionInput, ResourceInput } from '../model/decision.ts'
import { questionAbout } from './question.ts'

const about = (resource: Partial<ResourceInput>): unknown => {
  const input: DecisionInput = {
    checkpoint: 'head',
    principal: { type: 'User', id: 'corp/ana', groups: [], client: 'web', tenant: 'default' },
    action: 'shop.getOrder',
    resource: { api: 'shop', objectType: 'order', params: {}, unknown: [], ...resource },
    context: {
      scopes: [],
      scopesMet: true,
      issuer: '',
      audience: [],
      tokenAgeSeconds: 0,
      method: 'GET',
      path: '/',
      ip: '::1',
    },
  }
  return (questionAbout(input) as { resource: { id: unknown } }).resource.id
}

it('names an object by the last of its parameters, and a call about none by its operation', () => {
  expect(about({ params: { shop: 'n', orderId: 'o-1' } })).toBe('o-1')
  expect(about({ objectType: '', params: { orderId: 'o-1' } })).toBe('shop.getOrder')
})

it('never takes what a list stands below for one of its objects', () => {
  expect(about({ params: { region: 'n' }, named: ['orderId'] })).toBe('shop.getOrder')
  expect(about({ params: { shop: 'n' }, named: ['shop', 'orderId'] })).toBe('shop.getOrder')
  expect(about({ params: { region: 'n', orderId: 'o-1' }, named: ['orderId'] })).toBe('o-1')
})
