import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collect } from '../src/enforcement/body.ts'
import { Connector } from '../src/enforcement/connector.ts'
import { DEFAULT_LISTENER_LIMITS } from '../src/enforcement/entrances/listener.ts'
import { HOP_BY_HOP } from '../src/syntax/http.ts'

/**
 * The bare pass-through: the gate's server settings and the gate's own upstream client, bodies held whole as the gate
 * holds them, and nothing else. What the gate costs beyond this is what its security work adds.
 */
const origin = process.env['BENCH_UPSTREAM'] ?? ''
const MAX_BYTES = 1_048_576
const upstream = new Connector({ addresses: () => [{ address: '127.0.0.1', family: 4 }] })

const server = createServer(
  {
    requireHostHeader: false,
    maxHeaderSize: DEFAULT_LISTENER_LIMITS.headBytes,
    headersTimeout: DEFAULT_LISTENER_LIMITS.headMs,
    requestTimeout: DEFAULT_LISTENER_LIMITS.requestMs,
    keepAliveTimeout: DEFAULT_LISTENER_LIMITS.idleMs,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
  },
  (request, response) => {
    pass(request, response).catch(() => response.destroy())
  },
)

async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const answer = await upstream.call({
    target: { origin },
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    fields: endToEnd(request.rawHeaders),
    body: request.headers['content-length'] === undefined ? null : await bodyOf(request),
    connectTimeoutMs: 5_000,
    headTimeoutMs: 30_000,
    bodyTimeoutMs: 30_000,
  })
  const collected = await collect(answer.body, MAX_BYTES)
  if (!collected.ok) throw new Error('the answer is too large')
  response.writeHead(answer.status, endToEnd(answer.fields))
  response.end(collected.bytes)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function endToEnd(fields: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!HOP_BY_HOP.has(name.toLowerCase())) kept.push(name, fields[i + 1] ?? '')
  }
  return kept
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
