import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { expect, test } from 'vitest'
import type { Policy } from './est.ts'
import { policyReads } from './reads.ts'

function reads(text: string): readonly string[] {
  const answer = cedar.policyToJson(text)
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  return policyReads(answer.json as Policy)
}

const when = (condition: string): readonly string[] =>
  reads(`permit(principal, action, resource) when { ${condition} };`)

test.each([
  ['true', []],
  ['context.scopesMet', ['context.scopesMet']],
  ['resource has owner && resource.owner == principal', ['resource.owner']],
  ['resource["owner"] == principal', ['resource.owner']],
  ['!(resource has owner)', ['resource.owner']],
  ['resource.params.orderId == "x"', ['resource.params.orderId']],
  ['resource.params has orderId', ['resource.params.orderId']],
  ['resource has params.orderId', ['resource.params', 'resource.params.orderId']],
  ['resource.params == {orderId: "x"}', ['resource.params']],
  ['principal in Group::"corp/staff"', ['principal.groups']],
  ['principal is User in Group::"corp/staff"', ['principal.groups']],
  ['[principal] == [User::"a"]', []],
  ['{a: principal}.a in Group::"x"', ['principal.a', 'principal.groups']],
  ['principal == User::"corp/ana"', []],
  ['principal.tenant == resource.tenant', ['principal.tenant', 'resource.tenant']],
  ['resource in Api::"shop"', []],
  ['resource == Operation::"shop.listOrders"', []],
  ['resource == Object::"shop/order/o-1"', ['resource.params']],
  ['[Object::"a"].contains(resource)', ['resource.params']],
  ['(if true then resource else resource).owner == principal', ['resource.owner', 'resource.params']],
  [
    '{r: {s: resource}}.r.s.owner == principal',
    ['resource.owner', 'resource.params', 'resource.r', 'resource.s'],
  ],
  ['context == {a: 1}', ['context']],
  ['[context.method, "x"].contains(context.path)', ['context.method', 'context.path']],
  ['context.ip.isInRange(ip("10.0.0.0/8"))', ['context.ip']],
  ['context.path like "/a*"', ['context.path']],
  ['if context.scopesMet then context.acr == "1" else false', ['context.acr', 'context.scopesMet']],
  ['action in Action::"shop/all"', []],
  ['principal in Role::"corp/admin"', ['principal.roles']],
  ['principal in Zone::"dmz"', ['principal.zone']],
  ['principal in [Group::"corp/a", Role::"corp/b"]', ['principal.groups', 'principal.roles']],
  ['principal is User in Role::"corp/admin"', ['principal.roles']],
  [
    'principal in (if context.scopesMet then Group::"g" else Group::"h")',
    ['context.scopesMet', 'principal.groups', 'principal.roles', 'principal.zone'],
  ],
  ['resource in Zone::"pay"', []],
  ['User::"corp/ana" in Group::"corp/staff"', ['principal.groups']],
  ['User::"corp/ana".tenant == "t1"', ['principal.tenant']],
  ['Object::"shop/order/o-1" has owner', ['resource.owner', 'resource.params']],
  ['Device::"corp/d1".managed', ['context.device']],
  ['context has device && context.device has compliant && context.device.compliant', ['context.device']],
  ['context.time.hour < 18 && context.time.now > datetime("2026-01-01")', ['context.time']],
  ['context.networks.contains("office")', ['context.networks']],
])('%s reads %j', (condition, expected) => {
  expect(when(condition)).toEqual(expected)
})

test('scopes read too', () => {
  expect(reads('permit(principal in Role::"r", action, resource in Zone::"z");')).toEqual(['principal.roles'])
  expect(reads('permit(principal in Group::"g", action, resource);')).toEqual(['principal.groups'])
  expect(reads('permit(principal is User in Group::"g", action, resource in Api::"a");')).toEqual([
    'principal.groups',
  ])
  expect(reads('permit(principal, action, resource == Object::"shop/order/1");')).toEqual(['resource.params'])
})
