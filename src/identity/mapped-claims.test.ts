import { expect, test } from 'vitest'
import type { IssuerPlan } from '../model/bundle.ts'
import { readMapped } from './mapped-claims.ts'

const PLAN: IssuerPlan = {
  name: 'corp',
  iss: 'https://idp.example',
  algorithms: ['ES256'],
  types: [],
  groupsClaim: 'groups',
  keys: { refreshSeconds: 300, cooldownSeconds: 10, maxStaleSeconds: 86_400, waitMs: 0 },
  skewSeconds: 30,
}

function read(value: Readonly<Record<string, unknown>>, changes: Partial<IssuerPlan> = {}) {
  return readMapped(value, { ...PLAN, ...changes })
}

test('nothing is read that configuration does not name', () => {
  const all = { roles: ['admin'], device: 'd1', realm_access: { roles: ['x'] }, tenantId: 't' }
  expect(read(all)).toEqual({ groups: [], roles: [], device: undefined, named: undefined })
})

test('groups and roles by name, and by pointer where they lie deeper', () => {
  const value = { groups: ['a'], realm_access: { roles: ['admin'] }, 'https://x/roles': ['b'], 'a~/b': ['c'] }
  expect(read(value, { rolesClaim: '/realm_access/roles' })).toMatchObject({
    groups: ['a'],
    roles: ['admin'],
  })
  expect(read(value, { rolesClaim: 'https://x/roles' })).toMatchObject({ roles: ['b'] })
  expect(read(value, { rolesClaim: '/a~0~1b' })).toMatchObject({ roles: ['c'] })
  expect(read(value, { rolesClaim: '/realm_access/none' })).toMatchObject({ roles: [] })
})

test.each([['/constructor/name'], ['/__proto__'], ['constructor'], ['toString']])(
  '%s reaches nothing that every object inherits',
  (rolesClaim) => {
    expect(read({}, { rolesClaim })).toMatchObject({ roles: [] })
  },
)

test.each<readonly [string, unknown, string]>([
  ['a text', 'admin', 'form'],
  ['numbers', [1], 'form'],
  ['an empty name', [''], 'form'],
  ['a line break', ['a\nb'], 'form'],
  ['a long name', ['x'.repeat(1025)], 'too-long'],
  ['thousands', Array.from({ length: 10_000 }, (_, index) => `g${index}`), 'too-many'],
])('memberships that are %s are refused', (_, value, problem) => {
  expect(read({ groups: value })).toEqual({ claim: 'groups', problem })
  expect(read({ r: value }, { rolesClaim: 'r' })).toEqual({ claim: 'r', problem })
})

test.each<readonly [unknown, unknown]>([
  ['d1', { id: 'd1' }],
  [
    { id: 'd1', compliant: true, managed: false, model: 'x' },
    { id: 'd1', compliant: true, managed: false },
  ],
  [{ id: 'd1' }, { id: 'd1' }],
  [undefined, undefined],
])('a device stated as %j', (device, expected) => {
  expect(read({ device }, { deviceClaim: 'device' })).toMatchObject({ device: expected })
})

test.each<readonly [unknown]>([
  [7],
  [''],
  [null],
  [['d1']],
  [{}],
  [{ id: 7 }],
  [{ id: 'd1', compliant: 'true' }],
  [{ id: 'd1', managed: 1 }],
])('no device is made of %j', (device) => {
  expect(read({ device }, { deviceClaim: 'device' })).toMatchObject({ claim: 'device', problem: 'form' })
})

test('claims that object rules compare with are strings, or integers in their shortest form', () => {
  const value = { customer: 'c-1', number: 42, half: 0.5, list: ['x'], deep: { id: 'd' }, empty: '' }
  const claims = ['customer', 'number', 'half', 'list', '/deep/id', 'empty', 'absent', '__proto__']
  expect(read(value, { claims })).toMatchObject({
    named: { customer: 'c-1', number: '42', '/deep/id': 'd' },
  })
})
