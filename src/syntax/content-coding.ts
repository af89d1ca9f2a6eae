import {
  brotliDecompressSync,
  crc32,
  inflateRawSync,
  inflateSync,
  constants as zlib,
  zstdDecompressSync,
} from 'node:zlib'

/**
 * Content codings of messages (RFC 9110 §8.4.1), undone at once and within bounds. Readers differ on what stands behind
 * the end of a stream (a second member, garbage) and on deflate without its zlib frame: both are faults here.
 */
export const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const
export type Coding = (typeof CODINGS)[number]

export type Decoded =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** `unsupported`: a coding that is not accepted, or too many; `malformed`: not what it says; `too-large`. */
  | { readonly ok: false; readonly why: 'unsupported' | 'malformed' | 'too-large' }

/** Codings one over the other; one is usual, and each multiplies what a few bytes can become. */
const MAX_CODINGS = 2
/** Decoded bytes for one that was sent. Text shrinks to a tenth or twentieth; deflate reaches 1,032 with zeros alone. */
const MAX_RATIO = 200
/** So much a few bytes may become, whatever their ratio. */
const MAX_FREE_BYTES = 1_048_576
/** RFC 9659: what a decoder of the zstd coding has to afford, 8 MiB, and no more. */
const ZSTD_WINDOW_LOG = 23

/**
 * `field`: the value of Content-Encoding; `limit`: bytes after decoding, at each step. Never throws. Time and memory are
 * bounded by the limit and by `MAX_RATIO` of what was sent.
 */
export function decodeContent(
  bytes: Uint8Array,
  field: string,
  accepted: readonly string[],
  limit: number,
): Decoded {
  const names = field
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
    .map((name) => (name === 'x-gzip' ? 'gzip' : name))
  if (names.length > MAX_CODINGS) return { ok: false, why: 'unsupported' }
  const room = Math.min(limit, Math.max(MAX_FREE_BYTES, bytes.byteLength * MAX_RATIO))
  let at = bytes
  for (const name of names.reverse()) {
    if (!accepted.includes(name)) return { ok: false, why: 'unsupported' }
    try {
      const decoded = undo(name, at, room)
      if (decoded === undefined) return { ok: false, why: 'unsupported' }
      if (decoded === null) return { ok: false, why: 'malformed' }
      at = decoded
    } catch (error) {
      const large = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      return { ok: false, why: large ? 'too-large' : 'malformed' }
    }
  }
  return { ok: true, bytes: at }
}

/** With `info` the synchronous calls also say how far they read, which types do not know. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

function undo(name: string, bytes: Uint8Array, maxOutputLength: number): Uint8Array | null | undefined {
  const options = { maxOutputLength, info: true }
  switch (name) {
    case 'gzip':
      return gunzip(bytes, options)
    case 'deflate':
      return whole(inflateSync(bytes, options) as unknown as Inflated, bytes)
    case 'br':
      return whole(brotliDecompressSync(bytes, options) as unknown as Inflated, bytes)
    case 'zstd': {
      const params = { [zlib.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG }
      return whole(zstdDecompressSync(bytes, { ...options, params }) as unknown as Inflated, bytes)
    }
    default:
      return undefined
  }
}

const whole = ({ buffer, engine }: Inflated, bytes: Uint8Array): Uint8Array | null =>
  engine.bytesWritten === bytes.byteLength ? buffer : null

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16

/** One member (RFC 1952 §2.3) and nothing else. Node's own reads on through further members, other readers do not. */
function gunzip(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array | null {
  const flags = bytes[3] ?? 0xff
  if (bytes.length < 18 || bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8 || flags > 0x1f)
    return null
  let at = 10
  if ((flags & FEXTRA) !== 0) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8)
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, at)
    if (end < 0) return null
    at = end + 1
  }
  if ((flags & FHCRC) !== 0) {
    if (little(bytes, at, 2) !== (crc32(bytes.subarray(0, at)) & 0xffff)) return null
    at += 2
  }
  const deflated = bytes.subarray(at)
  const { buffer, engine } = inflateRawSync(deflated, { ...options, info: true }) as unknown as Inflated
  const trailer = at + engine.bytesWritten
  if (trailer + 8 !== bytes.length) return null
  const sound = little(bytes, trailer, 4) === crc32(buffer) && little(bytes, trailer + 4, 4) === buffer.length
  return sound ? buffer : null
}

function little(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}
