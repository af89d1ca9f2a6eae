import { describe, expect, it } from 'vitest'
import { bodyOf } from '../../../test/body-of.ts'
import { operationOf, said } from '../../../test/contract-instance.ts'

const address = {
  type: 'object',
  properties: { city: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
  required: ['city'],
}
const order = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'integer', maximum: 100 },
    ok: { type: 'boolean' },
    name: { type: 'string', maxLength: 5 },
    sizes: { type: 'array', items: { type: 'integer' }, maxItems: 2 },
    address,
    filter: address,
    codes: { type: 'array', items: { type: 'string' } },
  },
}

describe('application/x-www-form-urlencoded', () => {
  const judge = bodyOf('application/x-www-form-urlencoded', {
    schema: order,
    encoding: {
      filter: { style: 'deepObject', explode: true },
      codes: { style: 'pipeDelimited', explode: false },
    },
  })

  it.each([
    'id=1',
    'id=1&ok=true&name=a+b&sizes=1&sizes=2',
    'id=1&name=',
    'id=1&address=%7B%22city%22%3A%22x%22%7D',
    'id=1&filter[city]=x&filter[tags]=a&filter[tags]=b',
    'id=1&filter%5Bcity%5D=x',
    'id=1&codes=a%7Cb',
  ])('%s', (text) => expect(judge(text)).toEqual([]))

  it.each([
    ['', 'body-missing'],
    ['name=x', 'body-invalid /: required id'],
    ['id=x', 'body-invalid /id: type'],
    ['id=1.5', 'body-invalid /id: type'],
    ['id=01', 'body-invalid /id: type'],
    ['id=101', 'body-invalid /id: maximum'],
    ['id=1&id=2', 'body-invalid /id: repeated'],
    ['id=1&ok=1', 'body-invalid /ok: type'],
    ['id=1&name=abcdef', 'body-invalid /name: maxLength'],
    ['id=1&sizes=1&sizes=2&sizes=3', 'body-invalid /sizes: maxItems'],
    ['id=1&sizes=a', 'body-invalid /sizes/0: type'],
    ['id=1&sizes[]=1', 'field-undeclared /sizes[]'],
    ['id=1&role=admin', 'field-undeclared /role'],
    ['id=1&address={"city":"x","role":1}', 'field-undeclared /address/role'],
    ['id=1&address={"city":"x","city":"y"}', 'body-malformed /address/city: duplicate-key'],
    ['id=1&address=x', 'body-malformed /address: syntax'],
    ['id=1&filter[city]=x&filter[city]=y', 'body-invalid /filter: repeated'],
    ['id=1&filter[city]=x&filter[role]=y', 'field-undeclared /filter[role]'],
    ['id=1&filter[city=x', 'body-invalid /filter: style'],
    ['id=1&filter=x', 'body-invalid /filter: type'],
    ['id=1&__proto__=x', 'body-malformed forbidden-key at 0'],
    ['id=1;name=x', 'body-malformed semicolon at 4'],
    ['{"id":1}', 'body-malformed no-equals at 0'],
  ])('is refused: %s', (text, finding) => expect(judge(text)[0]).toBe(finding))

  it('is written without what is taken out', () => {
    const strip = (text: string): string | undefined => judge(text, undefined, 'strip').at(-1)
    expect(strip('role=admin&id=%31&&name=a+b&role=x')).toBe('now id=%31&name=a+b')
    expect(strip('id=1&filter[city]=x&filter[role]=y')).toBe('now id=1&filter[city]=x')
    expect(strip('id=1&address={"city":"a+b","role":[1]}')).toBe(
      'now id=1&address=%7B%22city%22%3A%22a+b%22%7D',
    )
    expect(judge('id=1', undefined, 'strip')).toEqual([])
    expect(judge('id=1&role=2', undefined, 'observe')).toEqual(['field-undeclared /role'])
  })

  it('an open form takes other names, but none that a reader behind takes for a declared one', () => {
    const open = bodyOf('application/x-www-form-urlencoded', {
      schema: {
        type: 'object',
        properties: { role: { type: 'string' }, user_id: {} },
        additionalProperties: true,
      },
    })
    expect(open('x=1&x=2')).toEqual([])
    expect(open('role[]=admin')).toEqual(['field-undeclared /role[]'])
    expect(open('user.id=1')).toEqual(['field-undeclared /user.id'])
  })

  it('numbers beyond a double stay themselves', () => {
    const exact = bodyOf('application/x-www-form-urlencoded', {
      schema: { type: 'object', properties: { n: { type: 'integer' } } },
    })
    expect(exact('n=9007199254740993&x=1', undefined, 'strip').at(-1)).toBe('now n=9007199254740993')
  })
})

const part = (head: string, body: string): string =>
  `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`
const END = '--b--\r\n'
const FORM = 'multipart/form-data; boundary=b'

describe('multipart/form-data', () => {
  const judge = bodyOf('multipart/form-data', {
    schema: {
      type: 'object',
      required: ['id'],
      properties: {
        id: { type: 'integer' },
        note: { type: 'string', maxLength: 5 },
        tags: { type: 'array', items: { type: 'string' } },
        address,
        photo: { type: 'string', format: 'binary', maxLength: 10 },
        scan: { contentMediaType: 'application/pdf', type: 'string' },
        files: { type: 'array', items: { type: 'string', format: 'binary' }, maxItems: 2 },
      },
    },
    encoding: {
      photo: { contentType: 'image/png, image/jpeg', headers: { 'X-Rate': { schema: { type: 'integer' } } } },
      files: { headers: { 'X-Id': { required: true, schema: { type: 'string', pattern: '^[a-z]+$' } } } },
    },
  })
  const photo = (rest: string, content = 'x'): string =>
    part(`name="photo"; filename="a.png"${rest}`, content)
  const id = part('name="id"', '1')
  const type = (text: string): string => `\r\nContent-Type: ${text}`

  it.each([
    ['one field', id],
    ['a list', id + part('name="tags"', 'a') + part('name="tags"', 'b')],
    ['JSON', id + part(`name="address"${type('application/json')}`, '{"city":"x"}')],
    ['JSON that does not say so', id + part('name="address"', '{"city":"x"}')],
    ['text that says so', part(`name="id"${type('text/plain; charset=utf-8')}`, '1')],
    ['a file', id + photo(type('image/png'))],
    ['a file with its field', id + photo(`${type('image/png')}\r\nX-Rate: 5`)],
    [
      'files',
      id +
        part('name="files"; filename="a"\r\nX-Id: a', '\0\xff') +
        part('name="files"; filename="b"\r\nX-Id: b', ''),
    ],
    [
      'a file of a declared type',
      id + part(`name="scan"; filename="a.pdf"${type('application/pdf')}`, '%PDF'),
    ],
  ])('%s', (_what, text) => expect(judge(text + END, FORM)).toEqual([]))

  it.each([
    ['no required field', part('name="note"', 'x'), 'body-invalid /: required id'],
    ['a wrong type', part('name="id"', 'x'), 'body-invalid /id: type'],
    ['a field twice', id + id, 'body-invalid /id: repeated'],
    ['too long a text', id + part('name="note"', '123456'), 'body-invalid /note: maxLength'],
    ['an undeclared field', id + part('name="role"', 'admin'), 'field-undeclared /role'],
    ['an undeclared file', id + part('name="x"; filename="x.php"', '<?php'), 'field-undeclared /x'],
    [
      'a member undeclared in JSON',
      id + part('name="address"', '{"city":"x","role":1}'),
      'field-undeclared /address/role',
    ],
    [
      'JSON twice of one name',
      id + part('name="address"', '{"city":"x","city":"y"}'),
      'body-malformed /address/city: duplicate-key',
    ],
    [
      'JSON as text',
      id + part(`name="address"${type('text/plain')}`, '{"city":"x"}'),
      'body-invalid /address: content-type',
    ],
    ['a file of another type', id + photo(type('text/html')), 'body-invalid /photo: content-type'],
    ['a file of no type', id + photo(''), 'body-invalid /photo: content-type'],
    ['too large a file', id + photo(type('image/png'), '12345678901'), 'body-invalid /photo: maxLength'],
    ['a file where a text is due', id + part('name="note"; filename="x"', 'x'), 'body-invalid /note: file'],
    [
      'a text in another charset',
      part(`name="id"${type('text/plain; charset=utf-16')}`, '1'),
      'body-invalid /id: text',
    ],
    ['a text as HTML', part(`name="id"${type('text/html')}`, '1'), 'body-invalid /id: content-type'],
    [
      'parts inside a part',
      id + photo(type('multipart/mixed; boundary=c')),
      'body-invalid /photo: content-type',
    ],
    [
      'an undeclared field of a part',
      `${id}${part('name="note"\r\nX-Evil: 1', 'x')}`,
      'body-invalid /note: part-field',
    ],
    [
      'a wrong field of a part',
      id + photo(`${type('image/png')}\r\nX-Rate: a`),
      'body-invalid /photo: part-field x-rate',
    ],
    [
      'a required field of a part missing',
      id + part('name="files"; filename="a"', ''),
      'body-invalid /files: part-field x-id',
    ],
    ['a wrong length', part('name="id"\r\nContent-Length: 2', '1'), 'body-invalid /id: part-field'],
    ['no name', `${id}--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n`, 'body-invalid /1: disposition'],
    ['no disposition', `${id}--b\r\n\r\n1\r\n`, 'body-invalid /1: disposition'],
    [
      'an attachment',
      `${id}--b\r\nContent-Disposition: attachment; name="note"\r\n\r\n1\r\n`,
      'body-invalid /1: disposition',
    ],
    ['a charset for all', id + part('name="_charset_"', 'utf-7'), 'field-undeclared /_charset_'],
    ['a prototype', id + part('name="__proto__"', 'x'), 'body-malformed forbidden-key at 53'],
  ])('is refused: %s', (_what, text, finding) => expect(judge(text + END, FORM)[0]).toBe(finding))

  it.each([
    ['half sent', id, FORM, 'body-malformed unterminated at 53'],
    ['no boundary', id + END, 'multipart/form-data', 'body-malformed boundary at 0'],
    ['another boundary', id + END, 'multipart/form-data; boundary=c', 'body-malformed preamble at 0'],
    [
      'two boundaries',
      id + END,
      'multipart/form-data; boundary=b; boundary*0=c',
      'body-malformed boundary at 0',
    ],
    ['a charset', id + END, 'multipart/form-data; boundary=b; charset=utf-16', 'body-malformed charset at 0'],
  ])('is refused: %s', (_what, text, as, finding) => expect(judge(text, as)).toEqual([finding]))

  it('a field of a part is held by its digits', () => {
    const schema = { type: 'integer', maximum: 9007199254740992 }
    const exact = bodyOf('multipart/form-data', {
      schema: { type: 'object', properties: { a: { type: 'string' } } },
      encoding: { a: { headers: { 'X-N': { schema } } } },
    })
    const sent = (digits: string): string[] => exact(part(`name="a"\r\nX-N: ${digits}`, 'x') + END, FORM)
    expect(sent('9007199254740992')).toEqual([])
    expect(sent('9007199254740993')).toEqual(['body-invalid /a: part-field x-n'])
  })

  it('is written without what is taken out', () => {
    const strip = (text: string): string | undefined => judge(text + END, FORM, 'strip').at(-1)
    expect(strip(part('name="role"; filename="x"', 'admin') + id)).toBe(`now ${id}${END}`)
    expect(strip(id + part('name="address"', '{"city":"x","role":1}'))).toBe(
      `now ${id}${part('name="address"', '{"city":"x"}')}${END}`,
    )
  })
})

it('an open multipart takes other names, but none that a reader behind takes for a declared one', () => {
  const open = bodyOf('multipart/form-data', {
    schema: { type: 'object', properties: { role: { type: 'string' } }, additionalProperties: true },
  })
  expect(open(part('name="x"; filename="x"', '1') + END, FORM)).toEqual([])
  expect(open(part('name="role[]"', 'admin') + END, FORM)).toEqual(['field-undeclared /role[]'])
})

it('a form without a schema is held to its grammar', () => {
  const judge = bodyOf('multipart/form-data', {})
  expect(judge(part('name="x"', '1') + END, FORM)).toEqual([])
  expect(judge(part('name="x"', '1'), FORM)[0]).toMatch(/^body-malformed unterminated/)
  expect(bodyOf('application/x-www-form-urlencoded', {})('a=1;b')).toEqual(['body-malformed semicolon at 3'])
})

describe('multipart by position', () => {
  const judge = bodyOf('multipart/mixed', {
    schema: {
      type: 'array',
      prefixItems: [{ type: 'object', properties: { id: { type: 'integer' } } }],
      items: { type: 'string' },
    },
    prefixEncoding: [{ contentType: 'application/json' }],
    itemEncoding: { contentType: 'text/csv' },
  })
  const piece = (type: string, text: string): string => `--b\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`
  it('holds each part against its encoding and schema', () => {
    const as = 'multipart/mixed; boundary=b'
    const first = piece('application/json', '{"id":1}')
    expect(judge(first + piece('text/csv', 'a,b') + END, as)).toEqual([])
    expect(judge(piece('application/json', '{"id":"x"}') + END, as)).toEqual(['body-invalid /0/id: type'])
    expect(judge(first + piece('text/html', 'a') + END, as)).toEqual(['body-invalid /1: content-type'])
  })
})

describe('other media types', () => {
  it('text is held in its charset', () => {
    const judge = bodyOf('text/plain', { schema: { type: 'string', maxLength: 2, pattern: '^[a-zäöü]*$' } })
    expect(judge('äö')).toEqual([])
    expect(judge(Buffer.from('\xe4\xf6', 'latin1'), 'text/plain; charset=iso-8859-1')).toEqual([])
    expect(judge('abc')).toEqual(['body-invalid /: maxLength'])
    expect(judge('A')).toEqual(['body-invalid /: pattern'])
    expect(judge(Buffer.from('\xe4', 'latin1'))).toEqual(['body-malformed invalid-utf8 at 0'])
    expect(judge('ä', 'text/plain; charset=us-ascii')).toEqual(['body-malformed charset at 0'])
    expect(judge('a', 'text/plain; charset=utf-7')).toEqual(['body-malformed charset at 0'])
    expect(judge('\ufeffa')).toEqual(['body-malformed bom at 0'])
    expect(judge('a\0')).toEqual(['body-malformed nul at 1'])
    expect(bodyOf('text/plain', { schema: { type: 'integer' } })('5')).toEqual([])
    expect(bodyOf('text/plain', { schema: { enum: ['on', 'off'] } })('of')).toEqual(['body-invalid /: enum'])
  })

  it('bytes are counted', () => {
    const judge = bodyOf('application/octet-stream', {
      schema: { type: 'string', format: 'binary', maxLength: 3, minLength: 2 },
    })
    expect(judge(Buffer.from([0, 255, 128]))).toEqual([])
    expect(judge(Buffer.from([0, 255, 128, 1]))).toEqual(['body-invalid /: maxLength'])
    expect(judge('x')).toEqual(['body-invalid /: minLength'])
    expect(bodyOf('image/*', {})('x', 'image/png')).toEqual([])
  })

  it('what says nothing that could be held is let through, and says so', () => {
    expect(bodyOf('application/yaml', { schema: order })('a: 1')).toEqual(['unchecked'])
    expect(bodyOf('*/*', { schema: order })('a: 1', 'application/yaml')).toEqual(['unchecked'])
    expect(bodyOf('*/*', { schema: order })('id=x', 'application/x-www-form-urlencoded')).toEqual([
      'body-invalid /id: type',
    ])
    expect(bodyOf('*/*', { schema: order })('{"id":"x"}', 'application/json')).toEqual([
      'body-invalid /id: type',
    ])
  })
})

describe('sequences of JSON', () => {
  const item = { type: 'object', properties: { id: { type: 'integer' } } }
  it.each([
    ['application/x-ndjson', '{"id":1}\n{"id":2}\n', '{"id":1}\n{"id":2,"role":1}'],
    ['application/json-seq', '\x1e{"id":1}\n\x1e{"id":2}\n', '\x1e{"id":1}\n\x1e{"id":2,"role":1}\n'],
  ])('%s is held item by item', (type, good, more) => {
    const judge = bodyOf(type, { itemSchema: item })
    expect(judge(good)).toEqual([])
    expect(judge(good.replace('2', '"x"'))).toEqual(['body-invalid /id: type'])
    expect(judge(good.replace('"id":2', '"id":2,"id":3'))).toEqual(['body-malformed /id: duplicate-key'])
    expect(judge(more)).toEqual(['field-undeclared /role'])
    expect(judge(more, undefined, 'strip').at(-1)).toBe(`now ${good}`)
  })
})

describe('the Content-Type of a call', () => {
  const schema = { type: 'object', properties: { id: { type: 'integer' } } }
  it('charset and boundary of a declared range ask for nothing more', () => {
    expect(bodyOf('application/json; charset=utf-8', { schema })('{"id":1}', 'application/json')).toEqual([])
    expect(bodyOf('multipart/form-data; boundary=x', { schema })(part('name="id"', '1') + END, FORM)).toEqual(
      [],
    )
  })

  it('other parameters choose, the range with most of them first', () => {
    const operation = operationOf({
      requestBody: {
        content: {
          'application/json': { schema },
          'application/json; version=2': { schema: { type: 'array' } },
        },
      },
    })
    const judge = (type: string, text: string): string[] =>
      said(operation.checkBody(type, Buffer.from(text)).findings)
    expect(judge('application/json', '{"id":1}')).toEqual([])
    expect(judge('application/json; version=2', '[]')).toEqual([])
    expect(judge('application/json; version=2', '{"id":1}')).toEqual(['body-invalid /: type'])
    expect(judge('application/json; version=3', '[]')).toEqual(['body-invalid /: type'])
  })

  it('left out, its declared ones are named', () => {
    const operation = operationOf({
      requestBody: { content: { 'application/json': { schema }, 'text/plain': {} } },
    })
    expect(said(operation.checkBody(undefined, Buffer.from('{}')).findings)).toEqual([
      'media-type-unsupported application/json, text/plain',
    ])
  })

  it('JSON Patch and merge patch are JSON of their own schemas', () => {
    const patch = {
      type: 'array',
      items: { type: 'object', properties: { op: { enum: ['add'] }, path: {}, value: {} } },
    }
    const judge = bodyOf('application/json-patch+json', { schema: patch })
    expect(judge('[{"op":"add","path":"/a","value":1}]')).toEqual([])
    expect(judge('[{"op":"remove","path":"/a"}]')).toEqual(['body-invalid /0/op: enum'])
    expect(bodyOf('application/merge-patch+json', { schema })('{"role":1}')).toEqual([
      'field-undeclared /role',
    ])
  })
})
