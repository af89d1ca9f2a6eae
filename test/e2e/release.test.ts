import { connect, type Socket } from 'node:net'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, CONTRACT, type OpenGate, ok, openGate, PARTNER, request } from '../attacks/open-gate.ts'

const SECRET = 'SECRET-4111111111111111'

describe('what is released (standards 1.10, 2.4, 2.9, 7.11)', () => {
  let gate: OpenGate
  let ana: Record<string, string>
  let olga: Record<string, string>
  beforeAll(async () => {
    gate = await openGate({ api: '    maxAnswerBytes: 20000' })
    ana = { Authorization: `Bearer ${gate.token('ana')}` }
    olga = { Authorization: `Bearer ${gate.token('olga', { groups: ['staff'] })}` }
  })
  afterAll(() => gate.stop())
  afterEach(() => {
    expect(gate.audit.outcomes.size).toBe(gate.audit.intents.size)
    expect(gate.faults).toEqual([])
  })

  const reasonsOf = (id: string | undefined): readonly string[] => {
    const all = [
      ...(gate.audit.intents.get(id ?? '')?.decisions ?? []),
      ...(gate.audit.outcomes.get(id ?? '')?.decisions ?? []),
    ]
    return all.flatMap(({ reasons }) => reasons.map(({ code }) => code))
  }
  const get = async (path: string, answer: string | Buffer, fields: Record<string, string> = {}) => {
    gate.upstream.answer = () => answer
    const [got] = await gate.send(request('GET', path, fields))
    return {
      status: got?.status,
      body: got?.body ?? '',
      got,
      reasons: reasonsOf(got?.field('sallyport-exchange')),
    }
  }
  const coded = (bytes: Buffer, coding: string): Buffer =>
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: ${coding}\r\nETag: "x"\r\nContent-Length: ${bytes.byteLength}\r\n\r\n`,
      ),
      bytes,
    ])

  it('drops undeclared fields, also nested and in arrays, and keeps numbers exact', async () => {
    const one = await get(
      '/v1/free',
      ok(`{"count":9007199254740993,"inner":{"ok":"a","card":"${SECRET}"},"card":"${SECRET}"}`),
    )
    expect([one.status, one.body]).toEqual([200, '{"count":9007199254740993,"inner":{"ok":"a"}}'])
    const many = await get('/v1/list', ok(`{"items":[{"id":"a"},{"id":"b","card":"${SECRET}"}],"total":1}`))
    expect([many.status, many.body]).toEqual([200, '{"items":[{"id":"a"},{"id":"b"}]}'])
    const outcome = gate.audit.outcomes.get(many.got?.field('sallyport-exchange') ?? '')
    expect(outcome?.released.dropped).toEqual(['/items/*/card', '/total'])
  })

  it.each([
    ['malformed', ok(`{"card":"${SECRET}"`), 'response-malformed'],
    ['with a name twice', ok(`{"id":"a","id":"${SECRET}"}`), 'response-malformed'],
    ['as text', ok(`{"card":"${SECRET}"}`, 'text/plain'), 'response-undeclared'],
    ['as HTML', ok(`{"card":"${SECRET}"}`, 'text/html'), 'response-undeclared'],
    ['without a type', ok(`{"card":"${SECRET}"}`, ''), 'response-undeclared'],
    ['with a broken type', ok(`{"card":"${SECRET}"}`, 'application'), 'response-undeclared'],
    [
      'with two types',
      ok(`{"card":"${SECRET}"}`, 'application/json', 'Content-Type: text/html\r\n'),
      'response-undeclared',
    ],
    ['in UTF-16', ok(`{"card":"${SECRET}"}`, 'application/json; charset=utf-16'), 'response-undeclared'],
    ['under another status', answerOf(202, `{"card":"${SECRET}"}`), 'response-undeclared'],
    [
      'in an unknown coding',
      ok(SECRET, 'application/json', 'Content-Encoding: aws-chunked\r\n'),
      'response-undeclared',
    ],
    [
      'in two codings',
      ok(SECRET, 'application/json', 'Content-Encoding: identity\r\nContent-Encoding: gzip\r\n'),
      'response-undeclared',
    ],
    ['over the limit', ok(`{"id":"${'a'.repeat(30_000)}${SECRET}"}`), 'response-too-large'],
    ['over the limit, untyped', ok(`${'a'.repeat(30_000)}${SECRET}`, ''), 'response-too-large'],
  ])('JSON %s is not released unchecked', async (_, answer, why) => {
    const { status, body, reasons } = await get('/v1/free', answer)
    expect([status, reasons]).toEqual([502, expect.arrayContaining([why])])
    expect(body).not.toContain('SECRET')
  })

  it('a part of an answer is no answer', async () => {
    const { status, body } = await get('/v1/any', answerOf(206, `"${SECRET}"`))
    expect(status).toBe(502)
    expect(body).not.toContain('SECRET')
  })

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('inflates %s within the limit', async (coding, compress) => {
    const fine = await get('/v1/free', coded(compress(Buffer.from(`{"id":"a","card":"${SECRET}"}`)), coding))
    expect([fine.status, fine.body, fine.got?.field('content-encoding'), fine.got?.field('etag')]).toEqual([
      200,
      '{"id":"a"}',
      undefined,
      undefined,
    ])
    const bomb = compress(Buffer.from(`{"id":"${'a'.repeat(5_000_000)}"}`))
    expect((await get('/v1/free', coded(bomb, coding))).status).toBe(502)
  })

  it('an error the contract does not promise tells its status only', async () => {
    const stack = ok(
      `Traceback ${SECRET}`,
      'text/html',
      'Retry-After: 7\r\nX-Debug: SECRET\r\nSet-Cookie: a=SECRET\r\n',
    )
    for (const status of [500, 503, 404, 403]) {
      const { status: seen, body, got } = await get('/v1/free', stack.replace('200 OK', `${status} X`))
      expect([seen, got?.field('content-type'), got?.field('retry-after')]).toEqual([
        status,
        'application/problem+json',
        '7',
      ])
      expect(`${got?.head}${body}`).not.toContain('SECRET')
      expect(JSON.parse(body).exchange).toBe(got?.field('sallyport-exchange'))
    }
  })

  it('content no schema promises is withheld, the status not', async () => {
    const done = await get('/v1/bare', ok(`{"card":"${SECRET}"}`))
    expect([done.status, done.body, done.got?.field('content-type')]).toEqual([200, '', undefined])
    const typed = await get('/v1/bare', ok(`<p>${SECRET}</p>`, 'text/html'))
    expect([typed.status, typed.body]).toEqual([200, ''])
    const empty = await get('/v1/free', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    expect([empty.status, empty.body]).toEqual([200, ''])
    expect(
      (await get('/v1/free', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).status,
    ).toBe(200)
  })

  it.each([
    ['foreign', ok('{"owner":"ben"}')],
    ['absent', answerOf(404, '{"error":"no such thing"}')],
    ['absent without a body', answerOf(404, '', '')],
    ['forbidden by the upstream', answerOf(403, '{"error":"not yours"}')],
    ['gone', answerOf(410, 'gone', 'text/plain')],
    ['without owner', ok('{}')],
    ['with owner null', ok('{"owner":null}')],
    ['with owners', ok('{"owner":["ana"]}')],
    ['with an owner object', ok('{"owner":{"id":"ana"}}')],
    ['with two owners', ok('{"owner":"ben","owner":"ana"}')],
    ['with an owner elsewhere', ok('{"inner":{"owner":"ana"}}')],
    ['as HTML', ok('<p>ana</p>', 'text/html')],
    ['malformed', ok('{"owner":"ana"')],
    ['not modified', 'HTTP/1.1 304 X\r\n\r\n'],
    ['moved', answerOf(302, '', '', 'Location: http://10.0.0.1/\r\n')],
    ['without content', 'HTTP/1.1 204 X\r\n\r\n'],
    ['in part', answerOf(206, '{"owner":"ana"}')],
    ['too large', ok(`{"owner":"ana","note":"${'a'.repeat(30_000)}"}`)],
  ])('an object %s looks like one that is not there', async (_, answer) => {
    const { got } = await get('/v1/things/a', answer, ana)
    expect(anonymous(got)).toEqual(anonymous((await get('/v1/things/zzz', answerOf(404, '', ''), ana)).got))
    expect(got?.status).toBe(404)
  })

  it.each(['PATCH', 'DELETE', 'HEAD'])(
    'so it is for %s, and the call itself never goes up',
    async (method) => {
      const body = method === 'PATCH' ? '{"note":"x"}' : undefined
      const call = request(
        method,
        '/v1/things/a',
        { ...ana, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
        body,
      )
      const seen: unknown[] = []
      for (const answer of [
        ok('{"owner":"ben"}'),
        answerOf(404, '{"error":1}'),
        ok('{}'),
        ok('[]'),
        ok('x', 'text/html'),
        answerOf(403),
      ]) {
        gate.upstream.answer = ({ method }) =>
          method === 'HEAD' ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer
        const [got] = await gate.send(call)
        seen.push(anonymous(got))
        expect(got?.status).toBe(404)
      }
      for (const one of seen) expect(one).toEqual(seen[0])
      if (method !== 'HEAD') expect(gate.upstream.calls.some((each) => each.method === method)).toBe(false)
    },
  )

  it('an owner gets what is theirs, and hears of the upstream’s own trouble', async () => {
    const own = await get(
      '/v1/things/a',
      ok('{"id":"a","owner":"ana","card":1}', 'application/json', 'ETag: "v1"\r\n'),
      ana,
    )
    expect([own.status, own.body, own.got?.field('etag')]).toEqual([
      200,
      '{"id":"a","owner":"ana"}',
      undefined,
    ])
    const trouble = await get('/v1/things/a', answerOf(503, `"${SECRET}"`), ana)
    expect(trouble.status).toBe(502)
    expect(trouble.body).not.toContain('SECRET')
    expect((await get('/v1/things/a', ok('{"owner":"ben"}'), olga)).body).toBe('{"owner":"ben"}')
    gate.upstream.answer = ({ method }) =>
      method === 'GET' ? ok('{"owner":"ana"}') : 'HTTP/1.1 204 X\r\n\r\n'
    expect((await gate.send(request('DELETE', '/v1/things/a', ana)))[0]?.status).toBe(204)
  })

  it('a stream comes as it comes, its outcome written at its end', async () => {
    gate.upstream.answer = (_call, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
      let sent = 0
      const timer = setInterval(() => {
        socket.write(sent++ < 3 ? '6\r\ndata\n\n\r\n' : '0\r\n\r\n')
        if (sent > 3) clearInterval(timer)
      }, 15)
      return undefined
    }
    const [got] = await gate.send(request('GET', '/v1/events'))
    expect([got?.status, got?.body]).toEqual([200, 'data\n\n'.repeat(3)])
    await pause(20)
    const outcome = gate.audit.outcomes.get(got?.field('sallyport-exchange') ?? '')
    expect([outcome?.released.bytes, outcome?.notPlayed]).toEqual([18, ['response-contract']])
    // The waiting for upstream and caller is not the gate's time.
    expect(outcome?.timings.gate).toBeLessThan(30_000)
    expect(outcome?.timings.upstream).toBeGreaterThan(30_000)
  })

  it('a slow reader stops the upstream, not the memory; who reads nothing is let go', async () => {
    let written = 0
    gate.upstream.answer = (_call, socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 200000000\r\n\r\n',
      )
      const chunk = Buffer.alloc(65_536)
      const pump = (): void => {
        while (written < 200_000_000 && !socket.destroyed) {
          written += chunk.byteLength
          if (!socket.write(chunk)) return void socket.once('drain', pump)
        }
      }
      pump()
      return undefined
    }
    const socket = connect(gate.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write(request('GET', '/v1/file'))
    await pause(300)
    expect(written).toBeGreaterThan(100_000)
    expect(written).toBeLessThan(30_000_000)
    const before = gate.audit.cuts.size
    for (let turn = 0; turn < 60 && gate.audit.cuts.size === before; turn++) await pause(50)
    expect([...gate.audit.cuts.values()].at(-1)).toMatchObject({
      why: 'the caller left',
      bytes: expect.any(Number),
    })
    socket.destroy()
  })

  it.each([
    ['the caller leaves', 'the caller left', (_: unknown, caller: Socket) => caller.destroy()],
    ['the upstream breaks off', 'the answer broke off', (up: Socket) => up.destroy()],
  ])('where %s in mid-stream the record has an outcome and a cut', async (_, why, leave) => {
    const upstreams: Socket[] = []
    gate.upstream.answer = (_call, socket) => {
      upstreams.push(socket)
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata\n\n\r\n6\r\ndata\n\n\r\n',
      )
      return undefined
    }
    const caller = connect(gate.port, '127.0.0.1')
    caller.on('error', () => undefined)
    caller.write(request('GET', '/v1/events'))
    await pause(80)
    for (const upstream of upstreams) leave(upstream, caller)
    await pause(80)
    const [id, outcome] = [...gate.audit.outcomes].at(-1) ?? []
    expect([outcome?.action, outcome?.status, outcome?.released.mediaType]).toEqual([
      'forwarded',
      200,
      'text/event-stream',
    ])
    expect(gate.audit.cuts.get(id ?? '')).toMatchObject({ why, bytes: outcome?.released.bytes })
    expect(upstreams.map(({ destroyed }) => destroyed)).toEqual([true])
    caller.destroy()
  })
})

describe('one API, two issuers', () => {
  it('the same sub of another issuer owns nothing', async () => {
    const gate = await openGate({ accept: 'corp, partner' })
    gate.upstream.answer = () => ok('{"owner":"ana"}')
    const statuses = []
    for (const over of [{}, { iss: PARTNER }]) {
      const Authorization = `Bearer ${gate.token('ana', over)}`
      const [read] = await gate.send(request('GET', '/v1/things/a', { Authorization }))
      const [written] = await gate.send(
        request(
          'PATCH',
          '/v1/things/a',
          { Authorization, 'Content-Type': 'application/json' },
          '{"note":"x"}',
        ),
      )
      statuses.push(read?.status, written?.status)
    }
    expect(statuses).toEqual([200, 200, 404, 404])
    await gate.stop()
  })
})

describe('an owner the contract does not declare', () => {
  it.each([
    ['at the top', '/owner', '{"id":"a","owner":"ana"}', '{"id":"a"}'],
    ['further in', '/inner/by/owner', '{"inner":{"ok":"a","by":{"owner":"ana"}}}', '{"inner":{"ok":"a"}}'],
  ])('%s is read all the same, and not passed on', async (_, owner, object, released) => {
    const gate = await openGate({
      contract: CONTRACT.replace(', owner: { type: string }', ''),
      owner,
    })
    gate.upstream.answer = ({ method }) => (method === 'GET' ? ok(object) : answerOf(200, '{"id":"a"}'))
    const seen = []
    for (const sub of ['ana', 'ben']) {
      const fields = { Authorization: `Bearer ${gate.token(sub)}` }
      const [read] = await gate.send(request('GET', '/v1/things/a', fields))
      const change = { ...fields, 'Content-Type': 'application/json' }
      const [written] = await gate.send(request('PATCH', '/v1/things/a', change, '{"note":"x"}'))
      seen.push([read?.status, written?.status], sub === 'ana' ? read?.body : '')
    }
    expect(seen).toEqual([[200, 200], released, [404, 404], ''])
    await gate.stop()
  })
})

/** An answer but for what names the exchange and the time. */
function anonymous(answer: { readonly head: string; readonly body: string } | undefined): string {
  return `${answer?.head}\n\n${answer?.body}`
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/^Date: .*$/m, 'Date')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
