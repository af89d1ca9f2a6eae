import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenGate, openGate, request } from './open-gate.ts'

const GOOD = request('GET', '/v1/free')
const free = (fields: string, body = ''): string =>
  `GET /v1/free HTTP/1.1\r\nHost: things.example\r\n${fields}\r\n${body}`
const chunked = (body: string): string => free('Transfer-Encoding: chunked\r\n', body)

/** Refused, and what follows on the connection is never taken for a request: the gate closes it. */
const CLOSED: Record<string, [bytes: string, status: number]> = {
  'Transfer-Encoding beside Content-Length': [
    free('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    400,
  ],
  'Content-Length beside Transfer-Encoding': [
    free('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  'differing lengths': [free('Content-Length: 5\r\nContent-Length: 6\r\n', 'abcde'), 400],
  'the same length twice': [free('Content-Length: 5\r\nContent-Length: 5\r\n', 'abcde'), 400],
  'a list of lengths': [free('Content-Length: 5, 5\r\n', 'abcde'), 400],
  'a signed length': [free('Content-Length: +5\r\n', 'abcde'), 400],
  'a negative length': [free('Content-Length: -1\r\n'), 400],
  'a hexadecimal length': [free('Content-Length: 0x5\r\n', 'abcde'), 400],
  'an empty length': [free('Content-Length: \r\n'), 400],
  'a length beyond 64 bits': [free('Content-Length: 99999999999999999999\r\n'), 400],
  'an unknown coding': [free('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 501],
  'identity coding': [free('Transfer-Encoding: identity\r\n', '0\r\n\r\n'), 501],
  'a quoted coding': [free('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), 501],
  'chunked not last': [free('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), 400],
  'codings on two lines': [
    free('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    400,
  ],
  'a vertical tab before the coding': [free('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400],
  'a coding in HTTP/1.0': [chunked('0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'), 400],
  'bare LF after a field': [free('X: a\nY: b\r\n'), 400],
  'bare LF throughout': [free('').replaceAll('\r\n', '\n'), 400],
  'bare CR in a value': [free('X: a\rY: b\r\n'), 400],
  'space before the colon': [free('X : a\r\n'), 400],
  'space before the name': [free(' X: a\r\n'), 400],
  'a folded line': [free('X: a\r\n b\r\n'), 400],
  'an empty name': [free(': a\r\n'), 400],
  'NUL in a value': [free('X: a\x00b\r\n'), 400],
  'a control character in a value': [free('X: a\x01b\r\n'), 400],
  'DEL in a value': [free('X: a\x7fb\r\n'), 400],
  'a chunk size that is none': [chunked('zz\r\n'), 400],
  'a negative chunk size': [chunked('-1\r\n\r\n'), 400],
  'a chunk size beyond 64 bits': [chunked('fffffffffffffffff\r\n'), 400],
  'LF after a chunk size': [chunked('1\na\r\n0\r\n\r\n'), 400],
  'LF in a chunk extension': [chunked('1;a\n=b\r\na\r\n0\r\n\r\n'), 400],
  'more bytes than the chunk size': [chunked('1\r\nab\r\n0\r\n\r\n'), 400],
  'CR CR after a chunk': [chunked('1\r\na\r\r0\r\n\r\n'), 400],
  'a length among the trailers': [chunked('0\r\nContent-Length: 5\r\n\r\n'), 400],
  'HTTP/0.9': ['GET /v1/free\r\n\r\n', 400],
  'HTTP/2.0 in clear': [GOOD.replace('HTTP/1.1', 'HTTP/2.0'), 400],
  'HTTP/1.2': [GOOD.replace('HTTP/1.1', 'HTTP/1.2'), 400],
  'the HTTP/2 preface': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  'a TLS hello': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  'a method in lower case': ['get /v1/free HTTP/1.1\r\nHost: things.example\r\n\r\n', 400],
  'space in the target': ['GET /v1/fr ee HTTP/1.1\r\nHost: things.example\r\n\r\n', 400],
  'tab in the target': ['GET /v1/fr\tee HTTP/1.1\r\nHost: things.example\r\n\r\n', 400],
  'an octet above ASCII in the target': ['GET /v1/fr\xe9e HTTP/1.1\r\nHost: things.example\r\n\r\n', 400],
  CONNECT: ['CONNECT things.example:443 HTTP/1.1\r\nHost: things.example\r\n\r\n', 501],
  Upgrade: [free('Connection: Upgrade\r\nUpgrade: websocket\r\n'), 501],
  'Upgrade to h2c': [
    free('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n'),
    501,
  ],
  'a head of 200 kB': [request('GET', `/v1/${'a'.repeat(200_000)}`), 431],
  'a token of 1 MB': [free(`Authorization: Bearer ${'a'.repeat(1_048_576)}\r\n`), 431],
}

/** Refused, and the next request on the connection is answered as itself. */
const KEPT: Record<string, [bytes: string, status: number]> = {
  'no Host': ['GET /v1/free HTTP/1.1\r\n\r\n', 400],
  'two Hosts': [free('Host: other.example\r\n'), 400],
  'a Host with a space': [GOOD.replace('things.example', 'a b'), 400],
  'a Host with user information': [GOOD.replace('things.example', 'x@things.example'), 400],
  'a Host with a path': [GOOD.replace('things.example', 'things.example/v1'), 400],
  'a Host of nowhere': [GOOD.replace('things.example', 'nowhere.example'), 404],
  'an absolute target of nowhere': [request('GET', 'http://nowhere.example/v1/free'), 404],
  'an absolute target with user information': [request('GET', 'http://a@things.example/v1/free'), 400],
  'OPTIONS *': [request('OPTIONS', '*'), 400],
  TRACE: [request('TRACE', '/v1/free'), 405],
  'an unknown expectation': [free('Expect: x\r\n'), 501],
  'a coding before chunked': [free('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
  'a chunked body where none is declared': [chunked('1;a=b\r\na\r\n0\r\n\r\n'), 400],
  '10,000 fields': [free('a: b\r\n'.repeat(10_000)), 431],
  'a target of 20 kB': [request('GET', `/v1/${'a'.repeat(20_000)}`), 400],
  'two types': [free('Content-Type: a/b\r\nContent-Type: c/d\r\n'), 400],
  'two credentials': [
    request('GET', '/v1/things/a', { Authorization: 'Bearer x', authorization: 'Bearer y' }),
    400,
  ],
}

describe('framing and hygiene (standards 6.1, 6.2, 6.5, 6.8, 6.9)', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate()
  })
  afterAll(() => gate.stop())

  async function refused(bytes: string, answers: number) {
    const { intents, outcomes } = gate.audit
    const before = [gate.upstream.calls.length, intents.size, outcomes.size] as const
    const got = await gate.send(bytes, answers)
    const [first] = got
    expect(first?.field('content-type')).toBe('application/problem+json')
    const problem = JSON.parse(first?.body ?? '')
    expect(problem.type).toMatch(/^urn:sallyport:reason:[a-z0-9-]+$/)
    expect(problem.exchange).toBe(first?.field('sallyport-exchange'))
    expect(outcomes.get(problem.exchange)?.status).toBe(first?.status)
    const added = [
      gate.upstream.calls.length - before[0],
      intents.size - before[1],
      outcomes.size - before[2],
    ]
    return { got, added }
  }

  it.each(Object.entries(CLOSED))('%s: refused, recorded once, closed', async (_, [bytes, status]) => {
    const { got, added } = await refused(bytes + GOOD, 2)
    expect(got.map((answer) => answer.status)).toEqual([status])
    expect(got.closed).toBe(true)
    expect(added).toEqual([0, 1, 1])
  })

  it.each(Object.entries(KEPT))(
    '%s: refused, recorded once, and the next call is itself',
    async (_, [bytes, status]) => {
      const { got, added } = await refused(bytes + GOOD, 2)
      expect(got.map((answer) => answer.status)).toEqual([status, 200])
      expect(added).toEqual([1, 2, 2])
    },
  )

  it('answers what was sent ahead in order, one call at a time, and a broken one last', async () => {
    gate.upstream.calls.length = 0
    const seen: number[] = []
    let open = 0
    gate.upstream.answer = (call, socket) => {
      open += 1
      seen.push(open)
      setTimeout(
        () => {
          open -= 1
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"id":"${call.path.slice(-3)}"}`,
          )
        },
        call.path.endsWith('q=1') ? 60 : 5,
      )
      return undefined
    }
    const ahead = ['1', '2', '3'].map((q) => request('GET', `/v1/free?q=${q}`)).join('')
    const connectLast = 'CONNECT things.example:443 HTTP/1.1\r\nHost: things.example\r\n\r\n'
    expect(
      (await gate.send(`${ahead}${connectLast}`, 4)).map(({ status, body }) => [status, body.slice(0, 12)]),
    ).toEqual([
      [200, '{"id":"q=1"}'],
      [200, '{"id":"q=2"}'],
      [200, '{"id":"q=3"}'],
      [501, expect.any(String)],
    ])
    expect((await gate.send(`${ahead}GET / HTTP/1.1\nX\n\n`, 4)).map(({ status }) => status)).toEqual([
      200, 200, 200, 400,
    ])
    expect(Math.max(...seen)).toBe(1)
    gate.upstream.answer = () =>
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"id":"a"}'
  })

  it('takes nothing up for a caller who left, and lets go of who sends ahead without end', async () => {
    const before = gate.audit.intents.size
    gate.upstream.answer = (_, socket) => {
      setTimeout(
        () =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
        100,
      )
      return undefined
    }
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(GOOD.repeat(40))
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(gate.audit.intents.size - before).toBe(1)
    expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
    const flood = await gate.send(GOOD.repeat(200), 200)
    expect(flood.closed).toBe(true)
    expect(gate.audit.outcomes.size - before).toBeLessThan(5)
    gate.upstream.answer = () =>
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
  })

  it('outlives a caller who resets a tunnel or a refused connection', async () => {
    for (const bytes of [
      'CONNECT a:1 HTTP/1.1\r\nHost: things.example\r\n\r\n',
      'x\r\n\r\n',
      chunked('zz\r\n'),
      GOOD,
    ]) {
      const socket = connect(gate.port, '127.0.0.1')
      socket.on('error', () => undefined)
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.write(bytes)
      await new Promise((resolve) => setTimeout(resolve, 2))
      socket.resetAndDestroy()
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await gate.send(GOOD)).map(({ status }) => status)).toEqual([200])
    expect(gate.faults).toEqual([])
  })
})

describe('the path judged is the path forwarded (standards 6.6)', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate()
  })
  afterAll(() => gate.stop())

  const REFUSED = [
    '/v1/./free',
    '/v1/../v1/free',
    '/v1/things/../free',
    '/v1/%2e/free',
    '/v1/%2e%2e/v1/free',
    '/v1/.%2e/v1/free',
    '/v1/%2E%2E/v1/free',
    '/v1/..%2ffree',
    '/v1/..%5cfree',
    '/v1/%5c..%5cfree',
    '/v1\\free',
    '/v1/free\\',
    '//v1/free',
    '/v1//free',
    '/v1/free//',
    '/v1/free;a=b',
    '/v1;x/free',
    '/v1/%00',
    '/v1/free%00',
    '/v1/free%0a',
    '/v1/free%0d%0a',
    '/v1/%252e%252e/free',
    '/v1/%252ffree',
    '/v1/free%25%32%66',
    '/v1/%c0%ae%c0%ae/free',
    '/v1/%e0%80%af',
    '/v1/free%',
    '/v1/free%2',
    '/v1/free%zz',
    '/v1/free#x',
    '/v1/free%7f',
    '/v1/%2e%2e%2f%2e%2e%2f',
    '/v1/..;/free',
    '/v1/free%ff',
    '/v1/free?q=%',
    '/v1/free?q=%ff',
    '/v1/free?q=a#b',
    'v1/free',
    '/v1/free%5c',
    '/v1/<free>',
    '/v1/"free"',
    '/v1/{free}',
  ]
  const UNKNOWN = [
    '/V1/free',
    '/v1/FREE',
    '/v1/free/',
    '/v1/%66ree/x',
    '/v10/free',
    '/v1',
    '/',
    '/v1%2ffree',
    '/v1/things%2fa',
  ]
  const SAME: Record<string, string> = {
    '/v1/%66ree': '/v1/free',
    '/%761/fre%65': '/v1/free',
    '/v1/free?q=a%2fb': '/v1/free?q=a%2fb',
    '/v1/free?q=a;q=b': '/v1/free?q=a%3Bq=b',
    'http://things.example/v1/free': '/v1/free',
    'http://THINGS.example:80/v1/free?q=1': '/v1/free?q=1',
  }

  it.each(REFUSED)('refuses %s', async (target) => {
    const before = gate.upstream.calls.length
    const [answer] = await gate.send(request('GET', target))
    expect([answer?.status, JSON.parse(answer?.body ?? '').type]).toEqual([
      400,
      expect.stringMatching(/target-invalid|request-malformed/),
    ])
    expect(gate.upstream.calls.length).toBe(before)
  })

  it.each(UNKNOWN)('knows no %s', async (target) => {
    const [answer] = await gate.send(request('GET', target))
    expect(answer?.status).toBe(404)
  })

  it.each(Object.entries(SAME))('takes %s for %s', async (target, forwarded) => {
    const [answer] = await gate.send(
      request('GET', target, target.startsWith('http') ? { Host: 'other.example' } : {}),
    )
    expect([answer?.status, gate.upstream.calls.at(-1)?.path]).toEqual([200, forwarded])
  })

  it('keeps an encoded slash inside its parameter', async () => {
    gate.upstream.answer = () =>
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"owner":"ana" } '
    const [answer] = await gate.send(
      request('GET', '/v1/things/a%2fb', { Authorization: `Bearer ${gate.token('ana')}` }),
    )
    expect([answer?.status, gate.upstream.calls.at(-1)?.path]).toEqual([200, '/v1/things/a%2Fb'])
    expect(gate.audit.intents.size).toBe(gate.audit.outcomes.size)
  })
})
