import { describe, expect, it } from 'vitest'
import { escapePointer, parsePointer, readPointer } from './json-pointer.ts'

// The document and pointers of RFC 6901 §5.
const document = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

describe('readPointer', () => {
  it.each([
    ['', document],
    ['/foo', document.foo],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('finds %j', (pointer, value) => expect(readPointer(document, parsePointer(pointer))).toBe(value))

  it.each([
    '/foo/2',
    '/foo/-',
    '/foo/00',
    '/foo/01',
    '/foo/+1',
    '/foo/1e0',
    '/foo/',
    '/foo/length',
    '/foo/0/0',
  ])('finds nothing at %j', (pointer) => expect(readPointer(document, parsePointer(pointer))).toBeUndefined())

  it.each(['/constructor', '/__proto__', '/toString', '/foo/map', '/foo/0/length', '//x'])(
    'finds nothing inherited or of a primitive at %j',
    (pointer) => expect(readPointer(document, parsePointer(pointer))).toBeUndefined(),
  )

  it('finds a null but nothing in it', () => {
    expect(readPointer({ a: null }, ['a'])).toBeNull()
    expect(readPointer({ a: null }, ['a', 'b'])).toBeUndefined()
  })
})

describe('parsePointer', () => {
  it('unescapes ~1 before ~0', () => expect(parsePointer('/~01/~10')).toEqual(['~1', '/0']))

  it.each(['a', '#/a', '/~', '/~2', '/a~/b'])('throws on %j', (text) => {
    expect(() => parsePointer(text)).toThrow(SyntaxError)
  })
})

describe('escapePointer', () => {
  it.each(['', 'a', '~', '/', '~1', '~0/~~01'])('of %j is read back', (segment) => {
    expect(parsePointer(`/${escapePointer(segment)}`)).toEqual([segment])
  })
})
