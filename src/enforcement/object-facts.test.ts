import { describe, expect, it } from 'vitest'
import type { ObjectPlan } from '../model/operation.ts'
import { ANONYMOUS, type Subject } from '../model/subject.ts'
import { idOf, objectFacts, statedByHead, withBody } from './object-facts.ts'

const PLAN: ObjectPlan = { type: 'order', issuer: 'corp', hideAbsent: false, ownerKnownAt: 'head' }
const ANA: Subject = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana', claims: { customer: '42' } }
const POINTER: ObjectPlan = { ...PLAN, owner: ['customerId'] }
const nothing = { owner: undefined, tenant: undefined }

describe('an id', () => {
  it.each([
    ['ana', 'ana'],
    [7, '7'],
    [undefined, undefined],
    ['', null],
    ['x'.repeat(513), null],
    [1.5, null],
    [2 ** 53, null],
    [null, null],
    [true, null],
    [['ana'], null],
    [{ id: 'ana' }, null],
  ])('%j is %j', (given, id) => expect(idOf(given)).toBe(id))
})

describe('the query', () => {
  const plan: ObjectPlan = { ...PLAN, requestOwner: { in: 'query', name: 'customerId' } }
  it.each<[readonly (readonly [string, string])[], string | null | undefined]>([
    [[['customerId', 'ana']], 'ana'],
    [[['other', 'ana']], undefined],
    [[], undefined],
    [
      [
        ['customerId', 'ana'],
        ['customerId', 'ana'],
      ],
      null,
    ],
    [
      [
        ['customerId', 'ana'],
        ['customerId[]', 'ben'],
      ],
      null,
    ],
    [
      [
        ['customerid', 'ben'],
        ['customerId', 'ana'],
      ],
      null,
    ],
    [[['customerId[0]', 'ana']], null],
    [[['CUSTOMERID', 'ana']], null],
    [[['customerId', '']], null],
    [
      [
        ['customerIds', 'ben'],
        ['customerId', 'ana'],
      ],
      'ana',
    ],
  ])('%j states %j', (query, owner) => expect(statedByHead(plan, {}, query).owner).toBe(owner))
})

describe('what is known of an object', () => {
  it('is what the request says, where no field has to', () => {
    expect(objectFacts(PLAN, ANA, { owner: 'ben', tenant: 'north' }, null)).toEqual({
      owner: 'corp/ben',
      tenant: 'north',
    })
    expect(objectFacts(PLAN, ANA, { owner: null, tenant: undefined }, null)).toEqual({})
  })

  it('waits for the field, and is what both agree on', () => {
    const facts = (request: string | null | undefined, found: unknown) =>
      objectFacts(POINTER, ANA, { ...nothing, owner: request }, { ...nothing, owner: found }).owner
    expect(objectFacts(POINTER, ANA, { ...nothing, owner: 'ana' }, null)).toEqual({})
    expect(facts('ana', 'ana')).toBe('corp/ana')
    expect(facts(undefined, 'ana')).toBe('corp/ana')
    for (const [request, found] of [
      ['ana', 'ben'],
      [null, 'ana'],
      ['ana', undefined],
      ['ana', ['ana']],
      ['7', 7.5],
    ])
      expect(facts(request as string | null, found)).toBeUndefined()
  })

  it('by a claim is the caller, or nobody that can be', () => {
    const plan: ObjectPlan = { ...PLAN, ownerClaim: 'customer' }
    const owner = (subject: Subject, id: string) =>
      objectFacts(plan, subject, { ...nothing, owner: id }, null).owner
    expect(owner(ANA, '42')).toBe('corp/ana')
    expect(owner(ANA, '43')).toBe('corp~customer/43')
    expect(owner({ ...ANA, issuer: 'partner' }, '42')).toBe('corp~customer/42')
    expect(owner({ ...ANA, kind: 'client' }, '42')).toBe('corp~customer/42')
    const { claims: _, ...without } = ANA
    expect(owner(without, '42')).toBe('corp~customer/42')
    expect(owner({ ...ANA, claims: {} }, 'constructor')).toBe('corp~customer/constructor')
  })

  it('from the body adds to what the head says', () => {
    const head = { owner: 'ana', tenant: undefined }
    const plan: ObjectPlan = { ...PLAN, requestTenant: { in: 'body', pointer: ['region'] } }
    const read = (...args: [tenant: unknown, sight?: 'whole' | 'partial' | 'unseen', takes?: 'none']) =>
      withBody(
        head,
        plan,
        { body: args[2] ?? 'optional' },
        { owner: 'ben', tenant: args[0] },
        { body: args[1] ?? 'whole' },
      )
    expect(read('x')).toEqual({ owner: 'ana', tenant: 'x' })
    expect(read(['x'])).toEqual({ owner: 'ana', tenant: null })
    expect(withBody(head, PLAN, { body: 'optional' }, { owner: 'ben', tenant: 'x' }, { body: 'whole' })).toBe(
      head,
    )
    // What was not seen whole may say anything, where it may be at all.
    expect(read('x', 'partial')).toEqual({ owner: 'ana', tenant: null })
    expect(read('x', 'unseen')).toEqual({ owner: 'ana', tenant: null })
    expect(read('x', 'unseen', 'none')).toEqual({ owner: 'ana', tenant: undefined })
  })
})

describe('a tenant', () => {
  const plan: ObjectPlan = { ...PLAN, tenant: ['region'] }
  const of = (subject: Subject) => objectFacts(plan, subject, nothing, { owner: undefined, tenant: 'north' })

  it('counts for callers of the issuer whose tenants the field holds, and for those who have none', () => {
    expect(of(ANA)).toEqual({ tenant: 'north' })
    expect(of(ANONYMOUS)).toEqual({ tenant: 'north' })
  })
  it('called alike elsewhere is not known to be the same', () => {
    for (const kind of ['user', 'client', 'workload'] as const)
      expect(of({ ...ANA, kind, issuer: 'partner', tenant: 'north' })).toEqual({})
  })
})
