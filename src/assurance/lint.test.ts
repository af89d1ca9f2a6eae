import { describe, expect, it } from 'vitest'
import { plan, sideOf } from '../../test/policy-sides.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import { lintPolicies } from './lint.ts'

const OPERATIONS = [
  plan({ key: 'shop.list', scopes: ['read'] }),
  plan({ key: 'shop.getOrder', template: '/orders/{orderId}', object: 'response' }),
  plan({ key: 'shop.health', need: 'anonymous' }),
]

function lint(...policies: readonly string[]): readonly string[] {
  const side = sideOf(policies.join('\n'), OPERATIONS)
  const { findings } = lintPolicies(side, { bound: 5_000, engineOf: (made) => new CedarEngine(made) })
  return findings.map(({ rule, policy, how, message }) => `${policy}: ${rule} (${how}): ${message}`)
}

const STAFF =
  '@id("staff") permit(principal in Group::"corp/staff", action == Action::"shop.list", resource);'

describe('lintPolicies', () => {
  it('has nothing against policies that each do something', () => {
    expect(
      lint(
        STAFF,
        '@id("fresh") forbid(principal, action == Action::"shop.list", resource) when { context.tokenAgeSeconds > 60 };',
        '@id("health") permit(principal, action == Action::"shop.health", resource);',
      ),
    ).toEqual([])
  })

  it('finds what never applies', () => {
    expect(
      lint(
        STAFF,
        '@id("never") permit(principal is User, action == Action::"shop.list", resource) when { context.tokenAgeSeconds < 5 && context.tokenAgeSeconds > 9 };',
      ),
    ).toEqual(['never: never-applies (decided): no request meets its conditions'])
  })

  it('finds a permit that asks nothing about who calls', () => {
    expect(
      lint(
        '@id("all") permit(principal, action == Action::"shop.list", resource) when { context.ip.isInRange(ip("10.0.0.0/8")) };',
      ),
    ).toEqual([
      'all: allows-everyone (decided): nothing in it asks who calls: whoever meets the contract may',
    ])
  })

  it('finds overlap: duplicates, permits within others, forbids over nothing', () => {
    expect(
      lint(
        STAFF,
        STAFF.replace('"staff")', '"again")'),
        '@id("narrow") permit(principal in Group::"corp/staff", action == Action::"shop.list", resource) when { context.tokenAgeSeconds < 5 };',
        '@id("guard") forbid(principal == Client::"corp/robot", action == Action::"shop.getOrder", resource);',
      ),
    ).toEqual([
      'again: duplicate (decided): staff permits exactly the same',
      'narrow: covered (decided): staff permits all that it permits, and more',
      'guard: changes-nothing (decided): no permit allows any call it forbids',
    ])
  })

  it('says where it has looked at a sample only', () => {
    expect(
      lint(
        '@id("never") permit(principal is User, action == Action::"shop.getOrder", resource) when { resource.params has orderId && resource.params.orderId like "o-*" && resource.params.orderId == "x" };',
      ),
    ).toEqual(['never: never-applies (sampled): no request meets its conditions'])
  })
})
