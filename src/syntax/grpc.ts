/** gRPC over HTTP/2 (doc/PROTOCOL-HTTP2.md of grpc/grpc), as far as one message each way goes. */

/** doc/statuscodes.md. */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
} as const

export type GrpcCode = (typeof GRPC)[keyof typeof GRPC]

export type Framed =
  | { readonly ok: true; readonly message: Uint8Array }
  | { readonly ok: false; readonly code: GrpcCode; readonly why: string }

/** Length-Prefixed-Message: a byte of flags and four of length, big-endian. */
export const PREFIX_BYTES = 5

/** The one message of a unary request, whole and uncompressed. */
export function readMessage(bytes: Uint8Array, limit: number): Framed {
  if (bytes.byteLength < PREFIX_BYTES) return fault(GRPC.invalidArgument, 'the message is cut off')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint8(0)
  if (flags === 1) return fault(GRPC.unimplemented, 'compressed messages are not taken')
  if (flags !== 0) return fault(GRPC.internal, 'the message has unknown flags')
  const length = view.getUint32(1)
  if (length > limit) return fault(GRPC.resourceExhausted, `the message is larger than ${limit} bytes`)
  const left = bytes.byteLength - PREFIX_BYTES
  if (left < length) return fault(GRPC.invalidArgument, 'the message is cut off')
  if (left > length) return fault(GRPC.invalidArgument, 'there is more than one message')
  return { ok: true, message: bytes.subarray(PREFIX_BYTES) }
}

export function writeMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(PREFIX_BYTES + message.byteLength)
  new DataView(framed.buffer).setUint32(1, message.byteLength)
  framed.set(message, PREFIX_BYTES)
  return framed
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** `grpc-timeout` in ms: at most eight digits and a unit. Null for anything else. */
export function readTimeout(text: string): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  return match === null || unit === undefined ? null : Number(match[1]) * unit
}

function fault(code: GrpcCode, why: string): Framed {
  return { ok: false, code, why }
}
