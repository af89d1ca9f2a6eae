import { dirname } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CedarEngine } from '../../src/decision/cedar/evaluate.ts'
import { reevaluate } from '../../src/decision/explain.ts'
import { compare, replayRecord } from '../../src/decision/replay/judge-record.ts'
import { bundleParts, compileBundle } from '../../src/roles/compile-bundle.ts'
import { policySchemas } from '../../src/roles/policy-schemas.ts'
import { readReplayBundle } from '../../src/roles/replay-bundle.ts'
import { writeBundle } from '../../src/store/bundle-files.ts'
import { type GraphqlGate, type GraphqlGateOptions, graphqlGate, POLICIES } from '../graphql-gate.ts'

// GraphQL calls through the gate to a GraphQL server: judged field by field, held to limits, answered with no more.

const gates: GraphqlGate[] = []
afterAll(() => Promise.all(gates.map((gate) => gate.stop())))

async function opened(options: GraphqlGateOptions = {}): Promise<GraphqlGate> {
  const gate = await graphqlGate(options)
  gates.push(gate)
  return gate
}

function raise(id: string): never {
  throw new Error(`no record of ${id}`)
}

const codeOf = (json: unknown): unknown =>
  (json as { errors?: { extensions?: { code?: string } }[] } | null)?.errors?.[0]?.extensions?.code

describe('policies', () => {
  it('judge each field that a call asks for, and record a row for each', async () => {
    const gate = await opened()
    const allowed = await gate.ask({ query: '{ orders { id } again: orders { id } me { name } __typename }' })
    expect(allowed).toMatchObject({ status: 200, json: { data: { me: { name: 'ana' } } } })
    const intent = gate.audit.intents.get(allowed.id)
    expect(intent?.operation).toBe('shop.POST /graphql')
    expect(intent?.decisions.map(({ checkpoint, pending }) => [checkpoint, pending])).toEqual([
      ['head', true],
      ['body', false],
    ])
    expect(intent?.attributes?.items).toEqual([{ action: 'shop.Query.orders' }, { action: 'shop.Query.me' }])
    expect(intent?.decisions.at(-1)?.items?.rows.map(({ count, effect }) => [count, effect])).toEqual([
      [2, 'allow'],
      [1, 'allow'],
    ])

    const denied = await gate.ask({ query: 'mutation { refund(id: 1) { id } login(name: "x") }' })
    expect(denied).toMatchObject({ status: 403 })
    expect(codeOf(denied.json)).toBe('field-denied')
    expect(denied.text).toContain('(refund)')
    const refused = gate.audit.intents.get(denied.id)
    expect(refused?.decisions.at(-1)?.reasons[0]?.evidence['fields']).toEqual(['shop.Mutation.refund'])
    expect(refused?.decisions.at(-1)?.items?.rows.map(({ effect }) => effect)).toEqual(['deny', 'allow'])
    expect(gate.came).toHaveLength(1)

    const staff = gate.token('bo', { groups: ['staff'] })
    expect(await gate.ask({ query: 'mutation { refund(id: 1) { id } }' }, { token: staff })).toMatchObject({
      status: 200,
    })
    const blocked = gate.token('cy', { groups: ['staff', 'blocked'] })
    const early = await gate.ask({ query: '{ me { id } }' }, { token: blocked })
    expect(codeOf(early.json)).toBe('policy-forbids')
    expect(gate.audit.intents.get(early.id)?.decisions.map(({ checkpoint }) => checkpoint)).toEqual(['head'])

    // Each of these records, judged again by its own policies, says the same.
    const engine = new CedarEngine(compileBundle(gate.config).policies)
    const other = new CedarEngine(
      compileBundle(gate.config.replace('sallyport.yaml', 'candidate.yaml')).policies,
    )
    for (const [id, { decisions, attributes }] of gate.audit.intents) {
      const outcome = gate.audit.outcomes.get(id)
      const record = {
        decisions: [...decisions, ...(outcome?.decisions ?? [])],
        attributes: outcome?.attributes ?? attributes,
      }
      expect(reevaluate(record, engine)).toBe('same')
      expect(reevaluate(record, other)).toBe('same')
    }
  })

  it('say another thing of a record when they change', async () => {
    const gate = await opened({
      candidatePolicies: '@id("me") permit (principal, action == Action::"shop.Query.me", resource);',
    })
    const { id } = await gate.ask({ query: '{ orders { id } }' })
    const intent = gate.audit.intents.get(id)
    expect(gate.audit.outcomes.get(id)?.candidate).toMatchObject({ effect: 'deny', changed: true })
    const engine = new CedarEngine(
      compileBundle(gate.config.replace('sallyport.yaml', 'candidate.yaml')).policies,
    )
    const { decisions = [], attributes = null } = intent ?? {}
    expect(reevaluate({ decisions, attributes }, engine)).toBe('changed')
  })

  it('are replayed against others field by field', async () => {
    const gate = await opened({
      candidatePolicies: '@id("me") permit (principal, action == Action::"shop.Query.me", resource);',
    })
    const bundleOf = (config: string) => {
      const written = writeBundle(dirname(gate.config), bundleParts(compileBundle(config)))
      return readReplayBundle(written.file, written.hash)
    }
    const made = bundleOf(gate.config)
    const other = bundleOf(gate.config.replace('sallyport.yaml', 'candidate.yaml'))
    const replayed = async (body: object, by: typeof made): Promise<unknown> => {
      const { id } = await gate.ask(body)
      const { subject, personal, attributes, ...intent } = gate.audit.intents.get(id) ?? raise(id)
      const record = {
        v: 1,
        place: { node: 'n', boot: 'b', thread: 0, sequence: 1 },
        intent: { ...intent, subject, personal, attributes, sealed: 'open' },
        outcome: gate.audit.outcomes.get(id) ?? raise(id),
        cut: null,
      } as const
      return replayRecord(record, compare(made.outline, by))
    }
    const both = { query: '{ me { id } orders { id } }' }
    expect(await replayed(both, made)).toMatchObject({ kind: 'same', effect: 'allow' })
    const changed = await replayed(both, other)
    expect(changed).toMatchObject({ kind: 'changed', from: 'allow', to: 'deny' })
    expect(JSON.stringify(changed)).toContain('shop.Query.orders')
    expect(await replayed({ query: '{ me { id } }' }, other)).toMatchObject({ kind: 'same', effect: 'allow' })
    const refund = { query: 'mutation { refund(id: 1) { id } }' }
    expect(await replayed(refund, made)).toMatchObject({ kind: 'same', effect: 'deny' })
    expect(await replayed(refund, other)).toMatchObject({ kind: 'same', effect: 'deny' })
    expect(await replayed({ query: '{ nothing }' }, other)).toMatchObject({ kind: 'same', effect: 'deny' })
  })

  it('judge fields below the root where a policy or the configuration names them, however they are reached', async () => {
    const policies = `${POLICIES}
@id("notes") forbid (principal, action == Action::"shop.Order.internalNotes", resource) unless { principal in Group::"corp/staff" };`
    const gate = await opened({ policies, graphql: '      fieldActions: [User.secret]' })
    for (const query of [
      '{ orders { n: internalNotes } }',
      '{ search(text: "x") { ... on Order { internalNotes } } }',
      '{ search(text: "x") { ...F } } fragment F on Found { ... on Order { internalNotes } }',
      '{ me { secret } }',
      '{ me { friends { friends { s: secret } } } }',
    ])
      expect(codeOf((await gate.ask({ query })).json), query).toBe('field-denied')
    const staff = gate.token('bo', { groups: ['staff'] })
    expect(await gate.ask({ query: '{ orders { internalNotes } }' }, { token: staff })).toMatchObject({
      status: 200,
    })
    expect((await gate.ask({ query: '{ orders { id total } }' })).status).toBe(200)
    expect((await gate.ask({ query: '{ query { __typename me { id } } }' })).status).toBe(200)
  })

  it('only record while they are observed', async () => {
    const gate = await opened({ mode: 'observe' })
    const { id, status } = await gate.ask({ query: 'mutation { refund(id: 1) { id } }' })
    expect(status).toBe(200)
    expect(gate.audit.outcomes.get(id)).toMatchObject({ wouldDeny: true, action: 'forwarded' })
    expect(gate.audit.intents.get(id)?.decisions.at(-1)?.reasons[0]?.code).toBe('field-denied')
    const stage = await opened({ api: '    observe: [policy]' })
    const passed = await stage.ask({ query: 'mutation { refund(id: 1) { id } }' })
    expect(passed.status).toBe(200)
    expect(stage.audit.outcomes.get(passed.id)).toMatchObject({ wouldDeny: true })
    const contract = await opened({ api: '    observe: [contract]' })
    expect(codeOf((await contract.ask({ query: '{ nothing }' })).json)).toBe('field-unknowable')
  })

  it('know the actions of the schema', async () => {
    const gate = await opened()
    const [schema] = policySchemas(compileBundle(gate.config))
    for (const action of ['"shop.Query.orders"', '"shop.Mutation.refund"', '"shop.POST /graphql"'])
      expect(schema?.text).toContain(action)
    expect(schema?.text).not.toContain('shop.Order.total')
  })
})

describe('requests', () => {
  it('are refused in any form but GraphQL over HTTP', async () => {
    const gate = await opened({ graphql: '      allowGet: true' })
    const get = async (search: string): Promise<Response> =>
      fetch(`${gate.url}?${search}`, { headers: { authorization: `Bearer ${gate.token('ana')}` } })
    expect((await get('query=%7Bme%7Bid%7D%7D')).status).toBe(200)
    const mutation = await get(`query=${encodeURIComponent('mutation{login(name:"x")}')}`)
    expect([mutation.status, mutation.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await get('query=%7Bme%7Bid%7D%7D&query=%7B__typename%7D')).status).toBe(400)
    expect((await get('query=%7Bme%7Bid%7D%7D&x=1')).status).toBe(400)
    const query = '{ me { id } }'
    for (const [body, headers, status] of [
      [{ query, more: 1 }, {}, 400],
      [{ Query: query }, {}, 400],
      [{ query: 1 }, {}, 400],
      [[{ query }], {}, 400],
      [`{"query":"{me{id}}","query":"{orders{id}}"}`, {}, 400],
      [query, { 'content-type': 'application/graphql' }, 415],
      [JSON.stringify({ query }), { 'content-type': 'text/plain' }, 415],
      ['query=%7Bme%7Bid%7D%7D', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
      [{ query: 'subscription { moved { id } }' }, {}, 400],
      [{ query: '{ __schema { types { name } } }' }, {}, 403],
      [{ query: '{ a: __type(name: "User") { name } }' }, {}, 403],
      [{ query: 'query A { me { id } } query B { me { id } }' }, {}, 400],
      [{ query, operationName: 'B' }, {}, 400],
      [{ query: '{ me { nam } }' }, {}, 400],
    ] as const) {
      const answer = await gate.ask(body, { headers })
      expect([answer.status, JSON.stringify(body)]).toEqual([status, JSON.stringify(body)])
      expect(answer.text).not.toMatch(/Did you mean|User|Order/)
    }
    expect(gate.came).toHaveLength(1)
    const noGet = await opened()
    const refused = await fetch(`${noGet.url}?query=%7B__typename%7D`)
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('in a batch are counted one by one', async () => {
    const gate = await opened({ graphql: '      limits: { batch: 3, rootFields: 4 }' })
    const one = { query: '{ a: me { id } b: me { id } }' }
    expect((await gate.ask([one, one, one])).status).toBe(400)
    expect((await gate.ask([one, one, one, one])).status).toBe(400)
    const two = await gate.ask([one, one])
    // The server behind takes no batches: what it answers is passed on as the one error it is.
    expect(gate.audit.intents.get(two.id)?.decisions.at(-1)?.items?.rows[0]?.count).toBe(4)
    const mixed = await gate.ask([one, { query: 'mutation { refund(id: 1) { id } }' }])
    expect(codeOf(mixed.json)).toBe('field-denied')
  })

  it('take registered documents alone where only these are trusted', async () => {
    const known = 'query Mine { me { id name } }'
    const { digestOf } = await import('../../src/contract/graphql/trusted.ts')
    const id = digestOf(known)
    const gate = await opened({
      graphql: '      trustedDocuments: { file: ./documents.json }',
      files: { 'documents.json': JSON.stringify({ [id]: known, mine: known }) },
    })
    const hash = { persistedQuery: { version: 1, sha256Hash: id.slice(7) } }
    for (const body of [{ documentId: id }, { documentId: 'mine' }, { extensions: hash }, { query: known }])
      expect(await gate.ask(body)).toMatchObject({ status: 200, json: { data: { me: { name: 'ana' } } } })
    expect(JSON.parse(gate.came[0]?.body ?? '')).toEqual({ query: known })
    expect(JSON.parse(gate.came[2]?.body ?? '')).toEqual({ query: known })
    for (const body of [
      { query: '{ me { id } }' },
      { documentId: 'other' },
      { query: '{ me { id } }', extensions: hash },
      { extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } },
    ])
      expect((await gate.ask(body)).status, JSON.stringify(body)).toBeGreaterThanOrEqual(400)
    expect(gate.came).toHaveLength(4)
  })

  it('are introspection only where a policy permits it', async () => {
    const gate = await opened({ graphql: '      introspection: policy' })
    const query = '{ __schema { queryType { name } } }'
    expect(codeOf((await gate.ask({ query })).json)).toBe('field-denied')
    const staff = gate.token('bo', { groups: ['staff'] })
    expect(await gate.ask({ query }, { token: staff })).toMatchObject({
      status: 200,
      json: { data: { __schema: { queryType: { name: 'Query' } } } },
    })
  })
})

describe('answers', () => {
  it('hold what was selected and nothing else', async () => {
    const body = {
      data: {
        mine: { name: 'ana', password: 'x', friends: [{ id: 1, name: 'no' }] },
        search: [
          { __typename: 'Order', id: 'o', total: 'DIGITS', internalNotes: 'n' },
          { __typename: 'User', id: 'u', name: 'bo', total: 1 },
        ],
        extra: true,
      },
      errors: [
        {
          message: 'Cannot query field "nam". Did you mean "name"?',
          path: ['mine'],
          stack: 'at x.js',
          extensions: { code: 'BAD', stacktrace: ['at y.js'] },
        },
      ],
      extensions: { tracing: { version: 1 }, queryPlan: {} },
      debug: {},
    }
    const gate = await opened({
      answer: () => ({
        body: JSON.stringify(body).replace('"DIGITS"', '12345678901234567890.5'),
      }),
    })
    const query =
      '{ mine: me { name friends { id } } search(text: "a") { __typename ... on Order { id total } ... on User { name } } }'
    const { json, text, id } = await gate.ask({ query })
    expect(text).toContain('12345678901234567890.5')
    expect(json).toEqual({
      data: {
        mine: { name: 'ana', friends: [{ id: 1 }] },
        search: [
          { __typename: 'Order', id: 'o', total: expect.any(Number) },
          { __typename: 'User', name: 'bo' },
        ],
      },
      errors: [{ message: 'Cannot query field "nam".', path: ['mine'], extensions: { code: 'BAD' } }],
    })
    expect(gate.audit.outcomes.get(id)?.released.dropped).toContain('/data/mine/password')
  })

  it('are not changed where they are as asked, and only noted where they are observed', async () => {
    const text = '{"data":{"me":{"id": "u1", "more":1}}}'
    const gate = await opened({ mode: 'observe', answer: () => ({ body: text }) })
    expect((await gate.ask({ query: '{ me { id } }' })).text).toBe(text)
    const exact = '{ "data" : {"me":{"id":  "u1"}}}'
    const enforced = await opened({ answer: () => ({ body: exact }) })
    expect((await enforced.ask({ query: '{ me { id } }' })).text).toBe(exact)
    const page = await opened({ answer: () => ({ type: 'text/html', body: '<html>', status: 500 }) })
    const failed = await page.ask({ query: '{ me { id } }' })
    expect(failed.text).not.toContain('html>')
  })
})
