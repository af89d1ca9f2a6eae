import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, type OpenGate, ok, openGate, request } from '../attacks/open-gate.ts'

describe('observe mode (design.md, Observe)', () => {
  let gate: OpenGate
  beforeAll(async () => {
    gate = await openGate({ mode: 'observe', api: '    maxRequestBytes: 2000\n    maxAnswerBytes: 2000' })
  })
  afterAll(() => gate.stop())

  const send = async (bytes: string, answer = ok('{"id":"a"}')) => {
    gate.upstream.answer = () => answer
    const before = gate.upstream.calls.length
    const [got] = await gate.send(bytes)
    const id = got?.field('sallyport-exchange') ?? ''
    const entries = [gate.audit.intents.get(id), gate.audit.outcomes.get(id)]
    return {
      status: got?.status,
      body: got?.body,
      call: gate.upstream.calls[before],
      wouldDeny: gate.audit.outcomes.get(id)?.wouldDeny,
      intent: gate.audit.intents.get(id),
      outcome: gate.audit.outcomes.get(id),
      codes: entries.flatMap((entry) =>
        (entry?.decisions ?? []).flatMap(({ reasons }) => reasons.map(({ code }) => code)),
      ),
    }
  }
  const post = (body: string, fields: Record<string, string> = {}): string =>
    request('POST', '/v1/things', { 'Content-Type': 'application/json', ...fields }, body)

  it.each([
    ['no token', post('{"id":"a"}'), 'token-missing'],
    ['a forged token', post('{"id":"a"}', { Authorization: 'Bearer a.b.c' }), 'token-malformed'],
    ['a token in the query', request('GET', '/v1/free?access_token=x'), 'token-in-query'],
    ['an undeclared field', post('{"admin":true}'), 'field-undeclared'],
    ['a malformed body', post('{'), 'body-malformed'],
    [
      'a body in a coding nobody reads',
      post('x', { 'Content-Encoding': 'compress' }),
      'content-encoding-unsupported',
    ],
    ['a body that is not in its coding', post('x', { 'Content-Encoding': 'gzip' }), 'body-malformed'],
    ['an unknown path', request('GET', '/v1/debug'), 'route-unknown'],
    ['an unknown method', request('PUT', '/v1/free'), 'method-not-allowed'],
    ['an undeclared parameter', request('GET', '/v1/free?x=1'), 'parameter-undeclared'],
    ['a foreign object', request('GET', '/v1/things/a'), 'token-missing'],
  ])('%s: forwarded, and the record says what enforcing would refuse', async (_, bytes, code) => {
    const { status, body, call, wouldDeny, codes, outcome } = await send(bytes)
    expect([status, body, wouldDeny, outcome?.action]).toEqual([200, '{"id":"a"}', true, 'forwarded'])
    expect(codes).toContain(code)
    expect(call?.path).toBe(bytes.split(' ', 2)[1])
    expect(call?.body).toBe(bytes.slice(bytes.indexOf('\r\n\r\n') + 4))
  })

  it('passes the caller’s credential and sends no assertion, look-ups included', async () => {
    const bearer = `Bearer ${gate.token('ana')}`
    const change = { Authorization: bearer, 'Content-Type': 'application/json' }
    const { status } = await send(
      request('PATCH', '/v1/things/a', change, '{"note":"x"}'),
      ok('{"owner":"ben"}'),
    )
    expect(status).toBe(200)
    expect(gate.upstream.calls.slice(-2).map((call) => [call.method, call.field('authorization')])).toEqual([
      ['GET', bearer],
      ['PATCH', bearer],
    ])
  })

  it.each([
    ['undeclared fields', ok('{ "id":"a",\n"x":9007199254740993 }'), '/v1/free'],
    ['malformed JSON', ok('{"id":'), '/v1/free'],
    ['HTML', ok('<p>a</p>', 'text/html'), '/v1/free'],
    ['an undeclared error', answerOf(500, 'Traceback', 'text/plain'), '/v1/free'],
    ['content of a status without', ok('{"a":1}'), '/v1/bare'],
    ['more than may be held', ok(`{"id":"${'a'.repeat(10_000)}"}`), '/v1/free'],
    ['an absent object', answerOf(404, '{"error":"none"}'), '/v1/things/a'],
    ['an answer in part', answerOf(206, '{"id"'), '/v1/free'],
  ])('%s: the answer is the upstream’s, byte for byte', async (_, answer, path) => {
    const { status, body, codes } = await send(request('GET', path), answer)
    expect([status, body]).toEqual([
      Number(answer.slice(9, 12)),
      answer.slice(answer.indexOf('\r\n\r\n') + 4),
    ])
    if (path !== '/v1/things/a') expect(codes.some((code) => code.startsWith('response-'))).toBe(true)
  })

  it('does not call an error that enforcing would pass on a refusal', async () => {
    expect((await send(request('GET', '/v1/free'), answerOf(500, 'x', 'text/plain'))).wouldDeny).toBe(false)
  })

  it('still holds framing, caps and the stripping of forged fields', async () => {
    expect(
      (await send(post('{"id":"a"}', { 'X-User-Id': 'forged', Range: 'bytes=0-1' }))).call?.head,
    ).toMatch(/^(?!.*forged)/s)
    expect((await send(post(`{"note":"${'a'.repeat(5_000)}"}`))).status).toBe(413)
    expect((await send(request('GET', '/v1/%2e%2e/free'))).status).toBe(400)
    expect((await send(request('GET', '/v1/free', { Upgrade: 'x', Connection: 'Upgrade' }))).status).toBe(501)
    expect((await send(request('GET', '/v1/free', { Via: '1.1 sallyport' }))).status).toBe(508)
    expect(gate.audit.intents.size).toBe(gate.audit.outcomes.size)
  })

  it('goes on without the look-up where the upstream does not answer it', async () => {
    let first = true
    gate.upstream.answer = (_call, socket) => {
      if (!first) return ok('{"id":"a"}')
      first = false
      socket.destroy()
      return undefined
    }
    const change = { Authorization: `Bearer ${gate.token('ana')}`, 'Content-Type': 'application/json' }
    const [got] = await gate.send(request('PATCH', '/v1/things/a', change, '{"note":"x"}'))
    expect(got?.status).toBe(200)
  })

  it('an API without a contract: anonymous, ungoverned, its shapes recorded without values', async () => {
    const raw = (method: string, target: string, body?: string): string =>
      request(
        method,
        target,
        { Host: 'raw.example', 'Content-Type': 'application/json', Authorization: 'Basic x' },
        body,
      )
    const { status, call, intent, outcome } = await send(
      raw('POST', '/any/thing?secretname=secretvalue', '{"a":{"b":[1,"secretvalue"]},"c":null}'),
      ok('{"d":[{"e":1.5}],"f":"secretvalue"}'),
    )
    expect([status, call?.path, call?.field('authorization')]).toEqual([
      200,
      '/any/thing?secretname=secretvalue',
      'Basic x',
    ])
    expect([intent?.governed, intent?.mode, intent?.subject.kind, intent?.request.query]).toEqual([
      false,
      'observe',
      'anonymous',
      ['secretname'],
    ])
    expect(intent?.request.fields).toEqual([
      '/a/b/*:integer',
      '/a/b/*:string',
      '/a/b:array',
      '/a:object',
      '/c:null',
      ':object',
    ])
    expect(outcome?.released.fields).toEqual([
      '/d/*/e:number',
      '/d/*:object',
      '/d:array',
      '/f:string',
      ':object',
    ])
    expect(JSON.stringify([intent?.request, intent?.decisions, outcome])).not.toContain('secretvalue')
  })
})
