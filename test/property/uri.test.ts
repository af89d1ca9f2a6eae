import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuery, parseTarget } from '../../src/syntax/uri.ts'

/** Characters and escapes on which readers of paths are known to differ, among ordinary ones. */
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2F',
    '%5c',
    '%00',
    '%25',
    '%252e',
    ';',
    '\\',
    '//',
    '%',
    '%c0%ae',
    '?',
    '#',
  ),
  fc.constantFrom('%61', '%7E', '%c3%a9', '%e2%82%ac', '%ff', '+', ':', '@', '~', 'a', 'Z', '0', '-', '_'),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.nat(255).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
)
const target = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`)

describe('parseTarget', () => {
  it('is idempotent on its canonical form', () => {
    fc.assert(
      fc.property(target, (text) => {
        const read = parseTarget(text)
        if (!read.ok) return
        const again = parseTarget(read.path)
        expect(again).toEqual({ ok: true, path: read.path, segments: read.segments, query: '' })
      }),
      { numRuns: 5_000 },
    )
  })

  it('gives paths on which no reader can go up, split elsewhere or see more than one path', () => {
    fc.assert(
      fc.property(target, (text) => {
        const read = parseTarget(text)
        if (!read.ok) return
        expect(read.path).toBe(`/${read.segments.join('/')}`)
        const decoded = decodeURIComponent(read.path)
        expect(decoded).not.toMatch(/(?:^|\/)\.{1,2}(?:\/|$)/)
        expect(decoded).not.toMatch(/[\\\u0000-\u001f\u007f]/)
        expect(read.path).not.toMatch(/\/\/|[;?#\\]|%25(?:2e|2f|5c|00)/i)
        // The platform's own parser agrees with every byte of it.
        expect(new URL(`http://h${read.path}`).pathname).toBe(read.path)
      }),
      { numRuns: 5_000 },
    )
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof parseTarget(text).ok).toBe('boolean')
        expect(typeof parseQuery(text).ok).toBe('boolean')
      }),
    )
  })
})

describe('parseQuery', () => {
  it('reads what URLSearchParams writes, and as it reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
          maxLength: 20,
        }),
        (pairs) => {
          const raw = new URLSearchParams(pairs).toString()
          expect(parseQuery(raw)).toEqual({ ok: true, pairs: [...new URLSearchParams(raw)] })
        },
      ),
    )
  })
})
