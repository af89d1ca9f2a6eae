import { describe, expect, it } from 'vitest'
import { plan, sideOf } from '../../test/policy-sides.ts'
import { diffPolicies, type PolicyDiff } from './diff.ts'

const ORDERS = [
  plan({ key: 'shop.getOrder', template: '/orders/{orderId}', object: 'response' }),
  plan({
    key: 'shop.deleteOrder',
    method: 'DELETE',
    template: '/orders/{orderId}',
    object: 'body',
    scopes: ['orders:write'],
  }),
]
const OWNER =
  '@id("owner") permit(principal is User, action, resource) when { resource has owner && resource.owner == principal };'

function diff(before: string, after: string, bound = 20_000): PolicyDiff {
  return diffPolicies(sideOf(before, ORDERS), sideOf(after, ORDERS), { bound })
}

const words = (report: PolicyDiff): readonly string[] =>
  report.operations.flatMap(({ widened, narrowed }) =>
    [...widened.facts, ...narrowed.facts].map((fact) => fact.words),
  )

describe('diffPolicies', () => {
  it('tells fields that are hidden otherwise, and counts what is shown again as widened', () => {
    const masked = OWNER.replace('@id("owner")', '@id("owner") @mask("/email")')
    const less = diff(OWNER, masked)
    expect(less.widened).toBe(false)
    expect(words(less)).toContainEqual(expect.stringMatching(/no longer sees all fields in shop\.getOrder/))
    const more = diff(masked, OWNER)
    expect(more.widened).toBe(true)
    expect(words(more)).toContainEqual(
      expect.stringMatching(/now sees fields that were hidden in shop\.getOrder/),
    )
  })

  it('says in one fact who may now do what', () => {
    const report = diff(
      OWNER,
      `${OWNER} @id("staff") permit(principal in Group::"corp/staff", action == Action::"shop.deleteOrder", resource);`,
    )
    expect(report.widened).toBe(true)
    expect(words(report)).toEqual(['Group corp/staff may now call shop.deleteOrder without owning it'])
    const [fact] = report.operations[0]?.widened.facts ?? []
    expect(fact?.before.effect).toBe('deny')
    expect(fact?.after).toMatchObject({ effect: 'allow', policies: ['staff'] })
    expect(report.compared).toMatchObject({ operations: 2, same: 1, decided: 1, generated: 0 })
  })

  it('finds nothing where only names and words changed', () => {
    const report = diff(OWNER, OWNER.replace('"owner")', '"whoever-owns")'))
    expect(report).toMatchObject({ widened: false, operations: [], compared: { same: 2 } })
  })

  it('tells narrowing from widening', () => {
    const report = diff(
      OWNER,
      OWNER.replace(
        'resource.owner == principal',
        'resource.owner == principal && context.tokenAgeSeconds < 600',
      ),
    )
    expect(report.widened).toBe(false)
    expect(words(report)).toEqual([
      'Any caller may no longer call shop.deleteOrder owning it, with tokenAgeSeconds ≥ 600',
      'Any caller may no longer call shop.getOrder owning it, with tokenAgeSeconds ≥ 600',
    ])
  })

  it('calls an operation it cannot follow generated, and says why', () => {
    const like =
      'permit(principal, action == Action::"shop.getOrder", resource) when { resource.params has orderId && resource.params.orderId like "o-1*" };'
    const report = diff(OWNER, `${OWNER} ${like}`)
    expect(report.generated).toEqual([
      { operation: 'shop.getOrder', why: ['resource.params.orderId is compared by like'] },
    ])
    expect(report.widened).toBe(true)
  })
})

it('tells a permit among many others as it is written', () => {
  const others = [1, 2, 3, 4].map(
    (at) =>
      `permit(principal in Group::"corp/g${at}", action == Action::"shop.getOrder", resource) when { context.tokenAgeSeconds < ${at}00 };`,
  )
  const before = others.join('\n')
  const added =
    'permit(principal is Client, action == Action::"shop.getOrder", resource) when { context.scopes.contains("x") };'
  const report = diff(before, `${before}\n${added}`)
  expect(words(report)).toEqual([
    'Any Client may now call shop.getOrder with scope x, where it was not so already',
  ])
  expect(report.operations[0]?.widened.more).toBe(0)
})

describe('the floor', () => {
  const all = 'permit(principal, action, resource);'
  const one = (given: Parameters<typeof plan>[0]) => [plan(given)]
  const compare = (before: ReturnType<typeof one>, after: ReturnType<typeof one>) =>
    diffPolicies(
      sideOf(before.length === 0 ? '' : all, before),
      sideOf(after.length === 0 ? '' : all, after),
      {
        bound: 1000,
      },
    )

  it('sees a scope that is no longer asked for', () => {
    const report = compare(one({ key: 'shop.list', scopes: ['read'] }), one({ key: 'shop.list' }))
    expect(words(report)).toEqual(['Any caller may now call shop.list without scope read'])
  })

  it('sees an operation that became public', () => {
    const report = compare(one({ key: 'shop.list' }), one({ key: 'shop.list', need: 'anonymous' }))
    expect(words(report)).toEqual(['Any Anonymous may now call shop.list'])
    expect(report.operations[0]?.widened.facts[0]?.before.reasons).toContain('token-missing')
  })

  it('sees operations come and go', () => {
    const added = compare([], one({ key: 'shop.list' }))
    expect(added).toMatchObject({ widened: true, operations: [{ presence: 'added' }] })
    const removed = compare(one({ key: 'shop.list' }), [])
    expect(removed).toMatchObject({ widened: false, operations: [{ presence: 'removed' }] })
    expect(words(removed)).toEqual(['Any caller may no longer call shop.list'])
  })
})
