import { expect, test } from 'vitest'
import type { OperationPlan } from '../../model/operation.ts'
import { actionGroups, actionIds, apiSchema, schemaText, templateParameters } from './schema.ts'

const BASE: OperationPlan = {
  key: 'shop.GET /orders/{orderId}',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['orders', 'public api'],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
}
const UNREADABLE = [{ schemes: [{ name: 'key', kind: 'unsupported', scopes: [] }] }] as const

test('actions are grouped by kind, tag and API, apart from operations by the slash', () => {
  expect(actionGroups(BASE)).toEqual(['shop/read', 'shop/tag/orders', 'shop/tag/public api', 'shop/all'])
  expect(actionIds({ api: 'shop', operations: [BASE] })).toEqual(
    new Set(['shop/read', 'shop/write', 'shop/all', 'shop/tag/orders', 'shop/tag/public api', BASE.key]),
  )
})

test('template parameters come in order, whatever stands between', () => {
  expect(templateParameters('/a/{b}/c:{d}.{e}')).toEqual(['b', 'd', 'e'])
  expect(templateParameters('/a/{b')).toEqual([])
  expect(templateParameters('/')).toEqual([])
})

test('anonymous callers apply only where one may come through', () => {
  const types = (plan: Partial<OperationPlan>): readonly string[] | undefined =>
    apiSchema({ api: 'shop', operations: [{ ...BASE, ...plan }] })['']?.actions[BASE.key]?.appliesTo
      ?.principalTypes
  expect(types({})).toEqual(['User', 'Client', 'Workload'])
  for (const need of ['optional', 'anonymous'] as const) {
    expect(types({ security: { need, alternatives: [] } })).toContain('Anonymous')
  }
  expect(types({ security: { need: 'required', alternatives: UNREADABLE } })).toContain('Anonymous')
})

test('the readable form names what policies may name, and where the owner is known', () => {
  const object = { type: 'order', owner: ['customerId'], hideAbsent: true, ownerKnownAt: 'response' } as const
  const text = schemaText({ api: 'shop', operations: [{ ...BASE, object }] })
  expect(text).toContain('entity User in [Group, Role, Zone]')
  expect(text).toContain('entity Anonymous in [Zone];')
  expect(text).toContain('orderId?: __cedar::String')
  expect(text).toContain('owner?: User')
  expect(text).toContain('action "shop.GET /orders/{orderId}" in')
  expect(text).toContain('@doc("resource.owner and resource.tenant are known at the response checkpoint")')
  expect(text).toContain('resource: [Object]')
})

test('parameter names that are special to JavaScript stay plain names', () => {
  const text = schemaText({
    api: 'shop',
    operations: [{ ...BASE, template: '/{__proto__}/{constructor}/{a-b}' }],
  })
  for (const name of ['__proto__', 'constructor', '"a-b"'])
    expect(text).toContain(`${name}?: __cedar::String`)
})

test('whoever calls may be in groups, roles and zones, and the device is an entity', () => {
  const text = schemaText({ api: 'shop', operations: [BASE] })
  for (const line of [
    'entity Workload in [Group, Role, Zone]',
    'entity Api in [Zone];',
    'entity Device',
    'compliant?: __cedar::Bool',
    'device?: Device',
    'networks: Set<__cedar::String>',
    'now: __cedar::datetime',
    'authAgeSeconds?: __cedar::Long',
    'context: Call',
  ])
    expect(text).toContain(line)
})
