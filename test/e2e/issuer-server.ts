import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accessToken, jwks, type TestKey, testKey } from '../token-issuer.ts'

/** An issuer whose every mood a test decides. Its address stays the same however often it goes down. */
export class IssuerServer {
  /** What it publishes. */
  keys: TestKey[]
  /** `hang`: takes the connection and never answers. */
  mood: 'well' | 'failing' | 'hang' = 'well'
  fetches = 0
  discoveries = 0
  #server: Server | null = null
  #port = 0

  constructor(keys: readonly TestKey[]) {
    this.keys = [...keys]
  }

  /** `down`: the address is found, and nothing listens there yet. */
  static async start(name: string, alg = 'ES256', down = false): Promise<IssuerServer> {
    const issuer = new IssuerServer([testKey(alg, name)])
    await issuer.up()
    if (down) await issuer.down()
    return issuer
  }

  /** `iss` of its tokens, where discovery begins. */
  get iss(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get jwksUrl(): string {
    return `${this.iss}/keys.json`
  }

  up(): Promise<void> {
    const server = createServer((request, response) => {
      const isKeys = request.url === '/keys.json'
      if (isKeys) this.fetches++
      else this.discoveries++
      if (this.mood === 'hang') return
      if (this.mood === 'failing') return void response.writeHead(500).end()
      if (!isKeys && request.url !== '/.well-known/openid-configuration')
        return void response.writeHead(404).end()
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end(isKeys ? jwks(this.keys) : JSON.stringify({ issuer: this.iss, jwks_uri: this.jwksUrl }))
    })
    this.#server = server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  down(): Promise<void> {
    const server = this.#server
    this.#server = null
    return new Promise((resolve) => {
      if (server === null) return resolve()
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }

  /** A good token of alice for the audience `shop`; claims and header members are replaced, undefined ones left out. */
  token(
    claims: Readonly<Record<string, unknown>> = {},
    key: TestKey | undefined = this.keys[0],
    header: Readonly<Record<string, unknown>> = {},
  ): string {
    if (key === undefined) throw new Error('the issuer has no key')
    const seconds = Math.floor(Date.now() / 1000)
    const base = {
      iss: this.iss,
      sub: 'alice',
      aud: 'shop',
      exp: seconds + 600,
      iat: seconds - 5,
      jti: crypto.randomUUID(),
      client_id: 'web',
      scope: 'items:read',
    }
    return accessToken(key, { ...base, ...claims }, header)
  }
}
