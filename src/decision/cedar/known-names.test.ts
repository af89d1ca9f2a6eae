import { describe, expect, test } from 'vitest'
import { isFault } from '../../model/errors.ts'
import type { PolicyLink } from '../../model/policy-link.ts'
import { compilePolicies } from './compile.ts'

type Input = Parameters<typeof compilePolicies>[0]

const APIS: Input['apis'] = [
  {
    api: 'shop',
    operations: [
      {
        key: 'shop.getOrder',
        api: 'shop',
        method: 'GET',
        template: '/orders/{orderId}',
        tags: [],
        kind: 'read',
        deprecated: false,
        security: { need: 'required', alternatives: [] },
        object: { type: 'order', owner: ['customerId'], hideAbsent: true, ownerKnownAt: 'response' },
      },
    ],
  },
]
const KNOWN = { issuers: ['corp', 'partners'], networks: ['office', 'home'] }

function faultsOf(text: string, more: Partial<Input> = KNOWN): readonly string[] {
  try {
    compilePolicies({ files: [{ file: 'p.cedar', text }], apis: APIS, ...more })
    return []
  } catch (error) {
    if (!isFault(error, 'policy-invalid')) throw error
    return error.data['errors'] as readonly string[]
  }
}

function forbidTo(principal: string): string {
  return `forbid(principal ${principal}, action, resource);`
}

function forbidWhen(condition: string): string {
  return `forbid(principal, action, resource) when { ${condition} };`
}

describe('issuers of callers, groups, roles and devices', () => {
  test.each([
    'in Group::"corp/staff"',
    'in Role::"partners/admin"',
    '== User::"corp/ana"',
    '== User::"corp~email/ana@example.com"',
    '== User::"corp/a~b/c"',
    '== Workload::"corp/spiffe://example/x"',
  ])('%s is of one there is', (principal) => {
    expect(faultsOf(forbidTo(principal))).toEqual([])
  })

  test.each([
    [
      'in Group::"cop/staff"',
      'there is no issuer "cop", of which Group::"cop/staff" would be',
      'Group::"corp/staff"',
    ],
    ['in Role::"corpp/x"', 'there is no issuer "corpp", of which Role::"corpp/x" would be', 'Role::"corp/x"'],
    ['== User::"cop/ana"', 'there is no issuer "cop", of which User::"cop/ana" would be', 'User::"corp/ana"'],
    [
      '== Client::"partner/a"',
      'there is no issuer "partner", of which Client::"partner/a" would be',
      'Client::"partners/a"',
    ],
    [
      '== Workload::"CORP/w"',
      'there is no issuer "CORP", of which Workload::"CORP/w" would be',
      'Workload::"corp/w"',
    ],
    [
      '== User::"cop~email/a"',
      'there is no issuer "cop", of which User::"cop~email/a" would be',
      'User::"corp~email/a"',
    ],
  ])('%s is an error with the nearest', (principal, why, close) => {
    expect(faultsOf(forbidTo(principal))).toEqual([
      `p.cedar:1:${18 + principal.search(/[A-Z]/)}: ${why}; the nearest is ${close}`,
    ])
  })

  test('in conditions too, and a device', () => {
    expect(faultsOf(forbidWhen('principal in Group::"cop/staff"'))).toHaveLength(1)
    expect(faultsOf(forbidWhen('context has device && context.device == Device::"cop/d1"'))).toHaveLength(1)
    expect(faultsOf(forbidWhen('context has device && context.device == Device::"corp/d1"'))).toEqual([])
  })

  test('a name without an issuer is told how it is written', () => {
    expect(faultsOf(forbidTo('in Group::"staff"'))).toEqual([
      'p.cedar:1:21: Group::"staff" names no issuer: write Group::"<issuer>/name"',
    ])
    expect(faultsOf(forbidTo('== User::"ana"'), { issuers: ['corp'] })).toEqual([
      'p.cedar:1:21: User::"ana" names no issuer: write User::"corp/ana"',
    ])
  })

  test('are not looked at where nobody says which there are', () => {
    expect(faultsOf(forbidTo('in Group::"cop/staff"'), {})).toEqual([])
  })

  test('fill no slot of a link either', () => {
    const place = { line: 2, column: 7 }
    const link: PolicyLink = {
      template: 'reads',
      id: 'staff-reads',
      args: { '?principal': 'Group::"cop/staff"' },
      file: 'a.links.json',
      at: { link: place, template: place, id: place, args: { '?principal': { line: 2, column: 40 } } },
    }
    expect(
      faultsOf('@id("reads") permit(principal in ?principal, action, resource);', {
        ...KNOWN,
        links: [link],
      }),
    ).toEqual([
      'a.links.json:2:40: there is no issuer "cop", of which Group::"cop/staff" would be; the nearest is Group::"corp/staff"',
    ])
  })
})

describe('networks and weekdays', () => {
  test.each([
    'context.networks.contains("office")',
    'context.networks.containsAny(["office", "home"])',
    'context["networks"].contains("home")',
    'context.time.weekday == "Monday"',
    '["Saturday", "Sunday"].contains(context.time.weekday)',
    'context.networks.contains(context.method)',
  ])('%s can be', (condition) => {
    expect(faultsOf(forbidWhen(condition))).toEqual([])
  })

  test.each([
    ['context.networks.contains("ofice")', 'networks', 'ofice', 'office'],
    ['!context.networks.contains("ofice")', 'networks', 'ofice', 'office'],
    ['context["networks"].contains("ofice")', 'networks', 'ofice', 'office'],
    ['context.networks.containsAll(["home", "ofice"])', 'networks', 'ofice', 'office'],
    ['context.networks.containsAny(["hom", "office"])', 'networks', 'hom', 'home'],
    ['["hom"].containsAny(context.networks)', 'networks', 'hom', 'home'],
    ['context.time.weekday == "Mondy"', 'time.weekday', 'Mondy', 'Monday'],
    ['["Sunday", "Saterday"].contains(context.time.weekday)', 'time.weekday', 'Saterday', 'Saturday'],
  ])('%s never is: an error with the nearest', (condition, path, value, close) => {
    const text = forbidWhen(condition)
    const at = text.indexOf(`"${value}"`) + 1
    expect(faultsOf(text)).toEqual([
      `p.cedar:1:${at}: context.${path} never has "${value}"; the nearest is "${close}"`,
    ])
  })

  test('networks are not looked at where nobody says which there are', () => {
    expect(faultsOf(forbidWhen('context.networks.contains("ofice")'), {})).toEqual([])
  })
})
