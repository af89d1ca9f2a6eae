import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SallyportError } from '../../src/model/errors.ts'
import { answerOf, type OpenGate, ok, openGate, request } from '../attacks/open-gate.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

describe('request bodies on the wire', () => {
  let gate: OpenGate
  let auth: Record<string, string>
  beforeAll(async () => {
    gate = await openGate({
      api: '    maxRequestBytes: 2000\n    timeouts: { requestMs: 150, headMs: 1200, bodyMs: 1200 }',
    })
    auth = { Authorization: `Bearer ${gate.token('ana')}`, ...JSON_TYPE }
    gate.upstream.answer = () => answerOf(201, '{"id":"a"}')
  })
  afterAll(() => gate.stop())
  afterEach(() => {
    expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
    expect(gate.faults).toEqual([])
  })

  const post = (body: string, more: Record<string, string> = {}): string =>
    request('POST', '/v1/things', { ...auth, ...more }, body)
  const code = (body: string | undefined): string =>
    JSON.parse(body ?? '{}')
      .type?.split(':')
      .pop() ?? ''

  it('forwards exactly the bytes it validated', async () => {
    const body = '{ "count":9007199254740993,\n"note":"caf\xc3\xa9 \\u0041" }'
    const [answer] = await gate.send(
      request('POST', '/v1/things', { ...auth, 'Content-Length': String(body.length) }, body),
    )
    expect(answer?.status).toBe(201)
    expect(gate.upstream.calls.at(-1)?.body).toBe(body)
  })

  it('joins chunks, and lets no trailer become a field', async () => {
    const chunks = '8\r\n{"id":"a\r\n2;x=y\r\n"}\r\n0\r\nAuthorization: Bearer x\r\nX-Admin: 1\r\n\r\n'
    const [answer, next] = await gate.send(
      post(chunks, { 'Transfer-Encoding': 'chunked' }) + post('{"id":"b"}'),
      2,
    )
    expect([answer?.status, next?.status]).toEqual([201, 201])
    const call = gate.upstream.calls.at(-2)
    expect([call?.body, call?.field('content-length'), call?.field('x-admin')]).toEqual([
      '{"id":"a"}',
      '10',
      undefined,
    ])
  })

  it.each([
    ['{"id":"a","id":"b"}', 400, 'body-malformed'],
    ['{"id":"a","\\u0069d":"b"}', 400, 'body-malformed'],
    ['{"id":"a","__proto__":{}}', 400, expect.stringMatching(/body-malformed|field-undeclared/)],
    ['{"id":"a","admin":true}', 400, 'field-undeclared'],
    ['{"count":"1"}', 400, 'body-invalid'],
    ['', 400, 'body-missing'],
  ])('refuses %s', async (body, status, why) => {
    const before = gate.upstream.calls.length
    const [answer] = await gate.send(post(body))
    expect([answer?.status, code(answer?.body)]).toEqual([status, why])
    expect(gate.upstream.calls.length).toBe(before)
  })

  it('refuses other codings and media types, and what is not in its coding', async () => {
    const coded = await gate.send(post('{"id":"a"}', { 'Content-Encoding': 'compress' }))
    const typed = await gate.send(post('<a/>', { 'Content-Type': 'text/xml' }))
    const plain = await gate.send(post('{"id":"a"}', { 'Content-Encoding': 'gzip' }))
    expect([coded[0]?.status, typed[0]?.status, plain[0]?.status]).toEqual([415, 415, 400])
  })

  it('refuses what is too large: announced at once, chunked as soon as it is, and goes on', async () => {
    const announced = await gate.send(post(`"${'a'.repeat(5_000)}"`) + post('{"id":"b"}'), 2)
    expect(announced.map(({ status }) => status)).toEqual([413, 201])
    const broken = await gate.send(`${post(`"${'a'.repeat(5_000)}"`)}nonsense\r\n\r\n`, 3)
    expect([broken.map(({ status }) => status), broken.closed]).toEqual([[413, 400], true])
    const chunk = `${(3_000).toString(16)}\r\n${'a'.repeat(3_000)}\r\n`
    const chunked = await gate.send([
      request('POST', '/v1/things', { ...auth, 'Transfer-Encoding': 'chunked' }) + chunk,
    ])
    expect(chunked[0]?.status).toBe(413)
  })

  it('cuts a caller who goes on sending what nobody wants', async () => {
    const head = request('POST', '/v1/things', { ...auth, 'Content-Length': '100000000' })
    const got = await gate.send(
      [
        head,
        ...Array(20)
          .fill(['a'.repeat(1_000), 40])
          .flat(),
      ],
      2,
    )
    expect(got.map(({ status }) => status)).toEqual([413])
    expect(got.closed).toBe(true)
  })

  it('answers a slow body with 408 in its time, and closes', async () => {
    const started = Date.now()
    const got = await gate.send([post('{"id":', { 'Content-Length': '50' })], 2)
    expect([got[0]?.status, code(got[0]?.body), got.closed]).toEqual([408, 'body-too-slow', true])
    expect(Date.now() - started).toBeLessThan(1_000)
  })

  it('records a body that breaks off, and forwards none of it', async () => {
    const before = gate.upstream.calls.length
    const socket = connect(gate.port, '127.0.0.1')
    socket.write(post('{"id":', { 'Content-Length': '50' }))
    await pause(30)
    socket.destroy()
    await pause(30)
    const [id, outcome] = [...gate.audit.outcomes].at(-1) ?? []
    expect(gate.audit.intents.get(id ?? '')?.decisions.at(-1)?.reasons[0]?.code).toBe('body-broken-off')
    expect([outcome?.action, gate.upstream.calls.length]).toEqual(['refused', before])
  })

  it('invites a body only once its head is allowed', async () => {
    const asks = { Expect: '100-continue', 'Content-Length': '10' }
    const head = (more: Record<string, string>): string =>
      request('POST', '/v1/things', { ...JSON_TYPE, ...asks, ...more })
    const invited = await gate.send([head(auth), 50, '{"id":"a"}'], 2)
    expect(invited.map(({ status }) => status)).toEqual([100, 201])
    const refused = await gate.send(head({}) + request('GET', '/v1/free'), 2)
    expect([refused.map(({ status }) => status), refused.closed]).toEqual([[401], true])
    const large = await gate.send(head({ ...auth, 'Content-Length': '9999' }), 2)
    expect([large.map(({ status }) => status), large.closed]).toEqual([[413], true])
    const old = head(auth).replace('HTTP/1.1', 'HTTP/1.0')
    expect((await gate.send(`${old}{"id":"a"}`, 2)).map(({ status }) => status)).toEqual([201])
  })
})

describe('upstreams on the wire', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate({ api: '    timeouts: { connectMs: 500, headMs: 1000, bodyMs: 1000 }' })
  })
  afterAll(() => gate.stop())
  afterEach(() => {
    expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
    expect(gate.faults).toEqual([])
  })

  const free = request('GET', '/v1/free')
  const code = (body: string | undefined): string =>
    JSON.parse(body ?? '{}')
      .type?.split(':')
      .pop() ?? ''
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'

  it.each([
    ['not HTTP', 'SSH-2.0-x\r\n', 502],
    ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`, 502],
    [
      'a length beside a coding',
      `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      502,
    ],
    ['a folded field', `${HEAD}X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}`, 502],
    ['a control character', `${HEAD}X: a\x01b\r\nContent-Length: 2\r\n\r\n{}`, 502],
    ['a bare CR', `${HEAD}X: a\rb\r\nContent-Length: 2\r\n\r\n{}`, 502],
    ['a bad chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 502],
    ['huge fields', `${HEAD}X: ${'a'.repeat(200_000)}\r\nContent-Length: 2\r\n\r\n{}`, 502],
    ['status 099', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n', 502],
    ['101 nobody asked for', 'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n', 502],
  ])('%s is a 502', async (_, bytes, status) => {
    gate.upstream.answer = (_call, socket) => void socket.end(bytes, 'latin1')
    const [answer] = await gate.send(free)
    expect([answer?.status, code(answer?.body)]).toEqual([status, 'upstream-broken'])
  })

  it('an answer that ends before its announced end is a 502', async () => {
    gate.upstream.answer = (_call, socket) => void socket.end(`${HEAD}Content-Length: 50\r\n\r\n{"id":`)
    expect((await gate.send(free))[0]?.status).toBe(502)
  })

  it('silence is a 504, before and within the answer', async () => {
    gate.upstream.answer = () => undefined
    expect((await gate.send(free))[0]?.status).toBe(504)
    gate.upstream.answer = () => `${HEAD}Content-Length: 50\r\n\r\n{"id":`
    expect((await gate.send(free))[0]?.status).toBe(504)
  })

  it('interim answers are not the answer', async () => {
    gate.upstream.answer = () =>
      `HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${ok('{"id":"a"}')}`
    expect((await gate.send(free)).map(({ status, body }) => [status, body])).toEqual([[200, '{"id":"a"}']])
  })

  it('goes once more over a connection that was closed while idle, but never for a write', async () => {
    gate.upstream.answer = () => ok('{"id":"a"}')
    await gate.send(free)
    let fresh = false
    gate.upstream.answer = (_call, socket) => {
      if (fresh) return ok('{"id":"b"}')
      fresh = true
      socket.destroy()
      return undefined
    }
    expect((await gate.send(free))[0]?.body).toBe('{"id":"b"}')
    const calls = gate.upstream.calls.length
    fresh = false
    const auth = { Authorization: `Bearer ${gate.token('ana')}`, ...JSON_TYPE }
    expect((await gate.send(request('POST', '/v1/things', auth, '{"id":"a"}')))[0]?.status).toBe(502)
    expect(gate.upstream.calls.length - calls).toBe(1)
  })

  it('a caller who leaves ends the upstream call, and the record says so', async () => {
    let ended = false
    gate.upstream.answer = (_call, socket) => {
      socket.once('close', () => {
        ended = true
      })
      return undefined
    }
    const socket = connect(gate.port, '127.0.0.1')
    socket.write(free)
    await pause(60)
    socket.destroy()
    await pause(60)
    expect(ended).toBe(true)
    const [id, outcome] = [...gate.audit.outcomes].at(-1) ?? []
    expect(outcome?.decisions.at(-1)?.reasons[0]).toMatchObject({
      code: 'upstream-broken',
      evidence: { abandoned: true },
    })
    expect(gate.audit.cuts.get(id ?? '')?.why).toBe('the caller left')
  })

  it('an upstream that is down is a 502, for reads, writes and their look-ups', async () => {
    await gate.upstream.stop()
    const auth = { Authorization: `Bearer ${gate.token('ana')}`, ...JSON_TYPE }
    expect((await gate.send(free))[0]?.status).toBe(502)
    const patched = await gate.send(request('PATCH', '/v1/things/a', auth, '{"note":"x"}'))
    expect([patched[0]?.status, code(patched[0]?.body)]).toEqual([502, 'upstream-unreachable'])
  })
})

describe('connections', () => {
  const free = request('GET', '/v1/free')
  const slowly = (gate: OpenGate, ms: number): void => {
    gate.upstream.answer = (_call, socket) => {
      setTimeout(() => socket.write(ok('{"id":"a"}')), ms)
      return undefined
    }
  }

  it('a head that does not come in time is answered with 408 and recorded once', async () => {
    const gate = await openGate({ limits: { headMs: 200 } })
    const got = await gate.send(['GET /v1/free HTTP/1.1\r\nHost: thi'], 2)
    expect([got.map(({ status }) => status), got.closed]).toEqual([[408], true])
    expect([gate.audit.intents.size, gate.audit.outcomes.size]).toEqual([1, 1])
    await gate.stop()
  })

  it('a caller who closes its half early leaves one record and nothing hanging', async () => {
    const gate = await openGate()
    slowly(gate, 40)
    const halves = [
      [free, 1],
      [free + free, 1],
      [`${free}GET /v1`, 2],
      ['GET /v1', 1],
    ] as const
    for (const [part, records] of halves) {
      const before = gate.audit.intents.size
      const socket = connect({ port: gate.port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => undefined)
      socket.end(part)
      await pause(150)
      expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
      expect(gate.audit.intents.size - before).toBe(records)
      socket.destroy()
    }
    expect(gate.faults).toEqual([])
    const started = Date.now()
    await gate.listener.drain(3_000)
    expect(Date.now() - started).toBeLessThan(500)
    await gate.stop()
  })

  it('draining answers what is under way, says it is the last, and takes no more', async () => {
    const gate = await openGate()
    slowly(gate, 120)
    const under = gate.send(free + free, 2)
    await pause(40)
    const drained = gate.listener.drain(3_000)
    const got = await under
    await drained
    expect([got.map(({ status }) => status), got[0]?.field('connection'), got.closed]).toEqual([
      [200],
      'close',
      true,
    ])
    await expect(gate.send(free)).rejects.toThrow()
    expect(gate.audit.intents.size).toBe(1)
    await gate.stop()
  })

  it('a gate that cannot record refuses, also a stream whose outcome fails', async () => {
    const gate = await openGate()
    let failing = false
    const { outcome } = gate.audit
    gate.audit.outcome = (entry) => {
      if (failing) throw new SallyportError('audit-write-failed', 'disk full')
      return outcome.call(gate.audit, entry)
    }
    gate.upstream.answer = () => ok('data', 'text/event-stream')
    expect((await gate.send(request('GET', '/v1/events')))[0]?.body).toBe('data')
    failing = true
    const [cut] = await gate.send(request('GET', '/v1/events'))
    expect(cut?.body).not.toBe('data')
    expect(gate.faults.every(({ stage }) => stage === 'audit')).toBe(true)
    await gate.stop()
  })

  it('one that reads no answer at all does not keep a call open for ever', async () => {
    const gate = await openGate({ limits: { stallMs: 200 } })
    gate.upstream.answer = () => ok(`{"id":"${'a'.repeat(900_000)}"}`)
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write(free.repeat(12))
    for (let turn = 0; turn < 100 && gate.audit.cuts.size === 0; turn++) await pause(50)
    expect(gate.audit.cuts.size).toBe(1)
    expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
    socket.destroy()
    await gate.stop()
  })
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
