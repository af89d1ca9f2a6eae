import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CODINGS, decodeContent } from './content-coding.ts'

const TEXT = Buffer.from(JSON.stringify({ items: Array.from({ length: 200 }, (_, i) => ({ id: i })) }))
const CODERS = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const
const decode = (bytes: Uint8Array, field: string, limit = 1_048_576): ReturnType<typeof decodeContent> =>
  decodeContent(bytes, field, CODINGS, limit)
const why = (bytes: Uint8Array, field: string, limit?: number): string => {
  const decoded = decode(bytes, field, limit)
  return decoded.ok ? 'ok' : decoded.why
}

describe.each(CODINGS)('%s', (name) => {
  const coded = CODERS[name](TEXT)

  it('gives what was coded', () => expect(decode(coded, name)).toEqual({ ok: true, bytes: TEXT }))
  it('names are read without case', () => expect(why(coded, ` ${name.toUpperCase()} `)).toBe('ok'))
  it('is refused where it is not accepted', () =>
    expect(decodeContent(coded, name, [], 1_048_576)).toEqual({ ok: false, why: 'unsupported' }))

  it.each([
    ['cut short', coded.subarray(0, coded.length - 3)],
    ['cut in half', coded.subarray(0, coded.length >> 1)],
    ['followed by garbage', Buffer.concat([coded, Buffer.from('x')])],
    ['followed by another of its kind', Buffer.concat([coded, coded])],
    ['nothing at all', Buffer.alloc(0)],
    ['not coded', TEXT],
  ])('%s is malformed', (_what, bytes) => expect(why(bytes, name)).toBe('malformed'))

  it('no more than the limit comes out', () => {
    expect(why(coded, name, TEXT.length)).toBe('ok')
    expect(why(coded, name, TEXT.length - 1)).toBe('too-large')
  })

  it('what grows beyond all measure is stopped far below a large limit', () => {
    const bomb = CODERS[name](Buffer.alloc(16 * 1_048_576))
    expect(why(bomb, name, 1_073_741_824)).toBe(bomb.length * 200 < 16 * 1_048_576 ? 'too-large' : 'ok')
    expect(why(bomb, name, 1_048_576)).toBe('too-large')
  })
})

describe('gzip', () => {
  const coded = gzipSync(TEXT)
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(coded)
    copy[at < 0 ? copy.length + at : at] = value
    return copy
  }
  const named = (flags: number, ...more: number[]): Buffer =>
    Buffer.concat([
      coded.subarray(0, 3),
      Buffer.of(flags),
      coded.subarray(4, 10),
      Buffer.from(more),
      coded.subarray(10),
    ])

  it('is x-gzip too', () => expect(why(coded, 'x-gzip')).toBe('ok'))
  it('checksum and length hold', () => {
    expect(why(changed(-8, (coded.at(-8) ?? 0) ^ 1), 'gzip')).toBe('malformed')
    expect(why(changed(-1, 1), 'gzip')).toBe('malformed')
  })
  it('optional members of its head are read', () => {
    expect(why(named(8, 0x61, 0), 'gzip')).toBe('ok')
    expect(why(named(4, 2, 0, 1, 1), 'gzip')).toBe('ok')
    expect(why(named(16, 0x61, 0x62, 0), 'gzip')).toBe('ok')
    expect(why(named(2, 0, 0), 'gzip')).toBe('malformed')
    expect(why(changed(3, 0x20), 'gzip')).toBe('malformed')
  })
})

describe('codings over one another', () => {
  const both = brotliCompressSync(gzipSync(TEXT))
  it('are undone from the last', () => expect(decode(both, 'gzip, br')).toEqual({ ok: true, bytes: TEXT }))
  it('the other way round are malformed', () => expect(why(both, 'br, gzip')).toBe('malformed'))
  it('are two at most', () => expect(why(gzipSync(both), 'gzip, br, gzip')).toBe('unsupported'))
  it('identity is none', () => expect(why(TEXT, 'identity')).toBe('ok'))
  it('a bomb in a bomb ends at the first limit', () =>
    expect(why(gzipSync(gzipSync(Buffer.alloc(16 * 1_048_576))), 'gzip, gzip', 1_048_576)).toBe('too-large'))
})

it('deflate without its frame is read by some only, so by none', () =>
  expect(why(deflateRawSync(TEXT), 'deflate')).toBe('malformed'))

it('other codings are not read', () => {
  for (const name of ['compress', 'exi', 'dcb', 'aes128gcm', 'gzip;q=1'])
    expect(why(TEXT, name)).toBe('unsupported')
})
