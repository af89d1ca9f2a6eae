import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Asked, type AuthzenGate, authzenGate, domainFiles, entity } from '../authzen-gate.ts'

/** What a hostile or careless application meets at the AuthZEN decision point, and what its record says. */
const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
paths:
  /orders:
    get: { operationId: listOrders, security: [{ oauth: [orders] }], responses: { '200': { description: ok } } }
  /orders/{orderId}:
    parameters: [{ name: orderId, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getOrder
      security: [{ oauth: [orders] }]
      responses: { '200': { description: ok, content: { application/json: { schema: { type: object, properties: { customerId: { type: string } } } } } } }
components: { securitySchemes: { oauth: { type: http, scheme: bearer } } }
`
const POLICIES = `
@id("secret-policy-name") permit (principal is User, action == Action::"shop.getOrder", resource) when { resource has owner && resource.owner == principal };
@id("staff-lists") permit (principal in Group::"corp/staff", action == Action::"shop.listOrders", resource) when { context.ip.isInRange(ip("10.0.0.0/8")) };
`
const MAIN = `identity: { issuers: { corp: { issuer: "https://idp.example" } } }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:1
    owner: team
    mode: MODE
    identity: { accept: [corp], audience: shop }
    objects: { order: { path: "/orders/{orderId}", owner: /customerId } }
policies: ./policies
decisionPoints:
  authzen:
    domains:
      certification: { policies: ./certification, schema: ./certification.cedarschema, entities: ./entities.json }
`

function gateWith(mode: string, credentials?: readonly string[]): Promise<AuthzenGate> {
  const many = Array.from({ length: 600 }, (_, index) => entity('user', `u${index}`, { member: true }))
  return authzenGate({
    files: {
      'sallyport.yaml': MAIN.replace('MODE', mode),
      'shop.yaml': CONTRACT,
      'policies/shop.cedar': POLICIES,
      ...domainFiles('certification'),
      'entities.json': JSON.stringify([
        entity('user', 'alice', { member: true }),
        entity('record', 'record-1', { status: 'active' }),
        ...many,
      ]),
    },
    defaultDomain: 'apis',
    ...(credentials === undefined ? {} : { credentials }),
  })
}

const alice = { type: 'user', id: 'alice' }
const record = { type: 'record', id: 'record-1' }
const yes = { subject: alice, action: { name: 'read' }, resource: record }
const no = { ...yes, subject: { type: 'user', id: 'mallory' } }
const EVALUATION = '/certification/access/v1/evaluation'
const EVALUATIONS = '/certification/access/v1/evaluations'
const SEARCH = '/certification/access/v1/search/subject'

const bodyOf = <T>({ body }: Asked): T => body as T
const decisions = (asked: Asked): readonly boolean[] =>
  bodyOf<{ evaluations: { decision: boolean }[] }>(asked).evaluations.map(({ decision }) => decision)

let gate: AuthzenGate
beforeAll(async () => {
  gate = await gateWith('enforce')
})
afterAll(() => gate.stop())

describe('who may ask', () => {
  it('brings one of the tokens, once, as Bearer', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      'Bearer wrong',
      `Basic ${btoa('a:b')}`,
      'a-token-of-the-application',
    ]) {
      const asked = await gate.ask(EVALUATION, yes, { headers: { authorization } })
      expect(asked.status, authorization).toBe(401)
      expect(asked.headers.get('www-authenticate')).toBe('Bearer')
      expect(JSON.stringify(asked.body)).not.toContain('"decision"')
    }
    const both = 'Bearer wrong, Bearer a-token-of-the-application'
    expect((await gate.ask(EVALUATION, yes, { headers: { authorization: both } })).status).toBe(401)
    const lower = await gate.ask(EVALUATION, yes, {
      headers: { authorization: 'bearer a-token-of-the-application' },
    })
    expect(lower.status).toBe(200)
  })

  it('learns nothing of paths without a token, and finds no others with one', async () => {
    const anonymous = await fetch(`${gate.url}/no/such/path`)
    expect(anonymous.status).toBe(401)
    for (const path of [
      '/no/such/path',
      '/other/access/v1/evaluation',
      '/access/v1/nothing',
      '/access/v1/evaluation/',
      '/access/v1/search/subject',
    ])
      expect((await gate.ask(path, yes)).status, path).toBe(404)
    const get = await fetch(`${gate.url}${EVALUATION}`, {
      headers: { authorization: 'Bearer a-token-of-the-application' },
    })
    expect(get.status).toBe(405)
    expect(get.headers.get('allow')).toBe('POST')
  })
})

describe('what is asked', () => {
  it('is bounded', async () => {
    const long = { ...yes, context: { text: 'x'.repeat(300_000) } }
    expect((await gate.ask(EVALUATION, long)).status).toBe(413)
    const many = { ...yes, evaluations: Array.from({ length: 501 }, () => ({})) }
    expect((await gate.ask(EVALUATIONS, many)).status).toBe(400)
    const deep = `{"subject":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`
    expect((await gate.ask(EVALUATION, deep)).status).toBe(400)
    const name = { ...yes, action: { name: 'r'.repeat(2_000) } }
    expect((await gate.ask(EVALUATION, name)).status).toBe(400)
    expect((await gate.ask(EVALUATION, '{"subject":1,"subject":2}')).status).toBe(400)
    expect(
      (await gate.ask(EVALUATION, JSON.stringify(yes).replace('"alice"', '"alice","__proto__":{"id":"bob"}')))
        .status,
    ).toBe(400)
  })

  it('is denied where a declared attribute is of another type, and where a type or an action is not known', async () => {
    const asked = async (question: unknown) =>
      bodyOf<{ decision: boolean; context: { reason: string; detail?: string } }>(
        await gate.ask(EVALUATION, question),
      )
    expect(await asked({ ...yes, subject: { ...alice, properties: { member: 'true' } } })).toMatchObject({
      decision: false,
      context: { reason: 'question-mistyped', detail: 'subject.member' },
    })
    expect(await asked({ ...yes, subject: { ...alice, properties: { member: null } } })).toMatchObject({
      decision: false,
    })
    expect(await asked({ ...yes, action: { name: 'fly' } })).toMatchObject({
      decision: false,
      context: { reason: 'question-unknown', detail: 'action' },
    })
    expect(await asked({ ...yes, resource: { type: 'user', id: 'alice' } })).toMatchObject({
      decision: false,
      context: { detail: 'combination' },
    })
    expect(await asked({ ...yes, resource: { type: 'toString', id: 'a' } })).toMatchObject({
      decision: false,
      context: { detail: 'resource' },
    })
  })

  it('states what it knows now: it counts before what is stored', async () => {
    const asked = await gate.ask(EVALUATION, { ...yes, subject: { ...alice, properties: { member: false } } })
    expect(bodyOf<{ decision: boolean }>(asked).decision).toBe(false)
  })
})

describe('several questions', () => {
  const ask = (semantic: string | undefined, evaluations: readonly unknown[]) =>
    gate.ask(EVALUATIONS, {
      ...(semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }),
      evaluations,
    })

  it('are all answered, or until the first deny, or until the first permit', async () => {
    expect(decisions(await ask(undefined, [yes, no, yes]))).toEqual([true, false, true])
    expect(decisions(await ask('execute_all', [no, yes]))).toEqual([false, true])
    expect(decisions(await ask('deny_on_first_deny', [yes, no, yes]))).toEqual([true, false])
    expect(decisions(await ask('deny_on_first_deny', [yes, yes]))).toEqual([true, true])
    expect(decisions(await ask('permit_on_first_permit', [no, yes, no]))).toEqual([false, true])
    expect(decisions(await ask('permit_on_first_permit', [no, no]))).toEqual([false, false])
    expect((await ask('first_come', [yes])).status).toBe(400)
  })

  it('fail one by one: what cannot be read is a deny, the others stand', async () => {
    const asked = await ask(undefined, [
      yes,
      { subject: alice },
      7,
      null,
      { ...yes, action: { name: 5 } },
      yes,
    ])
    expect(asked.status).toBe(200)
    expect(decisions(asked)).toEqual([true, false, false, false, false, true])
    expect(decisions(await ask('deny_on_first_deny', [{}, yes]))).toEqual([false])
    const [, second] = bodyOf<{ evaluations: { context?: Record<string, string> }[] }>(asked).evaluations
    expect(second?.context).toMatchObject({
      reason: 'question-malformed',
      detail: '/evaluations/1/action must be an object',
    })
  })

  it('take defaults whole, never in part', async () => {
    const request = {
      ...yes,
      resource: { ...record, properties: { status: 'archived' } },
      action: { name: 'write' },
    }
    const asked = await gate.ask(EVALUATIONS, {
      ...request,
      evaluations: [{}, { resource: record }, { resource: { type: 'record' } }],
    })
    expect(decisions(asked)).toEqual([false, true, false])
  })
})

describe('a page token', () => {
  const search = { subject: { type: 'user' }, action: { name: 'read' }, resource: record }
  const page = async (body: unknown) => {
    const asked = await gate.ask(SEARCH, body)
    return {
      status: asked.status,
      ...bodyOf<{ results: { id: string }[]; page?: { next_token: string } }>(asked),
    }
  }

  it('leads through all results, each once', async () => {
    const ids: string[] = []
    let token: string | undefined
    for (let pages = 0; pages < 20 && token !== ''; pages++) {
      const got = await page({ ...search, page: { limit: 40, ...(token === undefined ? {} : { token }) } })
      ids.push(...got.results.map(({ id }) => id))
      token = got.page?.next_token ?? ''
    }
    expect(new Set(ids).size).toBe(601)
    expect(ids).toHaveLength(601)
    expect((await page(search)).results).toHaveLength(601)
  })

  it('is one only of its own search, unchanged', async () => {
    const { page: first } = await page({ ...search, page: { limit: 5 } })
    const token = first?.next_token ?? ''
    expect((await page({ ...search, page: { token } })).status).toBe(200)
    const place = token.slice(0, token.indexOf('.'))
    const tampered = [`1${token}`, token.replace(place, '0'), `${token}x`, 'x', '0', `${place}.`, `-${token}`]
    for (const other of tampered)
      expect((await page({ ...search, page: { token: other } })).status, other).toBe(400)
    const elsewhere = { ...search, action: { name: 'write' }, page: { token } }
    expect((await page(elsewhere)).status).toBe(400)
    expect((await page({ ...search, context: { more: 1 }, page: { token } })).status).toBe(400)
    const { subject, action, resource } = search
    expect((await page({ page: { token }, resource, action, subject })).status).toBe(200)
    expect((await page({ ...search, page: { token: 'x' } })).status).toBe(400)
    expect((await page({ ...search, page: { limit: 0 } })).status).toBe(400)
    expect((await page({ ...search, page: { limit: 1.5 } })).status).toBe(400)
    expect((await page({ ...search, page: 'next' })).status).toBe(400)
  })
})

describe('what is answered', () => {
  it('holds no policy’s name; its record does (standards 5.5)', async () => {
    for (const question of [yes, no]) {
      const asked = await gate.ask(EVALUATION, question)
      expect(JSON.stringify(asked.body)).not.toContain('members read')
      const id = asked.headers.get('sallyport-exchange') ?? ''
      const intent = gate.audit.intents.get(id)
      expect(intent).toMatchObject({
        entrance: 'authzen',
        api: 'authzen:certification',
        operation: 'read',
        subject: { issuer: 'authzen:certification', id: `user/${question.subject.id}` },
        personal: { path: 'record/record-1', address: '127.0.0.1' },
      })
      expect(intent?.decisions[0]?.policies).toEqual(question === yes ? ['certification/members read'] : [])
      expect(gate.audit.outcomes.get(id)).toMatchObject({
        action: question === yes ? 'forwarded' : 'refused',
        status: 200,
      })
      expect(gate.audit.outcomes.get(id)?.notPlayed).toContain('identity')
    }
  })

  it('is nothing where it cannot be recorded', async () => {
    const broken = await gateWith('enforce')
    broken.audit.refusal = () => {
      throw new Error('the disk is full')
    }
    for (const [path, body] of [
      [EVALUATION, yes],
      [EVALUATIONS, { evaluations: [yes] }],
      [SEARCH, yes],
      [
        '/access/v1/evaluation',
        {
          subject: { type: 'User', id: 'corp/ada' },
          action: { name: 'shop.getOrder' },
          resource: { type: 'order', id: '7', properties: { owner: 'corp/ada' } },
        },
      ],
    ] as const) {
      const asked = await broken.ask(path, body)
      expect(asked.status, path).toBe(503)
      expect(JSON.stringify(asked.body)).not.toContain('true')
    }
    await broken.stop()
  })
})

describe('the gate’s own APIs', () => {
  const ada = { type: 'User', id: 'corp/ada', properties: { scopes: ['orders'] } }
  const order = { type: 'order', id: '7', properties: { owner: 'corp/ada' } }
  const question = { subject: ada, action: { name: 'shop.getOrder' }, resource: order }
  const ask = async (on: AuthzenGate, body: unknown) => {
    const asked = await on.ask('/access/v1/evaluation', body)
    expect(asked.status).toBe(200)
    return {
      ...bodyOf<{ decision: boolean; context?: Record<string, string> }>(asked),
      id: asked.headers.get('sallyport-exchange') ?? '',
    }
  }

  it('are judged by their floor and policies', async () => {
    expect(await ask(gate, question)).toMatchObject({ decision: true })
    expect(await ask(gate, { ...question, action: { name: 'getOrder' } })).toMatchObject({ decision: true })
    expect(await ask(gate, { ...question, subject: { ...ada, type: 'user' } })).toMatchObject({
      decision: true,
    })
    expect(
      await ask(gate, { ...question, resource: { ...order, properties: { owner: 'corp/eve' } } }),
    ).toMatchObject({ decision: false, context: { reason: 'owner-differs' } })
    expect(await ask(gate, { ...question, resource: { type: 'order', id: '7' } })).toMatchObject({
      decision: false,
      context: { reason: 'owner-unknowable' },
    })
    expect(await ask(gate, { ...question, subject: { type: 'User', id: 'corp/ada' } })).toMatchObject({
      decision: false,
      context: { reason: 'insufficient-scope' },
    })
    expect(await ask(gate, { ...question, subject: { type: 'Anonymous', id: 'anonymous' } })).toMatchObject({
      decision: false,
      context: { reason: 'token-missing' },
    })
  })

  it('read group and address as they are stated', async () => {
    const staff = { ...ada, properties: { scopes: ['orders'], groups: ['staff'] } }
    const list = {
      subject: staff,
      action: { name: 'shop.listOrders' },
      resource: { type: 'operation', id: 'shop.listOrders' },
      context: { ip: '10.1.2.3', time: '2025-06-27T18:03-07:00' },
    }
    expect(await ask(gate, list)).toMatchObject({ decision: true })
    expect(await ask(gate, { ...list, context: { ip: '192.0.2.1' } })).toMatchObject({ decision: false })
    expect(await ask(gate, { ...list, context: {} })).toMatchObject({ decision: false })
    expect(await ask(gate, { ...list, subject: ada })).toMatchObject({ decision: false })
  })

  it('deny what is stated wrongly, and say what', async () => {
    const wrong = [
      [{ ...question, action: { name: 'shop.nothing' } }, 'question-unknown'],
      [{ ...question, subject: { ...ada, id: 'ada' } }, 'question-mistyped'],
      [{ ...question, subject: { ...ada, id: 'other/ada' } }, 'question-mistyped'],
      [{ ...question, subject: { ...ada, type: 'Robot' } }, 'question-mistyped'],
      [{ ...question, subject: { ...ada, properties: { scopes: 'orders' } } }, 'question-mistyped'],
      [{ ...question, resource: { ...order, type: 'invoice' } }, 'question-mistyped'],
      [{ ...question, resource: { ...order, properties: { owner: 7 } } }, 'question-mistyped'],
      [{ ...question, context: { ip: 'here' } }, 'question-mistyped'],
      [{ ...question, context: { time: 'now' } }, 'question-mistyped'],
      [{ ...question, context: { risk: 101 } }, 'question-mistyped'],
    ] as const
    for (const [body, reason] of wrong)
      expect(await ask(gate, body), JSON.stringify(body)).toMatchObject({
        decision: false,
        context: { reason },
      })
  })

  it('are recorded with what was stated, and what was not played', async () => {
    const { id } = await ask(gate, question)
    const intent = gate.audit.intents.get(id)
    expect(intent).toMatchObject({
      entrance: 'authzen',
      api: 'shop',
      operation: 'shop.getOrder',
      subject: { issuer: 'corp', id: 'ada' },
      attributes: { resource: { owner: 'corp/ada' } },
    })
    expect(gate.audit.outcomes.get(id)?.notPlayed).toEqual([
      'identity',
      'request-contract',
      'upstream',
      'response-contract',
      'response-decision',
    ])
    expect(JSON.stringify(await ask(gate, question))).not.toContain('secret-policy-name')
  })

  it('answer what enforcing would do, also where they are observed', async () => {
    const observing = await gateWith('observe', [])
    const foreign = { ...question, resource: { ...order, properties: { owner: 'corp/eve' } } }
    expect(await ask(observing, question)).toMatchObject({ decision: true })
    expect(await ask(observing, foreign)).toMatchObject({ decision: false })
    await observing.stop()
  })

  it('find the operations a subject may call', async () => {
    const asked = await gate.ask('/access/v1/search/action', { subject: ada, resource: order })
    expect(asked.body).toEqual({ results: [{ name: 'shop.getOrder' }] })
    expect(
      (await gate.ask('/access/v1/search/action', { subject: { ...ada, id: 'corp/eve' }, resource: order }))
        .body,
    ).toEqual({ results: [] })
  })
})

it('has met no fault of its own', () => {
  expect(gate.faults).toEqual([])
})
