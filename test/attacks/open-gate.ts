import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Connector } from '../../src/enforcement/connector.ts'
import { Listener, type ListenerLimits } from '../../src/enforcement/entrances/listener.ts'
import type { AuditWriter, Upstream } from '../../src/model/ports.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { type ConfigFolder, configFolder } from '../config-folder.ts'
import { type MemoryGate, memoryGate } from '../memory-gate.ts'
import { accessToken, testKey } from '../token-issuer.ts'

// A gate on a real socket, in this process, before an upstream that answers exactly the bytes a test gives it: what
// either side does on the wire is seen as it is, and what the record says is at hand.

const ISSUER = 'https://idp.example'
export const PARTNER = 'https://partner.example'
const KEY = testKey('ES256')

export const CONTRACT = `openapi: 3.1.0
info: { title: things, version: 1.0.0 }
paths:
  /free:
    get: { operationId: getFree, security: [], parameters: [{ name: q, in: query, schema: { type: string } }], responses: { '200': { $ref: '#/components/responses/Thing' } } }
  /bare:
    get: { operationId: getBare, security: [], responses: { '200': { description: no content declared }, '404': { description: none here } } }
    delete: { operationId: deleteBare, security: [], responses: { '204': { description: gone } } }
  /any:
    get: { operationId: getAny, security: [], responses: { default: { $ref: '#/components/responses/Thing' } } }
  /events:
    get: { operationId: getEvents, security: [], responses: { '200': { description: ok, content: { text/event-stream: {} } } } }
  /file:
    get: { operationId: getFile, security: [], responses: { '200': { description: ok, content: { application/octet-stream: {} } } } }
    head: { operationId: headFile, security: [], responses: { '200': { description: ok } } }
  /list:
    get:
      operationId: getList
      security: []
      responses: { '200': { description: ok, content: { application/json: { schema: { type: object, properties: { items: { type: array, items: { $ref: '#/components/schemas/Thing' } } } } } } } }
  /things:
    post:
      operationId: addThing
      security: [{ oauth: [things] }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '201': { $ref: '#/components/responses/Thing' } }
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: getThing, security: [{ oauth: [things] }], responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } } }
    head: { operationId: headThing, security: [{ oauth: [things] }], responses: { '200': { description: ok }, '404': { description: none } } }
    patch:
      operationId: changeThing
      security: [{ oauth: [things] }]
      requestBody: { required: true, content: { application/json: { schema: { type: object, properties: { note: { type: string } } } } } }
      responses: { '200': { $ref: '#/components/responses/Thing' }, '404': { description: none } }
    delete: { operationId: deleteThing, security: [{ oauth: [things] }], responses: { '204': { description: gone }, '404': { description: none } } }
components:
  securitySchemes: { oauth: { type: http, scheme: bearer } }
  responses:
    Thing: { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
  schemas:
    Thing:
      type: object
      properties: { id: { type: string }, owner: { type: string }, count: { type: integer }, note: { type: string }, inner: { type: object, properties: { ok: { type: string } } } }
`

const POLICIES = `
@id("free") permit (principal, action in [Action::"things.getFree", Action::"things.getBare", Action::"things.deleteBare", Action::"things.getAny", Action::"things.getEvents", Action::"things.getFile", Action::"things.headFile", Action::"things.getList"], resource);
@id("add") permit (principal is User, action == Action::"things.addThing", resource);
@id("own") permit (principal is User, action in [Action::"things.getThing", Action::"things.headThing", Action::"things.changeThing", Action::"things.deleteThing"], resource) when { resource has owner && resource.owner == principal };
@id("staff") permit (principal in Group::"corp/staff", action in Action::"things/all", resource);
`

export interface OpenGateOptions {
  readonly mode?: 'enforce' | 'observe'
  /** Lines of the API's configuration, indented by four. */
  readonly api?: string
  /** Lines of the API without a contract. */
  readonly raw?: string
  readonly top?: string
  /** Issuers the API accepts; `corp` unless told. */
  readonly accept?: string
  readonly limits?: Partial<ListenerLimits>
  readonly audit?: AuditWriter
  /** Wraps what the gate calls. */
  readonly upstream?: (real: Upstream) => Upstream
  readonly contract?: string
  readonly policies?: string
  /** Pointer to a thing's owner; `/owner` unless told. */
  readonly owner?: string
}

export interface OpenGate extends MemoryGate {
  readonly port: number
  readonly upstream: RawUpstream
  readonly listener: Listener
  token(sub: string, over?: Readonly<Record<string, unknown>>): string
  /** Sends bytes on one connection and gives what came back: until it closes, or `answers` have come. */
  send(
    bytes: string | readonly (string | number)[],
    answers?: number,
  ): Promise<RawAnswer[] & { closed: boolean }>
  stop(): Promise<void>
}

export async function openGate(options: OpenGateOptions = {}): Promise<OpenGate> {
  const upstream = await rawUpstream()
  const folder: ConfigFolder = configFolder()
  const config = folder.write({
    'sallyport.yaml': `listen: { host: 127.0.0.1, port: 0 }
identity: { issuers: { corp: { issuer: "${ISSUER}" }, partner: { issuer: "${PARTNER}" } } }
apis:
  things:
    contract: ./things.yaml
    upstream: ${upstream.origin}
    basePath: /v1
    hosts: [things.example]
    owner: team
    identity: { accept: [${options.accept ?? 'corp'}], audience: shop }
    mode: ${options.mode ?? 'enforce'}
    objects:
      thing: { path: "/things/{id}", owner: ${options.owner ?? '/owner'}, lookup: getThing, hideAbsent: true, issuer: corp }
${options.api ?? ''}
  raw:
    upstream: ${upstream.origin}
    hosts: [raw.example]
    owner: team
${options.raw ?? ''}
policies: ./policies
${options.top ?? ''}
`,
    'things.yaml': options.contract ?? CONTRACT,
    'policies/things.cedar': options.policies ?? POLICIES,
  })
  const connector = new Connector({ addresses: () => [{ address: '127.0.0.1', family: 4 }] })
  const made = memoryGate({
    config,
    upstream: options.upstream?.(connector) ?? connector,
    keys: { corp: { iss: ISSUER, keys: [KEY] }, partner: { iss: PARTNER, keys: [KEY] } },
    ...(options.audit === undefined ? {} : { audit: options.audit }),
  })
  const listener = new Listener(made.gate, systemRandom(), {
    headBytes: 32_768,
    headMs: 2_000,
    requestMs: 10_000,
    idleMs: 3_000,
    lingerMs: 300,
    stallMs: 500,
    ...options.limits,
  })
  const port = await listener.listen('127.0.0.1', 0, false)
  return {
    ...made,
    port,
    upstream,
    listener,
    token: (sub, over = {}) => {
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: ISSUER,
        sub,
        aud: 'shop',
        client_id: 'web',
        jti: crypto.randomUUID(),
        scope: 'things',
      }
      return accessToken(KEY, { ...claims, iat: now, exp: now + 300, ...over })
    },
    send: (bytes, answers) => converse(port, typeof bytes === 'string' ? [bytes] : bytes, answers),
    stop: async () => {
      await listener.drain(0)
      await connector.close()
      await upstream.stop()
      made.close()
      folder.remove()
    },
  }
}

/** A request's head and body as text; CRLF line ends. */
export function request(
  method: string,
  target: string,
  fields: Readonly<Record<string, string>> = {},
  body?: string,
): string {
  const all: Record<string, string> = { Host: 'things.example', ...fields }
  if (body !== undefined && all['Transfer-Encoding'] === undefined)
    all['Content-Length'] ??= String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
  field(name: string): string | undefined
}

/** Strings are written, numbers are pauses in ms. Resolves when the gate closes, `answers` are there, or 5 s passed. */
export async function converse(
  port: number,
  parts: readonly (string | number)[],
  answers = 1,
): Promise<RawAnswer[] & { closed: boolean }> {
  const socket = connect(port, '127.0.0.1')
  let got = ''
  let closed = false
  const heads = parts.flatMap((part) =>
    typeof part === 'string' ? (part.match(/^HEAD /gm) ?? []) : [],
  ).length
  socket.on('error', () => undefined)
  const over = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 6_000)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      if (split(got, heads > 0).length >= answers) done()
    })
    socket.on('close', () => {
      closed = true
      done()
    })
  })
  await once(socket, 'connect')
  for (const part of parts) {
    if (typeof part === 'number') await new Promise((resolve) => setTimeout(resolve, part))
    else if (socket.writable) socket.write(part, 'latin1')
  }
  await over
  socket.destroy()
  return Object.assign(split(got, heads > 0), { closed })
}

/** Whole answers only; 1xx count as answers of their own. */
export function split(text: string, headless = false): RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return answers
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: ?(.*)$`, 'im').exec(head)?.[1]?.trim()
    rest = rest.slice(end + 4)
    const bodiless = headless || status < 200 || status === 204 || status === 304
    let body = ''
    if (!bodiless && field('transfer-encoding') === 'chunked') {
      let whole = false
      while (!whole) {
        const line = rest.indexOf('\r\n')
        const size = Number.parseInt(rest.slice(0, line), 16)
        if (line < 0 || rest.length < line + 2 + size + 2) return answers
        body += rest.slice(line + 2, line + 2 + size)
        rest = rest.slice(line + 2 + size + 2)
        whole = size === 0
      }
    } else if (!bodiless) {
      const length = Number(field('content-length') ?? 0)
      if (rest.length < length) return answers
      body = rest.slice(0, length)
      rest = rest.slice(length)
    }
    answers.push({ status, head, body, field })
  }
}

export interface RawCall {
  readonly method: string
  readonly path: string
  /** Head as it came, without the empty line. */
  readonly head: string
  readonly body: string
  field(name: string): string | undefined
}

export interface RawUpstream {
  readonly origin: string
  readonly calls: RawCall[]
  /** What answers: bytes to write, or a function of the connection that does it itself. */
  answer: (call: RawCall, socket: Socket) => string | Buffer | undefined | Promise<undefined>
  readonly sockets: Set<Socket>
  stop(): Promise<void>
}

export function ok(body: string, type = 'application/json', more = ''): string {
  const typed = type === '' ? '' : `Content-Type: ${type}\r\n`
  return `HTTP/1.1 200 OK\r\n${typed}Content-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`
}

export function answerOf(status: number, body = '', type = 'application/json', more = ''): string {
  return ok(body, type, more).replace('200 OK', `${status} X`)
}

async function rawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  const made = {
    origin: '',
    calls: [] as RawCall[],
    sockets,
    answer: ((): string => ok('{"id":"a"}')) as RawUpstream['answer'],
    stop: (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    let got = ''
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      for (;;) {
        const end = got.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = got.slice(0, end)
        const field = (name: string): string | undefined =>
          new RegExp(`^${name}: ?(.*)$`, 'im').exec(head)?.[1]?.trim()
        const length = Number(field('content-length') ?? 0)
        if (got.length < end + 4 + length) return
        const body = got.slice(end + 4, end + 4 + length)
        got = got.slice(end + 4 + length)
        const [method = '', path = ''] = head.split(' ', 2)
        const call: RawCall = { method, path, head, body, field }
        made.calls.push(call)
        const answered = made.answer(call, socket)
        if (typeof answered === 'string') socket.write(answered, 'latin1')
        else if (answered instanceof Buffer) socket.write(answered)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  made.origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  return made
}
