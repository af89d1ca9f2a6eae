import { describe, expect, it } from 'vitest'
import { plan, sideOf } from '../../test/policy-sides.ts'
import { draftAt, points, type RequestSpace, requestSpace } from './request-space.ts'
import { operationsOf } from './side.ts'

const OPERATION = plan({ key: 'shop.getOrder', template: '/orders/{orderId}', object: 'response' })

function space(condition: string, bound = 10_000): RequestSpace {
  const text = `permit(principal, action, resource) when { ${condition} };`
  const policies = operationsOf(sideOf(text, [OPERATION])).get(OPERATION.key)?.policies ?? []
  return requestSpace({
    plans: [OPERATION],
    policies: policies.map(({ policy }) => policy),
    issuer: 'corp',
    bound,
  })
}

describe('requestSpace', () => {
  it.each([
    ['context.tokenAgeSeconds + 1 > 60', 'context.tokenAgeSeconds'],
    ['context.path like "/orders/*"', 'like'],
    ['context.scopes.contains(principal.tenant)', 'contains'],
    ['context.time.now < context.time.now.offset(duration("1h"))', 'context.time.now is used with'],
    ['context.time.hour < context.time.minute', 'context.time.hour is used with <'],
    ['principal.tenant == context.method', 'compared with context.method'],
    ['context.time.hour == context.time.minute', 'compared with'],
    ['(if principal is User then principal.tenant else "a") == "b"', 'is not a comparison'],
  ])('does not claim to be exhaustive over %s', (condition, why) => {
    const found = space(condition)
    expect(found.exhaustive).toBe(false)
    expect(found.why.join('; ')).toContain(why)
  })

  it.each([
    'context.method == "GET" && context.method like "G*"',
    'context.time.now < datetime("2026-01-01") && context.time.weekday == "Monday"',
    'context has device && context.device has compliant && context.device.compliant',
    'context has geo && context.geo.country == "DE"',
    'resource == Object::"shop/order/o-1"',
    'principal is User && [principal, User::"corp/ana"].contains(User::"corp/ben")',
  ])('is exhaustive over %s', (condition) => {
    expect(space(condition)).toMatchObject({ exhaustive: true, why: [] })
  })

  it('puts both sides of each number that is named, and what lies between', () => {
    const { dimensions } = space('context.tokenAgeSeconds < 60 || context.tokenAgeSeconds == 61')
    const ages = dimensions.find(({ path }) => path === 'context.tokenAgeSeconds')
    expect(ages?.values.map(({ from, to }) => [from, to])).toEqual([
      [0, 59],
      [60, 60],
      [61, 61],
      [62, Number.MAX_SAFE_INTEGER],
    ])
  })

  it('has every way of owning, and no request twice', () => {
    const found = space(
      'resource has owner && (resource.owner == principal || resource.owner == User::"corp/ana")',
    )
    const seen: string[] = []
    for (const point of points(found, 10_000)) {
      const draft = draftAt(found.dimensions, point)
      if (draft?.get('principal.type') === 'User')
        seen.push(`${draft.get('principal')} ${draft.get('resource.owner')}`)
    }
    expect(seen.sort()).toEqual([
      'corp/ana corp/ana',
      'corp/ana corp/someone-else',
      'corp/ana undefined',
      'corp/someone corp/ana',
      'corp/someone corp/someone',
      'corp/someone corp/someone-else',
      'corp/someone undefined',
    ])
  })

  it('samples the same requests each time where there are too many', () => {
    const groups = Array.from({ length: 20 }, (_, index) => `principal in Group::"corp/g${index}"`)
    const found = space(groups.join(' || '), 500)
    const sample = (): string => [...points(found, 500)].map((point) => point.join('')).join()
    expect(found.exhaustive).toBe(false)
    expect([...points(found, 500)]).toHaveLength(500)
    expect(sample()).toBe(sample())
  })
})
