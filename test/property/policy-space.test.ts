import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { diffPolicies } from '../../src/assurance/diff.ts'
import type { Draft } from '../../src/assurance/draft.ts'
import { requestSpace, seeded } from '../../src/assurance/request-space.ts'
import { judge, operationsOf, type Side } from '../../src/assurance/side.ts'
import { plan, sideOf } from '../policy-sides.ts'

/**
 * The claim of src/assurance/request-space.ts: two sets of policies that differ on any request differ on one of the
 * space. Random requests are drawn from values the space does not choose itself.
 */

const OPERATION = plan({
  key: 'shop.getOrder',
  template: '/orders/{orderId}',
  object: 'response',
  scopes: ['orders:read'],
})

const ATOMS = [
  'principal is User',
  'principal is Client',
  'principal == User::"corp/ana"',
  'principal in Group::"corp/staff"',
  'principal in [Group::"corp/staff", Group::"corp/ops"]',
  'principal in Zone::"branch"',
  'principal.tenant == "acme"',
  'principal.tenant == principal.client',
  '["acme", "umbrella"].contains(principal.tenant)',
  'context.scopesMet',
  'context.scopes.contains("admin")',
  'context.scopes.containsAny(["admin", "root"])',
  '["orders:read", "admin"].containsAll(context.scopes)',
  'context.audience.isEmpty()',
  'context has acr',
  'context has acr && context.acr == "2"',
  'context.tokenAgeSeconds < 60',
  '3600 <= context.tokenAgeSeconds',
  'context.tokenAgeSeconds == 61',
  'context.ip.isInRange(ip("10.0.0.0/8"))',
  'context.ip.isInRange(ip("10.1.0.0/16"))',
  'context.ip.isIpv6()',
  'context.ip.isLoopback()',
  'resource.params has orderId && resource.params.orderId == "o-1"',
  'resource has owner && resource.owner == principal',
  'resource has owner && resource.owner == User::"corp/ana"',
  'resource has tenant && resource.tenant == principal.tenant',
  'resource has tenant && resource.tenant == "acme"',
  '(context.tokenAgeSeconds < 60) == (principal is User)',
] as const

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 2, depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
      .map(([a, op, b]) => `((${a}) ${op} (${b}))`),
    tie('expression').map((a) => `!(${a})`),
    fc
      .tuple(tie('expression'), tie('expression'), tie('expression'))
      .map(([a, b, c]) => `(if (${a}) then (${b}) else (${c}))`),
  ),
}))

const policy = fc
  .tuple(fc.constantFrom('permit', 'permit', 'forbid'), expression)
  .map(([effect, condition]) => `${effect}(principal, action, resource) when { ${condition} };`)

const pair = fc.tuple(
  fc.array(policy, { minLength: 1, maxLength: 2 }),
  fc.array(policy, { minLength: 1, maxLength: 2 }),
)

const opened: Side[] = []
afterAll(() => {
  for (const side of opened) if ('close' in side.engine) (side.engine as { close(): void }).close()
})

function side(policies: readonly string[]): Side {
  const made = sideOf(policies.join('\n'), [OPERATION])
  opened.push(made)
  return made
}

const REQUESTS = 100
const BOUND = 4_000

/** A request of values as they come, some of which policies name. */
function randomDraft(next: () => number): Draft {
  const pick = <T>(...from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
  const some = (...from: readonly string[]): readonly string[] => from.filter(() => next() < 0.4)
  const draft: Draft = new Map()
  draft.set('principal.type', pick('User', 'User', 'Client', 'Workload'))
  draft.set('principal', pick('corp/ana', 'corp/ben', 'corp/eve'))
  draft.set('principal.groups', some('corp/staff', 'corp/ops', 'corp/guests'))
  draft.set('principal.tenant', pick('acme', 'umbrella', 'web', 'initech'))
  draft.set('principal.client', pick('acme', 'web', 'batch'))
  if (next() < 0.4) draft.set('principal.zone', pick('branch', 'plant'))
  draft.set('context.scopes', [...(next() < 0.8 ? ['orders:read'] : []), ...some('admin', 'root', 'audit')])
  draft.set('context.audience', some('shop'))
  if (next() < 0.6) draft.set('context.acr', pick('1', '2', '3'))
  draft.set('context.tokenAgeSeconds', pick(0, 17, 59, 60, 61, 62, 1000, 3599, 3600, 9999))
  draft.set('context.ip', pick('10.1.2.3', '10.7.7.7', '127.0.0.9', '198.51.100.7', '::1', 'fe80::7'))
  draft.set('resource.params.orderId', pick('o-1', 'o-2'))
  if (next() < 0.8) draft.set('resource.owner', pick('corp/ana', 'corp/ben', 'corp/zoe'))
  if (next() < 0.8) draft.set('resource.tenant', pick('acme', 'umbrella', 'initech'))
  return draft
}

describe('request space', () => {
  test('finds every difference that random requests find', { timeout: 120_000 }, () => {
    let different = 0
    let decided = 0
    fc.assert(
      fc.property(pair, fc.integer({ min: 1 }), ([a, b], seed) => {
        const [before, after] = [side(a), side(b)]
        const [old, now] = [operationsOf(before).get(OPERATION.key), operationsOf(after).get(OPERATION.key)]
        const policies = [...(old?.policies ?? []), ...(now?.policies ?? [])].map((each) => each.policy)
        const space = requestSpace({ plans: [OPERATION], policies, issuer: 'corp', bound: BOUND })
        // Whatever is here is followed; what is over the bound is not claimed to be decided.
        expect(space.size > BOUND || space.exhaustive).toBe(true)
        fc.pre(space.exhaustive)
        const next = seeded(seed)
        const seen = { widened: false, narrowed: false }
        for (let request = 0; request < REQUESTS; request++) {
          const draft = randomDraft(next)
          const allowed = judge(before, old, draft).allowed
          if (judge(after, now, draft).allowed === allowed) continue
          if (allowed) seen.narrowed = true
          else seen.widened = true
        }
        const report = diffPolicies(before, after, { bound: BOUND })
        decided++
        if (seen.widened || seen.narrowed) different++
        const [found] = report.operations
        if (seen.widened) expect(found?.widened.requests ?? 0).toBeGreaterThan(0)
        if (seen.narrowed) expect(found?.narrowed.requests ?? 0).toBeGreaterThan(0)
        expect(report.widened).toBe((found?.widened.requests ?? 0) > 0)
      }),
      { numRuns: 150 },
    )
    // Were nothing compared, nothing would be proven.
    expect(decided).toBeGreaterThan(20)
    expect(different).toBeGreaterThan(10)
  })
})
