import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseAuthority } from '../syntax/http.ts'
import { parseIp } from '../syntax/ip.ts'

export interface Readiness {
  readonly ready: boolean
  /** Secret-free, one line each: what is missing. */
  readonly missing: readonly string[]
}

export interface ReadOnlyPorts {
  readiness(): Readiness
  metrics(): Promise<string>
  /** The gate's public keys, for upstreams that verify its assertions. */
  jwks(): unknown
}

/**
 * The management port: health, metrics and public keys. It changes nothing and shows nothing about a caller; it
 * has no authentication of its own yet, so it checks Host against what it listens on (DNS rebinding).
 */
export class ReadOnlyServer {
  readonly #server: Server
  readonly #ports: ReadOnlyPorts
  #hosts: ReadonlySet<string> = new Set()

  constructor(ports: ReadOnlyPorts) {
    this.#ports = ports
    this.#server = createServer(
      { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000 },
      (request, response) => {
        this.#answer(request, response).catch(() => response.destroy())
      },
    )
  }

  listen(host: string, port: number): Promise<number> {
    this.#hosts = new Set(['localhost', '127.0.0.1', '[::1]', host.includes(':') ? `[${host}]` : host])
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume()
    const host = parseAuthority(request.headers.host ?? '')?.host
    if (host === undefined || !(this.#hosts.has(host) || isOwnAddress(host, request.socket.localAddress)))
      return send(response, 421, 'text/plain', 'not served on this host\n')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      return send(response, 405, 'text/plain', 'read-only\n')
    }
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz':
        return send(response, 200, 'text/plain', 'ok\n')
      case '/readyz': {
        const { ready, missing } = this.#ports.readiness()
        return send(
          response,
          ready ? 200 : 503,
          'application/json',
          `${JSON.stringify({ ready, missing })}\n`,
        )
      }
      case '/metrics':
        return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await this.#ports.metrics())
      case '/.well-known/jwks.json':
        response.setHeader('Cache-Control', 'public, max-age=300')
        return send(response, 200, 'application/jwk-set+json', JSON.stringify(this.#ports.jwks()))
      default:
        return send(
          response,
          404,
          'text/plain',
          'there are /healthz, /readyz, /metrics and /.well-known/jwks.json\n',
        )
    }
  }
}

/** Probes name the address they came to; a rebound name is never an address. */
function isOwnAddress(host: string, address: string | undefined): boolean {
  const named = parseIp(host.replace(/^\[(.*)\]$/, '$1'))
  return named !== null && named.text === parseIp(address ?? '')?.text
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' })
  response.end(body)
}
