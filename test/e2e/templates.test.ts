import { afterAll, expect, it } from 'vitest'
import { bearer, closePlacedGates, placedGate } from '../placed-gate.ts'

afterAll(closePlacedGates)

it('links of a template decide, by their own names', async () => {
  const link = (id: string, principal: string) => ({
    template_id: 'reads-things',
    link_id: id,
    args: { '?principal': principal, '?resource': 'Api::"things"' },
  })
  const gate = placedGate({
    policies: `@id("reads-things")
permit (principal in ?principal, action == Action::"things.getThing", resource in ?resource);`,
    links: JSON.stringify([
      link('ana-reads', 'User::"corp/ana"'),
      link('auditors-read', 'Group::"corp/auditors"'),
    ]),
  })
  const decided = async (over: Readonly<Record<string, unknown>>) => {
    const { status, intent } = await gate.call('GET', '/things/a', { fields: bearer(over) })
    return { status, policies: intent?.decisions.at(-1)?.policies }
  }
  expect(await decided({ sub: 'ana' })).toEqual({ status: 200, policies: ['ana-reads'] })
  expect(await decided({ sub: 'ben', groups: ['auditors'] })).toEqual({
    status: 200,
    policies: ['auditors-read'],
  })
  expect(await decided({ sub: 'ben' })).toEqual({ status: 403, policies: [] })
})
