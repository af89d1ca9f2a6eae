import { expect, test } from 'vitest'
import type { SecurityAlternative, SecurityPlan } from '../model/operation.ts'
import type { Subject } from '../model/subject.ts'
import { ANONYMOUS } from '../model/subject.ts'
import { checkScopes } from './floor.ts'

const bearer = (...scopes: string[]) => ({ name: 'oauth', kind: 'bearer', scopes }) as const
const KEY = { name: 'key', kind: 'unsupported', scopes: [] } as const

function required(...alternatives: SecurityAlternative['schemes'][]): SecurityPlan {
  return { need: 'required', alternatives: alternatives.map((schemes) => ({ schemes })) }
}

function holder(...scopes: string[]): Subject {
  return { ...ANONYMOUS, kind: 'user', issuer: 'corp', id: 'ana', scopes }
}

test('list = OR', () => {
  const plan = required([bearer('a')], [bearer('b')])
  expect(checkScopes(plan, holder('b')).met).toBe(true)
  expect(checkScopes(plan, holder('c')).met).toBe(false)
})

test('object = AND', () => {
  const plan = required([bearer('a', 'b'), bearer('b', 'c')])
  expect(checkScopes(plan, holder('a', 'b', 'c')).met).toBe(true)
  expect(checkScopes(plan, holder('a', 'b'))).toMatchObject({
    met: false,
    missing: ['c'],
    needed: ['a', 'b', 'c'],
  })
})

test('what is missing is that of the nearest alternative', () => {
  const plan = required([bearer('a', 'b', 'c')], [bearer('a', 'd')])
  expect(checkScopes(plan, holder('a'))).toMatchObject({ missing: ['d'], needed: ['a', 'd'] })
})

test('optional and anonymous operations ask for nothing', () => {
  for (const need of ['optional', 'anonymous'] as const) {
    expect(checkScopes({ need, alternatives: [{ schemes: [bearer('a')] }] }, ANONYMOUS).met).toBe(true)
  }
})

test('no alternative, or one without scopes, asks for a verified token of any scope', () => {
  for (const plan of [required(), required([bearer()])]) {
    expect(checkScopes(plan, holder()).met).toBe(true)
    expect(checkScopes(plan, ANONYMOUS)).toMatchObject({ met: false, unsupported: false, leftToApi: false })
  }
})

test('scopes are compared exactly', () => {
  const plan = required([bearer('orders:read')])
  for (const close of ['orders:rea', 'orders:read:own', 'Orders:read', 'orders:*', '']) {
    expect(checkScopes(plan, holder(close)).met).toBe(false)
  }
})

test('a scheme the gate cannot check never counts as met', () => {
  for (const plan of [required([KEY]), required([bearer('a'), KEY])]) {
    expect(checkScopes(plan, holder('a'))).toMatchObject({ met: false, unsupported: true, leftToApi: false })
    expect(checkScopes(plan, holder('a'), 'pass')).toMatchObject({ met: false, leftToApi: true })
  }
})

test('beside a bearer alternative, a caller with a token is held to its scopes, one without is the API’s', () => {
  const plan = required([bearer('a')], [KEY])
  expect(checkScopes(plan, holder('a'), 'pass')).toMatchObject({ met: true })
  expect(checkScopes(plan, holder('b'), 'pass')).toMatchObject({
    met: false,
    missing: ['a'],
    leftToApi: false,
  })
  expect(checkScopes(plan, ANONYMOUS, 'pass')).toMatchObject({ met: false, leftToApi: true })
  expect(checkScopes(plan, ANONYMOUS)).toMatchObject({ met: false, unsupported: true, leftToApi: false })
})
