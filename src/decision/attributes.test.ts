import { expect, test } from 'vitest'
import type { DecisionInput } from '../model/decision.ts'
import { recordInput, replayInput } from './attributes.ts'

const INPUT: DecisionInput = {
  checkpoint: 'response',
  principal: { type: 'User', id: 'corp/ana', groups: ['corp/staff'], client: 'web', tenant: 't1' },
  action: 'shop.getOrder',
  resource: {
    api: 'shop',
    objectType: 'order',
    params: { orderId: 'o-1', part: 'x' },
    owner: 'corp/ana',
    unknown: [],
  },
  context: {
    scopes: ['orders:read'],
    scopesMet: true,
    issuer: 'https://idp.example',
    audience: ['shop'],
    tokenAgeSeconds: 5,
    method: 'GET',
    path: '/orders/o-1',
    ip: '192.0.2.1',
  },
}

test('exactly what is read is kept', () => {
  expect(
    recordInput(INPUT, new Set(['context.scopesMet', 'resource.params.orderId']), ['principal.tenant']),
  ).toEqual({
    checkpoint: 'response',
    action: 'shop.getOrder',
    principal: { type: 'User', id: 'corp/ana', tenant: 't1' },
    resource: { api: 'shop', objectType: 'order', unknown: [], params: { orderId: 'o-1' } },
    context: { scopesMet: true },
    kept: ['context.scopesMet', 'resource.params.orderId', 'principal.tenant'],
  })
})

const ALL = new Set([
  'principal.groups',
  'principal.client',
  'principal.tenant',
  'resource.owner',
  'resource.tenant',
  'resource.params',
  'context',
])

test('what is kept whole comes back whole', () => {
  const recorded = JSON.parse(JSON.stringify(recordInput(INPUT, ALL, [])))
  expect(replayInput(recorded, ALL)).toEqual({ ok: true, input: INPUT })
  expect(
    replayInput(recorded, new Set(['context.acr', 'resource.params.part', 'resource.type'])),
  ).toMatchObject({ ok: true })
})

test('an attribute the call did not have is known to be absent', () => {
  const reads = new Set(['resource.tenant', 'context.acr', 'resource.params.none'])
  const recorded = recordInput(INPUT, reads, [])
  expect(replayInput(recorded, reads).ok).toBe(true)
  expect(recorded.resource).not.toHaveProperty('tenant')
})

test('an attribute that was not kept is named, never guessed', () => {
  const recorded = recordInput(INPUT, new Set(['resource.params.orderId', 'context.path']), [])
  const reads = new Set(['context.path', 'resource.params.orderId', 'context.checkpoint'])
  expect(replayInput(recorded, reads).ok).toBe(true)
  for (const path of [
    'resource.owner',
    'resource.params',
    'resource.params.part',
    'context',
    'context.ip',
    'principal.groups',
  ]) {
    expect(replayInput(recorded, new Set([...reads, path]))).toEqual({ ok: false, missing: [path] })
  }
})

test('of a record without the list, only what stands in it is known', () => {
  const { kept: _kept, ...recorded } = recordInput(
    INPUT,
    new Set(['context.path', 'resource.params.orderId']),
    [],
  )
  expect(replayInput(recorded, new Set(['context.path', 'resource.params.orderId'])).ok).toBe(true)
  expect(replayInput(recorded, new Set(['resource.owner']))).toEqual({
    ok: false,
    missing: ['resource.owner'],
  })
})

test('names special to JavaScript are plain names', () => {
  const params = JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, string>
  const input = { ...INPUT, resource: { ...INPUT.resource, params } }
  const reads = new Set([
    'resource.params.__proto__',
    'resource.params.constructor',
    'resource.params.toString',
    'context.toString',
  ])
  const recorded = recordInput(input, reads, [])
  expect(Object.entries(recorded.resource.params ?? {})).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ])
  expect(recorded.context).toEqual({})
})
