import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gate } from '../../src/enforcement/gate.ts'
import { writeMessage } from '../../src/syntax/grpc.ts'
import { MemoryAudit } from '../memory-gate.ts'
import { type Asker, asker, checkRequest, parts, type Stated } from './envoy-asking.ts'
import { type OpenGate, ok, openGate } from './open-gate.ts'

const HEALTH = { ':path': '/grpc.health.v1.Health/Check' }

describe('asked over gRPC', () => {
  let gate: OpenGate
  let envoy: Asker
  beforeAll(async () => {
    gate = await openGate()
    envoy = await asker(gate.gate)
  })
  afterAll(async () => {
    await envoy.stop()
    await gate.stop()
  })

  const bearer = (sub = 'ana'): Record<string, string> => ({ authorization: `Bearer ${gate.token(sub)}` })
  const post = (over: Stated): Stated => ({
    method: 'POST',
    path: '/v1/things',
    ...over,
    fields: { ...bearer(), 'content-type': 'application/json', ...over.fields },
  })

  it('allows and refuses with a record each', async () => {
    expect(await envoy.check()).toMatchObject({ http: 200, grpc: '0', verdict: 'ok' })
    const refused = await envoy.check({ path: '/v1/things/a' })
    expect(refused).toMatchObject({ grpc: '0', verdict: 'token-missing' })
    const fields = parts(refused.message, 2, 2, 1).map((field) =>
      [1, 2].map((n) => Buffer.from(parts(field, n)[0] ?? []).toString()),
    )
    expect(fields.find(([name]) => name === 'www-authenticate')?.[1]).toBe('Bearer realm="things"')
    const id = fields.find(([name]) => name === 'sallyport-exchange')?.[1] ?? ''
    expect(gate.audit.outcomes.get(id)).toMatchObject({ action: 'refused', status: 401 })
    expect(gate.audit.intents.get(id)).toMatchObject({
      entrance: 'ext-authz',
      personal: { address: '192.0.2.7' },
    })
  })

  it('takes out forged identity fields and the caller’s credential, and leaves the proxy’s own', async () => {
    const fields = { ...bearer(), 'x-user-id': 'olga', X_User_Id: 'olga', 'x-forwarded-for': '192.0.2.7' }
    const { message, verdict } = await envoy.check({ fields })
    expect(verdict).toBe('ok')
    const removed = parts(message, 3, 5).map((name) => Buffer.from(name).toString())
    expect(removed).toEqual(['x-user-id', 'x_user_id', 'authorization'])
  })

  it('never counts a body as validated that it was not shown whole', async () => {
    const body = '{"id":"a"}'
    const length = { 'content-length': String(body.length) }
    const whole = { ...length, 'x-envoy-auth-partial-body': 'false' }
    expect((await envoy.check(post({ body, fields: whole }))).verdict).toBe('ok')
    const cases: readonly [Stated, string][] = [
      [post({ body, fields: { ...length, 'x-envoy-auth-partial-body': 'true' } }), 'body-partial'],
      [post({ body, fields: { 'content-length': '1000' } }), 'body-partial'],
      [post({ body }), 'body-partial'],
      [post({ body, fields: whole, asText: true }), 'body-partial'],
      [post({ body, fields: { 'x-envoy-auth-partial-body': 'false' } }), 'body-partial'],
      [post({ fields: { 'content-length': '10' } }), 'body-unseen'],
      [post({ fields: { 'transfer-encoding': 'chunked' } }), 'body-unseen'],
      [post({ protocol: 'HTTP/2' }), 'body-unseen'],
      // A caller's own mark, where the proxy sends no bodies.
      [post({ protocol: 'HTTP/2', fields: { 'x-envoy-auth-partial-body': 'false' } }), 'body-unseen'],
      // Envoy has taken out Transfer-Encoding by the time it asks: a chunked body looks like none.
      [post({}), 'body-unseen'],
      [post({ fields: { 'content-length': '0' } }), 'body-missing'],
      [post({ body: '{"id":', fields: { 'content-length': '6' } }), 'body-malformed'],
      [post({ body: '{"id":1}', fields: { 'content-length': '8' } }), 'body-invalid'],
    ]
    for (const [stated, verdict] of cases) expect((await envoy.check(stated)).verdict).toBe(verdict)
  })

  it('takes a body without an announced length for whole only below Envoy’s buffer', async () => {
    const sized = await asker(gate.gate, { maxRequestBytes: 20 })
    const fields = { 'x-envoy-auth-partial-body': 'false' }
    expect((await sized.check(post({ body: '{"id":"a"}'.padEnd(19), fields }))).verdict).toBe('ok')
    expect((await sized.check(post({ body: '{"id":"a"}'.padEnd(20), fields }))).verdict).toBe('body-partial')
    // Where Envoy sends bodies, an HTTP/1 call of which none came has none.
    expect((await sized.check(post({}))).verdict).toBe('body-missing')
    expect((await sized.check(post({ protocol: 'HTTP/2' }))).verdict).toBe('body-unseen')
    await sized.stop()
  })

  it('asks whose object it is where a look-up is declared, and nobody else may read it', async () => {
    gate.upstream.answer = () => ok('{"id":"a","owner":"ana"}')
    expect((await envoy.check({ path: '/v1/things/a', fields: bearer('ana') })).verdict).toBe('ok')
    expect((await envoy.check({ path: '/v1/things/a', fields: bearer('ben') })).verdict).toBe('object-absent')
    gate.upstream.answer = () => 'HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n'
    expect((await envoy.check({ path: '/v1/things/a', fields: bearer('ana') })).verdict).not.toBe('ok')
  })

  it('reads raw fields as it reads merged ones', async () => {
    const fields = bearer('ana')
    const empty = { ...fields, 'content-length': '0' }
    expect(
      (await envoy.check({ path: '/v1/things', method: 'POST', fields: empty, raw: true })).verdict,
    ).toBe('body-missing')
    expect((await envoy.check({ fields: { 'x-bad': 'a\u0000b' }, raw: true })).verdict).toBe(
      'request-malformed',
    )
  })

  it('refuses askings that do not state the call', async () => {
    expect((await envoy.check({ address: null })).verdict).toBe('proxy-unclear')
    expect((await envoy.check({ address: '/run/pipe' })).verdict).toBe('proxy-unclear')
    expect((await envoy.check({ host: '' })).verdict).toBe('host-invalid')
    expect((await envoy.check({ method: '' })).verdict).toBe('request-malformed')
    expect((await envoy.check({ path: '' })).verdict).toBe('target-invalid')
    // The host is stated apart: a target that names another would be judged by a host the call does not go to.
    expect((await envoy.check({ path: 'http://things.example/v1/free' })).verdict).toBe('proxy-unclear')
    expect((await envoy.check({ path: 'HTTPS://elsewhere.example/v1/free' })).verdict).toBe('proxy-unclear')
  })

  it('takes out forged fields that a Connection field of the caller names', async () => {
    const fields = { connection: 'x-user-id, authorization', 'x-user-id': 'olga' }
    const { message, verdict } = await envoy.check({ fields })
    expect(verdict).toBe('ok')
    expect(parts(message, 3, 5).map((name) => Buffer.from(name).toString())).toContain('x-user-id')
  })

  it('answers what is no such request with a gRPC error, never OK', async () => {
    const message = checkRequest()
    const framed = writeMessage(message)
    const compressed = Uint8Array.from(framed)
    compressed[0] = 1
    const flagged = Uint8Array.from(framed)
    flagged[0] = 7
    const cases: readonly [Uint8Array, Record<string, string>, number, string | undefined][] = [
      [framed, { ':path': '/envoy.service.auth.v2.Authorization/Check' }, 200, '12'],
      [framed, { ':path': '/' }, 200, '12'],
      [framed, { 'content-type': 'application/json' }, 415, undefined],
      [framed, { 'content-type': 'application/grpc-web' }, 415, undefined],
      [framed, { 'grpc-encoding': 'gzip' }, 200, '12'],
      [framed, { 'grpc-timeout': 'soon' }, 200, '3'],
      [compressed, {}, 200, '12'],
      [flagged, {}, 200, '13'],
      [new Uint8Array(0), {}, 200, '3'],
      [Buffer.concat([framed, framed]), {}, 200, '3'],
      [writeMessage(new Uint8Array(0)), {}, 200, '3'],
      [writeMessage(new Uint8Array(65_537)), {}, 200, '8'],
      [writeMessage(Buffer.from('not protobuf at all')), {}, 200, '3'],
    ]
    for (const [bytes, head, http, grpc] of cases)
      expect(await envoy.send(bytes, head)).toMatchObject({ http, grpc, verdict: null })
    expect(await envoy.send(writeMessage(new Uint8Array(0)), HEALTH)).toMatchObject({ grpc: '0' })
  })

  it('refuses a request cut off at any byte', async () => {
    const message = checkRequest({ fields: bearer(), body: '{"id":"a"}' })
    const framed = writeMessage(message)
    for (let length = 0; length < framed.length; length += 7)
      expect(await envoy.send(framed.subarray(0, length))).toMatchObject({ grpc: '3', verdict: null })
    // Cut off, and framed as if it were whole.
    for (let length = 1; length < message.length; length += 7)
      expect(await envoy.send(writeMessage(message.subarray(0, length)))).toMatchObject({
        grpc: '3',
        verdict: null,
      })
  })

  it('keeps the deadline, and records that nobody heard', async () => {
    const real = gate.gate.tokens.verify.bind(gate.gate.tokens)
    const slow: Gate = {
      ...gate.gate,
      keyWait: { wait: () => new Promise((resolve) => setTimeout(resolve, 300)) },
      tokens: Object.assign(Object.create(gate.gate.tokens), {
        verify: (token: string, call: Parameters<typeof real>[1], asked?: 'asked') =>
          asked === undefined
            ? { kind: 'need-key', issuer: 'corp', kid: 'k', waitMs: 300 }
            : real(token, call),
      }),
    }
    const late = await asker(slow)
    const asking = writeMessage(checkRequest({ path: '/v1/things/a', fields: bearer() }))
    expect(await late.send(asking, { 'grpc-timeout': '50m' })).toMatchObject({ grpc: '4', verdict: null })
    const before = gate.audit.cuts.size
    for (let tries = 0; tries < 40 && gate.audit.cuts.size === before; tries++)
      await new Promise((resolve) => setTimeout(resolve, 25))
    expect([...gate.audit.cuts.values()].at(-1)).toMatchObject({ why: 'the proxy left' })
    await late.stop()
  })

  it('denies where a stage fails or no record can be written', async () => {
    const fail = (): never => {
      throw new Error('internal detail')
    }
    const unrecorded: Gate = { ...gate.gate, audit: Object.assign(new MemoryAudit(), { outcome: fail }) }
    const mute = await asker(unrecorded)
    expect((await mute.check()).verdict).toBe('audit-unavailable')
    await mute.stop()
    const broken = await asker({ ...gate.gate, snapshots: { pin: () => null } })
    expect((await broken.check()).verdict).toBe('not-ready')
    await broken.stop()
    const unsigned: Gate = {
      ...gate.gate,
      assertions: Object.assign(Object.create(gate.gate.assertions), { authorization: fail }),
    }
    const dumb = await asker(unsigned)
    gate.upstream.answer = () => ok('{"id":"a","owner":"ana"}')
    const told = await dumb.check({ path: '/v1/things/a', fields: bearer('ana') })
    expect(told.verdict).toBe('stage-failed')
    expect(Buffer.from(told.message).toString()).not.toContain('internal detail')
    await dumb.stop()
  })

  it('ends connections of others before a byte is read', async () => {
    const closed = await asker(gate.gate, { peers: ['192.0.2.0/24'] })
    expect(await closed.check()).toMatchObject({ http: 0, verdict: null })
    await closed.stop()
  })

  it('survives what is not HTTP/2', async () => {
    const socket = connect(envoy.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'close')
    expect((await envoy.check()).verdict).toBe('ok')
  })
})
