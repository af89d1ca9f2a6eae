import { parseArgs } from 'node:util'
import { isCaller } from './people.ts'
import type { DemoProvider, TokenOptions } from './provider.ts'
import { startProvider } from './provider.ts'
import { startShop } from './shop.ts'

// The shop and its provider in one process: node demo/services.ts [--shop-port N] [--provider-port N]
// stdout: one line of JSON, {"shop", "issuer"}, once both listen. Exit codes: 0 ended, 2 usage or fault.
// Forked with an IPC channel it also answers TokenRequest with TokenReply and tells each call that reached the
// shop as {type: 'call', call: UpstreamCall}; it ends when the parent lets go of the channel.

export interface TokenRequest extends TokenOptions {
  readonly type: 'token'
  readonly id: number | string
  readonly person: string
}

export type TokenReply =
  | { readonly type: 'token'; readonly id: number | string; readonly token: string }
  | { readonly type: 'token'; readonly id: number | string; readonly error: string }

const HOST = '127.0.0.1'

const ports = readPorts()
const shop = await orExit(startShop({ host: HOST, port: ports.shop }), 'shop', ports.shop)
const provider = await orExit(startProvider({ host: HOST, port: ports.provider }), 'provider', ports.provider)

const end = async () => {
  await Promise.all([shop.close(), provider.close()])
  process.exit(0)
}
process.once('SIGTERM', end)
if (process.send) {
  if (!process.connected) await end()
  process.once('disconnect', end)
  process.on('message', (message: unknown) => {
    if (isTokenRequest(message)) reply(message, provider).then(tell)
  })
  shop.seen((call) => tell({ type: 'call', call }))
}
console.log(JSON.stringify({ shop: shop.url, issuer: provider.issuer }))

async function reply(request: TokenRequest, from: DemoProvider): Promise<TokenReply> {
  const { type, id, person, ...options } = request
  try {
    if (!isCaller(person)) throw new Error(`nobody is called ${JSON.stringify(person)}`)
    return { type, id, token: await from.token(person, options) }
  } catch (error) {
    return { type, id, error: error instanceof Error ? error.message : String(error) }
  }
}

function isTokenRequest(message: unknown): message is TokenRequest {
  if (typeof message !== 'object' || message === null) return false
  const { type, id, person } = message as Record<string, unknown>
  return type === 'token' && ['number', 'string'].includes(typeof id) && typeof person === 'string'
}

/** The callback keeps a message sent while the channel closes from being an uncaught error. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, () => {})
}

function readPorts(): { shop: number; provider: number } {
  try {
    const { values } = parseArgs({
      options: { 'shop-port': { type: 'string' }, 'provider-port': { type: 'string' } },
    })
    return {
      shop: asPort(values['shop-port'], 'shop'),
      provider: asPort(values['provider-port'], 'provider'),
    }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function asPort(text: string | undefined, service: string): number {
  const port = Number(text ?? 0)
  if (/^\d{1,5}$/.test(text ?? '0') && port <= 65_535) return port
  throw new Error(`--${service}-port must be a number from 0 (any free port) to 65535, not ${text}`)
}

async function orExit<T>(start: Promise<T>, service: string, port: number): Promise<T> {
  try {
    return await start
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const other = `choose another with --${service}-port N (0 = any free port)`
    if (code === 'EADDRINUSE')
      return fail(`port ${port} on ${HOST} is taken: the demo's ${service} needs it; ${other}`)
    if (code === 'EACCES') return fail(`port ${port} on ${HOST} may not be opened by this user; ${other}`)
    throw error
  }
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
