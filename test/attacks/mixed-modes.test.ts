import { afterAll, expect, it } from 'vitest'
import { bearer, closePlacedGates, placedGate } from '../placed-gate.ts'

afterAll(closePlacedGates)

// One operation enforced in an API that is observed otherwise: whatever reaches it has to be refused, however it is put.
it.each([
  ['as it stands', 'GET', '/things/a'],
  ['with a method the contract lacks', 'REPORT', '/things/a'],
  ['with a method that a parameter overrides', 'POST', '/things/a?_method=GET'],
  ['with a slash at the end', 'GET', '/things/a/'],
  ['in another case', 'GET', '/THINGS/a'],
])('an enforced operation of an observed API, called %s', async (_what, method, target) => {
  const gate = placedGate({
    api: '    mode: observe\n    operations: { getThing: { mode: enforce } }',
    policies: '@id("none") forbid (principal, action == Action::"things.getThing", resource);',
  })
  const seen = await gate.call(method, target, { fields: bearer() })
  expect([seen.status >= 400, seen.upstream]).toEqual([true, 0])
})

it('leaves what is observed alone', async () => {
  const gate = placedGate({
    api: '    mode: observe\n    operations: { getThing: { mode: enforce } }',
    policies: '@id("none") forbid (principal, action, resource);',
  })
  for (const [method, target] of [
    ['GET', '/elsewhere'],
    ['PUT', '/free'],
    ['GET', '/things/a/parts'],
  ] as const)
    expect([target, (await gate.call(method, target, { fields: bearer() })).upstream]).toEqual([target, 1])
})
