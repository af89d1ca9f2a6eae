import { expect, test } from 'vitest'
import type { Decision } from '../model/decision.ts'
import type { Reason, ReasonCode } from '../model/reason.ts'
import { opposes, REASONS, reason } from '../model/reason.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { compilePolicies } from './cedar/compile.ts'
import { smallestChange } from './smallest-change.ts'

const ANA = { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana' } as const
const CONTEXT = { api: 'shop', operation: 'shop.getOrder', subject: ANA, template: '/orders/{orderId}' }

function denied(...reasons: [Reason, ...Reason[]]): Decision {
  return {
    checkpoint: 'body',
    effect: 'deny',
    pending: false,
    mode: 'enforce',
    reasons,
    obligations: [],
    policies: [],
    bundle: 'b',
  }
}

function change(
  code: ReasonCode,
  evidence: Reason['evidence'] = {},
  forCaller?: string,
  context = {},
): string {
  return smallestChange(denied(reason(code, 'policy', evidence, forCaller)), { ...CONTEXT, ...context })
}

const PERMIT = 'permit(principal == User::"corp/ana", action == Action::"shop.getOrder", resource);'
const NARROWED = PERMIT.replace(
  /;$/,
  ' when { resource.params has orderId && resource.params.orderId == "o-1001" };',
)
const ISSUERS = [{ name: 'idp', iss: 'https://idp.example' }]

test.each<readonly [string, string]>([
  [change('insufficient-scope', { scopes: ['orders:read'] }), 'Add scope orders:read to ana’s token.'],
  [change('insufficient-scope', { scopes: ['a', 'b'] }), 'Add scopes a, b to ana’s token.'],
  [change('policy-missing'), `Add ${PERMIT}`],
  [
    change('policy-missing', {}, undefined, { subject: null }),
    `Add ${PERMIT.replace('== User::"corp/ana"', 'is Anonymous')}`,
  ],
  [
    change('policy-missing', {}, undefined, { subject: { ...ANA, kind: 'client' } }),
    `Add ${PERMIT.replace('User', 'Client')}`,
  ],
  [
    change('policy-missing', { failed: ['own'] }),
    `Correct policy own, which failed to evaluate; or add ${PERMIT}`,
  ],
  [change('owner-differs'), 'Call as the owner.'],
  [
    change('lateral-movement', { from: 'edge', to: 'front', by: 'network' }),
    'Add the flow { from: edge, to: front, operations: ["shop.getOrder"] }.',
  ],
  [
    change('lateral-movement', { from: 'edge', to: 'front', by: 'network' }, undefined, { operation: '' }),
    'Add the flow { from: edge, to: front }.',
  ],
  [
    change('lateral-movement', { from: '', to: 'front', by: 'nothing' }),
    'Put the caller into a zone by its workload, client or network, and add a flow from it.',
  ],
  [
    change('lateral-movement', { from: '', to: 'front', by: 'elsewhere' }),
    'Call from the networks of the caller’s zone: its identity belongs to one that names networks.',
  ],
  [
    change('owner-differs', {}, undefined, { path: '/orders/o-1001' }),
    `Call as the owner, or add ${NARROWED}`,
  ],
  [change('owner-differs', {}, undefined, { path: '/orders/%zz' }), 'Call as the owner.'],
  [change('owner-differs', {}, undefined, { path: '/orders/o-1001/lines' }), 'Call as the owner.'],
  [
    change('policy-missing', { attribute: 'tenant' }, undefined, { path: '/orders/o-1001' }),
    `Call as a member of the object’s tenant, or add ${NARROWED}`,
  ],
  [
    change('token-missing', {}, undefined, { identity: false }),
    'Add identity: to apis.shop, with accept and audience: without it no token is read.',
  ],
  [
    change('owner-unknowable', { policies: ['own'], attribute: 'owner' }),
    'Declare a lookup for the object under apis.shop.objects that states the owner, which policy own asks for.',
  ],
  [
    change('policy-forbids', { policies: ['no', 'never'] }),
    'Change policies no, never, which forbids the call.'.replace('forbids', 'forbid'),
  ],
  [change('policy-forbids', { policies: ['no'] }), 'Change policy no, which forbids the call.'],
  [change('policy-failed', { policies: ['no'] }), 'Correct policy no, which failed to evaluate.'],
  [change('field-undeclared', {}, '/isAdmin'), 'Remove field /isAdmin, or declare it in the contract.'],
  [change('body-invalid', {}, '/amount'), 'Send a body the contract allows: /amount.'],
  [
    change('issuer-unknown', { iss: 'https://x.example' }),
    'Add an issuer with issuer: https://x.example under identity.issuers.',
  ],
  [
    change('issuer-unknown', { iss: 'https://x.example' }, undefined, { issuers: ISSUERS }),
    'Add an issuer with issuer: https://x.example under identity.issuers.',
  ],
  ...(
    [
      ['https://idp.example/', 'a trailing slash'],
      ['http://idp.example', 'its scheme'],
      ['https://IDP.example', 'case'],
      ['http://idp.example/', 'a trailing slash and its scheme'],
    ] as const
  ).map(
    ([iss, by]) =>
      [
        change('issuer-unknown', { iss }, undefined, { issuers: ISSUERS }),
        `Correct identity.issuers.idp.issuer, or what the issuer sends: the token’s ${iss} differs from idp’s https://idp.example only by ${by}.`,
      ] as const,
  ),
  [change('issuer-refused', { issuer: 'corp' }), 'Add corp to apis.shop.identity.accept.'],
  [
    change('method-not-allowed', { allow: ['GET', 'PUT'] }),
    'Call with GET or PUT, or declare the method in the contract.',
  ],
  [change('token-expired', { secondsAgo: 7 }), 'Get a new token: this one expired 7 s ago.'],
])('%s', (seen, expected) => {
  expect(seen).toBe(expected)
})

test('where no policy permits either, both are named', () => {
  const both = denied(
    reason('insufficient-scope', 'policy', { scopes: ['orders:read'] }),
    reason('policy-missing', 'policy'),
  )
  expect(smallestChange(both, CONTEXT)).toBe(
    `Add scope orders:read to ana’s token; if no policy permits the call then either, add ${PERMIT}`,
  )
})

test('the permit it offers for one object fits the schema, and opens no other', () => {
  const path = '/orders/a%22b'
  const text = change('owner-differs', {}, undefined, { path }).replace('Call as the owner, or add ', '')
  const security = { need: 'required', alternatives: [] } as const
  const operations = ['/orders/{orderId}', '/carts/{in}'].map((template, index) => ({
    key: index === 0 ? 'shop.getOrder' : 'shop.getCart',
    api: 'shop',
    method: 'GET',
    template,
    tags: [],
    kind: 'read' as const,
    deprecated: false,
    security,
  }))
  const files = [{ file: 'a.cedar', text: `@id("one")\n${text}` }]
  expect(() => compilePolicies({ files, apis: [{ api: 'shop', operations }] })).not.toThrow()
  expect(text).toContain('resource.params.orderId == "a\\"b"')
  expect(change('owner-differs', {}, undefined, { template: '/carts/{in}', path: '/carts/1' })).toBe(
    'Call as the owner.',
  )
})

test('every code that denies has one line of its own, with and without evidence', () => {
  for (const code of Object.keys(REASONS) as ReasonCode[]) {
    if (!opposes(code)) continue
    const empty = { api: '', operation: '', subject: null, template: '' }
    for (const context of [CONTEXT, empty]) {
      const line = smallestChange(denied(reason(code, 'stage')), context)
      expect(line, code).toMatch(/^[A-Z].*[.;]$/)
      expect(line, code).not.toMatch(/undefined|null|\n|: \.|apis\.\./)
    }
  }
})

test('the first reason that opposes decides; an allowed call needs no change', () => {
  const reasons = [
    reason('identity-verified', 'identity'),
    reason('token-expired', 'identity'),
    reason('policy-missing', 'policy'),
  ] as const
  expect(smallestChange(denied(...reasons), CONTEXT)).toBe('Get a new token.')
  expect(smallestChange({ ...denied(reason('policy-permits', 'policy')), effect: 'allow' }, CONTEXT)).toBe('')
})

test('what a caller chose cannot write to the terminal or break out of the line', () => {
  const line = change('issuer-unknown', { iss: `x\u001b[2J\r\n\u202e\u2028${'y'.repeat(1000)}` })
  expect(line).not.toMatch(/[\u001b\r\n\u202e\u2028]/)
  expect(line.length).toBeLessThanOrEqual(400)
  const id = 'ana"}; permit(principal, action, resource); //'
  expect(change('policy-missing', {}, undefined, { subject: { ...ANA, id } })).toContain(
    'User::"corp/ana\\"}; permit(principal, action, resource); //"',
  )
})
