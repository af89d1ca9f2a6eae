import { afterEach, describe, expect, it } from 'vitest'
import { compileBundle } from '../../src/roles/compile-bundle.ts'
import { type GraphqlGate, graphqlGate, SHOP } from '../graphql-gate.ts'

// What else is held of a GraphQL API's answers, and what its fields are known to hold.

const open: GraphqlGate[] = []
const opened = async (options: Parameters<typeof graphqlGate>[0]): Promise<GraphqlGate> => {
  const gate = await graphqlGate(options)
  open.push(gate)
  return gate
}
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.stop()
})

const answer = (body: unknown) => ({ answer: () => ({ body: JSON.stringify(body) }) })

/** What `sallyport inventory` tells of the answers. */
const classified = ({ config }: GraphqlGate) =>
  compileBundle(config)
    .apis.flatMap(({ contract }) => contract?.classified.get('shop.POST /graphql')?.answer ?? [])
    .sort((a, b) => (a.at + a.class < b.at + b.class ? -1 : 1))

const decisionsOf = ({ audit }: GraphqlGate, id: string) => [
  ...(audit.intents.get(id)?.decisions ?? []),
  ...(audit.outcomes.get(id)?.decisions ?? []),
]

describe('a GraphQL answer', () => {
  it('with data that was not asked for is refused where undeclared data is blocked', async () => {
    const gate = await opened({
      api: '    answers: block',
      ...answer({ data: { me: { id: 'u1', secret: 's-1' } }, extensions: { tracing: 1 } }),
    })
    const { status, text, id } = await gate.ask({ query: '{ me { id } }' })
    expect({ status, text }).toMatchObject({ status: 502, text: expect.not.stringContaining('s-1') })
    const codes = decisionsOf(gate, id).flatMap(({ reasons }) => reasons.map(({ code }) => code))
    expect(codes).toContain('response-field-undeclared')
    const fit = await opened({
      api: '    answers: block',
      ...answer({ data: { me: { id: 'u1' } }, extensions: { tracing: 1 } }),
    })
    expect(await fit.ask({ query: '{ me { id } }' })).toMatchObject({
      status: 200,
      text: '{"data":{"me":{"id":"u1"}}}',
    })
  })

  it.each([
    ['sql', 'duplicate key value violates unique constraint "users_email_key"'],
    ['stack-trace', 'TypeError: x\n    at resolve (/srv/shop/src/orders.js:14:9)'],
    ['host', 'connect ECONNREFUSED 10.1.2.3:5432'],
  ])('tells nothing of the upstream’s inside: %s', async (rule, message) => {
    const errors = [
      { message, path: ['order'], extensions: { code: message } },
      { message: 'no such order', extensions: { code: 'NOT_FOUND' } },
    ]
    const body = { data: { order: null }, errors }
    const gate = await opened(answer(body))
    const { json, status, id } = await gate.ask({ query: '{ order(id: 1) { id } }' })
    expect(status).toBe(200)
    expect(json).toEqual({
      data: { order: null },
      errors: [{ message: 'The upstream answered with an error.', path: ['order'] }, errors[1]],
    })
    const said = decisionsOf(gate, id).flatMap(({ reasons }) => reasons)
    expect(said).toContainEqual(
      expect.objectContaining({ code: 'response-error-replaced', evidence: { rule } }),
    )
    expect(gate.audit.outcomes.get(id)?.original).toContain('NOT_FOUND')
    const watched = await opened({ mode: 'observe', ...answer(body) })
    expect((await watched.ask({ query: '{ order(id: 1) { id } }' })).text).toBe(JSON.stringify(body))
  })
})

describe('classes of a GraphQL schema', () => {
  const POLICIES = `
@id("all") permit (principal, action in Action::"shop/all", resource);
@id("guests") forbid (principal in Group::"corp/guest", action, resource) when { context.answerClasses.contains("phi") };
`
  const schema = SHOP.replace('total: Float state', 'total: Float @sallyport(class: "risk") state')

  it('come from names, the directive and the configuration, and reach policies and the inventory', async () => {
    const gate = await opened({
      graphql: '      fields: { User.name: { class: [pii, phi] }, User.secret: { class: none } }',
      policies: POLICIES,
      files: { 'shop.graphql': schema },
    })
    expect((await gate.ask({ query: '{ me { id } }' })).status).toBe(200)
    const guest = { token: gate.token('eve', { groups: ['guest'] }) }
    expect((await gate.ask({ query: '{ me { id } }' }, guest)).status).toBe(403)
    const answers = classified(gate)
    expect(answers).toEqual([
      { at: 'Order.total', class: 'risk', origin: 'annotation' },
      { at: 'User.name', class: 'phi', origin: 'annotation' },
      { at: 'User.name', class: 'pii', origin: 'annotation' },
    ])
    const plain = await opened({ policies: POLICIES })
    expect(classified(plain)).toEqual([{ at: 'User.secret', class: 'secret', origin: 'name' }])
  })

  it('of a field it has not are refused, with their place', async () => {
    await expect(opened({ graphql: '      fields: { User.emial: { class: pii } }' })).rejects.toThrow(
      /the schema has no type or field "User\.emial"/,
    )
    await expect(
      opened({ files: { 'shop.graphql': schema.replace('"risk"', '"no class"') } }),
    ).rejects.toThrow(/@sallyport of Order\.total/)
  })
})
