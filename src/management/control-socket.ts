import { rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'
import type { TokenKey } from '../model/directive.ts'
import { FAULTS, type FaultCode, isFault, SallyportError } from '../model/errors.ts'

/**
 * Everything that changes a running gate comes through this unix socket, 0600 in the store: whoever may write the
 * store may change the gate, and no one else.
 */
const orders = z.discriminatedUnion('order', [
  z.strictObject({ order: z.literal('status') }),
  z.strictObject({ order: z.literal('reload'), by: z.string().max(128) }),
  // Absolute: control may stand in another folder than who gives the order.
  z.strictObject({
    order: z.literal('candidate-stage'),
    from: z.string().min(1).max(4_096),
    by: z.string().max(128),
  }),
  z.strictObject({ order: z.literal('candidate-status') }),
  z.strictObject({
    order: z.literal('candidate-canary'),
    share: z.number().min(0).max(100),
    by: z.string().max(128),
  }),
  z.strictObject({ order: z.literal('candidate-promote'), by: z.string().max(128) }),
  z.strictObject({ order: z.literal('candidate-drop'), by: z.string().max(128) }),
  /** A version's number, its hash or the hash's beginning; empty: the one in force before. */
  z.strictObject({ order: z.literal('rollback'), to: z.string().max(64), by: z.string().max(128) }),
  // Erasing itself needs no gate; what it did goes into the log through the only one that may append to it.
  z.strictObject({
    order: z.literal('note-erasure'),
    keys: z.int().min(0),
    segments: z.int().min(0),
    by: z.string().max(128),
  }),
  z.strictObject({
    order: z.literal('revoke-token'),
    keys: z.array(z.string().max(600)).min(1).max(4),
    by: z.string().max(128),
  }),
  z.strictObject({
    order: z.literal('revoke-subject'),
    /** The issuer's `iss` or its name in the configuration. */
    iss: z.string().min(1).max(2_048),
    sub: z.string().min(1).max(512),
    by: z.string().max(128),
  }),
])

export type Order = z.infer<typeof orders>

/** What an order came to: data to print. */
export type OrderResult = Readonly<Record<string, unknown>>

const MAX_ORDER_BYTES = 16_384

export class ControlSocket {
  readonly #server: Server

  constructor(obey: (order: Order) => Promise<OrderResult>) {
    this.#server = createServer((incoming, response) => {
      const chunks: Buffer[] = []
      let size = 0
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.byteLength
        if (size > MAX_ORDER_BYTES) incoming.destroy()
        else chunks.push(chunk)
      })
      incoming.on('error', () => response.destroy())
      incoming.on('end', () => {
        const answer = (status: number, body: unknown): void => {
          response.writeHead(status, { 'Content-Type': 'application/json' })
          response.end(JSON.stringify(body))
        }
        const order = orders.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')))
        if (!order.success) return answer(400, { code: 'usage', message: 'the order is not understood' })
        obey(order.data).then(
          (result) => answer(200, result),
          (error: unknown) =>
            answer(409, {
              code: isFault(error) ? error.code : 'internal',
              message: error instanceof Error ? error.message : 'unknown',
            }),
        )
      })
    })
  }

  listen(store: string): Promise<void> {
    const path = socketPath(store)
    rmSync(path, { force: true })
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => {
        process.umask(mask)
        const hint =
          error.code === 'EINVAL' ? '; the path of a socket holds about 100 bytes: name a shorter store' : ''
        const why = `the control socket ${path} cannot be made: ${error.code ?? error.message}${hint}`
        reject(new SallyportError('store-unwritable', why, { path }, error))
      }
      this.#server.once('error', refuse)
      // The mode is set by the mask at creation: a socket that is open to others for a moment is open.
      const mask = process.umask(0o177)
      this.#server.listen(path, () => {
        process.umask(mask)
        this.#server.off('error', refuse)
        resolve()
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

/** Sends an order to the running gate of the store. Throws `control-unreachable`, or the fault control met. */
export function sendOrder(store: string, order: Order): Promise<OrderResult> {
  return new Promise((resolve, reject) => {
    const unreachable = (cause: unknown): void =>
      reject(
        new SallyportError(
          'control-unreachable',
          `no running gate answers for the store ${store}; start it with sallyport start`,
          { store },
          cause,
        ),
      )
    const outgoing = request(
      { socketPath: socketPath(store), method: 'POST', path: '/', headers: { host: 'control' } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', unreachable)
        response.on('end', () => {
          const body = parseJson(Buffer.concat(chunks).toString('utf8'))
          if (typeof body !== 'object' || body === null) return unreachable(undefined)
          if (response.statusCode === 200) return resolve(body as OrderResult)
          const message =
            'message' in body && typeof body.message === 'string' ? body.message : 'the order failed'
          reject(new SallyportError(faultCode('code' in body ? body.code : undefined), message))
        })
      },
    )
    outgoing.on('error', unreachable)
    outgoing.end(JSON.stringify(order))
  })
}

/** Text of a token key, as an order carries it. A whole JWT is no `jti`: revoking by it would revoke nothing. */
export function isTokenKey(text: string): text is TokenKey {
  if (/^jti:eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(text)) return false
  return (text.startsWith('jti:') && text.length > 4) || /^digest:[A-Za-z0-9_-]{43}$/.test(text)
}

function faultCode(code: unknown): FaultCode {
  return typeof code === 'string' && code in FAULTS ? (code as FaultCode) : 'config-invalid'
}

function socketPath(store: string): string {
  return join(store, 'control.sock')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
