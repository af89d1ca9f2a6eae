import { connect, type Socket } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WouldDeny } from '../../src/management/would-deny.ts'
import type { ExchangeRecord } from '../../src/model/record.ts'
import { answerOf, type OpenGate, ok, openGate, request, split } from '../attacks/open-gate.ts'

// Answers held against their contract (standards 2.4, 2.9, 7.10, 7.11), over real sockets.

const SECRET = 'SECRET-4111111111111111'
const schema = (name: string): string => `{ schema: { $ref: '#/components/schemas/${name}' } }`
const json = (name: string, more = ''): string =>
  `{ description: x, ${more} content: { application/json: ${schema(name)} } }`
const get = (path: string, id: string, responses: string, security = '[]'): string =>
  `  ${path}: { get: { operationId: ${id}, security: ${security}, responses: ${responses} } }\n`

const CONTRACT = `openapi: 3.2.0
info: { title: things, version: 1.0.0 }
paths:
${get('/thing', 'getPlain', `{ '200': ${json('Thing')}, '4XX': ${json('Problem')}, '500': ${json('Problem')}, '503': { description: html, content: { text/html: {} } } }`)}
${get('/list', 'getList', `{ '200': ${json('Things')} }`, '[{ oauth: [] }]')}
${get('/lines', 'getLines', `{ '200': { description: x, content: { application/x-ndjson: { itemSchema: { $ref: '#/components/schemas/Thing' } } } } }`)}
${get('/jsonl', 'getJsonl', `{ '200': { description: x, content: { application/jsonl: ${schema('Things')} } } }`)}
${get('/seq', 'getSeq', `{ '200': { description: x, content: { application/json-seq: ${schema('Thing')} } } }`)}
${get('/events', 'getEvents', `{ '200': { description: x, content: { text/event-stream: { itemSchema: { type: object, properties: { event: { type: string }, data: { type: string, contentMediaType: application/json, contentSchema: { $ref: '#/components/schemas/Thing' } } } } } } } }`)}
${get('/mine', 'getMine', `{ '200': { description: x, content: { application/jsonl: { itemSchema: { $ref: '#/components/schemas/Thing' } } } } }`, '[{ oauth: [] }]')}
${get('/headed', 'getHeaded', `{ '200': ${json('Thing', 'headers: { X-Count: { required: true, schema: { type: integer } }, X-Kinds: { schema: { type: array, maxItems: 2, items: { enum: [a, b] } } } },')} }`)}
${get('/xml', 'getXml', `{ '200': { description: x, content: { application/xml: { schema: { type: object, xml: { name: thing }, required: [id], properties: { id: { type: string, maxLength: 3 } } } } } } }`)}
${get('/word', 'getWord', `{ '200': { description: x, content: { text/plain: { schema: { type: string, maxLength: 5 } } } } }`)}
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getThing, security: [{ oauth: [] }], responses: { '200': ${json('Thing')} } }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  schemas:
    Thing: { type: object, required: [id], properties: { id: { type: string }, owner: { type: string }, n: { type: number } } }
    Things: { type: array, items: { $ref: '#/components/schemas/Thing' } }
    Problem: { type: object, required: [title], properties: { title: { type: string }, detail: { type: string }, errors: { type: array, items: { type: string } } } }
`
const POLICIES = `
@id("all") permit (principal, action, resource) unless { [Action::"things.getMine", Action::"things.getList", Action::"things.getThing"].contains(action) };
@id("own") permit (principal is User, action, resource is Object) when { resource has owner && resource.owner == principal };
`

async function gateWith(api = '', mode: 'enforce' | 'observe' = 'enforce'): Promise<OpenGate> {
  const lists = 'list: [{ operation: getList }, { operation: getMine }]'
  return openGate({
    mode,
    contract: CONTRACT,
    policies: POLICIES,
    owner: `/owner, ${lists}`,
    api: `    maxAnswerBytes: 20000\n${api}`,
  })
}

function chunked(type: string, body: Buffer | string, more = ''): Buffer {
  const bytes = Buffer.from(body)
  const parts: Buffer[] = [
    Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${more}Transfer-Encoding: chunked\r\n\r\n`),
  ]
  for (let at = 0; at < bytes.length; at += 7) {
    const part = bytes.subarray(at, at + 7)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

function whole(type: string, bytes: Buffer, more = ''): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${more}Content-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

const CODINGS = [
  ['identity', (bytes: Buffer) => bytes],
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['deflate', deflateSync],
  ['deflate, gzip', (bytes: Buffer) => gzipSync(deflateSync(bytes))],
] as const

function caller(gate: OpenGate): (path: string, answer: string | Buffer, token?: string) => Promise<Got> {
  return async (path, answer, token) => {
    gate.upstream.answer = () => answer
    const fields: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
    const [got] = await gate.send(request('GET', `/v1${path}`, fields))
    const id = got?.field('sallyport-exchange') ?? ''
    const outcome = gate.audit.outcomes.get(id)
    const decisions = [...(gate.audit.intents.get(id)?.decisions ?? []), ...(outcome?.decisions ?? [])]
    const reasons = decisions
      .flatMap((each) => [...each.reasons, ...(each.observed ?? [])])
      .map(({ code }) => code)
    return {
      status: got?.status,
      body: got?.body ?? '',
      head: got?.head ?? '',
      outcome,
      reasons,
      id,
      cut: gate.audit.cuts.get(id),
    }
  }
}
interface Got {
  readonly status: number | undefined
  readonly body: string
  readonly head: string
  readonly outcome: ReturnType<OpenGate['audit']['outcomes']['get']>
  readonly reasons: readonly string[]
  readonly id: string
  readonly cut: ReturnType<OpenGate['audit']['cuts']['get']>
}

describe('strip', () => {
  let gate: OpenGate
  let call: ReturnType<typeof caller>
  beforeAll(async () => {
    gate = await gateWith()
    call = caller(gate)
  })
  afterAll(() => gate.stop())
  afterEach(() => expect(gate.faults).toEqual([]))

  it.each(CODINGS)(
    'an undeclared field never reaches the client in %s, whole or chunked',
    async (coding, encode) => {
      const bytes = encode(Buffer.from(`{"id":"a","n":9007199254740993,"card":"${SECRET}"}`))
      for (const answer of [
        whole('application/json', bytes, `Content-Encoding: ${coding}\r\n`),
        chunked('application/json', bytes, `Content-Encoding: ${coding}\r\n`),
      ]) {
        const { status, body, head, outcome } = await call('/thing', answer)
        expect([status, body]).toEqual([200, '{"id":"a","n":9007199254740993}'])
        expect(head).not.toMatch(/content-encoding/i)
        expect(outcome?.released.dropped).toEqual(['/card'])
      }
    },
  )

  it.each(CODINGS)('a list is filtered and stripped in %s, chunked', async (coding, encode) => {
    const bytes = encode(Buffer.from(`[{"id":"a","owner":"ana","card":1},{"id":"b","owner":"${SECRET}"}]`))
    const { status, body } = await call(
      '/list',
      chunked('application/json', bytes, `Content-Encoding: ${coding}\r\n`),
      gate.token('ana'),
    )
    expect([status, body]).toEqual([200, '[{"id":"a","owner":"ana"}]'])
  })

  it.each([
    ['garbage behind the end', Buffer.concat([gzipSync('{"id":"a"}'), Buffer.from(SECRET)]), 'gzip'],
    ['a second member', Buffer.concat([gzipSync('{"id":"a"}'), gzipSync(SECRET)]), 'gzip'],
    ['cut short', gzipSync(`{"id":"${SECRET}"}`).subarray(0, 20), 'gzip'],
    ['another coding than it says', brotliCompressSync(`{"id":"${SECRET}"}`), 'gzip'],
    ['an unknown coding', Buffer.from(SECRET), 'compress'],
    ['three codings', gzipSync(gzipSync(gzipSync(SECRET))), 'gzip, gzip, gzip'],
    ['a bomb', gzipSync(Buffer.alloc(5_000_000, 0x20)), 'gzip'],
  ])('%s is refused', async (_, bytes, coding) => {
    const { status, body } = await call(
      '/thing',
      whole('application/json', bytes, `Content-Encoding: ${coding}\r\n`),
    )
    expect(status).toBe(502)
    expect(body).not.toContain('SECRET')
  })

  it.each([
    ['a wrong type', `{"id":7}`, 'response-invalid'],
    ['a missing field', `{"n":1}`, 'response-invalid'],
    ['no strict JSON', `{"id":"a","id":"b"}`, 'response-malformed'],
  ])('%s is refused', async (_, body, code) => {
    const { status, reasons, body: said } = await call('/thing', ok(body))
    expect([status, reasons]).toEqual([502, expect.arrayContaining([code])])
    expect(JSON.parse(said)).toMatchObject({ type: `urn:sallyport:reason:${code}` })
  })

  const TRACE = 'TypeError: x is not a function\\n    at get (/srv/shop/orders.js:10:15)'
  it.each([
    ['undeclared', answerOf(418, '<h1>Whitelabel Error Page</h1>', 'text/html')],
    ['of no declared type', answerOf(404, `{"title":"x","card":"${SECRET}"}`, 'text/html')],
    ['that does not fit', answerOf(404, `{"detail":"${SECRET}"}`)],
    ['that is no JSON', answerOf(404, `Traceback ${SECRET}`)],
    ['with a stack trace in a declared field', answerOf(500, `{"title":"x","detail":"${TRACE}"}`)],
    ['with a trace deep in it', answerOf(400, `{"title":"x","errors":["fine","at a.b.C.d(C.java:4)"]}`)],
    ['with SQL', answerOf(500, `{"title":"SQLSTATE[42S02]: no table"}`)],
    ['as a declared page with a banner', answerOf(503, '<center>nginx/1.18.0</center>', 'text/html')],
  ])('an error %s reaches the client as a generic problem document', async (_, answer) => {
    const { status, body, head, outcome, id, reasons } = await call('/thing', answer)
    expect([status, head]).toEqual([
      Number(answer.slice(9, 12)),
      expect.stringMatching(/application\/problem\+json/),
    ])
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'The upstream answered with an error.',
      status,
      exchange: id,
    })
    expect(reasons).toContain('response-error-replaced')
    expect(outcome?.original).toBe(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  })

  it('an error in plain words passes, without its undeclared fields', async () => {
    const plain = `{"title":"SQL course not found at /courses/5","card":"${SECRET}"}`
    const { status, body } = await call('/thing', answerOf(404, plain))
    expect([status, body]).toEqual([404, '{"title":"SQL course not found at /courses/5"}'])
    const page = await call('/thing', answerOf(503, '<p>We are back at ten.</p>', 'text/html'))
    expect([page.status, page.body]).toEqual([503, '<p>We are back at ten.</p>'])
  })

  it.each([
    ['NDJSON', '/lines', 'application/x-ndjson', (item: string) => `${item}\n`],
    ['JSON Lines by the schema of an array', '/jsonl', 'application/jsonl', (item: string) => `${item}\n`],
    ['JSON text sequences', '/seq', 'application/json-seq', (item: string) => `\u001e${item}\n`],
    ['events', '/events', 'text/event-stream', (item: string) => `id: 1\ndata: ${item}\n\n`],
  ])('%s: each item is stripped, what does not fit left out', async (_, path, type, frame) => {
    const items = [
      `{"id":"a","n":9007199254740993,"card":"${SECRET}"}`,
      `{"id":7,"n":"${SECRET}"}`,
      `{"id":"${SECRET}`,
      '{"id":"b"}',
    ]
    const sent = items.map(frame).join('')
    for (const answer of [
      chunked(type, sent),
      whole(type, Buffer.from(sent)),
      chunked(type, gzipSync(sent), 'Content-Encoding: gzip\r\n'),
    ]) {
      const { status, body, outcome, reasons } = await call(path, answer)
      expect([status, body]).toEqual([
        200,
        ['{"id":"a","n":9007199254740993}', '{"id":"b"}'].map(frame).join(''),
      ])
      expect(outcome?.sequence).toEqual({ items: 4, released: 2, unfit: 2 })
      expect([outcome?.released.bytes, outcome?.released.dropped]).toEqual([
        Buffer.byteLength(body),
        ['/card'],
      ])
      expect(reasons).toEqual(expect.arrayContaining(['response-item-dropped', 'response-field-dropped']))
    }
  })

  it('whose each item is decides item by item, and the record counts them', async () => {
    const lines = ['ana', 'ben', 'ana']
      .map((owner, i) => `{"id":"${i}","owner":"${owner}","card":1}\n`)
      .join('')
    const { status, body, outcome } = await call(
      '/mine',
      chunked('application/jsonl', lines),
      gate.token('ana'),
    )
    expect([status, body]).toEqual([200, '{"id":"0","owner":"ana"}\n{"id":"2","owner":"ana"}\n'])
    expect(outcome?.decisions.at(-1)?.items).toMatchObject({ judged: 3, released: 2 })
    expect(outcome?.attributes?.items).toEqual([{ owner: 'corp/ana' }, { owner: 'corp/ben' }])
  })

  it('an item larger than may be held ends the stream', async () => {
    const { closed, got } = await streamed(gate, '/lines', 'application/x-ndjson', [
      '{"id":"a"}\n',
      `{"id":"${'x'.repeat(30_000)}${SECRET}"}\n`,
    ])
    expect(got).toContain('{"id":"a"}\n')
    expect([closed, got.includes('SECRET')]).toEqual([true, false])
    expect([...gate.audit.cuts.values()].at(-1)?.why).toBe('the gate ended the stream: response-too-large')
  })

  it('an event goes out when it comes, and a revoked caller’s stream ends', async () => {
    const token = gate.token('ana')
    const up: Socket[] = []
    gate.upstream.answer = (_call, socket) => {
      up.push(socket)
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n\r\n')
      return undefined
    }
    const item = '{"id":"a","owner":"ana"}\n'
    const send = (): unknown => up[0]?.write(`${item.length.toString(16)}\r\n${item}\r\n`)
    const socket = connect(gate.port, '127.0.0.1')
    let got = ''
    let closed = false
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString()
    })
    socket.on('close', () => {
      closed = true
    })
    socket.write(request('GET', '/v1/mine', { Authorization: `Bearer ${token}` }))
    await until(() => up.length > 0)
    send()
    await until(() => got.includes(item))
    expect(got).toContain(item)
    gate.revocations.apply({
      kind: 'subject',
      iss: 'https://idp.example',
      sub: 'ana',
      notBefore: Math.floor(Date.now() / 1000),
      until: Date.now() + 60_000,
      by: 'test',
      at: Date.now(),
    })
    await pause(1_100)
    send()
    await until(() => closed)
    expect([closed, got.split(item).length - 1]).toEqual([true, 1])
    const [id, outcome] = [...gate.audit.outcomes].at(-1) ?? []
    expect(outcome?.decisions.at(-1)?.reasons[0].code).toBe('subject-revoked')
    expect(gate.audit.cuts.get(id ?? '')?.why).toBe('the gate ended the stream: subject-revoked')
    expect(outcome?.sequence?.items).toBe(2)
  })

  it('fields the contract declares are held against it', async () => {
    const seen = async (more: string): Promise<number | undefined> =>
      (await call('/headed', ok('{"id":"a"}', 'application/json', more))).status
    expect(await seen('X-Count: 7\r\nX-Kinds: a, b\r\nX-Other: 1\r\n')).toBe(200)
    expect(await seen('X-Kinds: a\r\n')).toBe(502)
    expect(await seen('X-Count: many\r\n')).toBe(502)
    expect(await seen('X-Count: 7\r\nX-Kinds: a,b,a\r\n')).toBe(502)
    expect(await seen('X-Count: 7\r\nX-Count: 8\r\n')).toBe(502)
  })

  it('XML and text are held against their schemas', async () => {
    const xml = async (body: string): Promise<unknown[]> => {
      const { status, body: got } = await call('/xml', ok(body, 'application/xml'))
      return [status, got.includes('SECRET') || status === 502 ? '' : got]
    }
    expect(await xml('<thing><id>abc</id></thing>')).toEqual([200, '<thing><id>abc</id></thing>'])
    expect(await xml('<thing><id>abcd</id></thing>')).toEqual([502, ''])
    expect(await xml('<thing><id>abc</id>')).toEqual([502, ''])
    expect(
      (await call('/xml', ok(`<thing><id>abc</id><card>${SECRET}</card></thing>`, 'application/xml'))).body,
    ).not.toContain('SECRET')
    expect((await call('/word', ok('short', 'text/plain'))).status).toBe(200)
    expect((await call('/word', ok('longer', 'text/plain'))).status).toBe(502)
  })

  it('what tells of the upstream’s software is left out', async () => {
    const banners =
      'Server: x/1\r\nX-Powered-By: x\r\nVia: 1.1 inner\r\nX-AspNet-Version: 4\r\nX-Debug-Token: 1\r\nX-Plain: 1\r\n'
    const { head } = await call('/thing', ok('{"id":"a"}', 'application/json', banners))
    expect(head).not.toMatch(/^(?:server|x-powered-by|via|x-aspnet-version|x-debug-token):/im)
    expect(head).toMatch(/^X-Plain: 1/im)
    expect(head).toMatch(/^X-Content-Type-Options: nosniff/im)
  })
})

describe('block', () => {
  let gate: OpenGate
  let call: ReturnType<typeof caller>
  beforeAll(async () => {
    gate = await gateWith('    answers: block\n    operations: { getPlain: { answers: strip } }')
    call = caller(gate)
  })
  afterAll(() => gate.stop())

  it('an undeclared field refuses the answer, recorded by its place', async () => {
    const { status, outcome, body } = await call(
      '/list',
      ok(`[{"id":"a","owner":"ana","card":"${SECRET}"}]`),
      gate.token('ana'),
    )
    expect([status, body.includes('SECRET')]).toEqual([502, false])
    const found = outcome?.decisions.flatMap(({ reasons }) => reasons) ?? []
    expect(found).toContainEqual(
      expect.objectContaining({
        code: 'response-field-undeclared',
        evidence: expect.objectContaining({ fields: ['/*/card'] }),
      }),
    )
    expect((await call('/thing', ok('{"id":"a","card":1}'))).body).toBe('{"id":"a"}')
  })

  it('an item that does not fit ends the stream, after those before it', async () => {
    const { closed, got } = await streamed(gate, '/lines', 'application/x-ndjson', [
      '{"id":"a"}\n',
      `{"id":"b","card":"${SECRET}"}\n{"id":"c"}\n`,
    ])
    expect(got).toContain('{"id":"a"}\n')
    expect([closed, got.includes('SECRET'), got.includes('"c"')]).toEqual([true, false, false])
    const outcome = [...gate.audit.outcomes.values()].at(-1)
    expect(outcome?.decisions.at(-1)).toMatchObject({ effect: 'deny' })
    expect(outcome?.sequence).toEqual({ items: 2, released: 1, unfit: 0 })
  })
})

describe('observe', () => {
  it.each([
    ['    answers: observe'],
    ['    operations: { getPlain: { answers: observe }, getLines: { answers: observe } }'],
  ])('no byte changes, and the record says what would have been: %s', async (api) => {
    const gate = await gateWith(api)
    const call = caller(gate)
    for (const answer of [
      ok(`{"id":7,"card":"${SECRET}"}`),
      answerOf(418, 'x', 'text/html'),
      answerOf(202, 'x', 'text/html'),
    ]) {
      const { body, outcome, status } = await call('/thing', answer)
      expect(answer.endsWith(`\r\n\r\n${body}`)).toBe(true)
      expect(outcome?.wouldDeny).toBe(status !== 418)
    }
    const lines = '{"id":"a","card":1}\n\n{"id":7}\n'
    const { body, outcome, reasons } = await call('/lines', whole('application/x-ndjson', Buffer.from(lines)))
    expect([body, outcome?.wouldDeny]).toEqual([lines, false])
    expect(reasons).toEqual(expect.arrayContaining(['response-item-dropped', 'response-field-dropped']))
    expect(outcome?.released.kept).toBe(true)
    const clean = await call('/lines', whole('application/x-ndjson', Buffer.from('{"id":"a"}\n')))
    expect(clean.outcome?.released.kept).toBeUndefined()
    await gate.stop()
  })

  it.each([
    ['/lines', 'application/x-ndjson', '{"id":"a","card":1}\n'],
    ['/events', 'text/event-stream', 'data: {"id":"a","card":1}\n\n'],
  ])('of an enforced API a stream is told by what it would lose: %s', async (path, type, text) => {
    const gate = await gateWith('    answers: observe')
    const { body, id, outcome } = await caller(gate)(path, whole(type, Buffer.from(text)))
    expect(body).toBe(text)
    const report = new WouldDeny()
    const intent = gate.audit.intents.get(id)
    if (intent === undefined || outcome === undefined) throw new Error('no record')
    const place = { node: '', boot: '', thread: 0, sequence: 0 }
    report.add({
      v: 1,
      place,
      intent: { ...intent, sealed: 'open', personal: null },
      outcome,
    } as unknown as ExchangeRecord)
    expect(report.report()).toMatchObject({
      observed: 1,
      enforced: 0,
      dropped: [{ answers: 1, fields: [expect.stringMatching(/\/card$/)] }],
    })
    await gate.stop()
  })
})

describe('answers over the plan', () => {
  const large = (owner: string): string => ok(`{"id":"${'x'.repeat(30_000)}","owner":"${owner}"}`)

  it('are refused, or passed on unread and counted, but never where a decision needs them', async () => {
    const refusing = await gateWith()
    expect((await caller(refusing)('/thing', large('ana'))).status).toBe(502)
    await refusing.stop()
    const gate = await gateWith('    largeAnswers: pass')
    const call = caller(gate)
    const { status, body, outcome } = await call('/thing', large('ana'))
    expect([status, body.length]).toEqual([200, 30_000 + 23])
    expect(outcome?.notPlayed).toContain('response-contract')
    expect((await call('/things/a', large('ana'), gate.token('ana'))).status).not.toBe(200)
    expect((await call('/list', ok(`[{"id":"${'x'.repeat(30_000)}"}]`), gate.token('ana'))).status).not.toBe(
      200,
    )
    expect((await call('/thing', answerOf(500, `{"title":"${'x'.repeat(30_000)}"}`))).body).toContain(
      'about:blank',
    )
    expect((await call('/thing', ok('x'.repeat(30_000), 'text/csv'))).status).toBe(502)
    await gate.stop()
  })
})

/** Whatever came back of a stream that the gate cuts off. */
async function streamed(
  gate: OpenGate,
  path: string,
  type: string,
  parts: readonly string[],
): Promise<{ got: string; closed: boolean }> {
  gate.upstream.answer = (_call, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    parts.forEach((part, index) => {
      setTimeout(() => socket.write(`${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`), index * 150)
    })
    return undefined
  }
  const socket = connect(gate.port, '127.0.0.1')
  let got = ''
  let closed = false
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString()
  })
  socket.on('close', () => {
    closed = true
  })
  socket.write(request('GET', `/v1${path}`))
  await until(() => closed)
  await pause(20)
  expect(split(got)).toEqual([])
  return { got, closed }
}

async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !done(); turn++) await pause(10)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
