import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { Connector } from '../enforcement/connector.ts'
import { opposes } from '../model/reason.ts'
import { askSource, type SourceAnswer, sourceFinding } from './decision-source.ts'

/** Each failure a source can have, over a real socket (standards 5.1). */
const JSON_TYPE = { 'content-type': 'application/json' }
const servers: Server[] = []
const connector = new Connector({ addresses: () => [{ address: '127.0.0.1', family: 4 }] })

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function ask(origin: string, over: { timeoutMs?: number; credential?: string } = {}): Promise<SourceAnswer> {
  const source = { name: 'pdp', origin, path: '/access/v1/evaluation', timeoutMs: 200, ...over }
  const credential = (reference: string) => (reference === 'env:PDP' ? 'secret-of-the-gate' : null)
  return askSource(source, { subject: { type: 'User', id: 'corp/ada' } }, 'exchange-1', {
    upstream: connector,
    credential,
  })
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

describe('a decision source', () => {
  it('permits and denies by a boolean, with its credential and the question', async () => {
    const seen: { method: string | undefined; url: string | undefined; headers: unknown; body: string }[] = []
    const origin = await serve(async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part as Buffer)
      const { method, url, headers } = request
      seen.push({ method, url, headers, body: Buffer.concat(parts).toString() })
      response.writeHead(200, JSON_TYPE).end(JSON.stringify({ decision: seen.length === 1 }))
    })
    expect(await ask(origin, { credential: 'env:PDP' })).toEqual({ kind: 'permits' })
    expect(await ask(origin)).toEqual({ kind: 'denies' })
    const [first, second] = seen
    expect(first).toMatchObject({
      method: 'POST',
      url: '/access/v1/evaluation',
      body: '{"subject":{"type":"User","id":"corp/ada"}}',
      headers: { authorization: 'Bearer secret-of-the-gate', 'x-request-id': 'exchange-1' },
    })
    expect(second?.headers).not.toHaveProperty('authorization')
  })

  it.each<[string, string | Buffer, object]>([
    ['"true" as text', '{"decision":"true"}', { why: 'no-decision' }],
    ['one', '{"decision":1}', { why: 'no-decision' }],
    ['null', '{"decision":null}', { why: 'no-decision' }],
    ['no decision', '{"context":{"decision":true}}', { why: 'no-decision' }],
    ['another key', '{"Decision":true}', { why: 'no-decision' }],
    ['a list', '[{"decision":true}]', { why: 'no-decision' }],
    ['a lone boolean', 'true', { why: 'no-decision' }],
    ['two decisions', '{"decision":false,"decision":true}', { why: 'not-json' }],
    ['half an answer', '{"decision":true', { why: 'not-json' }],
    ['nothing', '', { why: 'not-json' }],
    ['a page', '<html>true</html>', { why: 'not-json' }],
    ['a flood', `{"decision":true,"context":{"a":"${'x'.repeat(70_000)}"}}`, { why: 'too-large' }],
  ])('that answers %s has failed', async (_, body, expected) => {
    const origin = await serve((_request, response) => void response.writeHead(200, JSON_TYPE).end(body))
    expect(await ask(origin, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', status: 200, ...expected })
  })

  it.each([201, 204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 502, 503])(
    'that answers %i has failed, whatever the body says',
    async (status) => {
      const origin = await serve((request, response) => {
        if (request.url !== '/access/v1/evaluation')
          response.writeHead(200, JSON_TYPE).end('{"decision":true}')
        else
          response
            .writeHead(status, { ...JSON_TYPE, location: '/elsewhere' })
            .end(status === 204 ? '' : '{"decision":true}')
      })
      expect(await ask(origin, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', why: 'status', status })
    },
  )

  it('that compresses its answer unasked has failed', async () => {
    const origin = await serve(
      (_request, response) =>
        void response
          .writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' })
          .end(gzipSync('{"decision":true}')),
    )
    expect(await ask(origin, { timeoutMs: 1_000 })).toMatchObject({ kind: 'failed', why: 'encoded' })
  })

  it.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    [
      'says a head and no more',
      (_request, response) => void response.writeHead(200, JSON_TYPE).flushHeaders(),
    ],
    [
      'drips',
      (_request, response) => {
        response.writeHead(200, JSON_TYPE)
        let at = 0
        const timer = setInterval(() => response.write('{"decision":true}'[at++] ?? ' '), 30)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('that %s has failed by its deadline', async (_, listener) => {
    const origin = await serve(listener)
    const started = performance.now()
    expect(await ask(origin, { timeoutMs: 100 })).toEqual({ kind: 'failed', why: 'timeout' })
    const took = performance.now() - started
    expect(took).toBeGreaterThanOrEqual(95)
    expect(took).toBeLessThan(400)
  })

  it('that is not there, or breaks off, has failed', async () => {
    const gone = await serve((request) => void request.socket.destroy())
    expect(await ask(gone, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', why: 'broken' })
    const cut = await serve((_request, response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '17' })
      response.write('{"decision"')
      setTimeout(() => response.destroy(), 20)
    })
    expect(await ask(cut, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', why: 'broken' })
    const server = servers.at(-1)
    await new Promise((resolve) => server?.close(resolve))
    expect(await ask(cut, { timeoutMs: 1_000 })).toEqual({ kind: 'failed', why: 'unreachable' })
  })

  it('whose credential is not known is not asked', async () => {
    let asked = 0
    const origin = await serve((_request, response) => {
      asked += 1
      response.end('{"decision":true}')
    })
    expect(await ask(origin, { credential: 'env:OTHER' })).toEqual({ kind: 'failed', why: 'credential' })
    expect(asked).toBe(0)
  })

  it('speaks for the call only where it permits', () => {
    const codes = [{ kind: 'permits' }, { kind: 'denies' }, { kind: 'failed', why: 'timeout' }] as const
    const found = codes.map((answer) => sourceFinding('pdp', answer))
    expect(found.map(({ reason: { code } }) => [code, opposes(code)])).toEqual([
      ['decision-source-permits', false],
      ['decision-source-denied', true],
      ['decision-source-failed', true],
    ])
    expect(found[2]?.reason.evidence).toEqual({ source: 'pdp', why: 'timeout' })
  })
})
