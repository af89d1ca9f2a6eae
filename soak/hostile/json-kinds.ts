import { brotliCompressSync, deflateSync, gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib'
import type { Kind } from './kinds.ts'
import type { Sending } from './send.ts'

/** Just below what an API takes by default: 1 MiB. */
export const MOST = 1_048_000

const JSON_TYPE = { 'content-type': 'application/json' }

const body = (text: () => string | Uint8Array, headers: Sending['headers'] = {}): Kind['sending'] => {
  let made: string | Uint8Array | undefined
  return () => {
    made ??= text()
    return { path: '/bad/json', headers: { ...JSON_TYPE, ...headers }, body: made }
  }
}

/** `{"name":[item,item,…]}` of at most `most` bytes and `count` items. */
function listOf(name: string, item: (i: number) => string, count = 60_000, most = MOST): string {
  const items: string[] = []
  let size = name.length + 8
  for (let i = 0; i < count; i++) {
    const text = item(i)
    size += text.length + 1
    if (size > most) break
    items.push(text)
  }
  return `{"${name}":[${items.join(',')}]}`
}

const quoted = (text: string): string => JSON.stringify(text)
const long = (text: string, bytes: number): string => text.repeat(Math.floor(bytes / text.length))

/** JSON bodies: each is read whole, and has to be refused or taken within a bounded time. */
export const JSON_KINDS: readonly Kind[] = [
  {
    name: 'json 100,000 arrays deep',
    sending: body(() => '['.repeat(100_000)),
    said: ['400 body-malformed'],
  },
  {
    name: 'json 100,000 objects deep',
    sending: body(() => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    said: ['400 body-malformed'],
  },
  {
    name: 'json flat array',
    sending: body(() => `[${'1,'.repeat(500_000)}1]`),
    said: ['400 body-malformed'],
  },
  {
    name: 'json 60,000 empty objects',
    sending: body(() => listOf('sets', () => '{}')),
    said: ['400 body-invalid'],
  },
  {
    name: 'json 60,000 unique items',
    sending: body(() => listOf('sets', (i) => `[${i}]`, 30_000)),
    said: ['200'],
  },
  {
    name: 'json long strings',
    sending: body(() => listOf('sets', (i) => quoted(`${i}${'\\u0000'.repeat(20_000)}`))),
    said: ['200'],
  },
  {
    name: 'json 10,000 names',
    sending: body(() => `{${Array.from({ length: 10_000 }, (_, i) => `"n${i}":1`).join()}}`),
    said: ['400 body-malformed'],
  },
  {
    name: 'json 1,000 undeclared names',
    sending: body(() => `{${Array.from({ length: 1_000 }, (_, i) => `"n${i}":1`).join()}}`),
    said: ['400 field-undeclared'],
  },
  {
    name: 'json undeclared everywhere',
    sending: body(
      () => `{"tree":{"all":[${Array.from({ length: 15_000 }, (_, i) => `{"n${i}":1}`).join()}]}}`,
    ),
    said: ['400 field-undeclared'],
  },
  {
    name: 'json names that hash alike',
    // Array-index names are hashed by their number and kept in element stores, which far apart ones make sparse.
    sending: body(
      () => `{"map":{${Array.from({ length: 1_000 }, (_, i) => `"${i * 4_194_301}":1`).join()}}}`,
    ),
    said: ['400 body-invalid'],
  },
  {
    name: 'json duplicate names',
    sending: body(() => `{${'"text":"a",'.repeat(1_000)}"text":"b"}`),
    said: ['400 body-malformed'],
  },
  {
    name: 'json 1e999999999',
    sending: body(() => listOf('money', () => '1e999999999')),
    said: ['400 body-malformed'],
  },
  {
    name: 'json 1e-999999999',
    sending: body(() => listOf('money', () => '1e-999999999')),
    said: ['400 body-invalid'],
  },
  {
    name: 'json one number of 250,000 digits',
    sending: body(() => `{"whole":[${long('7', 250_000)}]}`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'json one number of 1,000,000 digits',
    sending: body(() => `{"whole":[${long('7', 1_000_000)}]}`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'json 20,000 numbers of 50 digits',
    sending: body(() => listOf('whole', () => long('7', 49))),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json exact decimals',
    sending: body(() => listOf('money', (i) => `${i}.${long('12345', 12)}`)),
    said: ['400 body-invalid'],
  },
  {
    name: 'json inexact unique',
    sending: body(() => listOf('sets', (i) => `1${String(i).padStart(20, '0')}`)),
    said: ['200'],
  },
  {
    name: 'json greedy pattern',
    sending: body(() => listOf('greedy', () => quoted(`${'a'.repeat(50_000)}!`))),
    said: ['400 body-invalid'],
  },
  {
    name: 'json greedy pattern that fits',
    sending: body(() => listOf('greedy', () => quoted('a'.repeat(50_000)))),
    said: ['200'],
  },
  {
    name: 'json counted pattern',
    sending: body(() => listOf('counted', () => quoted('ab'.repeat(390)))),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json pattern under a budget',
    sending: body(() => listOf('ahead', () => quoted(`${'a'.repeat(200)}!`))),
    said: ['400 body-invalid'],
  },
  {
    name: 'json pattern under a budget that fits',
    sending: body(() => listOf('ahead', () => quoted('aaaa'))),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json names by pattern',
    sending: body(
      () => `{"map":{${Array.from({ length: 1_000 }, (_, i) => `"${'k'.repeat(1_000)}${i}":1`).join()}}}`,
    ),
    said: ['200'],
  },
  {
    name: 'json 200 oneOf branches',
    sending: body(() => listOf('shapes', () => '{"k199":200}', 20_000)),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json 200 oneOf branches, none fits',
    sending: body(() => listOf('shapes', () => '{"id":"a"}', 20_000)),
    said: ['400 body-invalid'],
  },
  {
    name: 'json 200 oneOf branches, undeclared',
    sending: body(() => listOf('shapes', () => '{"k199":200,"x":1}', 20_000)),
    said: ['400 body-invalid', '400 field-undeclared'],
  },
  {
    name: 'json 200 anyOf branches',
    sending: body(() => listOf('some', () => '{"k199":200}', 20_000)),
    said: ['200', '400 body-invalid'],
  },
  { name: 'json contains', sending: body(() => listOf('has', () => '{}')), said: ['400 body-invalid'] },
  {
    name: 'json e-mail format',
    sending: body(() => listOf('mails', () => quoted(`${long('a.', 4_000)}@${long('b.', 4_000)}`))),
    said: ['400 body-invalid'],
  },
  {
    name: 'json uri format',
    sending: body(() => listOf('uris', () => quoted(`http://${long('a%41', 8_000)}`))),
    said: ['400 url-forbidden'],
  },
  {
    name: 'json host format',
    sending: body(() => listOf('hosts', () => quoted(long('ü.', 240)), 1_000)),
    said: ['400 body-invalid'],
  },
  {
    name: 'json time format',
    sending: body(() => listOf('times', () => quoted(`2026-01-01T00:00:00.${long('1', 8_000)}Z`))),
    said: ['200'],
  },
  {
    name: 'json regex format',
    sending: body(() => listOf('regexes', (i) => quoted(`${'(a'.repeat(60)}${i}${')+'.repeat(60)}`))),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json regex format, many',
    sending: body(() => listOf('regexes', (i) => quoted(`[${i}-\\uffff]{1,9}`))),
    said: ['200', '400 body-invalid'],
  },
  {
    name: 'json address format',
    sending: body(() => listOf('addresses', () => quoted(long('1:', 4_000)))),
    said: ['400 body-invalid'],
  },
  {
    name: 'json pointer format',
    sending: body(() => listOf('pointers', () => quoted(long('/~0', 8_000)))),
    said: ['200'],
  },
  {
    name: 'json template format',
    sending: body(() => listOf('templates', () => quoted(long('{a}', 8_000)))),
    said: ['200', '400 body-invalid'],
  },
  ...(
    [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      [
        'br',
        (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } }),
      ],
      ['zstd', zstdCompressSync],
    ] as const
  ).flatMap(([coding, compress]): Kind[] => [
    {
      name: `bomb ${coding}`,
      sending: body(() => compress(Buffer.alloc(32 * 1_048_576, 0x20)), { 'content-encoding': coding }),
      said: ['413 body-too-large'],
    },
    {
      name: `bomb ${coding} in gzip`,
      sending: body(() => gzipSync(compress(Buffer.alloc(32 * 1_048_576, 0x20))), {
        'content-encoding': `${coding}, gzip`,
      }),
      said: ['413 body-too-large'],
    },
    {
      name: `not ${coding}`,
      sending: body(() => long('{"text":"a"}', MOST), { 'content-encoding': coding }),
      said: ['400 body-malformed'],
    },
    {
      name: `half of ${coding}`,
      sending: body(
        () => compress(Buffer.from(listOf('sets', (i) => quoted(`${i * 7919}`)))).subarray(0, 30_000),
        {
          'content-encoding': coding,
        },
      ),
      said: ['400 body-malformed'],
    },
  ]),
  {
    name: 'three codings',
    sending: body(() => '{}', { 'content-encoding': 'gzip, gzip, gzip' }),
    said: ['415 content-encoding-unsupported'],
  },
  {
    name: 'unknown coding',
    sending: body(() => '{}', { 'content-encoding': 'compress' }),
    said: ['415 content-encoding-unsupported'],
  },
]
