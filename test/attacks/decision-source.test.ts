import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type OpenGate, ok, openGate } from './open-gate.ts'

/** A decision source beside the pipeline: what it says, and every way it can fail, over real sockets. */
const servers: Server[] = []
const gates: OpenGate[] = []
afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.stop()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

interface Source {
  readonly port: number
  readonly questions: unknown[]
}

async function source(listener: RequestListener): Promise<Source> {
  const questions: unknown[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    questions.push(JSON.parse(Buffer.concat(parts).toString()))
    listener(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, questions }
}

const answer =
  (status: number, body: string): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(body)

async function gateAsking(
  ports: readonly number[],
  mode: 'enforce' | 'observe' = 'enforce',
): Promise<OpenGate> {
  const names = ports.map((_, index) => `pdp${index}`)
  const signals = ports.map(
    (port, index) => `  pdp${index}: { kind: authzen, url: "http://127.0.0.1:${port}", timeoutMs: 150 }\n`,
  )
  const gate = await openGate({
    mode,
    api: `    signals: [${names.join(', ')}]`,
    top: `signals:\n${signals.join('')}`,
  })
  gate.upstream.answer = () => ok('{"id":"1","owner":"ada"}')
  gates.push(gate)
  return gate
}

async function call(gate: OpenGate, path: string, token?: string) {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  const [got] = await gate.send(`GET /v1${path} HTTP/1.1\r\nHost: things.example\r\n${authorization}\r\n`, 1)
  const outcome = [...gate.audit.outcomes.values()].at(-1)
  const intent = [...gate.audit.intents.values()].at(-1)
  return { status: got?.status, body: got?.body ?? '', outcome, intent }
}

const codes = (gate: OpenGate): readonly string[] => {
  const intent = [...gate.audit.intents.values()].at(-1)
  return intent?.decisions.flatMap(({ reasons }) => reasons.map(({ code }) => code)) ?? []
}

describe('a decision source of an API', () => {
  it('is asked about the call, and its permit is a reason among others', async () => {
    const pdp = await source(answer(200, '{"decision":true}'))
    const gate = await gateAsking([pdp.port])
    const { status, outcome } = await call(gate, '/things/7', gate.token('ada'))
    expect(status).toBe(200)
    expect(codes(gate)).toContain('decision-source-permits')
    expect(outcome?.lookups).toEqual([{ operation: 'signal pdp0', status: 200 }])
    expect(pdp.questions).toEqual([
      {
        subject: {
          type: 'User',
          id: 'corp/ada',
          properties: expect.objectContaining({ scopes: ['things'], client: 'web', groups: [] }),
        },
        action: { name: 'things.getThing', properties: { method: 'GET' } },
        resource: {
          type: 'thing',
          id: '7',
          properties: { api: 'things', params: { id: '7' }, path: '/v1/things/7' },
        },
        context: { ip: '127.0.0.1' },
      },
    ])
  })

  it('permits nothing by itself: the policies are asked all the same', async () => {
    const pdp = await source(answer(200, '{"decision":true}'))
    const gate = await gateAsking([pdp.port])
    gate.upstream.answer = () => ok('{"id":"1","owner":"eve"}')
    expect((await call(gate, '/things/7', gate.token('ada'))).status).not.toBe(200)
  })

  it('denies', async () => {
    const pdp = await source(answer(200, '{"decision":false,"context":{"reason":"internal"}}'))
    const gate = await gateAsking([pdp.port])
    const { status, body, outcome } = await call(gate, '/free')
    expect(status).toBe(403)
    expect(body).toContain('urn:sallyport:reason:decision-source-denied')
    expect(body).not.toContain('internal')
    expect(body).not.toContain('pdp0')
    expect(outcome?.action).toBe('refused')
    expect(outcome?.lookups).toEqual([{ operation: 'signal pdp0', status: 200 }])
    expect(gate.upstream.calls).toEqual([])
  })

  it.each<[string, RequestListener]>([
    ['"true" as text', answer(200, '{"decision":"true"}')],
    ['no decision', answer(200, '{}')],
    ['broken JSON', answer(200, '{"decision":true')],
    ['a flood', answer(200, `{"decision":true,"context":{"a":"${'x'.repeat(70_000)}"}}`)],
    ['401', answer(401, '{"decision":true}')],
    ['500', answer(500, '{"decision":true}')],
    [
      'a redirect',
      (_request, response) =>
        void response.writeHead(307, { location: '/elsewhere' }).end('{"decision":true}'),
    ],
    ['silence', () => undefined],
    ['a broken connection', (request) => void request.socket.destroy()],
  ])('that answers with %s denies', async (_, listener) => {
    const pdp = await source(listener)
    const gate = await gateAsking([pdp.port])
    const started = performance.now()
    const { status, body } = await call(gate, '/free')
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(status).toBe(503)
    expect(body).toContain('urn:sallyport:reason:decision-source-failed')
    expect(gate.upstream.calls).toEqual([])
    expect(gate.faults).toEqual([])
  })

  it('denies beside another that permits', async () => {
    const permits = await source(answer(200, '{"decision":true}'))
    const denies = await source(answer(200, '{"decision":false}'))
    const gate = await gateAsking([permits.port, denies.port])
    expect((await call(gate, '/free')).status).toBe(403)
    expect([permits.questions.length, denies.questions.length]).toEqual([1, 1])
  })

  it('is not asked about calls that something else speaks against', async () => {
    const pdp = await source(answer(200, '{"decision":true}'))
    const gate = await gateAsking([pdp.port])
    expect((await call(gate, '/things/7', 'not.a.token')).status).toBe(401)
    expect((await call(gate, '/nowhere')).status).toBe(404)
    expect(pdp.questions).toEqual([])
  })

  it('has its effect suspended where the API is observed', async () => {
    const pdp = await source(answer(500, ''))
    const gate = await gateAsking([pdp.port], 'observe')
    const { status, outcome } = await call(gate, '/free')
    expect(status).toBe(200)
    expect(outcome).toMatchObject({ action: 'forwarded', wouldDeny: true })
    expect(codes(gate)).toContain('decision-source-failed')
  })
})
