import { describe, expect, it } from 'vitest'
import { parseMultipart, withParts } from './multipart.ts'

const part = (head: string, body: string): string => `--b\r\n${head}\r\n\r\n${body}\r\n`
const field = (name: string, body: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, body)
const END = '--b--\r\n'

const read = (text: string | Buffer, boundary = 'b'): unknown => {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const read = parseMultipart(bytes, boundary)
  if (!read.ok) return read.rule
  return read.parts.map(({ disposition, from, to }) => [
    disposition?.name ?? null,
    ...(disposition?.filename == null ? [] : [disposition.filename]),
    bytes.toString('utf8', from, to),
  ])
}

describe('a multipart', () => {
  it.each([
    ['one part', field('a', '1') + END, [['a', '1']]],
    [
      'two of one name',
      field('a', '1') + field('a', '2') + END,
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['no line end after its end', `${field('a', '1')}--b--`, [['a', '1']]],
    ['an empty part', field('a', '') + END, [['a', '']]],
    ['line ends inside', field('a', '\r\n\r\n\n') + END, [['a', '\r\n\r\n\n']]],
    [
      'a file',
      part('Content-Disposition: form-data; name="f"; filename="ä b.png"\r\nContent-Type: image/png', 'x') +
        END,
      [['f', 'ä b.png', 'x']],
    ],
    [
      'no file chosen',
      part('Content-Disposition: form-data; name="f"; filename=""', '') + END,
      [['f', '', '']],
    ],
    ['names without quotes', part('content-disposition:form-data;name=a', '1') + END, [['a', '1']]],
    [
      'the same file name twice',
      part('Content-Disposition: form-data; name="f"; filename="a.txt"; filename*=UTF-8\'\'a.txt', '1') + END,
      [['f', 'a.txt', '1']],
    ],
    ['a part without fields', '--b\r\n\r\n1\r\n--b--', [[null, '1']]],
    [
      'binary said to be so',
      part('Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: binary', '1') + END,
      [['a', '1']],
    ],
  ])('%s', (_what, text, parts) => expect(read(text)).toEqual(parts))

  const named = (parameters: string): string =>
    part(`Content-Disposition: form-data; ${parameters}`, '1') + END

  // What busboy, multer, PHP, Python, Go, Rack and Java's uploads read in more than one way between them.
  it.each([
    ['nothing', '', 'preamble'],
    ['a preamble', `hello\r\n${field('a', '1')}${END}`, 'preamble'],
    ['an empty line before', `\r\n${field('a', '1')}${END}`, 'preamble'],
    ['an epilogue', `${field('a', '1')}${END}x`, 'epilogue'],
    ['a part after the end', `${field('a', '1')}${END}${field('b', '2')}${END}`, 'epilogue'],
    ['no end', field('a', '1'), 'unterminated'],
    ['half of it', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', 'unterminated'],
    ['an end without a part', END, 'no-parts'],
    ['half an end', `${field('a', '1')}--b-`, 'delimiter'],
    ['padding after the boundary', field('a', '1').replace('--b\r', '--b \r') + END, 'delimiter'],
    ['a longer boundary', `${field('a', '1')}--bb\r\n\r\n2\r\n${END}`, 'delimiter'],
    ['the boundary within a line', field('a', 'x--b\r\ny') + END, 'delimiter'],
    [
      'the boundary after a bare line feed',
      field('a', 'x\n--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n') + END,
      'delimiter',
    ],
    ['bare line feeds', (field('a', '1') + END).replaceAll('\r\n', '\n'), 'delimiter'],
    [
      'bare line feeds in the fields',
      part('Content-Disposition: form-data; name="a"\nX: y', '1') + END,
      'part-fields',
    ],
    ['a folded field', part('Content-Disposition: form-data;\r\n name="a"', '1') + END, 'part-fields'],
    [
      'a field twice',
      part('Content-Disposition: form-data; name="a"\r\ncontent-disposition: form-data; name="x"', '1') + END,
      'part-fields',
    ],
    ['space before the colon', part('Content-Disposition : form-data; name="a"', '1') + END, 'part-fields'],
    ['no colon', part('Content-Disposition', '1') + END, 'part-fields'],
    ['NUL in a field', part('Content-Disposition: form-data; name="a\0"', '1') + END, 'part-fields'],
    ['no blank line', '--b\r\nContent-Disposition: form-data; name="a"\r\n--b--', 'part-fields'],
    ['no content', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b--', 'part-fields'],
    [
      'too many fields',
      part(Array.from({ length: 9 }, (_, i) => `X-${i}: 1`).join('\r\n'), '1') + END,
      'part-fields',
    ],
    ['large fields', part(`X: ${'y'.repeat(5_000)}`, '1') + END, 'part-fields-size'],
    [
      'base64',
      part('Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64', 'MQ==') + END,
      'transfer-encoding',
    ],
    ['too many parts', field('a', '1').repeat(129) + END, 'too-many-parts'],
    ['a name twice', named('name="a"; name="b"'), 'disposition'],
    ['a name in another form', named("name*=UTF-8''a"), 'disposition'],
    ['an escaped quote', named('name="a\\"b"'), 'disposition'],
    ['a percent-encoded quote', named('name="a%22b"'), 'disposition'],
    ['an open quote', named('name="a'), 'disposition'],
    ['a semicolon at the end', named('name="a";'), 'disposition'],
    ['an empty name', named('name=""'), 'disposition'],
    ['a very long name', named(`name="${'n'.repeat(257)}"`), 'disposition'],
    ['two file names', named('name="a"; filename="a.txt"; filename*=UTF-8\'\'a.php'), 'disposition'],
    ['a file name in another charset', named('name="a"; filename*=latin1\'\'a'), 'disposition'],
    ['a path', named('name="a"; filename="../../x"'), 'disposition'],
    ['a path of Windows', named('name="a"; filename="C:\\x"'), 'disposition'],
    ['an unknown parameter', named('name="a"; size=1'), 'disposition'],
    ['no type', part('Content-Disposition: ; name="a"', '1') + END, 'disposition'],
  ])('is refused: %s', (_what, text, rule) => expect(read(text)).toBe(rule))

  it('fields that are no UTF-8 are refused', () =>
    expect(read(Buffer.from(named('name="\xff"'), 'latin1'))).toBe('part-fields'))

  it.each(['', 'a b', 'a"b', 'ä', 'x'.repeat(71)])('boundary %s is none', (boundary) =>
    expect(read(`--${boundary}--`, boundary)).toBe('boundary'),
  )

  it('without some of its parts is as it came but for them', () => {
    const text = field('a', '1') + field('b', '2') + field('c', '3') + END
    const bytes = Buffer.from(text)
    const all = parseMultipart(bytes, 'b')
    if (!all.ok) throw new Error(all.rule)
    const left = all.parts.filter(({ disposition }) => disposition?.name !== 'b')
    expect(Buffer.from(withParts(bytes, left, all.parts)).toString()).toBe(
      field('a', '1') + field('c', '3') + END,
    )
  })
})
