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
  /** It is `body`, a protobuf string: Envoy writes `!` for what is not UTF-8, so its bytes may be others. */
  readonly asText: boolean
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

const NOTHING = new Uint8Array(0)

/** One message while it is read: a reader over all of it, and what was found so far. */
class Reading {
  readonly reader: BinaryReader
  readonly bytes: Buffer
  seen = false
  method = ''
  path = ''
  host = ''
  scheme = ''
  protocol = ''
  readonly fields: string[] = []
  body: Uint8Array = NOTHING
  rawBody: Uint8Array = NOTHING
  address = ''
  port = 0
  name = ''
  value = ''

  constructor(bytes: Uint8Array) {
    this.reader = new BinaryReader(bytes)
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  text(start: number, end: number): string {
    return this.bytes.toString('latin1', start, end)
  }
}

type Part = (reading: Reading, start: number, end: number) => void
/** Readers of a message's length-delimited fields, by number. */
type Parts = Readonly<Record<number, Part>>

/** Null where the bytes are no such message, or state no HTTP request. Never throws. */
export function readCheckRequest(bytes: Uint8Array): CheckRequest | null {
  const reading = new Reading(bytes)
  try {
    walk(reading, bytes.byteLength, CHECK_REQUEST)
  } catch {
    return null
  }
  if (!reading.seen) return null
  const { method, path, host, scheme, protocol, fields, address, port, body, rawBody } = reading
  const shown = rawBody.byteLength > 0 ? rawBody : body
  const asText = rawBody.byteLength === 0 && body.byteLength > 0
  return { method, path, host, scheme, protocol, fields, body: shown, asText, address, port }
}

/** Reads on to `end`; throws where the bytes there are no message. */
function walk(reading: Reading, end: number, parts: Parts): void {
  const { reader } = reading
  while (reader.pos < end) {
    const [number, type] = reader.tag()
    const part = type === WireType.LengthDelimited ? parts[number] : undefined
    if (part === undefined) reader.skip(type, number)
    else {
      const length = reader.uint32()
      const start = reader.pos
      if (start + length > end) throw new RangeError('a field ends behind its message')
      part(reading, start, start + length)
      reader.pos = start + length
    }
  }
  if (reader.pos > end) throw new RangeError('a field ends behind its message')
}

const into =
  (parts: Parts): Part =>
  (reading, _start, end) =>
    walk(reading, end, parts)

/** A map's entry (key 1, value 2) or a HeaderValue (also raw_value 3): both name and value. */
const NAME_AND_VALUE: Parts = {
  1: (reading, start, end) => {
    reading.name = reading.text(start, end)
  },
  2: (reading, start, end) => {
    reading.value = reading.text(start, end)
  },
  3: (reading, start, end) => {
    reading.value = reading.text(start, end)
  },
}

const field: Part = (reading, _start, end) => {
  reading.name = ''
  reading.value = ''
  walk(reading, end, NAME_AND_VALUE)
  reading.fields.push(reading.name, reading.value)
}

/** SocketAddress: address (2), port_value (3). */
const socketAddress: Part = (reading, _start, end) => {
  const { reader } = reading
  while (reader.pos < end) {
    const [number, type] = reader.tag()
    if (number === 3 && type === WireType.Varint) reading.port = reader.uint32()
    else if (number === 2 && type === WireType.LengthDelimited) {
      const length = reader.uint32()
      reading.address = reading.text(reader.pos, reader.pos + length)
      reader.pos += length
    } else reader.skip(type, number)
  }
  if (reader.pos > end) throw new RangeError('a field ends behind its message')
}

/** HttpRequest; `size` (9) is what came on the wire so far, and says nothing of the body. */
const HTTP_REQUEST: Parts = {
  2: (reading, start, end) => {
    reading.method = reading.text(start, end)
  },
  3: field,
  4: (reading, start, end) => {
    reading.path = reading.text(start, end)
  },
  5: (reading, start, end) => {
    reading.host = reading.text(start, end)
  },
  6: (reading, start, end) => {
    reading.scheme = reading.text(start, end)
  },
  10: (reading, start, end) => {
    reading.protocol = reading.text(start, end)
  },
  11: (reading, start, end) => {
    reading.body = reading.bytes.subarray(start, end)
  },
  12: (reading, start, end) => {
    reading.rawBody = reading.bytes.subarray(start, end)
  },
  // HeaderMap.headers → HeaderValue
  13: into({ 1: field }),
}

const CHECK_REQUEST: Parts = {
  // CheckRequest.attributes
  1: into({
    // AttributeContext.source → Peer.address → Address.socket_address
    1: into({ 1: into({ 1: socketAddress }) }),
    // AttributeContext.request → Request.http
    4: into({
      2: (reading, _start, end) => {
        reading.seen = true
        walk(reading, end, HTTP_REQUEST)
      },
    }),
  }),
}

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
