import { describe, expect, it } from 'vitest'
import type { Decision, DecisionInput, PolicyEngine } from '../model/decision.ts'
import { reason } from '../model/reason.ts'
import type { RecordedInput } from '../model/record.ts'
import { reevaluate } from './explain.ts'
import { itemInput, itemReads, itemVerdict } from './items.ts'

const LIST: DecisionInput = {
  checkpoint: 'response',
  principal: { type: 'User', id: 'corp/ana', groups: [], client: 'web', tenant: 'default' },
  action: 'shop.listOrders',
  resource: { api: 'shop', objectType: 'order', params: { shop: 's' }, unknown: ['owner', 'tenant'] },
  context: {
    scopes: [],
    scopesMet: true,
    issuer: '',
    audience: [],
    tokenAgeSeconds: 0,
    method: 'GET',
    path: '/orders',
    ip: '127.0.0.1',
  },
}

/** Permits the owner; waits while nobody says who that is. */
const OWNER: PolicyEngine = {
  reads: new Set(['resource.owner']),
  evaluate: ({ principal, resource }) =>
    resource.unknown.includes('owner')
      ? { verdict: 'pending', policies: ['own'], errors: [] }
      : resource.owner === principal.id
        ? { verdict: 'allow', policies: ['own'], errors: [] }
        : { verdict: 'deny', policies: [], errors: [] },
}

describe('an item of a list', () => {
  it('is told apart by what is read of it', () => {
    expect(itemReads(['resource.owner', 'context.ip'], 'id')).toEqual({
      owner: true,
      tenant: false,
      id: false,
    })
    expect(itemReads(['resource.params.id', 'resource.tenant'], 'id')).toEqual({
      owner: false,
      tenant: true,
      id: true,
    })
    expect(itemReads(['resource.params'], undefined).id).toBe(false)
  })

  it('is an object of its own with the list’s call around it', () => {
    expect(itemInput(LIST, { id: 'o-1', owner: 'corp/ben' }, 'orderId').resource).toEqual({
      api: 'shop',
      objectType: 'order',
      params: { shop: 's', orderId: 'o-1' },
      owner: 'corp/ben',
      unknown: ['tenant'],
    })
  })

  it('is released only where that is certain', () => {
    expect(itemVerdict(OWNER, LIST, { owner: 'corp/ana' }, undefined).effect).toBe('allow')
    expect(itemVerdict(OWNER, LIST, { owner: 'corp/ben' }, undefined).effect).toBe('deny')
    expect(itemVerdict(OWNER, LIST, {}, undefined)).toEqual({ effect: 'deny', policies: ['own'] })
  })
})

describe('an item without an id', () => {
  it('is not released where policies name single objects', () => {
    const engine: PolicyEngine = { ...OWNER, reads: new Set(['resource.owner', 'resource.params']) }
    expect(itemVerdict(engine, LIST, { owner: 'corp/ana' }, 'orderId').effect).toBe('deny')
    expect(itemVerdict(engine, LIST, { owner: 'corp/ana', id: 'o-1' }, 'orderId').effect).toBe('allow')
  })
})

describe('a recorded list', () => {
  const decision: Decision = {
    checkpoint: 'response',
    effect: 'allow',
    pending: false,
    mode: 'enforce',
    reasons: [reason('list-filtered', 'policy')],
    obligations: [],
    policies: ['own'],
    bundle: 'b',
    items: {
      judged: 3,
      released: 2,
      rows: [
        { effect: 'allow', count: 2, policies: ['own'] },
        { effect: 'deny', count: 1, policies: [] },
      ],
    },
  }
  const attributes: RecordedInput = {
    checkpoint: 'response',
    action: 'shop.listOrders',
    principal: { type: 'User', id: 'corp/ana' },
    resource: { api: 'shop', objectType: 'order', unknown: ['owner', 'tenant'] },
    context: {},
    kept: ['resource.owner'],
    items: [{ owner: 'corp/ana' }, { owner: 'corp/ben' }],
  }
  const again = (changed: Partial<RecordedInput>, engine = OWNER) =>
    reevaluate({ decisions: [decision], attributes: { ...attributes, ...changed } }, engine)

  it('is the same, changed, or undecidable by name', () => {
    expect(again({})).toBe('same')
    expect(again({ items: [{ owner: 'corp/ana' }, { owner: 'corp/ana' }] })).toBe('changed')
    expect(again({ items: [{ owner: 'corp/ana' }, {}] })).toBe('changed')
    expect(again({ items: [{ owner: 'corp/ana' }] })).toEqual({ undecidable: ['items'] })
    expect(again({ kept: [] })).toEqual({ undecidable: ['resource.owner'] })
  })

  it('cannot be judged by policies that name items whose ids were not told apart', () => {
    const engine: PolicyEngine = { ...OWNER, reads: new Set(['resource.owner', 'resource.params']) }
    const known = { kept: ['resource.owner', 'resource.params'], itemParam: 'orderId' }
    const items = [
      { owner: 'corp/ana', id: 'o-1' },
      { owner: 'corp/ben', id: 'o-2' },
    ]
    expect(again({ ...known, items }, engine)).toBe('same')
    expect(again({ ...known, itemIds: false }, engine)).toEqual({ undecidable: ['items.id'] })
    // Only policies of other operations name objects.
    const elsewhere: PolicyEngine = { ...engine, readsOf: () => new Set(['resource.owner']) }
    expect(again({ ...known, itemIds: false }, elsewhere)).toBe('same')
    expect(again({ itemParam: 'orderId' }, engine)).toEqual({ undecidable: ['resource.params'] })
  })
})
