import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies } from '../../src/decision/cedar/compile.ts'
import { parseEntityLiteral } from '../../src/decision/cedar/entity-literal.ts'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import { actionGroups } from '../../src/decision/cedar/schema.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { OperationPlan } from '../../src/model/operation.ts'
import { Compiled, judgedByWasm } from '../cedar-both.ts'
import { type CedarCase, cedarCase, scopeCase } from '../cedar-case.ts'
import { tapes } from '../tape.ts'
import { wasmInput } from '../wasm-input.ts'

/** Each link once more for each request, with its principal and its resource in the slots. */
function linksThatFit({ links, requests }: CedarCase): cedar.TemplateLink[] {
  return links.flatMap(({ templateId, newId, values }) =>
    requests.map(({ principal, resource }, index) => ({
      templateId,
      newId: `${newId}-fits-${index}`,
      values: {
        ...('?principal' in values ? { '?principal': principal } : {}),
        ...('?resource' in values ? { '?resource': resource } : {}),
      },
    })),
  )
}

test('a filled template decides as cedar-wasm’s link of it does', () => {
  const seen = { links: 0, requests: 0, byLink: 0 }
  const cases = fc.oneof(tapes(900).map(cedarCase), tapes(1500).map(scopeCase))
  fc.assert(
    fc.property(cases, (drawn) => {
      if (drawn.links.length === 0) return
      const made = { ...drawn, links: [...drawn.links, ...linksThatFit(drawn)] }
      seen.links += made.links.length
      const compiled = new Compiled(made, { filled: true })
      const ids = new Set(made.links.map(({ newId }) => newId))
      for (const request of made.requests) {
        const { plain, strict } = judgedByWasm(made, request)
        expect(compiled.judged(request, false)).toEqual(plain)
        expect(compiled.judged(request, true)).toEqual(strict)
        seen.requests++
        if (plain.policies.some((id) => ids.has(id))) seen.byLink++
      }
    }),
    { numRuns: 150 },
  )
  console.log(`compared with cedar-wasm: ${JSON.stringify(seen)}`)
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
}, 120_000)

const PLAN: OperationPlan = {
  key: 'shop.getOrder',
  api: 'shop',
  method: 'GET',
  template: '/orders/{orderId}',
  tags: ['orders'],
  kind: 'read',
  deprecated: false,
  security: { need: 'required', alternatives: [] },
  object: { type: 'order', owner: ['customerId'], hideAbsent: false, ownerKnownAt: 'response' },
}

const HEADS = [
  'principal == ?principal, action, resource',
  'principal in ?principal, action in Action::"shop/read", resource',
  'principal is User in ?principal, action, resource is Object in ?resource',
  'principal in ?principal, action == Action::"shop.getOrder", resource in ?resource',
  'principal, action, resource == ?resource',
] as const
const TESTS = [
  '',
  'when { context.scopesMet }',
  'unless { resource has owner && resource.owner == principal }',
] as const
const PRINCIPALS = ['User::"corp/ana"', 'Group::"corp/staff"', 'Role::"corp/admin"', 'Zone::"dmz"'] as const
const RESOURCES = ['Api::"shop"', 'Zone::"pay"', 'Object::"shop/order/o-1"'] as const

const linkedSet = fc.array(
  fc.record({
    effect: fc.constantFrom('permit', 'permit', 'forbid'),
    head: fc.constantFrom(...HEADS),
    condition: fc.constantFrom(...TESTS),
    fillings: fc.array(fc.tuple(fc.constantFrom(...PRINCIPALS), fc.constantFrom(...RESOURCES)), {
      maxLength: 3,
    }),
  }),
  { minLength: 1, maxLength: 5 },
)

const call = fc
  .record({
    id: fc.constantFrom('corp/ana', 'corp/ben'),
    groups: fc.subarray(['corp/staff', 'corp/x']),
    roles: fc.subarray(['corp/admin']),
    zone: fc.constantFrom('dmz', 'pay', ''),
    orderId: fc.constantFrom('o-1', 'o-2'),
    owner: fc.constantFrom('corp/ana', 'corp/ben'),
    scopesMet: fc.boolean(),
  })
  .map(
    ({ id, groups, roles, zone, orderId, owner, scopesMet }): DecisionInput => ({
      checkpoint: 'response',
      principal: { type: 'User', id, groups, roles, zone, client: 'web', tenant: 't1' },
      action: PLAN.key,
      resource: { api: 'shop', objectType: 'order', params: { orderId }, owner, unknown: [] },
      context: {
        scopes: [],
        scopesMet,
        issuer: 'https://idp.example',
        audience: ['shop'],
        tokenAgeSeconds: 1,
        method: 'GET',
        path: '/orders/o-1',
        ip: '10.1.2.3',
        amr: [],
        networks: [],
      },
    }),
  )

const PLACE = { line: 1, column: 1 }

test('a folder with templates and links decides as cedar-wasm does with its own', () => {
  const verdicts = { allow: 0, deny: 0 }
  let decided = 0
  fc.assert(
    fc.property(linkedSet, fc.array(call, { minLength: 4, maxLength: 8 }), (set, calls) => {
      const templates = set.map(({ effect, head, condition }) => `${effect}(${head}) ${condition};`)
      const links = set.flatMap(({ head, fillings }, index) =>
        fillings.map(([principal, resource], at) => ({
          template: `p.cedar#${index + 1}`,
          id: `l${index}-${at}`,
          args: {
            ...(head.includes('?principal') ? { '?principal': principal } : {}),
            ...(head.includes('?resource') ? { '?resource': resource } : {}),
          },
          file: 'p.links.json',
          at: { link: PLACE, template: PLACE, id: PLACE, args: {} },
        })),
      )
      const { plan } = compilePolicies({
        files: [{ file: 'p.cedar', text: templates.join('\n') }],
        links,
        apis: [{ api: 'shop', operations: [PLAN], zone: 'pay' }],
        zones: ['dmz', 'pay'],
      })
      const engine = new CedarEngine(plan)
      const policies: cedar.PolicySet = {
        templates: Object.fromEntries(templates.map((text, index) => [`p.cedar#${index + 1}`, text])),
        templateLinks: links.map(({ template, id, args }) => ({
          templateId: template,
          newId: id,
          values: Object.fromEntries(Object.entries(args).map(([slot, text]) => [slot, nameOf(text)])),
        })),
      }
      for (const each of calls) {
        const answer = cedar.isAuthorized({ ...wasmInput(each, actionGroups(PLAN), 'pay'), policies })
        if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join())
        const { decision, diagnostics } = answer.response
        const verdict = engine.evaluate(each)
        expect([verdict.verdict, verdict.policies]).toEqual([decision, [...diagnostics.reason].sort()])
        verdicts[decision]++
        if (verdict.policies.length > 0) decided++
      }
      engine.close()
    }),
    { numRuns: 100 },
  )
  console.log(`linked folders compared with cedar-wasm: ${JSON.stringify({ ...verdicts, decided })}`)
  for (const count of [verdicts.allow, verdicts.deny, decided]) expect(count).toBeGreaterThan(20)
}, 120_000)

function nameOf(literal: string): cedar.TypeAndId {
  const [type = '', id = ''] = literal.replaceAll('"', '').split('::')
  return { type, id }
}

test('an entity literal is read as cedar-wasm reads it, or not at all', () => {
  const part = fc.constantFrom(
    'a',
    'Z_9',
    '::',
    '"',
    '\\',
    '\\n',
    '\\u{e9}',
    '\\x41',
    '\\*',
    ' ',
    '\u0000',
    '😀',
    'if',
  )
  const texts = fc.oneof(
    fc.array(part, { maxLength: 8 }).map((parts) => `User::"${parts.join('')}"`),
    fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
  )
  let read = 0
  fc.assert(
    fc.property(texts, (text) => {
      const ours = parseEntityLiteral(text)
      if (ours === null) return
      read++
      const answer = cedar.policyToJson(`permit(principal == ${text}, action, resource);`)
      if (answer.type === 'failure') throw new Error(`cedar-wasm does not read ${text}`)
      expect(answer.json.principal).toEqual({ op: '==', entity: ours })
      expect(answer.json.conditions).toEqual([])
    }),
    { numRuns: 2000 },
  )
  expect(read).toBeGreaterThan(100)
})
