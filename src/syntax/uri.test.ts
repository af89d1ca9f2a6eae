import { describe, expect, it } from 'vitest'
import { MAX_QUERY_PAIRS, MAX_TARGET, parseQuery, parseTarget } from './uri.ts'

// Standards 6.6: each variant of one path is either the canonical path itself or refused by name; none is repaired
// into another path.
const VARIANTS: readonly (readonly [target: string, expected: string])[] = [
  ['/admin/users', '/admin/users'],
  ['/', '/'],
  ['/admin/users/', '/admin/users/'],
  ['/Admin/Users', '/Admin/Users'],
  ['/%61dmin/users', '/admin/users'],
  ['/%61%64%6d%69%6E', '/admin'],
  ['/a%2db%2E%5fc%7e', '/a-b._c~'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%2Fb', '/a%2Fb'],
  ['/a%20b', '/a%20b'],
  ['/a%3fb', '/a%3Fb'],
  ['/a%23b', '/a%23b'],
  ['/a%3Bb', '/a%3Bb'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a/...', '/a/...'],
  ['/a/.well-known', '/a/.well-known'],
  ['/a/b..c', '/a/b..c'],
  ['/a:b@c', '/a:b@c'],
  ["/a!$&'()*+,=b", "/a!$&'()*+,=b"],
  ['/100%25', '/100%25'],
  ['/a%25b', '/a%25b'],
  ['/.', '!dot-segment'],
  ['/..', '!dot-segment'],
  ['/./admin', '!dot-segment'],
  ['/public/../admin', '!dot-segment'],
  ['/public/..', '!dot-segment'],
  ['/public/%2e%2e/admin', '!dot-segment'],
  ['/public/.%2e/admin', '!dot-segment'],
  ['/public/%2E./admin', '!dot-segment'],
  ['/public/%2e/admin', '!dot-segment'],
  ['/public/..%2fadmin', '!dot-segment'],
  ['/public%2f..%2fadmin', '!dot-segment'],
  ['/public/%2e%2e%2fadmin', '!dot-segment'],
  ['/a%2f.', '!dot-segment'],
  ['//admin', '!empty-segment'],
  ['/a//b', '!empty-segment'],
  ['/a//', '!empty-segment'],
  ['///', '!empty-segment'],
  ['/a\\b', '!backslash'],
  ['/..\\admin', '!backslash'],
  ['/a%5cb', '!backslash'],
  ['/a%5Cb', '!backslash'],
  ['/a%00', '!control-character'],
  ['/a%00.json', '!control-character'],
  ['/a%0d%0aSet-Cookie:x', '!control-character'],
  ['/a%7f', '!control-character'],
  ['/a%c2%85', '!control-character'],
  ['/a\u0000', '!control-character'],
  ['/a\tb', '!control-character'],
  ['/a\u007f', '!control-character'],
  ['/a b', '!character'],
  ['/caf\u00e9', '!character'],
  ['/a\u2215b', '!character'],
  ['/a<b', '!character'],
  ['/a"b', '!character'],
  ['/a[b', '!character'],
  ['/a|b', '!character'],
  ['/a{b}', '!character'],
  ['/a`b', '!character'],
  ['/admin;x=1', '!path-parameter'],
  ['/admin/..;/x', '!path-parameter'],
  ['/a#b', '!fragment'],
  ['/a?b#c', '!fragment'],
  ['/a%', '!percent-encoding'],
  ['/a%2', '!percent-encoding'],
  ['/a%zz', '!percent-encoding'],
  ['/a%u002f', '!percent-encoding'],
  ['/a%c0%ae', '!utf-8'],
  ['/a%ff', '!utf-8'],
  ['/a%ed%a0%80', '!utf-8'],
  ['/a%c3', '!utf-8'],
  ['/%252e%252e/admin', '!double-encoding'],
  ['/a%252fb', '!double-encoding'],
  ['/a%252Fb', '!double-encoding'],
  ['/a%255cb', '!double-encoding'],
  ['/a%2500', '!double-encoding'],
  ['/a%25252e', '!double-encoding'],
  ['/a?b\u0000', '!control-character'],
  ['/a?b c', '!character'],
  ['admin', '!form'],
  ['*', '!form'],
  ['', '!form'],
  ['ftp://h/a', '!form'],
  ['example.com:443', '!form'],
  ['http:///a', '!authority'],
  ['http://user@h/a', '!authority'],
  ['http://h h/a', '!authority'],
  ['http://h\\evil/a', '!authority'],
  [`/${'a'.repeat(MAX_TARGET)}`, '!too-long'],
]

describe('path parameters that the caller asks for', () => {
  it.each([
    ['/a/;x=1', '/a/;x=1'],
    ['/a/b;x=%2c', '/a/b;x=%2C'],
    ['/a/..;/x', 'dot-segment'],
    ['/a/.;x', 'dot-segment'],
    ['/a/%2e%2e;x/b', 'dot-segment'],
    ['/a/;..', 'dot-segment'],
    ['/a/;x=%2e%2e;', undefined],
  ])('%s', (target, expected) => {
    const read = parseTarget(target, true)
    if (read.ok) expect(read).toMatchObject({ pathParameters: true })
    if (expected !== undefined) expect(read.ok ? read.path : read.why).toBe(expected)
  })

  it('are named only where there are some', () => {
    expect(parseTarget('/a', true)).toEqual({ ok: true, path: '/a', segments: ['a'], query: '' })
  })
})

describe('parseTarget', () => {
  it.each(VARIANTS)('reads %j as %s', (target, expected) => {
    const read = parseTarget(target)
    expect(read.ok ? read.path : `!${read.why}`).toBe(expected)
  })

  it('holds more than 60 variants', () => {
    expect(VARIANTS.length).toBeGreaterThanOrEqual(60)
  })

  it('keeps an encoded slash inside its segment and a trailing slash as an empty last one', () => {
    expect(parseTarget('/a%2fb/c/')).toMatchObject({ ok: true, segments: ['a%2Fb', 'c', ''] })
    expect(parseTarget('/')).toMatchObject({ ok: true, segments: [''] })
  })

  it('leaves the query as it came', () => {
    expect(parseTarget('/a?x=%2e%2E&y[]=|')).toMatchObject({ ok: true, path: '/a', query: 'x=%2e%2E&y[]=|' })
    expect(parseTarget('/a?')).toMatchObject({ ok: true, query: '' })
    expect(parseTarget('/a?b?c/../d')).toMatchObject({ ok: true, query: 'b?c/../d' })
  })

  it('reads absolute-form, its authority in lower case', () => {
    expect(parseTarget('HTTP://API.Example:8080/a?b')).toEqual({
      ok: true,
      path: '/a',
      segments: ['a'],
      query: 'b',
      authority: 'api.example:8080',
    })
    expect(parseTarget('http://h')).toMatchObject({ ok: true, path: '/' })
    expect(parseTarget('http://h?x')).toMatchObject({ ok: true, path: '/', query: 'x' })
    expect(parseTarget('https://[::1]:80/a')).toMatchObject({ ok: true, authority: '[::1]:80' })
  })
})

describe('parseQuery', () => {
  it('gives ordered pairs, decoded once', () => {
    const read = parseQuery('a=1&b=%2525&a=x+y%2B&c&=d&e=f=g&&%61=z')
    expect(read).toEqual({
      ok: true,
      pairs: [
        ['a', '1'],
        ['b', '%25'],
        ['a', 'x y+'],
        ['c', ''],
        ['', 'd'],
        ['e', 'f=g'],
        ['a', 'z'],
      ],
    })
    expect(parseQuery('')).toEqual({ ok: true, pairs: [] })
  })

  it('refuses what decoders differ on, and more pairs than the bound', () => {
    expect(parseQuery('a=%')).toEqual({ ok: false, why: 'percent-encoding' })
    expect(parseQuery('a=%ff')).toEqual({ ok: false, why: 'utf-8' })
    expect(parseQuery('a&'.repeat(MAX_QUERY_PAIRS)).ok).toBe(true)
    expect(parseQuery('a&'.repeat(MAX_QUERY_PAIRS + 1))).toEqual({ ok: false, why: 'too-many-pairs' })
  })
})
