import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface UpstreamSeen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** An API behind the gate that remembers what reached it and answers `{"ok":true}` unless told otherwise. */
export class UpstreamServer {
  seen: UpstreamSeen[] = []
  answer: (request: IncomingMessage, response: ServerResponse) => void = answerOk
  readonly #server: Server
  #port = 0

  private constructor() {
    this.#server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
      this.seen.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
      })
      if (this.seen.length > 20_000) this.seen = this.seen.slice(-10_000)
      request.resume()
      this.answer(request, response)
    })
  }

  static start(): Promise<UpstreamServer> {
    const upstream = new UpstreamServer()
    return new Promise((resolve, reject) => {
      upstream.#server.once('error', reject)
      upstream.#server.listen(0, '127.0.0.1', () => {
        upstream.#port = (upstream.#server.address() as AddressInfo).port
        resolve(upstream)
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get last(): UpstreamSeen | undefined {
    return this.seen.at(-1)
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

export function answerOk(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.end('{"ok":true}')
}
