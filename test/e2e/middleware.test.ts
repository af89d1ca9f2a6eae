import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, createServer as createHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readRecords } from '../../src/audit/read.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { Connector } from '../../src/enforcement/connector.ts'
import { callInMemory } from '../../src/enforcement/entrances/memory.ts'
import { type EmbeddedGate, openGate } from '../../src/middleware.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { memoryGate } from '../memory-gate.ts'
import { IssuerServer } from './issuer-server.ts'
import { type Framework, ROWS, type RunningApp, startApp } from './middleware-apps.ts'

/**
 * The gate inside a service: the same calls through each framework and through the gate in front of the same
 * application get the same statuses, bodies and decisions, and their records verify.
 */

const json = (schema: string): string =>
  `{ description: ok, content: { application/json: { schema: ${schema} } } }`
const ORDER =
  '{ type: object, properties: { id: { type: string }, customerId: { type: string }, item: { type: string } } }'
const BODY =
  '{ required: true, content: { application/json: { schema: { type: object, additionalProperties: false, required: [item], properties: { item: { type: string, maxLength: 100000 } } } } } }'
const CONTRACT = `openapi: 3.1.0
info: { title: shop, version: 1.0.0 }
servers: [{ url: /v1 }]
paths:
  /orders:
    get:
      operationId: listOrders
      security: [{ oauth: ['orders:read'] }]
      responses: { '200': ${json(`{ type: object, properties: { orders: { type: array, items: ${ORDER} }, total: { type: integer } } }`)} }
    post: { operationId: createOrder, security: [{ oauth: ['orders:write'] }], requestBody: ${BODY}, responses: { '201': ${json(ORDER)} } }
  /orders/{orderId}:
    parameters: [{ name: orderId, in: path, required: true, schema: { type: string, maxLength: 8 } }]
    get: { operationId: getOrder, security: [{ oauth: ['orders:read'] }], responses: { '200': ${json(ORDER)}, '404': { description: none } } }
    patch: { operationId: updateOrder, security: [{ oauth: ['orders:write'] }], requestBody: ${BODY}, responses: { '200': ${json(ORDER)}, '404': { description: none } } }
  /rows:
    get: { operationId: getRows, security: [], responses: { '200': { description: rows, content: { text/csv: { schema: { type: string } } } } } }
    head: { operationId: headRows, security: [], responses: { '200': { description: rows } } }
  /slow:
    get: { operationId: getSlow, security: [], responses: { '200': ${json('{}')} } }
  /fail:
    get: { operationId: getFail, security: [], responses: { '200': ${json('{}')} } }
components:
  securitySchemes:
    oauth: { type: oauth2, flows: { clientCredentials: { tokenUrl: 'https://idp.example/token', scopes: { 'orders:read': r, 'orders:write': w } } } }
`
const POLICIES = `@id("own")
permit (principal is User, action in [Action::"shop.getOrder", Action::"shop.updateOrder", Action::"shop.listOrders"], resource)
when { resource has owner && resource.owner == principal };
@id("create")
permit (principal is User, action == Action::"shop.createOrder", resource);
@id("open")
permit (principal, action in [Action::"shop.getRows", Action::"shop.headRows", Action::"shop.getSlow", Action::"shop.getFail"], resource);
`

const config = (issuer: IssuerServer, mode = 'enforce'): string => `identity:
  issuers:
    corp: { issuer: "${issuer.iss}", jwks: "${issuer.jwksUrl}" }
apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: shop }
    mode: ${mode}
    maxRequestBytes: 60000
    timeouts: { headMs: 1000 }
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, lookup: getOrder, hideAbsent: true, list: { operation: listOrders, items: /orders, counts: [/total] } }
policies: ./policies
store: ./data
`

interface Call {
  readonly name: string
  readonly method?: string
  readonly target: string
  readonly token?: string
  readonly fields?: readonly string[]
  readonly body?: string
}

interface Got {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly id: string
}

function send(base: string, call: Omit<Call, 'name'>): Promise<Got> {
  const { hostname, port, host } = new URL(base)
  const { method = 'GET', target, token, fields = [], body } = call
  const headers = ['Host', host, ...fields]
  if (token !== undefined) headers.push('Authorization', `Bearer ${token}`)
  if (body !== undefined)
    headers.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body)))
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path: target, method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          headers: incoming.headers,
          id: String(incoming.headers['sallyport-exchange'] ?? ''),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const decisionsOf = ({ intent, outcome }: ExchangeRecord): readonly string[] => {
  const after = outcome === null || outcome === 'unknown' ? [] : outcome.decisions
  return [...intent.decisions, ...after].map(
    ({ checkpoint, effect, reasons, policies }) =>
      `${checkpoint} ${effect} ${reasons.map(({ code }) => code).join()} ${policies.join()}`,
  )
}

async function recordsOf(folder: ConfigFolder): Promise<Map<string, ExchangeRecord>> {
  const found = new Map<string, ExchangeRecord>()
  for await (const record of readRecords(folder.at('data/audit'), { storeKey: null }))
    found.set(record.intent.id, record)
  return found
}

let issuer: IssuerServer
beforeAll(async () => {
  issuer = await IssuerServer.start(`key-${crypto.randomUUID()}`)
})
afterAll(() => issuer.down())

function folderWith(mode?: string): ConfigFolder {
  const folder = configFolder()
  folder.write({
    'sallyport.yaml': config(issuer, mode),
    'shop.yaml': CONTRACT,
    'policies/shop.cedar': POLICIES,
  })
  return folder
}

function corpus(): readonly Call[] {
  const token = issuer.token({ scope: 'orders:read orders:write' })
  const reader = issuer.token({ scope: 'orders:read' })
  const item = '{"item":"pen"}'
  return [
    { name: 'own order', target: '/v1/orders/o1', token },
    { name: 'no token', target: '/v1/orders/o1' },
    { name: 'a token that is none', target: '/v1/orders/o1', token: 'x.y.z' },
    { name: 'wrong scope', method: 'POST', target: '/v1/orders', token: reader, body: item },
    { name: 'foreign order', target: '/v1/orders/o2', token },
    { name: 'absent order', target: '/v1/orders/o9', token },
    { name: 'own order changed', method: 'PATCH', target: '/v1/orders/o1', token, body: item },
    { name: 'foreign order changed', method: 'PATCH', target: '/v1/orders/o2', token, body: item },
    { name: 'list', target: '/v1/orders', token },
    { name: 'order placed', method: 'POST', target: '/v1/orders', token, body: item },
    { name: 'unknown field', method: 'POST', target: '/v1/orders', token, body: '{"item":"pen","price":0}' },
    { name: 'no body', method: 'POST', target: '/v1/orders', token },
    {
      name: 'body in parts',
      method: 'POST',
      target: '/v1/orders',
      token,
      body: `{"item":"${'p'.repeat(50_000)}"}`,
    },
    {
      name: 'oversized body',
      method: 'POST',
      target: '/v1/orders',
      token,
      body: `{"item":"${'p'.repeat(70_000)}"}`,
    },
    { name: 'unknown route', target: '/v1/admin', token },
    { name: 'other case', target: '/V1/orders/o1', token },
    { name: 'unknown API', target: '/healthz' },
    { name: 'wrong method', method: 'DELETE', target: '/v1/orders/o1', token },
    { name: 'dot segment', target: '/v1/x/../orders/o1', token },
    { name: 'bad escape', target: '/v1/orders/%zz', token },
    { name: 'parameter too long', target: '/v1/orders/o12345678', token },
    {
      name: 'forged identity',
      target: '/v1/orders/o1',
      token,
      fields: ['X-User-Id', 'ben', 'X-User_Id', 'ben'],
    },
    {
      name: 'upgrade',
      target: '/v1/orders/o1',
      token,
      fields: ['Connection', 'upgrade', 'Upgrade', 'websocket'],
    },
    { name: 'head', method: 'HEAD', target: '/v1/rows' },
    { name: 'handler fails', target: '/v1/fail' },
    { name: 'stream', target: '/v1/rows' },
  ]
}

interface Expected {
  readonly status: number
  readonly body: string
  readonly decisions: readonly string[]
}

/** The gate itself, in front of the same application without one. */
async function throughTheGate(calls: readonly Call[]): Promise<ReadonlyMap<string, Expected>> {
  const app = await startApp('express', null)
  const folder = folderWith()
  folder.write({ 'sallyport.yaml': config(issuer).replace('http://127.0.0.1:3000', app.url) })
  const upstream = new Connector({ addresses: () => [{ address: '127.0.0.1', family: 4 }] })
  const made = memoryGate({
    config: folder.at('sallyport.yaml'),
    upstream,
    keys: { corp: { iss: issuer.iss, keys: issuer.keys } },
  })
  const found = new Map<string, Expected>()
  for (const { name, method = 'GET', target, token, fields = [], body } of calls) {
    const all = ['Host', '127.0.0.1', ...fields]
    if (token !== undefined) all.push('Authorization', `Bearer ${token}`)
    if (body !== undefined)
      all.push('Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body)))
    const bytes = body === undefined ? {} : { body: Buffer.from(body) }
    const answer = await callInMemory(made.gate, systemRandom(), { method, target, fields: all, ...bytes })
    const intent = made.audit.intents.get(answer.id)
    const outcome = made.audit.outcomes.get(answer.id)
    const decisions = [...(intent?.decisions ?? []), ...(outcome?.decisions ?? [])].map(
      (each) =>
        `${each.checkpoint} ${each.effect} ${each.reasons.map(({ code }) => code).join()} ${each.policies.join()}`,
    )
    found.set(name, { status: answer.status, body: Buffer.from(answer.body).toString(), decisions })
  }
  made.close()
  await upstream.close()
  await app.stop()
  folder.remove()
  return found
}

const sameForAll = (body: string): string => body.replace(/"exchange":"[^"]+"/, '"exchange":""')

const FRAMEWORKS: readonly Framework[] = ['node:http', 'express', 'fastify', 'fastify, by its server', 'hono']

describe.each(FRAMEWORKS)('the gate within %s', (framework) => {
  let folder: ConfigFolder
  let gate: EmbeddedGate
  let app: RunningApp
  const log: string[] = []

  beforeAll(async () => {
    folder = folderWith()
    gate = await openGate({ config: folder.at('sallyport.yaml'), log: (line) => log.push(line) })
    app = await startApp(framework, gate)
  })
  afterAll(async () => {
    await app.stop()
    await gate.close()
    folder.remove()
  })

  it('answers and decides as the gate in front of the same application', async () => {
    const calls = corpus()
    const expected = await throughTheGate(calls)
    const got = new Map<string, Expected>()
    const ids = new Map<string, string>()
    for (const call of calls) {
      const { status, body, id } = await send(app.url, call)
      got.set(call.name, { status, body, decisions: [] })
      ids.set(call.name, id)
    }
    const records = await recordsOf(folder)
    for (const { name } of calls) {
      // Fastify's own router answers before any hook.
      if (framework === 'fastify' && name === 'bad escape') continue
      // Without a framework nobody turns a failure into an answer.
      if (framework === 'node:http' && name === 'handler fails') {
        expect(got.get(name)?.status).toBe(502)
        continue
      }
      const { status, body } = got.get(name) ?? { status: 0, body: '' }
      const record = records.get(ids.get(name) ?? '')
      const {
        status: due,
        body: said,
        decisions,
      } = expected.get(name) ?? { status: 0, body: '', decisions: [] }
      expect({ name, status, body: sameForAll(body), decisions: record && decisionsOf(record) }).toEqual({
        name,
        status: due,
        body: sameForAll(said),
        decisions,
      })
      expect(record?.intent.entrance).toBe('middleware')
    }
    expect(Object.fromEntries([...got].map(([name, { status }]) => [name, status]))).toMatchObject({
      'own order': 200,
      'no token': 401,
      'wrong scope': 403,
      'foreign order': 404,
      'foreign order changed': 404,
      'own order changed': 200,
      'order placed': 201,
      'unknown field': 400,
      'oversized body': 413,
      'unknown API': 404,
    })
    expect(got.get('own order')?.body).not.toContain('secret')
    expect(got.get('list')?.body).toBe('{"orders":[{"id":"o1","customerId":"alice"}],"total":1}')
    expect(got.get('stream')?.body.split('\n')).toHaveLength(ROWS + 1)
  })

  it('shows the application the judged call and who makes it, and no credential', async () => {
    app.seen.length = 0
    const token = issuer.token({ scope: 'orders:write' })
    const sent = `{"item":"${'q'.repeat(40_000)}"}`
    const fields = ['X-User-Id', 'ben']
    const { id, status } = await send(app.url, {
      method: 'POST',
      target: '/v1/%6frders',
      token,
      body: sent,
      fields,
    })
    if (framework === 'hono') {
      // Hono has chosen its route by the path as it came.
      expect({ status, seen: app.seen }).toEqual({ status: 400, seen: [] })
      return
    }
    expect(app.seen).toMatchObject([
      {
        method: 'POST',
        url: '/v1/orders',
        authorization: undefined,
        forged: 'undefined',
        body: JSON.parse(sent),
      },
    ])
    expect(app.seen[0]?.call).toMatchObject({
      kind: 'call',
      exchange: id,
      api: 'shop',
      operation: 'shop.createOrder',
      mode: 'enforce',
      subject: { kind: 'user', issuer: 'corp', id: 'alice', scopes: ['orders:write'] },
      decision: { effect: 'allow', pending: false, policies: ['create'] },
    })
  })

  it('takes many calls at once', async () => {
    const token = issuer.token({ scope: 'orders:read orders:write' })
    const calls = Array.from({ length: 60 }, (_, n) =>
      n % 3 === 0
        ? { method: 'POST', target: '/v1/orders', token, body: `{"item":"n${n}"}` }
        : { target: n % 3 === 1 ? '/v1/orders/o1' : '/v1/orders/o2', token },
    )
    const got = await Promise.all(calls.map((call) => send(app.url, call)))
    expect(got.map(({ status }) => status)).toEqual(calls.map((_, n) => [201, 200, 404][n % 3]))
    got.forEach(({ body }, n) => {
      if (n % 3 === 0) expect(JSON.parse(body)).toEqual({ id: 'o3', customerId: 'alice', item: `n${n}` })
    })
  })

  it('ends a call its application does not answer, and one its caller leaves', async () => {
    expect((await send(app.url, { target: '/v1/slow' })).status).toBe(504)
    const { hostname, port } = new URL(app.url)
    const left = request({ hostname, port, path: '/v1/slow', agent: false })
    left.on('error', () => undefined)
    left.end()
    await new Promise((resolve) => setTimeout(resolve, 150))
    left.destroy()
    await expect.poll(() => gate.stats.underWay, { timeout: 900 }).toBe(0)
  })

  it('holds revocations ordered over the control socket, and reloads', async () => {
    const token = issuer.token({ scope: 'orders:read', jti: `jti-${framework}` })
    expect((await send(app.url, { target: '/v1/orders/o1', token })).status).toBe(200)
    const { bundle } = gate.stats
    folder.write({ 'policies/shop.cedar': POLICIES.replace('Action::"shop.getOrder", ', '') })
    await gate.reload()
    expect(gate.stats.bundle).not.toBe(bundle)
    expect((await send(app.url, { target: '/v1/orders/o1', token })).status).toBe(403)
    folder.write({ 'policies/shop.cedar': 'permit (' })
    await expect(gate.reload()).rejects.toMatchObject({ code: 'policy-invalid' })
    folder.write({ 'policies/shop.cedar': POLICIES })
    await gate.reload()
    expect((await send(app.url, { target: '/v1/orders/o1', token })).status).toBe(200)
    await order(folder, { order: 'revoke-token', keys: [`jti:jti-${framework}`], by: 'test' })
    expect((await send(app.url, { target: '/v1/orders/o1', token })).status).toBe(401)
  })

  it('leaves a record that verifies, whole, when it is closed', async () => {
    await gate.close()
    const report = await verifyAudit(folder.at('data/audit'))
    expect(report).toMatchObject({ ok: true })
    const records = await recordsOf(folder)
    expect([...records.values()].filter(({ outcome }) => outcome === null || outcome === 'unknown')).toEqual(
      [],
    )
    expect((await send(app.url, { target: '/v1/rows' })).status).toBe(503)
    expect(log.filter((line) => line.includes('stage-failed'))).toEqual([])
  })
})

describe('the gate within a service', () => {
  const folders: ConfigFolder[] = []
  const closers: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const close of closers.reverse()) await close()
    for (const folder of folders) folder.remove()
  })

  async function opened(
    options: { readonly mode?: string; readonly unmatched?: 'deny' | 'next' } = {},
  ): Promise<{ readonly gate: EmbeddedGate; readonly folder: ConfigFolder; readonly log: string[] }> {
    const folder = folderWith(options.mode)
    folders.push(folder)
    const log: string[] = []
    const gate = await openGate({
      config: folder.at('sallyport.yaml'),
      log: (line) => log.push(line),
      ...(options.unmatched === undefined ? {} : { unmatched: options.unmatched }),
    })
    closers.push(() => gate.close())
    return { gate, folder, log }
  }

  async function served(listener: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('suspends effects and records what it would deny, in observe mode', async () => {
    const { gate, folder } = await opened({ mode: 'observe' })
    const app = await startApp('express', gate)
    closers.push(() => app.stop())
    const { status, body, id } = await send(app.url, { target: '/v1/orders/o2' })
    expect({ status, body }).toEqual({ status: 200, body: '{"id":"o2","customerId":"ben","secret":"s2"}' })
    const token = issuer.token()
    await send(app.url, { target: '/v1/orders/o1', token })
    // The application still checks the caller's own credential, as before.
    expect(app.seen.map(({ authorization }) => authorization)).toEqual([undefined, `Bearer ${token}`])
    expect(app.seen[0]?.call).toMatchObject({ mode: 'observe', decision: { effect: 'deny' } })
    const record = (await recordsOf(folder)).get(id)
    expect(record?.outcome).toMatchObject({ action: 'forwarded', status: 200 })
    expect(record === undefined ? [] : decisionsOf(record).join()).toMatch(/challenge|deny/)
  })

  it('passes on what no API claims, where it is told to, and nothing that could be one', async () => {
    const { gate } = await opened({ unmatched: 'next' })
    const app = await startApp('express', gate)
    closers.push(() => app.stop())
    expect(await send(app.url, { target: '/healthz' })).toMatchObject({ status: 200, id: '' })
    expect(app.seen[0]?.call).toBeNull()
    for (const target of ['/V1/orders/o1', '/%76%31/orders/o1', '//v1/orders/o1', '/x/../v1/orders/o1'])
      expect({ target, status: (await send(app.url, { target })).status >= 400 }).toEqual({
        target,
        status: true,
      })
    expect(app.seen).toHaveLength(1)
    expect(gate.stats.unmatched).toBe(1)
  })

  it('refuses a body that a parser mounted before it has taken, and says so', async () => {
    const { gate, log } = await opened()
    const app = express().use(express.json()).use(gate.express())
    const url = await served(app)
    const token = issuer.token({ scope: 'orders:write' })
    const call = { method: 'POST', target: '/v1/orders', token, body: '{"item":"pen"}' }
    expect((await send(url, call)).status).toBe(400)
    expect(log.join()).toContain('mount the gate first')
  })

  it('refuses to stand below a path', async () => {
    const { gate } = await opened()
    const url = await served(
      express()
        .use('/v1', gate.express())
        .use((_request, response) => void response.send('reached')),
    )
    expect((await send(url, { target: '/v1/rows' })).status).toBe(500)
  })

  it('gives an empty body in parts to a parser that waits for its end', async () => {
    const { gate } = await opened({ mode: 'observe' })
    const app = await startApp('node:http', gate)
    closers.push(() => app.stop())
    const fields = ['Transfer-Encoding', 'chunked']
    expect((await send(app.url, { method: 'POST', target: '/v1/orders', fields })).status).toBe(201)
  })

  it('streams with back-pressure, the outcome before the last byte, a cut where the caller leaves', async () => {
    const { gate, folder } = await opened()
    let made = 0
    let more = true
    const url = await served(
      gate.handler((_incoming, response) => {
        response.setHeader('Content-Type', 'text/csv')
        response.on('close', () => {
          more = false
        })
        const go = (): void => {
          while (more && response.write('x'.repeat(65_536))) made += 1
        }
        response.on('drain', go)
        go()
      }),
    )
    const { hostname, port } = new URL(url)
    const id = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ hostname, port, path: '/v1/rows', agent: false }, (incoming) => {
        incoming.pause()
        setTimeout(() => {
          resolve(String(incoming.headers['sallyport-exchange']))
          incoming.destroy()
        }, 300)
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
    // What a caller that does not read leaves behind stays within the buffers of two sockets.
    expect(made).toBeLessThan(400)
    await expect.poll(() => gate.stats.underWay).toBe(0)
    await expect
      .poll(async () => (await recordsOf(folder)).get(id)?.cut)
      .toMatchObject({ why: expect.stringMatching(/left|broke/) })
  })

  it('answers HTTP/2 with a refusal', async () => {
    const { gate } = await opened()
    const server = createHttp2(gate.handler(() => undefined) as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = client.request({ ':path': '/v1/rows' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect(headers[':status']).toBe(400)
    client.close()
    stream.close()
    server.close()
  })

  it('holds its store alone', async () => {
    const { folder } = await opened()
    await expect(openGate({ config: folder.at('sallyport.yaml') })).rejects.toMatchObject({
      code: 'store-in-use',
    })
  })

  it('leaves what the command line verifies and explains', async () => {
    const { gate, folder } = await opened()
    const app = await startApp('fastify', gate)
    const { id } = await send(app.url, {
      target: '/v1/orders/o2',
      token: issuer.token({ scope: 'orders:read' }),
    })
    await app.stop()
    await gate.close()
    const sallyport = (...args: string[]): string =>
      execFileSync(process.execPath, ['bin/sallyport.js', ...args, '--config', folder.at('sallyport.yaml')], {
        encoding: 'utf8',
      })
    expect(JSON.parse(sallyport('audit', 'verify', '--json'))).toMatchObject({ ok: true })
    const explained = sallyport('explain', id)
    expect(explained).toContain('middleware')
    expect(explained).toContain('owner-differs')
    expect(explained).toContain('framing')
  })
})

function order(folder: ConfigFolder, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: folder.at('data/control.sock'), method: 'POST', path: '/', headers: { host: 'control' } },
      (incoming) => {
        incoming.resume()
        incoming.on('end', () => resolve(incoming.statusCode ?? 0))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}
