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

test('what surrounds the call is kept where it is read, and its absence too', () => {
  const input: DecisionInput = {
    ...INPUT,
    principal: { ...INPUT.principal, roles: ['corp/admin'], zone: 'dmz' },
    context: {
      ...INPUT.context,
      amr: ['mfa'],
      networks: ['office'],
      time: { epochMs: 1, zone: 'UTC', hour: 0, minute: 0, weekday: 'Thursday' },
      device: { id: 'corp/d1', managed: true },
    },
  }
  const reads = new Set([
    'principal.roles',
    'principal.zone',
    'context.networks',
    'context.time',
    'context.device',
    'context.authAgeSeconds',
  ])
  const recorded = JSON.parse(JSON.stringify(recordInput(input, reads, [])))
  const { networks, time, device } = input.context
  expect(recorded.context).toEqual({ networks, time, device })
  expect(recorded.principal).toEqual({
    type: 'User',
    id: 'corp/ana',
    roles: ['corp/admin'],
    zone: 'dmz',
  })
  const replayed = replayInput(recorded, reads)
  if (!replayed.ok) throw new Error(replayed.missing.join())
  expect(replayed.input.context).toMatchObject({ networks, time, device })
  expect(replayed.input.context).not.toHaveProperty('authAgeSeconds')
  expect(replayInput(recorded, new Set([...reads, 'context.amr']))).toEqual({
    ok: false,
    missing: ['context.amr'],
  })
  // Of a call without them, that there were none is known; of one that kept neither, it is not.
  const none = JSON.parse(JSON.stringify(recordInput(INPUT, reads, [])))
  expect(none.principal).not.toHaveProperty('roles')
  expect(replayInput(none, reads)).toMatchObject({ ok: true })
  expect(replayInput(recordInput(INPUT, new Set(['context.time']), []), reads)).toMatchObject({ ok: false })
})

test('one set of paths with other extras is another record', () => {
  const reads = new Set(['context.path'])
  expect(recordInput(INPUT, reads, []).kept).toEqual(['context.path'])
  expect(recordInput(INPUT, reads, ['context.ip']).kept).toEqual(['context.path', 'context.ip'])
  expect(recordInput(INPUT, reads, []).context).toEqual({ path: '/orders/o-1' })
})
