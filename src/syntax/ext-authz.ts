import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/**
 * The messages of Envoy's external authorization as far as they are read and written here, mapped by field number
 * from envoy/service/auth/v3/external_auth.proto and attribute_context.proto, envoy/config/core/v3/base.proto and
 * address.proto, envoy/type/v3/http_status.proto and google/rpc/status.proto. Fields not named here are skipped.
 */

/** `CheckRequest.attributes`: the call as Envoy states it. Texts are bytes read as latin1, as HTTP's are elsewhere. */
export interface CheckRequest {
  readonly method: string
  /** The request target, query included. */
  readonly path: string
  readonly host: string
  readonly scheme: string
  /** `HTTP/1.1`, `HTTP/2` … */
  readonly protocol: string
  /** Names and values in turn, pseudo-fields included; from `headers`, or `header_map` where that is sent. */
  readonly fields: readonly string[]
  /** `raw_body`, or `body`; empty where none is sent. */
  readonly body: Uint8Array
  /** Of `source.address.socket_address`; empty where the source is no socket address. */
  readonly address: string
  readonly port: number
}

export interface CheckOk {
  /** Names and values in turn, set on the call instead of what it has. */
  readonly set: readonly string[]
  readonly remove: readonly string[]
  /** Names and values in turn, added to the answer. */
  readonly answerFields: readonly string[]
}

export interface CheckDenied {
  readonly status: number
  readonly fields: readonly string[]
  readonly body: Uint8Array
}

interface Mutable {
  method: string
  path: string
  host: string
  scheme: string
  protocol: string
  fields: string[]
  body: Uint8Array
  rawBody: Uint8Array
  address: string
  port: number
}

const NOTHING = new Uint8Array(0)

/** Null where the bytes are no such message, or state no HTTP request. Never throws. */
export function readCheckRequest(bytes: Uint8Array): CheckRequest | null {
  const into: Mutable = {
    method: '',
    path: '',
    host: '',
    scheme: '',
    protocol: '',
    fields: [],
    body: NOTHING,
    rawBody: NOTHING,
    address: '',
    port: 0,
  }
  let seen = false
  try {
    eachPart(bytes, {
      // CheckRequest.attributes
      1: (attributes) =>
        eachPart(attributes, {
          // AttributeContext.source → Peer.address → Address.socket_address
          1: (peer) =>
            eachPart(peer, { 1: (address) => eachPart(address, { 1: (at) => socketAddress(at, into) }) }),
          // AttributeContext.request → Request.http
          4: (request) =>
            eachPart(request, {
              2: (http) => {
                seen = true
                httpRequest(http, into)
              },
            }),
        }),
    })
  } catch {
    return null
  }
  if (!seen) return null
  const { rawBody, ...request } = into
  return { ...request, body: rawBody.byteLength > 0 ? rawBody : into.body }
}

/** HttpRequest; `size` (9) is what came on the wire so far, and says nothing of the body. */
function httpRequest(bytes: Uint8Array, into: Mutable): void {
  eachPart(bytes, {
    2: (value) => {
      into.method = text(value)
    },
    3: (entry) => field(entry, into.fields),
    4: (value) => {
      into.path = text(value)
    },
    5: (value) => {
      into.host = text(value)
    },
    6: (value) => {
      into.scheme = text(value)
    },
    10: (value) => {
      into.protocol = text(value)
    },
    11: (value) => {
      into.body = value
    },
    12: (value) => {
      into.rawBody = value
    },
    // HeaderMap.headers → HeaderValue
    13: (map) => eachPart(map, { 1: (header) => field(header, into.fields) }),
  })
}

/** A map's entry (key 1, value 2) or a HeaderValue (also raw_value 3): both name and value. */
function field(bytes: Uint8Array, into: string[]): void {
  let name = ''
  let value = ''
  eachPart(bytes, {
    1: (part) => {
      name = text(part)
    },
    2: (part) => {
      value = text(part)
    },
    3: (part) => {
      value = text(part)
    },
  })
  into.push(name, value)
}

function socketAddress(bytes: Uint8Array, into: Mutable): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === 2 && type === WireType.LengthDelimited) into.address = text(reader.bytes())
    else if (number === 3 && type === WireType.Varint) into.port = reader.uint32()
    else reader.skip(type, number)
  }
}

type Parts = Readonly<Record<number, (bytes: Uint8Array) => void>>

/** Calls the reader of each length-delimited field that has one; throws where the bytes are no message. */
function eachPart(bytes: Uint8Array, parts: Parts): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    const part = type === WireType.LengthDelimited ? parts[number] : undefined
    if (part === undefined) reader.skip(type, number)
    else part(reader.bytes())
  }
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

const OVERWRITE_IF_EXISTS_OR_ADD = 2

/** CheckResponse with status OK and ok_response (3). */
export function writeOk({ set, remove, answerFields }: CheckOk): Uint8Array {
  const writer = new BinaryWriter()
  // google.rpc.Status with code 0 is the empty message.
  writer.tag(1, WireType.LengthDelimited).bytes(NOTHING)
  writer.tag(3, WireType.LengthDelimited).fork()
  headers(writer, 2, set)
  for (const name of remove) writer.tag(5, WireType.LengthDelimited).string(name)
  headers(writer, 6, answerFields)
  return writer.join().finish()
}

/** google.rpc.Code of a refusal; Envoy only tells 0 from the rest, logs show the number. */
const PERMISSION_DENIED = 7
const UNAUTHENTICATED = 16

/** CheckResponse with a status other than OK and denied_response (2). */
export function writeDenied({ status, fields, body }: CheckDenied): Uint8Array {
  const writer = new BinaryWriter()
  const code = status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED
  writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(code).join()
  writer.tag(2, WireType.LengthDelimited).fork()
  writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(status).join()
  headers(writer, 2, fields)
  writer.tag(3, WireType.LengthDelimited).bytes(body)
  return writer.join().finish()
}

/** Repeated HeaderValueOption: header (1) → HeaderValue, append_action (3). */
function headers(writer: BinaryWriter, number: number, fields: readonly string[]): void {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    writer.tag(number, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).string(fields[i] ?? '')
    writer.tag(2, WireType.LengthDelimited).string(fields[i + 1] ?? '')
    writer.join()
    writer.tag(3, WireType.Varint).int32(OVERWRITE_IF_EXISTS_OR_ADD)
    writer.join()
  }
}
