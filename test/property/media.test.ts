import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CODINGS, decodeContent } from '../../src/syntax/content-coding.ts'
import { parseForm } from '../../src/syntax/form.ts'
import { parseMultipart } from '../../src/syntax/multipart.ts'
import { parseXml, type XmlElement } from '../../src/syntax/xml.ts'
import { operationOf } from '../contract-instance.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((each) => !each.includes('\0'))
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/).filter((each) => each !== '__proto__')
/** Bytes that begin like something and go on like anything. */
const hostile = (seeds: readonly string[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.oneof(fc.constantFrom(...seeds), fc.string({ maxLength: 5 })), { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join(''))),
  )

describe('a form', () => {
  it('reads back what URLSearchParams writes, which nobody reads otherwise', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { maxLength: 20 }), (pairs) => {
        const form = parseForm(Buffer.from(new URLSearchParams(pairs).toString()))
        expect(form.ok && form.pairs.map((pair) => [pair.name, pair.value])).toEqual(pairs)
      }),
    )
  })

  it('whatever is taken is what the URL standard reads', () => {
    fc.assert(
      fc.property(hostile(['a', '=', '&', '+', '%', '%41', '%e2%82%ac', ';', '[', ']', '%00']), (bytes) => {
        const form = parseForm(bytes)
        if (!form.ok) return
        const standard = [...new URLSearchParams(`&${Buffer.from(bytes).toString('latin1')}`)]
        expect(form.pairs.map((pair) => [pair.name, pair.value])).toEqual(standard)
      }),
    )
  })
})

describe('a multipart', () => {
  const part = ([field, content]: readonly [string, string]): string =>
    `--bound\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${content}\r\n`

  it('reads back what is written, whatever the parts hold', () => {
    const content = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((each) => !each.includes('--bound'))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, content), { minLength: 1, maxLength: 10 }), (parts) => {
        const bytes = Buffer.from(`${parts.map(part).join('')}--bound--\r\n`)
        const read = parseMultipart(bytes, 'bound')
        expect(
          read.ok &&
            read.parts.map(({ disposition, from, to }) => [
              disposition?.name,
              bytes.toString('utf8', from, to),
            ]),
        ).toEqual(parts)
      }),
    )
  })

  it('whatever is taken is what fetch reads, and nothing throws', async () => {
    const seeds = [
      '--b',
      '--b--',
      '\r\n',
      '\n',
      'Content-Disposition: form-data; name="a"',
      '\r\n\r\n',
      'x',
      'Content-Type: text/plain',
    ]
    await fc.assert(
      fc.asyncProperty(hostile(seeds), async (bytes) => {
        const read = parseMultipart(bytes, 'b')
        if (
          !read.ok ||
          read.parts.some(({ disposition }) => disposition?.type !== 'form-data' || disposition.name === null)
        )
          return
        const body = new Response(new Uint8Array(bytes), {
          headers: { 'content-type': 'multipart/form-data; boundary=b' },
        })
        const form = await body.formData()
        const names = [...form].map(([key]) => key)
        expect(read.parts.map(({ disposition }) => disposition?.name)).toEqual(names)
      }),
    )
  })

  it('cut short anywhere it is refused', () => {
    const whole = Buffer.from(`${part(['a', 'x\r\ny'])}${part(['b', ''])}--bound--`)
    for (let end = 0; end < whole.length; end++)
      expect(parseMultipart(whole.subarray(0, end), 'bound').ok).toBe(false)
    expect(parseMultipart(whole, 'bound').ok).toBe(true)
  })
})

describe('XML', () => {
  interface Tree {
    readonly local: string
    readonly attributes: readonly (readonly [string, string])[]
    readonly children: readonly Tree[]
    readonly text: string
  }
  // XML 1.0 has no way to write other characters, and ends of lines are its own.
  const writable = fc
    .string({ unit: 'grapheme', maxLength: 10 })
    .filter((each) => !/[\x00-\x08\x0b-\x1f\ufffe\uffff]/.test(each) && each.isWellFormed())
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.record({
      local: name,
      attributes: fc.uniqueArray(fc.tuple(name, writable), { maxLength: 3, selector: ([each]) => each }),
      children: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constant([]),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
      text: writable,
    }),
  }))
  const escaped = (value: string): string =>
    value.replace(/[&<>"\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  const written = ({ local, attributes, children, text: content }: Tree): string =>
    `<${local}${attributes.map(([each, value]) => ` ${each}="${escaped(value)}"`).join('')}>${
      children.length > 0 ? children.map(written).join('') : escaped(content)
    }</${local}>`
  const plain = ({ local, attributes, children, text: content }: XmlElement | Tree): unknown => [
    local,
    attributes.map((each) => ('local' in each ? [each.local, each.value] : each)),
    children.length > 0 ? children.map(plain) : content,
  ]

  it('reads back what is written', () => {
    fc.assert(
      fc.property(tree, (each) => {
        const read = parseXml(Buffer.from(written(each)))
        expect(read.ok ? plain(read.root) : read.rule).toEqual(plain(each))
      }),
    )
  })

  it('nothing throws, and what is taken has neither DTD nor instruction', () => {
    const seeds = [
      '<a>',
      '</a>',
      '<a/>',
      '<',
      '>',
      '&amp;',
      '&x;',
      '<!DOCTYPE a>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?x?>',
      ' x="1"',
      'xmlns:p="u"',
      '<p:a>',
    ]
    fc.assert(
      fc.property(hostile(seeds), (bytes) => {
        const read = parseXml(bytes)
        if (read.ok)
          expect(
            /<!DOCTYPE|<\?(?!xml )/.test(read.text.replace(/<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs, '')),
          ).toBe(false)
      }),
    )
  })

  // Elements and references ask for no more than their bytes: what grows is refused by count, never by the clock.
  it('deep, wide and long bodies are bounded', () => {
    const rule = (body: string): string => {
      const read = parseXml(Buffer.from(body))
      return read.ok ? 'ok' : read.rule
    }
    expect(rule('<a>'.repeat(100_000))).toBe('depth')
    expect(rule(`<a>${'<b/>'.repeat(200_000)}</a>`)).toBe('elements')
    expect(rule(`<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}=""`).join(' ')}/>`)).toBe('attributes')
    expect(rule(`<a>${'&lt;'.repeat(200_000)}</a>`)).toBe('ok')
    expect(rule(`<a>${'&x;'.repeat(200_000)}</a>`)).toBe('entity')
    expect(rule(`<a>${'<!-- '.repeat(100_000)}</a>`)).toBe('syntax')
    expect(rule('a:'.repeat(500_000))).toBe('syntax')
    expect(rule(`<${'a'.repeat(1_000_000)}`)).toBe('name-size')
  })
})

describe('whatever comes as a body', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'array', items: { type: 'string' } } },
  }
  const content = Object.fromEntries(
    [
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/xml',
      'text/plain',
      'application/x-ndjson',
      '*/*',
    ].map((type) => [type, { schema: type === 'text/plain' ? { type: 'string' } : schema }]),
  )
  const operation = operationOf({ requestBody: { content } })
  const types = [
    ...Object.keys(content).slice(0, -1),
    'multipart/form-data; boundary=b',
    'multipart/mixed; boundary=b',
    'image/png',
    'text/xml',
  ]
  const seeds = [
    'a=1',
    '&',
    'b=x',
    '--b',
    '\r\n',
    'Content-Disposition: form-data; name="a"',
    '<a>1</a>',
    '<b>',
    '</b>',
    '{"a":1}',
    '\n',
  ]

  it.each(['reject', 'strip', 'observe'] as const)(
    'it is judged without a throw, and unknown fields %s',
    (mode) => {
      fc.assert(
        fc.property(fc.constantFrom(...types), hostile(seeds), (type, bytes) => {
          const first = operation.checkBody(type, bytes, mode)
          // What goes on after something was taken out is taken as it is.
          if (first.dropped.length === 0) return
          const again = operation.checkBody(type, first.bytes, 'reject')
          expect(again.findings.filter(({ reason }) => reason.code === 'field-undeclared')).toEqual([])
        }),
      )
    },
  )
})

it('no coded bytes throw or give more than their limit', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CODINGS, 'gzip, br'),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(100),
      (coding, bytes, at) => {
        const coded = gzipSync(bytes)
        coded[at % coded.length] = at
        for (const given of [bytes, coded]) {
          const decoded = decodeContent(given, coding, CODINGS, 200)
          if (decoded.ok) expect(decoded.bytes.length).toBeLessThanOrEqual(200)
        }
      },
    ),
  )
})
