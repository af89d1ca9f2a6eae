import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepPath, readDeep } from '../../src/contract/parameters/deep-object.ts'
import { readDelimited } from '../../src/contract/parameters/delimited.ts'
import { readNode } from '../../src/contract/parameters/read-text.ts'
import { isPublicAddress } from '../../src/syntax/special-addresses.ts'
import { decodeForm, parseQuery, rawValues } from '../../src/syntax/uri.ts'
import { readUrlTarget } from '../../src/syntax/url-target.ts'
import { operationOf } from '../contract-instance.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 8 }).filter((each) => each.isWellFormed())
const encoded = (value: string): string =>
  encodeURIComponent(value).replace(
    /[!'()*.~_-]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  )
const STRINGS = { types: ['string'] } as const
const LIST = { types: [], items: STRINGS }
const OBJECT = { types: [], members: {}, others: STRINGS }

describe('what RFC 6570 writes', () => {
  const writers: readonly (readonly [
    'simple' | 'label' | 'matrix' | 'form',
    boolean,
    (list: string[]) => string,
  ])[] = [
    ['simple', false, (list) => list.join(',')],
    ['label', false, (list) => `.${list.join(',')}`],
    ['label', true, (list) => list.map((each) => `.${each}`).join('')],
    ['matrix', false, (list) => `;n=${list.join(',')}`],
    ['matrix', true, (list) => list.map((each) => `;n=${each}`).join('')],
    ['form', false, (list) => list.join(',')],
  ]

  it.each(writers)('%s explode=%s: lists are read as they were', (writing, explode, write) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (list) => {
        fc.pre(writing !== 'simple' || list.length > 1 || list[0] !== '')
        const raw = write(list.map(encoded))
        const nodes = readDelimited({ name: 'n', writing, explode, text: LIST }, raw, decodeURIComponent)
        expect(nodes.map((node) => readNode(node, LIST))).toEqual([list])
      }),
    )
  })

  it.each(['simple', 'label', 'matrix'] as const)('%s exploded: objects are read as they were', (writing) => {
    const mark = { simple: ',', label: '.', matrix: ';' }[writing]
    const object = fc.dictionary(
      text.filter((name) => name !== '' && name !== '__proto__'),
      text,
      { minKeys: 1 },
    )
    fc.assert(
      fc.property(object, (value) => {
        const pairs = Object.entries(value).map(([name, each]) => `${encoded(name)}=${encoded(each)}`)
        const raw = `${writing === 'simple' ? '' : mark}${pairs.join(mark)}`
        const [node] = readDelimited(
          { name: 'n', writing, explode: true, text: OBJECT },
          raw,
          decodeURIComponent,
        )
        expect(node === undefined ? null : readNode(node, OBJECT)).toEqual({ ...value })
      }),
    )
  })
})

describe('hostile ones', () => {
  const nested = {
    type: 'object',
    properties: { a: { type: 'object', properties: { b: { type: 'array' } } } },
  }
  const operation = operationOf({
    parameters: [
      { name: 'id', in: 'path', required: true, style: 'matrix', explode: true, schema: { type: 'object' } },
      { name: 'n', in: 'query', schema: { type: 'integer' } },
      { name: 'l', in: 'query', explode: false, schema: { type: 'array', items: { type: 'string' } } },
      { name: 's', in: 'query', style: 'spaceDelimited', explode: false, schema: { type: 'object' } },
      { name: 'd', in: 'query', style: 'deepObject', schema: nested },
      { name: 'j', in: 'query', content: { 'application/json': { schema: nested } } },
      { name: 'u', in: 'query', schema: { type: 'string', format: 'url' } },
      { name: 'h', in: 'header', schema: { type: 'object' } },
      { name: 'c', in: 'cookie', schema: { type: 'array' } },
    ],
  })
  const piece = fc.oneof(
    fc.constantFrom(
      'n',
      'l',
      's',
      'd',
      'j',
      'u',
      '[',
      ']',
      '[]',
      '[a]',
      '[b]',
      '=',
      '&',
      ',',
      '%20',
      '%2C',
      ';',
      '{',
    ),
    fc.constantFrom('__proto__', 'http://', '127.1', '//', '\\', '@', '%00', '1', '9007199254740993'),
  )

  it('never throw, and give at most 20 findings', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.string(), { maxLength: 4 }),
        (pieces, values) => {
          const rawQuery = pieces.join('')
          const read = parseQuery(rawQuery)
          if (!read.ok) return
          expect(rawValues(rawQuery).map(decodeForm)).toEqual(read.pairs.map(([, value]) => value))
          const fields = values.flatMap((value, index) => [index % 2 === 0 ? 'H' : 'Cookie', value])
          const source = {
            params: { id: rawQuery },
            segments: ['a', rawQuery],
            query: read.pairs,
            rawQuery,
            fields,
          }
          expect(operation.checkParameters(source).length).toBeLessThanOrEqual(20)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('deepObject paths are read or refused', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(piece, { maxLength: 6 }), text)), (given) => {
        const pairs = given.flatMap(([steps, value]) => {
          const path = deepPath(steps.map((step) => `[${step}]`).join(''))
          return path === null ? [] : [{ path, value }]
        })
        readDeep({ types: [], members: {}, others: LIST }, pairs)
      }),
    )
  })
})

describe('URLs that pass', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const number = fc
    .tuple(octet, fc.constantFrom(10, 8, 16), fc.constantFrom('', '0', '00'))
    .map(([value, base, zeros]) =>
      base === 10
        ? `${value}`
        : base === 8
          ? `0${zeros}${value.toString(8)}`
          : `0x${zeros}${value.toString(16)}`,
    )
  const host = fc.oneof(
    fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.')),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc
      .array(fc.constantFrom('a', '.', '0', 'x', '@', ':', '%', '\\', '/', '-', '①', '。', 'localhost'), {
        maxLength: 8,
      })
      .map((parts) => parts.join('')),
  )

  it('name the host that the WHATWG reader sees', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('http://', 'https://', 'ftp://'),
        host,
        fc.constantFrom('', '/', ':80/', '?x'),
        (scheme, name, end) => {
          const read = readUrlTarget(`${scheme}${name}${end}`, 'url')
          if (!read.ok || read.host === null) return
          const seen = new URL(`${scheme}${name}${end}`).hostname
          if (read.host.kind === 'name') expect(seen).toBe(read.host.name)
          else if (!seen.startsWith('[')) expect(seen).toBe(read.host.text)
          if (read.host.kind === 'address') isPublicAddress(read.host.bytes)
          else expect(seen).toMatch(/[a-z-]/)
        },
      ),
      { numRuns: 5_000 },
    )
  })
})
