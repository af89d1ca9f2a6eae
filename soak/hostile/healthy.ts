import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

// A process of its own: a healthy upstream, and callers of the route to it on connections of their own, at a steady
// pace whatever becomes of the others.

const CONNECTIONS = 8
const EVERY_MS = 16

const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
  incoming.resume()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{"ok":true}')
}).listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.({ upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })

let latencies: number[] = []
let failed = 0

process.on('message', (message: { readonly start?: string; readonly take?: true }) => {
  if (message.start !== undefined) {
    const url = message.start
    for (let i = 0; i < CONNECTIONS; i++) void callSteadily(url, (i * EVERY_MS) / CONNECTIONS)
    return
  }
  const sorted = latencies.sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  process.send?.({ calls: sorted.length, failed, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 })
  latencies = []
  failed = 0
})
process.on('disconnect', () => process.exit(0))

async function callSteadily(url: string, offset: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await new Promise((resolve) => setTimeout(resolve, offset))
  for (;;) {
    const began = performance.now()
    const status = await call(agent, url)
    latencies.push(performance.now() - began)
    if (status !== 200) failed++
    const left = EVERY_MS - (performance.now() - began)
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, left)))
  }
}

function call(agent: Agent, url: string): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', () => resolve(0))
    })
    outgoing.on('error', () => resolve(0))
    outgoing.end()
  })
}
