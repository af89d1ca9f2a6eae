import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthzenGate, authzenGate, domainFiles, entity, ORIGIN } from '../authzen-gate.ts'
import { fixturesDir } from '../fixtures.ts'

/**
 * The certification scenario of the Authorization API 1.0, every test of every level, over its required fixture
 * (test/authzen/certification). Every JSON request of the text that stands under a heading is also sent as it stands,
 * so that a request added to the text is not overlooked. HTTPS is the proxy's before it: `origin` says so.
 */
const fixtures = fixturesDir()
const scenario =
  fixtures === null
    ? ''
    : readFileSync(join(fixtures, 'authzen/certification/authorization-api-1_0-scenario.md'), 'utf8')

const MAIN = `apis: { other: { upstream: "http://127.0.0.1:1", owner: team } }
decisionPoints:
  authzen:
    default: certification
    domains:
      certification: { policies: ./certification, schema: ./certification.cedarschema, entities: ./entities.json }
`
const ENTITIES = [
  entity('user', 'alice', { member: true }),
  entity('user', 'bob', { member: true, role: 'admin' }),
  entity('record', 'record-1', { status: 'active' }),
  entity('record', 'record-2', { status: 'archived' }),
]

const alice = { type: 'user', id: 'alice' }
const bob = { type: 'user', id: 'bob' }
const one = { type: 'record', id: 'record-1' }
const archived = { type: 'record', id: 'record-2', properties: { status: 'archived' } }
const read = { name: 'read' }
const write = { name: 'write' }
const base = { subject: alice, action: read, resource: one }
const context = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' }

/** The JSON blocks below a heading of the scenario, by its id. */
function blocks(id: string): readonly Record<string, unknown>[] {
  const from = scenario.indexOf(`{#${id}}`)
  const next = scenario.indexOf('\n#', from)
  const found = [...scenario.slice(from, next).matchAll(/~~~ json\n([\s\S]*?)~~~/g)].map(
    ([, text = '']) => text,
  )
  return found.map((text) => JSON.parse(text))
}

describe.skipIf(fixtures === null)('AuthZEN certification', () => {
  let gate: AuthzenGate
  beforeAll(async () => {
    gate = await authzenGate({
      files: {
        'sallyport.yaml': MAIN,
        ...domainFiles('certification'),
        'entities.json': JSON.stringify(ENTITIES),
      },
      defaultDomain: 'certification',
    })
  })
  afterAll(() => gate?.stop())

  const evaluate = (body: unknown) => gate.ask('/access/v1/evaluation', body)
  const evaluateAll = (body: unknown) => gate.ask('/access/v1/evaluations', body)
  const search = (target: string, body: unknown) => gate.ask(`/access/v1/search/${target}`, body)
  const decisionOf = async (body: unknown): Promise<unknown> => {
    const answer = await evaluate(body)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    return (answer.body as { decision: unknown }).decision
  }
  const decisionsOf = async (body: unknown): Promise<readonly unknown[]> => {
    const answer = await evaluateAll(body)
    expect(answer.status).toBe(200)
    return (answer.body as { evaluations: { decision: unknown }[] }).evaluations.map(
      ({ decision }) => decision,
    )
  }
  const resultsOf = async (target: string, body: unknown): Promise<readonly unknown[]> => {
    const answer = await search(target, body)
    expect(answer.status).toBe(200)
    return (answer.body as { results: unknown[] }).results
  }

  it('plays every request of the text that expects a decision', async () => {
    let played = 0
    for (const id of ['c-2-2-1', 'c-2-2-2', 'c-2-2-4', 'c-2-2-5', 'c-2-2-6', 'c-2-2-7']) {
      const [request, expected] = blocks(id)
      expect(await decisionOf(request), id).toBe(expected?.['decision'])
      played += 1
    }
    for (const id of ['c-2-2-3', 'c-2-2-8', 'c-2-2-9']) {
      expect(await decisionOf(blocks(id)[0]), id).toBe(true)
      played += 1
    }
    for (const id of ['c-3-2-2', 'c-3-2-3', 'c-3-2-4', 'c-3-2-5', 'c-3-2-7']) {
      const [request, expected] = blocks(id)
      const evaluations = expected?.['evaluations'] as { decision: boolean }[] | undefined
      const wanted = evaluations?.map(({ decision }) => decision)
      expect(await decisionsOf(request), id).toEqual(wanted)
      played += 1
    }
    for (const id of ['c-3-2-1', 'c-3-2-6']) {
      const decisions = await decisionsOf(blocks(id)[0])
      expect(
        decisions.map((each) => typeof each),
        id,
      ).toEqual(['boolean', 'boolean'])
      played += 1
    }
    for (const id of ['c-3-4-2', 'c-3-4-3']) {
      const [request, expected] = blocks(id)
      expect((await evaluateAll(request)).body, id).toEqual(expected)
      played += 1
    }
    expect(await decisionsOf(blocks('c-3-4-1')[0])).toEqual([true, false])
    console.log(`AuthZEN certification: ${played + 1} decisions of the text compared`)
  })

  it('plays every search of the text', async () => {
    const targets = { 'c-4-2': 'subject', 'c-4-3': 'resource', 'c-4-4': 'action' }
    let played = 0
    for (const [level, target] of Object.entries(targets)) {
      for (const number of [1, 2, 3, 4]) {
        const [request, expected] = blocks(`${level}-${number}`)
        if (request === undefined) continue
        const wanted = expected?.['results'] ?? blocks(`${level}-1`)[1]?.['results']
        expect(await resultsOf(target, request), `${level}-${number}`).toEqual(
          expect.arrayContaining(wanted as unknown[]),
        )
        played += 1
      }
    }
    expect(played).toBe(11)
    for (const id of ['c-4-6-1', 'c-4-6-2']) {
      const [request, expected] = blocks(id)
      expect((await search(id === 'c-4-6-1' ? 'action' : 'subject', request)).body).toEqual(expected)
    }
  })

  describe('fixture (§3.4, §3.5)', () => {
    it('decides its eight rules, with context and without', async () => {
      const rules = [
        [base, true],
        [{ ...base, action: write }, true],
        [{ ...base, subject: bob }, true],
        [{ ...base, subject: bob, action: write }, false],
        [{ ...base, action: write, resource: archived }, false],
        [{ subject: { ...bob, properties: { role: 'admin' } }, action: write, resource: archived }, true],
        [{ ...base, action: { name: 'delete', properties: { soft: true } } }, true],
        [{ ...base, action: { name: 'delete', properties: { soft: false } } }, false],
      ] as const
      for (const [request, expected] of rules) {
        expect(await decisionOf(request)).toBe(expected)
        expect(await decisionOf({ ...request, context })).toBe(expected)
      }
    })

    it('ignores the id of what is searched for', async () => {
      const { id: _, ...anybody } = alice
      const { id: __, ...anything } = one
      expect(await resultsOf('subject', { ...base, subject: bob })).toEqual(
        await resultsOf('subject', { ...base, subject: anybody }),
      )
      expect(await resultsOf('resource', base)).toEqual(
        await resultsOf('resource', { ...base, resource: anything }),
      )
    })
  })

  describe('errors (§4.4, §6.7)', () => {
    const without = (key: string, from: Record<string, unknown> = base) =>
      Object.fromEntries(Object.entries(from).filter(([name]) => name !== key))

    it('are 400 for what is missing', async () => {
      const lacking = [
        without('subject'),
        without('action'),
        without('resource'),
        { ...base, subject: without('type', alice) },
        { ...base, subject: without('id', alice) },
        { ...base, action: {} },
        { ...base, resource: without('type', one) },
        { ...base, resource: without('id', one) },
      ]
      for (const request of lacking) {
        expect((await evaluate(request)).status, JSON.stringify(request)).toBe(400)
        expect((await evaluateAll(request)).status, JSON.stringify(request)).toBe(400)
      }
      expect(blocks('c-2-4-1')).toHaveLength(3)
      expect(blocks('c-2-4-2')).toHaveLength(5)
      for (const id of ['c-2-4-1', 'c-2-4-2', 'c-2-4-6'])
        for (const request of blocks(id)) expect((await evaluate(request)).status, id).toBe(400)
    })

    it('are 400 for another media type, broken JSON, and no body', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
        const answer = await gate.ask('/access/v1/evaluation', base, { headers: { 'content-type': type } })
        expect(answer.status, type).toBe(400)
      }
      for (const text of ['{', 'nonsense', '', '[]', 'null', '"alice"']) {
        const asked = text === '' ? gate.ask('/access/v1/evaluation', '') : evaluate(text)
        expect((await asked).status, text).toBe(400)
      }
    })

    it('are 400 for fields of another type', async () => {
      for (const request of [
        { ...base, subject: 'alice' },
        { ...base, action: { name: 123 } },
        { ...base, resource: ['record-1'] },
        { ...base, context: 'here' },
        { ...base, subject: { ...alice, properties: [] } },
      ])
        expect((await evaluate(request)).status, JSON.stringify(request)).toBe(400)
    })

    it('are 400 in searches, by which entity is the input', async () => {
      const [subject, resource, action] = blocks('c-4-7-1')
      expect((await search('subject', subject)).status).toBe(400)
      expect((await search('resource', resource)).status).toBe(400)
      expect((await search('action', action)).status).toBe(400)
      const [bySubject, byResource, byAction] = blocks('c-4-7-2')
      expect((await search('subject', bySubject)).status).toBe(400)
      expect((await search('resource', byResource)).status).toBe(400)
      expect((await search('action', byAction)).status).toBe(400)
    })
  })

  it('echoes X-Request-ID, also with an error, and needs none (§4.5)', async () => {
    const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' }
    for (const [path, body, status] of [
      ['/access/v1/evaluation', base, 200],
      ['/access/v1/evaluations', base, 200],
      ['/access/v1/search/subject', base, 200],
      ['/access/v1/evaluation', {}, 400],
    ] as const) {
      const answer = await gate.ask(path, body, { headers })
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-request-id')).toBe(headers['x-request-id'])
    }
    expect((await evaluate(base)).headers.get('x-request-id')).toBeNull()
  })

  it('decides alike however often it is asked (§4.6)', async () => {
    for (let i = 0; i < 10; i++) expect(await decisionOf(base)).toBe(true)
  })

  it('pages (§6.5)', async () => {
    const request = { subject: { type: 'user' }, action: read, resource: one }
    const first = (await search('subject', { ...request, page: { limit: 1 } })).body as {
      results: unknown[]
      page: { next_token: string }
    }
    expect(first.results).toEqual([{ type: 'user', id: 'alice' }])
    expect(first.page.next_token).not.toBe('')
    const rest = await search('subject', { ...request, page: { token: first.page.next_token } })
    expect(rest.body).toEqual({ results: [{ type: 'user', id: 'bob' }], page: { next_token: '' } })
    expect((await search('subject', { ...request, page: {} })).body).toEqual({
      results: [alice, bob],
      page: { next_token: '' },
    })
  })

  it('is empty for unknown entities and types, in all three searches (§6.6)', async () => {
    const nobody = { type: 'user', id: 'nonexistent-user' }
    const ship = { type: 'spaceship', id: 'x' }
    expect(await resultsOf('action', { subject: nobody, resource: one })).toEqual([])
    expect(await resultsOf('resource', { ...base, subject: nobody })).toEqual([])
    expect(await resultsOf('subject', { ...base, subject: ship })).toEqual([])
    expect(await resultsOf('resource', { ...base, resource: ship })).toEqual([])
    expect(await resultsOf('action', { subject: ship, resource: one })).toEqual([])
    expect(await resultsOf('action', { subject: alice, resource: ship })).toEqual([])
    expect(await resultsOf('subject', { ...base, action: { name: 'fly' } })).toEqual([])
  })

  it('publishes its metadata (§8)', async () => {
    const answer = await fetch(`${gate.url}/.well-known/authzen-configuration`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    const root = (await answer.json()) as Record<string, string>
    expect(root).toEqual({
      policy_decision_point: ORIGIN,
      access_evaluation_endpoint: `${ORIGIN}/access/v1/evaluation`,
      access_evaluations_endpoint: `${ORIGIN}/access/v1/evaluations`,
      search_subject_endpoint: `${ORIGIN}/access/v1/search/subject`,
      search_resource_endpoint: `${ORIGIN}/access/v1/search/resource`,
      search_action_endpoint: `${ORIGIN}/access/v1/search/action`,
    })
    const named = await fetch(`${gate.url}/.well-known/authzen-configuration/certification`)
    const own = (await named.json()) as Record<string, string>
    expect(own['policy_decision_point']).toBe(`${ORIGIN}/certification`)
    for (const [key, url] of Object.entries(own)) {
      if (key === 'policy_decision_point') continue
      const path = new URL(url).pathname
      expect((await gate.ask(path, base)).status, path).toBe(200)
    }
    expect((await fetch(`${gate.url}/.well-known/authzen-configuration/other`)).status).toBe(404)
  })
})
