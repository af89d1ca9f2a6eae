import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthzenGate, authzenGate, domainFiles, entity } from '../authzen-gate.ts'
import { fixturesDir } from '../fixtures.ts'

/**
 * The AuthZEN working group's interoperability decisions, asked over HTTP, each over policies and entities that the
 * scenario's text describes (test/authzen). The draft 00 states properties beside `type` and `id`; they are moved into
 * `properties`, as the scenario's own history did for draft 01.
 */
interface Case {
  readonly request: Readonly<Record<string, unknown>>
  readonly expected: unknown
}

const fixtures = fixturesDir()
const interop = fixtures === null ? null : join(fixtures, 'authzen', 'interop')

function read(file: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(interop ?? '', file), 'utf8'))
}

function cases(file: string, list: string): readonly Case[] {
  const found = read(file)[list]
  expect(Array.isArray(found), `${file} has ${list}`).toBe(true)
  return found as readonly Case[]
}

/** "Attributes associated with users" of the Todo scenario. */
const CITIZENS = {
  CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: [
    'rick@the-citadel.com',
    'admin',
    'evil_genius',
  ],
  CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['beth@the-smiths.com', 'viewer'],
  CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['morty@the-citadel.com', 'editor'],
  CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['summer@the-smiths.com', 'editor'],
  CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['jerry@the-smiths.com', 'viewer'],
}

function todoEntities(): string {
  const users = Object.entries(CITIZENS).flatMap(([pid, [email = '', ...roles]]) => [
    entity('User', pid, { email, roles }),
    entity('User', email, { email, roles }),
  ])
  return JSON.stringify(users)
}

function recordEntities(folder: string): string {
  const list = (file: string) =>
    read(`${folder}/data/${file}`) as unknown as Record<string, string | number>[]
  const users = list('users.json').map(({ id, role, department }) =>
    entity('User', String(id), { ...(role ? { role } : {}), ...(department ? { department } : {}) }),
  )
  const records = list('records.json').map(({ id, owner, title, department }) =>
    entity('Record', String(id), {
      owner: { __entity: { type: 'User', id: owner } },
      ...(title ? { title } : {}),
      ...(department ? { department } : {}),
    }),
  )
  return JSON.stringify([...users, ...records])
}

function gateFiles(): Readonly<Record<string, string>> {
  const identities = Object.entries(CITIZENS).map(([pid, [, ...roles]]) => entity('Identity', pid, { roles }))
  return {
    'sallyport.yaml': `apis: { other: { upstream: "http://127.0.0.1:1", owner: team } }
decisionPoints:
  authzen:
    default: todo
    domains:
      todo: { policies: ./todo, schema: ./todo.cedarschema, entities: ./todo.json, types: { user: User, todo: Todo } }
      gateway: { policies: ./gateway, schema: ./gateway.cedarschema, entities: ./gateway.json, types: { identity: Identity, route: Route } }
      search: { policies: ./records, schema: ./records.cedarschema, entities: ./search.json, types: { user: User, record: Record } }
      idp: { policies: ./records, schema: ./records.cedarschema, entities: ./idp.json, types: { user: User, record: Record } }
`,
    ...domainFiles('todo'),
    ...domainFiles('gateway'),
    ...domainFiles('records'),
    'todo.json': todoEntities(),
    'gateway.json': JSON.stringify(identities),
    'search.json': recordEntities('authzen-search-demo'),
    'idp.json': recordEntities('authzen-idp'),
  }
}

/** Draft 00 to draft 01: what stands beside type and id of an entity belongs into its properties. */
function lifted(request: Case['request']): Case['request'] {
  const lift = (value: unknown): unknown => {
    const { type, id, ...properties } = value as Readonly<Record<string, unknown>>
    return { type, id, properties }
  }
  return { ...request, subject: lift(request['subject']), resource: lift(request['resource']) }
}

function unordered(answer: unknown): unknown {
  const { results } = answer as { results: readonly unknown[] }
  return { results: [...results].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) }
}

const SEARCHES = ['subject', 'resource', 'action'] as const

describe.skipIf(interop === null)('AuthZEN interoperability decisions', () => {
  let gate: AuthzenGate
  let compared = 0
  beforeAll(async () => {
    gate = await authzenGate({ files: gateFiles(), defaultDomain: 'todo' })
  })
  afterAll(async () => {
    console.log(`AuthZEN: ${compared} interoperability answers compared`)
    await gate?.stop()
  })

  async function play(
    all: readonly Case[],
    path: string,
    view: (answer: unknown) => unknown,
    expected: (one: unknown) => unknown = (one) => one,
    form: (request: Case['request']) => Case['request'] = (request) => request,
  ): Promise<void> {
    for (const one of all) {
      const { status, body } = await gate.ask(path, form(one.request))
      const asked = JSON.stringify(one.request)
      expect(status, asked).toBe(200)
      expect(view(body), asked).toEqual(expected(one.expected))
      compared += 1
    }
  }
  const decision = (answer: unknown): unknown => (answer as { decision: unknown }).decision

  it.each([
    ['decisions.json', 'decisions', lifted],
    ['decisions-authorization-api-1_0-00.json', 'evaluation', lifted],
    ['decisions-authorization-api-1_0-01.json', 'evaluation', (request: Case['request']) => request],
    ['decisions-authorization-api-1_0-02.json', 'evaluation', (request: Case['request']) => request],
  ])('todo: %s', async (file, list, form) => {
    const all = cases(`authzen-todo-backend/test/${file}`, list)
    expect(all).toHaveLength(40)
    await play(all, '/access/v1/evaluation', decision, undefined, form)
  })

  it('todo: three batches', async () => {
    const all = cases('authzen-todo-backend/test/decisions-authorization-api-1_0-02.json', 'evaluations')
    expect(all).toHaveLength(3)
    await play(all, '/access/v1/evaluations', (answer) =>
      (answer as { evaluations: { decision: boolean }[] }).evaluations.map((each) => ({
        decision: each.decision,
      })),
    )
  })

  it('api gateway', async () => {
    const all = cases('authzen-api-gateways/test-harness/test/decisions.json', 'evaluation')
    expect(all).toHaveLength(25)
    await play(all, '/gateway/access/v1/evaluation', decision)
  })

  it.each(SEARCHES)('search: %s', async (target) => {
    const all = cases(`authzen-search-demo/test-harness/src/${target}/results.json`, 'evaluation')
    await play(all, `/search/access/v1/search/${target}`, unordered, unordered)
    expect(all.length).toBe({ subject: 60, resource: 18, action: 120 }[target])
  })

  it('identity provider', async () => {
    const all = cases('authzen-idp/test-harness/src/results.json', 'search')
    expect(all).toHaveLength(6)
    await play(all, '/idp/access/v1/search/resource', unordered, unordered)
    const { body } = await gate.ask('/idp/access/v1/search/resource', {
      subject: { type: 'user', id: 'nobody' },
      action: { name: 'delete' },
      resource: { type: 'record' },
    })
    expect(body).toEqual({ results: [] })
  })

  it('left a record of every answer', () => {
    expect(gate.audit.outcomes.size).toBeGreaterThanOrEqual(compared)
    expect(gate.faults).toEqual([])
  })
})
