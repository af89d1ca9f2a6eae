import { describe, expect, it } from 'vitest'
import { isJson, isUtf8, type MediaType, matchesRange, parseMediaType } from './media-type.ts'

const media = (text: string): MediaType => {
  const read = parseMediaType(text)
  if (read === null) throw new Error(`${text} is no media type`)
  return read
}

describe('parseMediaType', () => {
  it('reads type, subtype and parameters', () => {
    const read = media(' Application/JSON ; Charset=UTF-8;a="b \\" c";')
    expect(read.essence).toBe('application/json')
    expect([...read.parameters]).toEqual([
      ['charset', 'UTF-8'],
      ['a', 'b " c'],
    ])
  })

  it.each([
    '',
    'json',
    'application/',
    '/json',
    'application/json, text/html',
    'application/json text/html',
    'application/json; charset',
    'application/json; charset=',
    'application/json; charset="utf-8',
    'application/json; charset=utf-8; CHARSET=utf-7',
    'application/json;charset =utf-8',
    'application /json',
    'applic\u00e4tion/json',
    `a/b;c="${'x'.repeat(600)}"`,
  ])('refuses %j', (text) => {
    expect(parseMediaType(text)).toBeNull()
  })
})

describe('ranges', () => {
  it.each([
    ['application/json', 'application/json', true],
    ['application/json; charset=utf-8', 'application/json', true],
    ['application/json', 'application/*', true],
    ['application/json', '*/*', true],
    ['application/json', 'text/*', false],
    ['application/problem+json', 'application/json', false],
    ['a/b; v=1', 'a/b; v=1', true],
    ['a/b', 'a/b; v=1', false],
    ['a/b; v=2', 'a/b; v=1', false],
  ])('%s in %s: %s', (text, range, expected) => {
    expect(matchesRange(media(text), media(range))).toBe(expected)
  })
})

describe('JSON', () => {
  it.each([
    ['application/json', true],
    ['text/json', true],
    ['application/problem+json', true],
    ['application/vnd.a.b+json; v=1', true],
    ['application/jsonp', false],
    ['image/json', false],
    ['text/plain', false],
  ])('%s: %s', (text, expected) => {
    expect(isJson(media(text))).toBe(expected)
  })

  it('is UTF-8', () => {
    expect(isUtf8(media('application/json'))).toBe(true)
    expect(isUtf8(media('application/json; charset="utf-8"'))).toBe(true)
    expect(isUtf8(media('application/json; charset=utf-16'))).toBe(false)
    expect(isUtf8(media('application/json; charset=iso-8859-1'))).toBe(false)
  })
})
