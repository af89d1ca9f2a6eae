import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decision/cedar/compile.ts'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { OperationPlan } from '../../src/model/operation.ts'

// What is said while owner or tenant is unknown must hold whatever they turn out to be: an early yes is final for
// lists (nobody looks at the items then), an early no is told to the caller.

const OPERATION: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: [],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [{ schemes: [] }] },
  object: { type: 'order', owner: ['o'], tenant: ['t'], hideAbsent: false, ownerKnownAt: 'response' },
}

const owned = 'resource has owner'
const placed = 'resource has tenant'
const OVERFLOW = 'context.tokenAgeSeconds * 9007199254740991 * 9007199254740991 > 0'
const ATOMS = [
  'context.scopesMet',
  'context.method == "GET"',
  'context.method == "DELETE"',
  'principal in Group::"corp/staff"',
  OVERFLOW,
  owned,
  placed,
  `(${owned} && resource.owner == principal)`,
  `(${owned} && resource.owner != principal)`,
  `(${owned} && resource.owner == User::"corp/zoe")`,
  `(${owned} && [User::"corp/zoe", User::"corp/ana"].contains(resource.owner))`,
  `(${owned} && resource.owner is User)`,
  `(${placed} && resource.tenant == "t1")`,
  `(${placed} && resource.tenant like "t*")`,
  `(${owned} && ${placed} && resource.owner == principal && resource.tenant == "t1")`,
  `((if ${owned} then resource.owner else User::"corp/x").client == "web")`,
  `(if ${owned} then ${OVERFLOW} else true)`,
  '(User::"corp/zoe" has client)',
  'resource.type == "order"',
]

const atom = fc.constantFrom(...ATOMS)
const condition = fc.letrec<{ readonly expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    tie('expression').map((inner) => `!(${inner})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc.tuple(atom, tie('expression'), tie('expression')).map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
})).expression
const policy = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid'),
    fc.constantFrom('principal is User', 'principal is User in Group::"corp/staff"'),
    fc.array(fc.tuple(fc.constantFrom('when', 'unless'), condition), { maxLength: 2 }),
  )
  .map(
    ([effect, who, parts]) =>
      `${effect} (${who}, action, resource is Object) ${parts.map(([kind, body]) => `${kind} { ${body} }`).join(' ')};`,
  )

const UNKNOWN: DecisionInput = {
  checkpoint: 'head',
  principal: { type: 'User', id: 'corp/ana', groups: [], client: 'web', tenant: 't1' },
  action: 'shop.getOrder',
  resource: { api: 'shop', objectType: 'order', params: { orderId: 'o' }, unknown: ['owner', 'tenant'] },
  context: {
    scopes: [],
    scopesMet: true,
    issuer: 'https://idp.example',
    audience: [],
    tokenAgeSeconds: 12,
    method: 'GET',
    path: '/orders/o',
    ip: '192.0.2.7',
  },
}
const WHOLE = ['corp/ana', 'corp/zoe', 'corp/ben'].flatMap((owner) =>
  ['t1', 't2', 'x'].map((tenant) => ({ owner, tenant })),
)

test('what is decided before the owner is known is not contradicted once it is', () => {
  fc.assert(
    fc.property(
      fc.array(policy, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.constantFrom<('owner' | 'tenant')[]>(['owner', 'tenant'], ['owner'], ['tenant']),
      (policies, staff, unknown) => {
        const { plan } = compilePolicies({
          files: [{ file: 'p.cedar', text: policies.join('\n') }],
          apis: [{ api: 'shop', operations: [OPERATION] }],
        })
        const engine = new CedarEngine(plan)
        const principal = { ...UNKNOWN.principal, groups: staff ? ['corp/staff'] : [] }
        for (const known of WHOLE) {
          const { params, api, objectType } = UNKNOWN.resource
          const stated = {
            ...(unknown.includes('owner') ? {} : { owner: known.owner }),
            ...(unknown.includes('tenant') ? {} : { tenant: known.tenant }),
          }
          const early = { ...UNKNOWN, principal, resource: { api, objectType, params, ...stated, unknown } }
          const { verdict } = engine.evaluate(early)
          if (verdict === 'pending') continue
          const late = { ...early, resource: { api, objectType, params, ...known, unknown: [] } }
          expect([known, engine.evaluate(late).verdict]).toEqual([known, verdict])
        }
        engine.close()
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 150) },
  )
})
