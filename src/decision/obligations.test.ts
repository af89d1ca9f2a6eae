import { describe, expect, it } from 'vitest'
import type { DecisionInput, FieldObligation } from '../model/decision.ts'
import type { FieldRulePlan } from '../model/operation.ts'
import { FieldDuties, readObligations, sameObligations } from './obligations.ts'

describe('annotations', () => {
  it('name pointers and classes, drop first', () => {
    const read = readObligations('p', 'permit', { id: 'p', mask: 'class:pci, /a/*/b', drop: '/x~1y' })
    expect(read).toEqual([
      { kind: 'drop', fields: ['/x~1y'], policy: 'p' },
      { kind: 'mask', fields: ['/a/*/b', 'class:pci'], policy: 'p' },
    ])
  })

  it.each([
    ['permit', { mask: '' }],
    ['permit', { mask: 'email' }],
    ['permit', { mask: '/a~2' }],
    ['permit', { mask: 'class:' }],
    ['permit', { mask: '/a,,/b' }],
    ['permit', { redact: null }],
    ['permit', { Mask: '/a' }],
    ['permit', { hide: '/a' }],
    ['permit', { drop: Array(65).fill('/a').join() }],
    ['forbid', { drop: '/a' }],
  ] as const)('that cannot be meant are told: %s %j', (effect, annotations) => {
    expect(readObligations('p', effect, annotations)).toBeTypeOf('string')
  })
})

const rule: FieldRulePlan = {
  at: '#/a',
  visibleTo: { roles: ['corp/r'], groups: ['corp/g'], scopes: ['s'] },
  otherwise: 'mask',
}
const mask: FieldObligation = { kind: 'mask', fields: ['/a'], policy: 'p' }
const call = (principal: object, scopes: readonly string[] = []): DecisionInput =>
  ({
    action: 'shop.x',
    principal: { groups: [], ...principal },
    context: { scopes },
  }) as unknown as DecisionInput

describe('duties', () => {
  const duties = new FieldDuties(new Map([['p', [mask]]]), new Map([['shop.x', [rule]]]))

  it('are those of every permit that decided and of the contract', () => {
    const hidden: FieldObligation = { kind: 'mask', fields: ['#/a'], policy: '' }
    expect(duties.of(['p', 'q'], call({}))).toEqual([mask, hidden])
    expect(duties.of(['q'], call({ groups: ['other/g'], roles: ['corp/x'] }, ['t']))).toEqual([hidden])
    expect(duties.of([], { ...call({}), action: 'shop.y' })).toBeUndefined()
  })

  it.each([
    [{ roles: ['corp/r'] }, []],
    [{ groups: ['corp/g'] }, []],
    [{}, ['s']],
  ])('leave a field to whom the contract shows it: %j %j', (principal, scopes) => {
    expect(duties.of([], call(principal, scopes))).toBeUndefined()
    expect(duties.of(['p'], call(principal, scopes))).toEqual([mask])
  })

  it('are the same list for the same permits', () => {
    expect(duties.of(['p'], call({}))).toBe(duties.of(['p'], call({ groups: ['x/y'] })))
  })
})

it('are the same in whatever order, and not by another policy', () => {
  const other = { ...mask, policy: 'q' }
  expect(sameObligations([mask, other], [other, mask])).toBe(true)
  expect(sameObligations([mask], [other])).toBe(false)
  expect(sameObligations([{ kind: 'drop-undeclared' }], [])).toBe(true)
})
