import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { ExtAuthz } from '../../src/enforcement/entrances/ext-authz.ts'
import type { Gate } from '../../src/enforcement/gate.ts'
import { systemRandom } from '../../src/roles/system.ts'
import { writeMessage } from '../../src/syntax/grpc.ts'
import { freePort } from '../e2e/proxies.ts'

// Askings as Envoy makes them, byte by byte, without an Envoy.

export interface Stated {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly scheme?: string
  readonly protocol?: string
  readonly fields?: Readonly<Record<string, string>>
  /** As `header_map` with raw values instead of `headers`. */
  readonly raw?: boolean
  readonly body?: string
  /** As `body`, a string, instead of `raw_body`. */
  readonly asText?: boolean
  readonly address?: string | null
}

/** A CheckRequest; field numbers as in attribute_context.proto. */
export function checkRequest(stated: Stated = {}): Uint8Array {
  const {
    method = 'GET',
    path = '/v1/free',
    host = 'things.example',
    fields = {},
    raw = false,
    body,
  } = stated
  const { scheme = 'http', protocol = 'HTTP/1.1', address = '192.0.2.7', asText = false } = stated
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).fork()
  if (address !== null) {
    writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(2, WireType.LengthDelimited).string(address).tag(3, WireType.Varint).uint32(4711)
    writer.join().join().join()
  }
  writer.tag(4, WireType.LengthDelimited).fork().tag(2, WireType.LengthDelimited).fork()
  writer.tag(2, WireType.LengthDelimited).string(method)
  if (raw) writer.tag(13, WireType.LengthDelimited).fork()
  for (const [name, value] of Object.entries(fields)) {
    writer.tag(raw ? 1 : 3, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).string(name)
    writer
      .tag(raw ? 3 : 2, WireType.LengthDelimited)
      .string(value)
      .join()
  }
  if (raw) writer.join()
  writer.tag(4, WireType.LengthDelimited).string(path).tag(5, WireType.LengthDelimited).string(host)
  writer.tag(6, WireType.LengthDelimited).string(scheme)
  writer.tag(9, WireType.Varint).int64(-1).tag(10, WireType.LengthDelimited).string(protocol)
  if (body !== undefined) writer.tag(asText ? 11 : 12, WireType.LengthDelimited).string(body)
  return writer.join().join().join().finish()
}

export interface Told {
  /** HTTP status of the asking itself. */
  readonly http: number
  /** `grpc-status`; undefined where none came. */
  readonly grpc: string | undefined
  /** The CheckResponse; empty where none came. */
  readonly message: Uint8Array
  /** `ok`, a reason's code, or null where there is no CheckResponse. */
  readonly verdict: string | null
}

export interface Asker {
  readonly port: number
  /** Sends these bytes as they are. */
  send(bytes: Uint8Array, head?: Readonly<Record<string, string>>): Promise<Told>
  check(stated?: Stated): Promise<Told>
  stop(): Promise<void>
}

/** A decision point before this gate, and a connection to it. */
export async function asker(
  gate: Gate,
  over: {
    readonly peers?: readonly string[]
    readonly bodies?: 'deny' | 'unchecked'
    readonly maxRequestBytes?: number
  } = {},
): Promise<Asker> {
  const port = await freePort()
  const { peers = ['127.0.0.0/8'], bodies = 'deny', maxRequestBytes } = over
  const settings = { host: '127.0.0.1', port, peers, bodies, key: 'decisionPoints.extAuthz' }
  const point = new ExtAuthz(
    { ...settings, kind: 'ext-authz', maxMessageBytes: 65_536, maxRequestBytes },
    { gate, random: systemRandom() },
  )
  await point.listen(false)
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  const send: Asker['send'] = (bytes, head = {}) => exchange(session, bytes, head)
  return {
    port,
    send,
    check: (stated) => send(writeMessage(checkRequest(stated))),
    stop: async () => {
      session.destroy()
      await point.drain(0)
    },
  }
}

function exchange(
  session: ClientHttp2Session,
  bytes: Uint8Array,
  head: Readonly<Record<string, string>>,
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/envoy.service.auth.v3.Authorization/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...head,
    })
    let http = 0
    let grpc: string | undefined
    const chunks: Buffer[] = []
    const take = (headers: IncomingHttpHeaders): void => {
      const status = headers['grpc-status']
      if (status !== undefined) grpc = String(status)
    }
    stream.on('response', (headers) => {
      http = Number(headers[':status'])
      take(headers)
    })
    stream.on('trailers', take)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('close', () => {
      const message = Buffer.concat(chunks).subarray(5)
      resolve({ http, grpc, message, verdict: message.byteLength === 0 ? null : verdictOf(message) })
    })
    stream.end(bytes)
  })
}

/** Names and values that CheckResponse has at this path of field numbers. */
export function parts(message: Uint8Array, ...path: readonly number[]): readonly Uint8Array[] {
  const [first, ...rest] = path
  if (first === undefined) return [message]
  const found: Uint8Array[] = []
  const reader = new BinaryReader(message)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === first && type === WireType.LengthDelimited) found.push(...parts(reader.bytes(), ...rest))
    else reader.skip(type, number)
  }
  return found
}

function verdictOf(message: Uint8Array): string {
  if (parts(message, 3).length > 0) return 'ok'
  const [body = new Uint8Array(0)] = parts(message, 2, 3)
  return /urn:sallyport:reason:([a-z-]+)/.exec(Buffer.from(body).toString())?.[1] ?? 'denied'
}
