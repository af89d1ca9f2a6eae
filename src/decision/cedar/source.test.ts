import { expect, test } from 'vitest'
import { keepOnly, offsetOfByte, placeOf, scanPolicies } from './source.ts'

function parts(text: string): string[] {
  const scan = scanPolicies(text)
  if (!scan.ok) throw new Error(scan.why)
  return scan.policies.map(({ start, end }) => text.slice(start, end))
}

test('policies end at semicolons outside strings and comments', () => {
  expect(parts('// a;\n@id("x;y")\npermit; // b;\r\n  forbid "\\";" ;')).toEqual([
    '@id("x;y")\npermit;',
    'forbid "\\";" ;',
  ])
  expect(parts('')).toEqual([])
  expect(parts('// only a comment')).toEqual([])
  expect(parts('permit; unfinished')).toEqual(['permit;', 'unfinished'])
  expect(parts('"never closed')).toEqual(['"never closed'])
  expect(parts('"ends in escape\\')).toEqual(['"ends in escape\\'])
})

test('what nests or chains too far is named with its place', () => {
  expect(scanPolicies('('.repeat(49))).toMatchObject({ ok: false, at: 49 })
  expect(scanPolicies('('.repeat(48)).ok).toBe(true)
  expect(scanPolicies('a.'.repeat(1_100)).ok).toBe(false)
  expect(scanPolicies('if a then '.repeat(600)).ok).toBe(false)
  expect(scanPolicies('a.b && '.repeat(500)).ok).toBe(true)
  expect(scanPolicies('a.b;'.repeat(600)).ok).toBe(true)
})

test('places count lines and characters from 1', () => {
  expect(placeOf('ab\n😀x', 5)).toEqual({ line: 2, column: 2 })
  expect(placeOf('', 0)).toEqual({ line: 1, column: 1 })
})

test('byte offsets become offsets into the text', () => {
  const text = '\ufeffé😀x'
  const x = text.indexOf('x')
  expect(offsetOfByte(text, new TextEncoder().encode(text.slice(0, x)).length)).toBe(x)
})

test('blanking keeps every byte offset and line', () => {
  const text = 'permit é😀\n;// c\nforbid;'
  const scan = scanPolicies(text)
  if (!scan.ok) throw new Error(scan.why)
  const [, second] = scan.policies
  const kept = keepOnly(text, scan.policies, second === undefined ? [] : [second])
  expect(kept.endsWith('\n // c\nforbid;')).toBe(true)
  expect(kept.trimStart().startsWith('//')).toBe(true)
  expect(new TextEncoder().encode(kept)).toHaveLength(new TextEncoder().encode(text).length)
})
